//! Inputs and outputs of a method.

use super::Method;
use crate::delegate::Delegate;
use crate::delegate::stub::Given;
use crate::error::{Error, KernelError};
use crate::memory::Arena;
use crate::tensor::TensorRef;
use crate::value::{EValue, Scalar, Storage, TensorId};
use alloc::format;
use alloc::vec::Vec;
use core::slice;
use et_schema::ErrorCode;
use et_schema::ScalarType;
use et_schema::ids::ValueId;

/// An input to set.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A tensor; `data` holds the elements in index order of its sizes.
    Tensor {
        /// Element type.
        scalar_type: ScalarType,
        /// Extents.
        sizes: &'a [i32],
        /// Little-endian elements, contiguous.
        data: &'a [u8],
    },
    /// A number. Programs are specialised on it: it must equal the program's own.
    Scalar(Scalar),
}

/// An output.
#[derive(Clone, Copy, Debug)]
pub enum OutputRef<'a> {
    /// A tensor. Its data is in memory order, see [`crate::tensor::TensorMeta::dim_order`].
    Tensor(TensorRef<'a>),
    /// A number.
    Scalar(Scalar),
    /// Text.
    String(&'a str),
    /// Nothing.
    None,
    /// A list, which ExecuTorch's runners do not print either.
    List(&'static str),
}

impl<'p> Method<'p> {
    /// Number of inputs.
    pub fn input_count(&self) -> usize {
        self.inputs.len()
    }

    /// Input `index` as it stands, `None` if there is no such input.
    pub fn input(&self, index: usize) -> Option<OutputRef<'_>> {
        self.inputs.get(index).map(|id| self.read(*id))
    }

    /// Copies `input` into input `index`. A dynamic input takes its shape.
    ///
    /// # Errors
    /// No such input, another kind or element type, a shape that the program
    /// does not allow, or data of another size than the shape says.
    pub fn set_input(&mut self, index: usize, input: Input<'_>) -> Result<(), Error> {
        let wrong = |message| Error::new(ErrorCode::InvalidArgument, message);
        let id = *self.inputs.get(index).ok_or_else(|| {
            wrong(format!("input {index}: the method has {} inputs", self.inputs.len()))
        })?;
        match (self.values.get(id), input) {
            (Some(EValue::Tensor(tensor)), Input::Tensor { scalar_type, sizes, data }) => {
                let meta = &mut self.values.tensors[tensor.index()].meta;
                if meta.scalar_type() != scalar_type {
                    return Err(wrong(format!(
                        "input {index} is {scalar_type}, the method takes {}",
                        meta.scalar_type()
                    )));
                }
                meta.resize(sizes).map_err(|e| Error {
                    message: format!("input {index}: {}", e.message),
                    ..from_kernel(e)
                })?;
                if meta.nbytes() != data.len() {
                    return Err(wrong(format!(
                        "input {index} has {} bytes, its shape {sizes:?} needs {}",
                        data.len(),
                        meta.nbytes()
                    )));
                }
                let meta = meta.clone();
                let target = self.tensor_bytes_mut(tensor)?;
                copy_to_memory_order(&meta, data, target);
                Ok(())
            }
            (Some(EValue::Scalar(own)), Input::Scalar(given)) if own == given => Ok(()),
            (Some(EValue::Scalar(own)), Input::Scalar(given)) => Err(wrong(format!(
                "input {index} is {given:?}, the method was exported for {own:?}"
            ))),
            (value, _) => Err(wrong(format!(
                "input {index} of the method is a {}",
                value.map_or("missing value", |v| v.kind())
            ))),
        }
    }

    /// Puts a tensor into the place of output `output` of the stub that stands
    /// for delegate `delegate`, instead of zeros.
    ///
    /// # Errors
    /// No such delegate or output, or the delegate runs and is no stub.
    pub fn set_stub_output(
        &mut self,
        delegate: usize,
        output: usize,
        input: Input<'_>,
    ) -> Result<(), Error> {
        let wrong = |message| Error::new(ErrorCode::InvalidArgument, message);
        let count = self.delegates.len();
        let Some(Delegate::Stub(stub)) = self.delegates.get_mut(delegate) else {
            return Err(wrong(format!(
                "no delegate {delegate} that is not run: the method has {count} delegates"
            )));
        };
        let Input::Tensor { scalar_type, sizes, data } = input else {
            return Err(wrong("outputs of delegates are tensors".into()));
        };
        let given = Given { scalar_type, sizes: sizes.to_vec(), data: data.to_vec() };
        stub.give(output, given).map_err(from_kernel)
    }

    /// Fills every tensor input with ones, as ExecuTorch's runners do when no
    /// input is given. Other inputs keep the program's own value.
    ///
    /// # Errors
    /// This machine has no memory for an input.
    pub fn set_inputs_to_ones(&mut self) -> Result<(), Error> {
        for id in self.inputs.clone() {
            let Some((tensor, own)) = self.values.tensor(id) else { continue };
            let one = one(own.meta.scalar_type());
            let bytes = self.tensor_bytes_mut(tensor)?;
            let Some(first) = bytes.get_mut(..one.len()) else { continue };
            first.copy_from_slice(&one);
            // What is filled is copied behind itself.
            let mut filled = one.len();
            while filled < bytes.len() {
                let more = filled.min(bytes.len() - filled);
                bytes.copy_within(..more, filled);
                filled += more;
            }
        }
        Ok(())
    }

    /// The outputs, in order.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = OutputRef<'_>> {
        self.outputs.iter().map(|id| self.read(*id))
    }

    fn read(&self, id: ValueId) -> OutputRef<'_> {
        match self.values.get(id) {
            Some(EValue::Tensor(tensor)) => OutputRef::Tensor(self.tensor_ref(tensor)),
            Some(EValue::Scalar(scalar)) => OutputRef::Scalar(scalar),
            Some(EValue::String(text)) => OutputRef::String(text),
            Some(EValue::None) | None => OutputRef::None,
            Some(list) => OutputRef::List(list.kind()),
        }
    }

    /// A tensor with the bytes it has; none if it has no memory.
    pub(super) fn tensor_ref(&self, id: TensorId) -> TensorRef<'_> {
        let tensor = &self.values.tensors[id.index()];
        let data = match tensor.storage {
            Storage::None => &[],
            Storage::Constant(bytes) => bytes,
            Storage::Arena { arena, offset } => {
                let bytes = self.arenas[arena as usize].bytes();
                bytes.get(offset..offset + tensor.meta.nbytes()).unwrap_or_default()
            }
        };
        TensorRef { meta: &tensor.meta, data }
    }

    /// The bytes of an input. One that the program did not plan gets its own memory here.
    fn tensor_bytes_mut(&mut self, id: TensorId) -> Result<&mut [u8], Error> {
        self.give_memory(id)?;
        let tensor = &self.values.tensors[id.index()];
        match tensor.storage {
            Storage::Arena { arena, offset } => {
                Ok(&mut self.arenas[arena as usize].bytes_mut()[offset..][..tensor.meta.nbytes()])
            }
            _ => Err(Error::new(ErrorCode::InvalidArgument, "an input that is a constant")),
        }
    }

    /// Gives an unplanned tensor an arena of its own.
    pub(super) fn give_memory(&mut self, id: TensorId) -> Result<(), Error> {
        let tensor = &mut self.values.tensors[id.index()];
        if matches!(tensor.storage, Storage::None) {
            let size = tensor.meta.capacity_bytes();
            self.arenas.push(Arena::new(size).ok_or_else(|| {
                Error::new(
                    ErrorCode::MemoryAllocationFailed,
                    format!("this machine has no {size} bytes for an input or output"),
                )
            })?);
            let arena = self.arenas.len() as u32 - 1;
            tensor.storage = Storage::Arena { arena, offset: 0 };
        }
        Ok(())
    }
}

/// Errors outside any instruction.
pub(super) fn from_kernel(error: KernelError) -> Error {
    Error::new(error.code, error.message)
}

/// Copies contiguous elements into the memory order of `meta`.
pub(crate) fn copy_to_memory_order(
    meta: &crate::tensor::TensorMeta,
    source: &[u8],
    target: &mut [u8],
) {
    if meta.is_contiguous() {
        target.copy_from_slice(source);
        return;
    }
    let size = meta.scalar_type().size();
    let mut index: Vec<i32> = meta.sizes().iter().map(|_| 0).collect();
    for element in source.chunks_exact(size) {
        let offset: i64 =
            index.iter().zip(meta.strides()).map(|(i, s)| *i as i64 * *s as i64).sum();
        target[offset as usize * size..][..size].copy_from_slice(element);
        for dim in (0..index.len()).rev() {
            index[dim] += 1;
            if index[dim] < meta.sizes()[dim] {
                break;
            }
            index[dim] = 0;
        }
    }
}

/// The bytes of the number one.
fn one(scalar_type: ScalarType) -> smallvec::SmallVec<[u8; 8]> {
    use crate::tensor::{Element, with_dtype};
    with_dtype!(
        scalar_type,
        any,
        T => {
            let one = T::from_i64(1);
            bytemuck::cast_slice(slice::from_ref(&one)).into()
        },
        else {
            let mut bytes = smallvec::smallvec![0; scalar_type.size()];
            bytes[0] = 1;
            bytes
        }
    )
}
