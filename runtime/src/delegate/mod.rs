//! Delegates: the parts of a method that a backend runs.
//!
//! ```text
//! mod.rs       which backends there are, and what a call of one is
//! xnnpack.rs   XNNPACK, which the crate `et-xnnpack` runs
//! stub.rs      stands in for a backend that is not here
//! ```

pub(crate) mod stub;
#[cfg(feature = "std")]
mod xnnpack;

use crate::error::{Error, KernelResult};
use crate::memory::Arena;
use crate::method::LoadOptions;
use crate::program::Program;
use crate::value::{EValue, TensorId, Values};
use alloc::format;
use alloc::vec::Vec;
use et_schema::ErrorCode;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::pte::{Instruction, Method as Plan};
use etdump::{Place, Tracer};

/// A delegate, ready to be called.
pub(crate) enum Delegate {
    #[cfg(feature = "std")]
    Xnnpack(xnnpack::Xnnpack),
    Stub(stub::Stub),
}

/// What a delegate may touch while it is called.
pub(crate) struct Call<'m, 'p> {
    pub args: &'m [ValueId],
    pub values: &'m mut Values<'p>,
    pub arenas: &'m mut [Arena],
    pub place: Place,
    pub tracer: &'m mut dyn Tracer,
}

/// Whether this runtime runs delegates of `backend`.
pub fn runs_backend(backend: &str) -> bool {
    cfg!(feature = "std") && backend == et_schema::xnnpack::BACKEND
}

impl Delegate {
    /// Those of `plan`.
    ///
    /// # Errors
    /// `NotFound` for a backend that is not here, with the first instruction
    /// that calls it; what a backend says of a payload that it cannot load.
    pub fn load_all(
        program: &Program<'_>,
        plan: &Plan<'_>,
        options: LoadOptions,
    ) -> Result<Vec<Self>, Error> {
        let load = |(index, delegate): (usize, et_schema::pte::Delegate<'_>)| {
            let at = |error: Error| Error {
                at: first_call(plan, index),
                operator: Some(format!("delegate {}", delegate.id())),
                ..error
            };
            match delegate.id() {
                #[cfg(feature = "std")]
                et_schema::xnnpack::BACKEND if !options.stub_delegates => {
                    let loaded = xnnpack::Xnnpack::load(program.file(), &delegate, options.threads);
                    loaded.map(Delegate::Xnnpack).map_err(at)
                }
                _ if options.stub_delegates => {
                    Ok(Delegate::Stub(stub::Stub::of(plan, index).map_err(at)?))
                }
                backend => Err(at(Error::new(
                    ErrorCode::NotFound,
                    format!("Backend {backend} is not registered."),
                ))),
            }
        };
        let _ = program;
        plan.delegates().enumerate().map(load).collect()
    }

    /// Which arguments of a call it reads, and which it writes.
    pub fn arguments(&self) -> (Vec<usize>, Vec<usize>) {
        match self {
            #[cfg(feature = "std")]
            Delegate::Xnnpack(xnnpack) => xnnpack.arguments(),
            Delegate::Stub(stub) => stub.arguments(),
        }
    }

    /// Runs it.
    pub fn call(&mut self, call: Call<'_, '_>) -> KernelResult {
        match self {
            #[cfg(feature = "std")]
            Delegate::Xnnpack(xnnpack) => xnnpack.call(call),
            Delegate::Stub(stub) => stub.call(call),
        }
    }
}

/// The first instruction that calls delegate `index`.
fn first_call(plan: &Plan<'_>, index: usize) -> Option<(ChainId, InstructionId)> {
    for (chain_index, chain) in plan.chains().enumerate() {
        let calls = |instruction: Instruction<'_>| match instruction {
            Instruction::DelegateCall { delegate, .. } => delegate.index() == index,
            _ => false,
        };
        if let Some(at) = chain.instructions().position(calls) {
            return Some((ChainId(chain_index as u32), InstructionId(at as u32)));
        }
    }
    None
}

/// The tensor that argument `index` of a call is.
fn tensor(args: &[ValueId], index: usize, values: &Values<'_>) -> KernelResult<TensorId> {
    let value = args.get(index).and_then(|id| values.get(*id));
    match value {
        Some(EValue::Tensor(tensor)) => Ok(tensor),
        other => Err(crate::KernelError::argument(format!(
            "argument {index} of the delegate is a {}, a tensor is expected",
            other.map_or("missing value", |value| value.kind())
        ))),
    }
}

/// The bytes of a tensor that is written, if it has memory.
fn bytes_mut<'m>(
    tensor: TensorId,
    values: &Values<'_>,
    arenas: &'m mut [Arena],
) -> KernelResult<&'m mut [u8]> {
    let region = values.tensors[tensor.index()].region();
    let bytes = region.and_then(|region| {
        arenas.get_mut(region.arena as usize)?.bytes_mut().get_mut(region.start..region.end)
    });
    let none = || crate::KernelError::argument("an output of the delegate has no memory");
    bytes.ok_or_else(none)
}
