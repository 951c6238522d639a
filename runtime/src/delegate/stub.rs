//! In the place of a backend that is not here: outputs are zeros, so that the
//! rest of the method runs.
//!
//! A call does not say which of its arguments are outputs. Those are the ones
//! that nothing wrote before the first call: no input, no constant, no result
//! of an instruction before it.

use super::{Call, bytes_mut, first_call};
use crate::error::{Error, KernelResult};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use et_schema::ids::ValueId;
use et_schema::operators;
use et_schema::pte::{Instruction, Method as Plan, Value};
use etdump::DelegateId;

pub(crate) struct Stub {
    /// Of its event, so that a trace says what it is.
    name: String,
    reads: Vec<usize>,
    writes: Vec<usize>,
}

impl Stub {
    /// The stub of delegate `index`.
    pub fn of(plan: &Plan<'_>, index: usize) -> Result<Self, Error> {
        let backend = plan.delegates().nth(index).map_or("delegate", |delegate| delegate.id());
        let name = format!("stub of {backend}: zeros");
        let mut written: BTreeSet<ValueId> = plan.inputs().collect();
        let mut args: Vec<ValueId> = Vec::new();
        let Some((chain, last)) = first_call(plan, index) else {
            return Ok(Stub { name, reads: Vec::new(), writes: Vec::new() });
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
        let mut stub = Stub { name, reads: Vec::new(), writes: Vec::new() };
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

    pub fn call(&self, call: Call<'_, '_>) -> KernelResult {
        let id = DelegateId::Name(&self.name);
        let begun = call.tracer.begin_delegate(id, call.place);
        for output in &self.writes {
            let tensor = super::tensor(call.args, *output, call.values)?;
            bytes_mut(tensor, call.values, call.arenas)?.fill(0);
        }
        call.tracer.end_delegate(id, call.place, begun, &[]);
        Ok(())
    }
}
