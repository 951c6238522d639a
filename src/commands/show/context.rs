//! A method with everything that its lines refer to, looked up once: the names
//! and signatures of operators, how often each is called, and which values are
//! known only while the program runs.

use et_schema::ids::{DelegateId, OperatorId, ValueId};
use et_schema::operators::{Kind, Signature, find_overload};
use et_schema::pte::{Delegate, Instruction, Method, Value};

/// A method and its tables.
pub struct Context<'a> {
    /// The method.
    pub method: Method<'a>,
    /// Its operators, in file order.
    pub operators: Vec<Operator>,
    /// Its delegates with the number of their calls, in file order.
    pub delegates: Vec<(Delegate<'a>, u64)>,
    /// Whether a value is set at run time, by index.
    computed: Vec<bool>,
}

/// An operator of the method.
pub struct Operator {
    /// Namespace, name and overload.
    pub name: String,
    /// Its arguments, `None` for an operator that is not ExecuTorch's own.
    pub signature: Option<&'static Signature>,
    /// Number of instructions that call it.
    pub calls: u64,
}

impl<'a> Context<'a> {
    /// Looks everything up.
    pub fn new(method: Method<'a>) -> Self {
        let operators = method
            .operators()
            .map(|operator| Operator {
                name: operator.to_string(),
                signature: find_overload(operator.name, operator.overload),
                calls: 0,
            })
            .collect();
        let delegates = method.delegates().map(|delegate| (delegate, 0)).collect();
        let computed = vec![false; method.value_count()];
        let mut context = Context { method, operators, delegates, computed };
        method.inputs().for_each(|id| context.set_computed(id));
        for chain in method.chains() {
            chain.instructions().for_each(|instruction| context.note(instruction));
        }
        context
    }

    /// Whether a program step or the caller gives the value its content, so
    /// that the number in the file is only a place holder.
    pub fn is_computed(&self, id: ValueId) -> bool {
        self.computed.get(id.index()).copied().unwrap_or(false)
    }

    /// The operator at `id`.
    pub fn operator(&self, id: OperatorId) -> Option<&Operator> {
        self.operators.get(id.index())
    }

    /// The delegate at `id`.
    pub fn delegate(&self, id: DelegateId) -> Option<&Delegate<'a>> {
        self.delegates.get(id.index()).map(|(delegate, _)| delegate)
    }

    /// The value at `id`.
    pub fn value(&self, id: ValueId) -> Option<Value<'a>> {
        self.method.value(id).ok()
    }

    /// Instructions of all chains.
    pub fn instruction_count(&self) -> usize {
        self.method.chains().map(|chain| chain.instruction_count()).sum()
    }

    fn note(&mut self, instruction: Instruction<'a>) {
        match instruction {
            Instruction::KernelCall { operator, args } => {
                let Some(called) = self.operators.get_mut(operator.index()) else { return };
                called.calls += 1;
                let Some(signature) = called.signature else { return };
                for (arg, id) in signature.args.iter().zip(args.ids()) {
                    if arg.out && arg.kind == Kind::Any {
                        self.set_computed(id);
                    }
                }
            }
            Instruction::DelegateCall { delegate, .. } => {
                if let Some((_, calls)) = self.delegates.get_mut(delegate.index()) {
                    *calls += 1;
                }
            }
            Instruction::Move { to, .. } => self.set_computed(to),
            Instruction::JumpFalse { .. } | Instruction::Free { .. } | Instruction::Unknown(_) => {}
        }
    }

    fn set_computed(&mut self, id: ValueId) {
        if let Some(computed) = self.computed.get_mut(id.index()) {
            *computed = true;
        }
    }
}
