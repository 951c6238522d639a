//! In the place of a backend that is not here: outputs are zeros, or tensors
//! that were given, so that the rest of the method runs.
//!
//! A call does not say which of its arguments are outputs. Those are the ones
//! that nothing wrote before the first call: no input, no constant, no result
//! of an instruction before it.

use super::{Call, bytes_mut, first_call};
use crate::error::{Error, KernelError, KernelResult, ensure};
use crate::method::copy_to_memory_order;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use et_schema::ScalarType;
use et_schema::ids::ValueId;
use et_schema::operators;
use et_schema::pte::{Instruction, Method as Plan, Value};
use etdump::DelegateId;

pub(crate) struct Stub {
    /// Of its event, so that a trace says what it is.
    name: String,
    reads: Vec<usize>,
    writes: Vec<usize>,
    /// What outputs get instead of zeros, by output.
    given: BTreeMap<usize, Given>,
}

/// A tensor in the place of an output.
pub(crate) struct Given {
    pub scalar_type: ScalarType,
    pub sizes: Vec<i32>,
    /// Contiguous elements.
    pub data: Vec<u8>,
}

impl Stub {
    /// The stub of delegate `index`.
    pub fn of(plan: &Plan<'_>, index: usize) -> Result<Self, Error> {
        let backend = plan.delegates().nth(index).map_or("delegate", |delegate| delegate.id());
        let name = format!("stub of {backend}: zeros");
        let mut written: BTreeSet<ValueId> = plan.inputs().collect();
        let mut args: Vec<ValueId> = Vec::new();
        let Some((chain, last)) = first_call(plan, index) else {
            return Ok(Stub {
                name,
                reads: Vec::new(),
                writes: Vec::new(),
                given: BTreeMap::new(),
            });
        };
        for instruction in plan.chain(chain)?.instructions().take(last.index() + 1) {
            match instruction {
                Instruction::DelegateCall { delegate, args: own } if delegate.index() == index => {
                    args = own.ids().collect();
                }
                Instruction::DelegateCall { args, .. } => written.extend(args.ids()),
                Instruction::KernelCall { operator, args } => {
                    let name = plan.operator(operator)?;
                    let signature = operators::find(&name.to_string());
                    for (position, id) in args.ids().enumerate() {
                        let out = signature.and_then(|it| it.args.get(position));
                        // Of an unknown operator anything may be a result.
                        if out.is_none_or(|arg| arg.out) {
                            written.insert(id);
                        }
                    }
                }
                Instruction::Move { to, .. } => {
                    written.insert(to);
                }
                _ => {}
            }
        }
        let mut stub = Stub { name, reads: Vec::new(), writes: Vec::new(), given: BTreeMap::new() };
        for (position, id) in args.iter().enumerate() {
            let output = match plan.value(*id)? {
                Value::Tensor(tensor) => {
                    !tensor.is_constant()
                        && tensor.data_buffer_idx().is_none()
                        && !written.contains(id)
                }
                _ => false,
            };
            if output { stub.writes.push(position) } else { stub.reads.push(position) }
        }
        Ok(stub)
    }

    pub fn arguments(&self) -> (Vec<usize>, Vec<usize>) {
        (self.reads.clone(), self.writes.clone())
    }

    /// Puts `given` into the place of output `index`.
    ///
    /// # Errors
    /// The delegate has no such output.
    pub fn give(&mut self, index: usize, given: Given) -> KernelResult {
        let count = self.writes.len();
        ensure!(index < count, "no output {index}: the delegate has {count}");
        if self.given.is_empty() {
            self.name = self.name.replace(": zeros", ": given tensors");
        }
        self.given.insert(index, given);
        Ok(())
    }

    pub fn call(&self, call: Call<'_, '_>) -> KernelResult {
        let id = DelegateId::Name(&self.name);
        let begun = call.tracer.begin_delegate(id, call.place);
        for (index, output) in self.writes.iter().enumerate() {
            let tensor = super::tensor(call.args, *output, call.values)?;
            let Some(given) = self.given.get(&index) else {
                bytes_mut(tensor, call.values, call.arenas)?.fill(0);
                continue;
            };
            let meta = call.values.tensors[tensor.index()].meta.clone();
            let (wanted, found) = (meta.scalar_type(), given.scalar_type);
            ensure!(wanted == found, "output {index} is {wanted}, the given tensor {found}");
            ensure!(
                meta.sizes() == given.sizes && meta.nbytes() == given.data.len(),
                "output {index} has the shape {:?}, the given tensor {:?}",
                meta.sizes(),
                given.sizes
            );
            let target = bytes_mut(tensor, call.values, call.arenas)?;
            let target = target.get_mut(..given.data.len());
            let target = target.ok_or_else(|| KernelError::argument("too little memory"))?;
            copy_to_memory_order(&meta, &given.data, target);
        }
        call.tracer.end_delegate(id, call.place, begun, &[]);
        Ok(())
    }
}
