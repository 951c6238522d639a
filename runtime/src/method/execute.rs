//! `Method::execute`: runs the chains, one instruction after the other.

use super::Method;
use super::call;
#[cfg(feature = "std")]
use super::fusion;
use super::instruction::Instruction;
use crate::error::{Error, KernelError};
use crate::guard::{Guard, Step};
use crate::memory::Arena;
use crate::prim::Stack;
use crate::tensor::Bool;
use crate::value::{EValue, Scalar, Storage, Values};
use alloc::format;
use alloc::string::String;
use et_schema::ErrorCode;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use etdump::{DebugLevel, Place, Tracer};

impl<'p> Method<'p> {
    /// Runs the method once, on the inputs that were set.
    ///
    /// The trace gets a run `Execute`, whose events have the names, order and
    /// ids of the C++ runtime. A failing run has no `Method::execute` event.
    ///
    /// # Errors
    /// The error of the first instruction that fails, or `InvalidProgram` after
    /// [`LoadOptions::max_instructions`](super::LoadOptions::max_instructions).
    pub fn execute(&mut self, tracer: &mut dyn Tracer) -> Result<(), Error> {
        for index in 0..self.outputs.len() {
            if let Some((tensor, _)) = self.values.tensor(self.outputs[index]) {
                self.give_memory(tensor)?;
            }
        }
        self.pools.temp.reset();
        self.pools.begin_run("Execute", tracer);
        let execute = tracer.begin("Method::execute", Place::Method);
        if let Some(guard) = &mut self.guard {
            guard.begin(&self.inputs, &self.values, &self.arenas);
        }
        let mut executed = 0;
        for chain in 0..self.chains.len() {
            if let Err(error) = self.run_chain(chain, &mut executed, tracer) {
                tracer.failed("Method::execute", Place::Method, error.code);
                return Err(error);
            }
        }
        tracer.end("Method::execute", Place::Method, execute);
        if let Some(guard) = &mut self.guard {
            guard.end(&self.outputs, &self.values);
        }
        if tracer.debug_level() >= DebugLevel::ProgramOutputs {
            for id in &self.outputs {
                call::log_value(self, *id, Place::Method, true, tracer);
            }
        }
        Ok(())
    }

    fn run_chain(
        &mut self,
        chain: usize,
        executed: &mut u64,
        tracer: &mut dyn Tracer,
    ) -> Result<(), Error> {
        let mut next = 0;
        while next < self.chains[chain].len() {
            *executed += 1;
            let at = (ChainId(chain as u32), InstructionId(next as u32));
            if *executed > self.max_instructions {
                return Err(Error {
                    at: Some(at),
                    ..Error::new(
                        ErrorCode::InvalidProgram,
                        format!(
                            "Possible infinite loop: more than {} instructions ran",
                            self.max_instructions
                        ),
                    )
                });
            }
            let index = next;
            #[cfg(feature = "std")]
            if let Some(count) = self.run_together(chain, next, *executed, tracer) {
                *executed += count as u64 - 1;
                next += count;
                self.pools.temp.reset();
                continue;
            }
            self.guarded(chain, index, |guard, step, values, _| guard.before(step, values));
            next = self.step(chain, next, Place::Instruction(at.0, at.1), tracer).map_err(
                |(error, operator)| Error {
                    code: error.code,
                    message: error.message,
                    at: Some(at),
                    operator,
                },
            )?;
            self.guarded(chain, index, Guard::after);
            self.pools.temp.reset();
        }
        Ok(())
    }

    /// Runs instruction `index` and those after it together, if they are a group
    /// that this tracer lets run so; returns how many they were.
    #[cfg(feature = "std")]
    fn run_together(
        &mut self,
        chain: usize,
        index: usize,
        executed: u64,
        tracer: &mut dyn Tracer,
    ) -> Option<usize> {
        let count = fusion::together(self, chain, index, tracer)?;
        let in_bounds = executed + count as u64 - 1 <= self.max_instructions;
        (in_bounds && fusion::run(self, chain, index, tracer)).then_some(count)
    }

    /// Runs `check` if there is a guard.
    #[inline]
    fn guarded(
        &mut self,
        chain: usize,
        index: usize,
        check: impl FnOnce(&mut Guard, Step<'_>, &Values<'_>, &[Arena]),
    ) {
        if let Some(guard) = &mut self.guard {
            let step = Step { chain, index, instruction: &self.chains[chain][index] };
            check(guard, step, &self.values, &self.arenas);
        }
    }

    /// Runs one instruction and returns the index of the next, or the error
    /// and the operator that it came from.
    fn step(
        &mut self,
        chain: usize,
        index: usize,
        place: Place,
        tracer: &mut dyn Tracer,
    ) -> Result<usize, (KernelError, Option<String>)> {
        let event = match &self.chains[chain][index] {
            Instruction::Kernel(_) | Instruction::Prim { .. } => "OPERATOR_CALL",
            Instruction::Delegate(_) => "DELEGATE_CALL",
            Instruction::Move { .. } => "MOVE_CALL",
            Instruction::JumpFalse { .. } => "JF_CALL",
            Instruction::Free { .. } => "FREE_CALL",
        };
        let begun = tracer.begin(event, place);
        let mut next = index + 1;
        let failed = |error: (KernelError, Option<String>), tracer: &mut dyn Tracer| {
            tracer.failed(event, place, error.0.code);
            error
        };
        match &self.chains[chain][index] {
            Instruction::Kernel(_) => {
                call::kernel(self, chain, index, place, tracer).map_err(|e| failed(e, tracer))?;
            }
            Instruction::Delegate(_) => {
                call::delegate(self, chain, index, place, tracer).map_err(|e| failed(e, tracer))?;
            }
            Instruction::Prim { name, op, args } => {
                let mut stack = Stack { values: &mut self.values, arenas: &mut self.arenas, args };
                op(&mut stack).map_err(|e| failed((e, Some(name.clone())), tracer))?;
            }
            Instruction::Move { from, to } => {
                self.values.slots[to.index()] = self.values.slots[from.index()];
            }
            Instruction::JumpFalse { condition, destination } => {
                if !self.condition(*condition).map_err(|e| failed((e, None), tracer))? {
                    next = *destination;
                }
            }
            Instruction::Free { value } => {
                if let Some((tensor, _)) = self.values.tensor(*value) {
                    self.values.tensors[tensor.index()].storage = Storage::None;
                }
            }
        }
        tracer.end(event, place, begun);
        Ok(next)
    }

    /// A Bool, or a bool tensor whose elements are all true.
    fn condition(&self, id: ValueId) -> Result<bool, KernelError> {
        match self.values.get(id) {
            Some(EValue::Scalar(Scalar::Bool(value))) => Ok(value),
            Some(EValue::Tensor(tensor)) => {
                let elements = self.tensor_ref(tensor).data::<Bool>().map_err(|e| {
                    KernelError::new(ErrorCode::InvalidProgram, format!("condition: {}", e.message))
                })?;
                Ok(elements.iter().all(|e| e.get()))
            }
            other => Err(KernelError::new(
                ErrorCode::InvalidProgram,
                format!(
                    "the condition is a {}, not a Bool or a bool tensor",
                    other.map_or("missing value", |v| v.kind())
                ),
            )),
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::LoadOptions;
    use crate::guard::Kind;
    use crate::program::Program;
    use et_schema::pte::File;
    use etdump::NoTracer;

    /// No kernel of ours can write outside of its outputs, so the test does.
    #[test]
    fn bytes_that_an_instruction_changed_outside_of_its_outputs_are_named() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/models/lstm/model.pte");
        let bytes = std::fs::read(path).unwrap();
        let program = Program::new(File::parse(&bytes).unwrap());
        let options = LoadOptions::default();
        let mut method = Method::load(&program, "forward", options, &mut NoTracer).unwrap();
        method.guard();
        method.set_inputs_to_ones().unwrap();
        let Method { guard, inputs, values, arenas, .. } = &mut method;
        guard.as_mut().unwrap().begin(inputs, values, arenas);
        let (count, mut tampered) = (method.chains[0].len(), 0);
        for index in 0..count {
            method.guarded(0, index, |guard, step, values, _| guard.before(step, values));
            let place = Place::Instruction(ChainId(0), InstructionId(index as u32));
            method.step(0, index, place, &mut NoTracer).map_err(|e| e.0).unwrap();
            let mut tamper = false;
            if let Some(out) = written(&method, index).filter(|_| index % 5 == 3) {
                // A byte of the arena that is not the output's.
                let stray = if out.start > 0 { 0 } else { out.end };
                let bytes = method.arenas[out.arena as usize].bytes_mut();
                tamper = bytes.len() > stray;
                if let Some(byte) = bytes.get_mut(stray..).and_then(<[u8]>::first_mut) {
                    *byte ^= 1;
                }
            }
            tampered += usize::from(tamper);
            let before = method.violations().len();
            method.guarded(0, index, Guard::after);
            let new = &method.violations()[before..];
            let outside = new.iter().filter(|v| v.kind == Kind::WriteOutside).count();
            assert_eq!(outside, usize::from(tamper), "instruction {index}: {new:?}");
        }
        assert!(tampered > 8, "{tampered}");
    }

    /// The bytes of a kernel call's output, if it has one only.
    fn written(method: &Method<'_>, index: usize) -> Option<crate::memory::Region> {
        let Instruction::Kernel(call) = &method.chains[0][index] else { return None };
        let args = call.signature.args.iter().zip(&call.args);
        let mut outs = args.filter(|(arg, _)| arg.out).map(|(_, id)| *id);
        let (id, None) = (outs.next()?, outs.next()) else { return None };
        method.values.tensor(id)?.1.capacity_region()
    }
}
