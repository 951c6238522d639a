//! XNNPACK's delegates, which the crate `et-xnnpack` runs.

use super::{Call, bytes_mut, tensor};
use crate::error::{Error, KernelError, KernelResult};
use crate::memory::Arena;
use crate::value::{Storage, TensorId, Values};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use et_schema::ErrorCode;
use et_schema::pte::{Delegate, Dynamism, File};
use et_schema::xnnpack::Payload;
use et_xnnpack::{Graph, Observer};
use etdump::{DelegateId, Place, Ticks, Tracer};
use smallvec::SmallVec;

pub(crate) struct Xnnpack {
    graph: Box<Graph>,
}

impl Xnnpack {
    pub fn load(file: &File<'_>, delegate: &Delegate<'_>, threads: usize) -> Result<Self, Error> {
        let incompatible = |message: alloc::string::String| {
            Error::new(ErrorCode::DelegateInvalidCompatibility, message)
        };
        let payload = delegate.payload(file)?;
        let payload = Payload::parse(payload).map_err(|e| incompatible(e.to_string()))?;
        let named = |key: &str| file.find_named_data(key).ok().flatten();
        let graph = Graph::load(&payload, &named, threads)
            .map_err(|e| Error::new(ErrorCode::Internal, format!("XNNPACK: {e}")))?;
        Ok(Xnnpack { graph: Box::new(graph) })
    }

    pub fn arguments(&self) -> (Vec<usize>, Vec<usize>) {
        let (inputs, outputs) = self.graph.arguments();
        let index = |argument: u32| argument as usize;
        (inputs.map(index).collect(), outputs.map(index).collect())
    }

    pub fn call(&mut self, call: Call<'_, '_>) -> KernelResult {
        let (inputs, outputs) = self.arguments();
        for input in inputs {
            let id = tensor(call.args, input, call.values)?;
            let meta = &call.values.tensors[id.index()].meta;
            // XNNPACK sees the sizes in the order in which memory has them.
            let order = meta.dim_order().iter();
            let dims: SmallVec<[usize; 6]> =
                order.map(|dim| meta.size(usize::from(*dim))).collect();
            let bytes = bytes(id, call.values, call.arenas);
            self.graph.set_input(input as u32, &dims, bytes).map_err(refused)?;
        }
        let mut events = Events { tracer: call.tracer, place: call.place };
        self.graph.run(&mut events).map_err(refused)?;
        for output in outputs {
            let id = tensor(call.args, output, call.values)?;
            self.resize(output, id, call.values)?;
            let element = call.values.tensors[id.index()].meta.scalar_type().size();
            let bytes = bytes_mut(id, call.values, call.arenas)?;
            self.graph.write_output(output as u32, element, bytes).map_err(refused)?;
        }
        Ok(())
    }

    /// Gives tensor `id` the sizes that output `output` has now.
    fn resize(&self, output: usize, id: TensorId, values: &mut Values<'_>) -> KernelResult {
        let meta = &mut values.tensors[id.index()].meta;
        if meta.dynamism() == Dynamism::Static {
            return Ok(());
        }
        let dims = self.graph.output_dims(output as u32).unwrap_or_default();
        let order: SmallVec<[u8; 16]> = meta.dim_order().into();
        if dims.len() != order.len() {
            let found = meta.rank();
            let message =
                format!("output {output} has {} dimensions instead of {found}", dims.len());
            return Err(KernelError::argument(message));
        }
        let mut sizes: SmallVec<[i32; 16]> = SmallVec::from_elem(0, dims.len());
        for (dim, size) in order.iter().zip(dims) {
            sizes[usize::from(*dim)] = i32::try_from(*size).unwrap_or(i32::MAX);
        }
        meta.resize(&sizes)
    }
}

fn refused(error: et_xnnpack::Error) -> KernelError {
    KernelError::new(ErrorCode::Internal, format!("XNNPACK: {error}"))
}

/// The bytes of a tensor that is read.
fn bytes<'m>(id: TensorId, values: &'m Values<'_>, arenas: &'m [Arena]) -> &'m [u8] {
    let tensor = &values.tensors[id.index()];
    match tensor.storage {
        Storage::Constant(bytes) => bytes.get(..tensor.meta.nbytes()).unwrap_or(bytes),
        _ => {
            let region = tensor.region();
            let bytes = region.and_then(|region| {
                arenas.get(region.arena as usize)?.bytes().get(region.start..region.end)
            });
            bytes.unwrap_or_default()
        }
    }
}

/// Tells the tracer of the delegate's own operations.
struct Events<'t> {
    tracer: &'t mut dyn Tracer,
    place: Place,
}

impl Observer for Events<'_> {
    fn begin(&mut self, name: &str) -> u64 {
        self.tracer.begin_delegate(DelegateId::Name(name), self.place).0
    }

    fn end(&mut self, name: &str, begun: u64) {
        let id = DelegateId::Name(name);
        self.tracer.end_delegate(id, self.place, Ticks(begun), &[]);
    }
}
