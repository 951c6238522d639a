//! What changed between two programs: every number that they have, by name.

use crate::memory::MethodMemory;
use et_schema::ReadError;
use et_schema::layout::Abi;
use et_schema::pte::{File, Instruction, Value};
use std::collections::BTreeMap;

/// A number of a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// Bytes of the file.
    ProgramBytes,
    /// Bytes of all constants.
    ConstantBytes,
    /// Instructions of a method.
    Instructions(String),
    /// Bytes of a planned buffer of a method, by memory id.
    Planned(String, u32),
    /// The largest sum of live planned bytes of a method.
    PeakLive(String),
    /// Bytes of the method allocator after loading a method.
    MethodAllocator(String),
    /// Calls of an operator, a delegate, or another kind of instruction.
    Calls(String, String),
    /// Payload bytes of a delegate, all of the same backend together.
    Delegate(String, String),
    /// Bytes of a tensor that has a name in the PyTorch model.
    Tensor(String, String),
}

impl Fact {
    /// Name for people.
    pub fn name(&self) -> String {
        match self {
            Fact::ProgramBytes => "program".into(),
            Fact::ConstantBytes => "constants".into(),
            Fact::Instructions(method) => format!("{method}: instructions"),
            Fact::Planned(method, id) => format!("{method}: planned buffer {id}"),
            Fact::PeakLive(method) => format!("{method}: live at the peak"),
            Fact::MethodAllocator(method) => format!("{method}: method allocator"),
            Fact::Calls(method, operator) => format!("{method}: calls of {operator}"),
            Fact::Delegate(method, id) => format!("{method}: payload of {id}"),
            Fact::Tensor(method, name) => format!("{method}: tensor {name}"),
        }
    }

    /// Kind of the number in documents.
    pub fn kind(&self) -> &'static str {
        match self {
            Fact::ProgramBytes => "program_bytes",
            Fact::ConstantBytes => "constant_bytes",
            Fact::Instructions(_) => "instructions",
            Fact::Planned(..) => "planned_bytes",
            Fact::PeakLive(_) => "peak_live_bytes",
            Fact::MethodAllocator(_) => "method_allocator_bytes",
            Fact::Calls(..) => "calls",
            Fact::Delegate(..) => "delegate_bytes",
            Fact::Tensor(..) => "tensor_bytes",
        }
    }

    /// Whether it counts bytes.
    pub fn is_bytes(&self) -> bool {
        !matches!(self, Fact::Instructions(_) | Fact::Calls(..))
    }
}

/// A number that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub fact: Fact,
    /// In the base program; `None` if it is new.
    pub base: Option<u64>,
    /// In the new program; `None` if it is gone.
    pub new: Option<u64>,
}

/// What changed between two programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramDiff {
    /// Numbers that are not the same.
    pub changed: Vec<Changed>,
    /// How many are.
    pub same: usize,
}

impl ProgramDiff {
    /// Compares two programs on `abi`.
    ///
    /// # Errors
    /// An index in a program that points nowhere.
    pub fn of(base: &File<'_>, new: &File<'_>, abi: Abi) -> Result<Self, ReadError> {
        let (base, new) = (facts(base, abi)?, facts(new, abi)?);
        let mut names: Vec<&Fact> = base.keys().chain(new.keys()).collect();
        names.sort();
        names.dedup();
        let all = names.into_iter().map(|fact| Changed {
            fact: fact.clone(),
            base: base.get(fact).copied(),
            new: new.get(fact).copied(),
        });
        let (changed, same): (Vec<Changed>, Vec<Changed>) =
            all.partition(|number| number.base != number.new);
        Ok(ProgramDiff { changed, same: same.len() })
    }

    /// Whether a number of bytes grew, or came to be.
    pub fn has_regression(&self) -> bool {
        let total = |c: &Changed| {
            !matches!(c.fact, Fact::Tensor(..)) && c.fact.is_bytes() && c.new > c.base
        };
        self.changed.iter().any(total)
    }
}

fn facts(file: &File<'_>, abi: Abi) -> Result<BTreeMap<Fact, u64>, ReadError> {
    let mut facts = BTreeMap::new();
    facts.insert(Fact::ProgramBytes, file.bytes().len() as u64);
    let mut constants: BTreeMap<u32, u64> = BTreeMap::new();
    for method in file.methods() {
        let name = || method.name().to_owned();
        let memory = MethodMemory::new(file, method, abi)?;
        for buffer in &memory.plan.buffers {
            facts.insert(Fact::Planned(name(), buffer.memory_id.0), buffer.size);
        }
        facts.insert(Fact::PeakLive(name()), memory.plan.peak.bytes);
        facts.insert(Fact::MethodAllocator(name()), memory.method_used());
        for delegate in &memory.delegates {
            let sum = facts.entry(Fact::Delegate(name(), delegate.id.clone())).or_default();
            *sum = sum.saturating_add(delegate.payload);
        }
        let mut instructions = 0;
        for chain in method.chains() {
            for instruction in chain.instructions() {
                instructions += 1;
                let called = match instruction {
                    Instruction::KernelCall { operator, .. } => {
                        method.operator(operator)?.to_string()
                    }
                    Instruction::DelegateCall { delegate, .. } => {
                        method.delegate(delegate)?.id().to_owned()
                    }
                    Instruction::Move { .. } => "move".to_owned(),
                    Instruction::JumpFalse { .. } => "jump".to_owned(),
                    Instruction::Free { .. } => "free".to_owned(),
                    Instruction::Unknown(tag) => format!("unknown instruction {tag}"),
                };
                *facts.entry(Fact::Calls(name(), called)).or_default() += 1;
            }
        }
        facts.insert(Fact::Instructions(name()), instructions);
        for value in method.values() {
            let Value::Tensor(tensor) = value else { continue };
            let bytes = tensor.nbytes().unwrap_or(0);
            if let Some(index) = tensor.data_buffer_idx() {
                constants.insert(index.get(), bytes);
            }
            if let Some(known) = tensor.name() {
                facts.insert(Fact::Tensor(name(), known.to_owned()), bytes);
            }
        }
    }
    facts.insert(Fact::ConstantBytes, constants.values().fold(0, |sum, b| sum.saturating_add(*b)));
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &str) -> Vec<u8> {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/models");
        std::fs::read(format!("{root}/{name}/model.pte")).expect("a fixture")
    }

    fn diff(base: &str, new: &str) -> ProgramDiff {
        let (base, new) = (program(base), program(new));
        let parse = |bytes| File::parse(bytes).expect("a program");
        ProgramDiff::of(&parse(&base), &parse(&new), Abi::Arm32).expect("a diff")
    }

    #[test]
    fn a_program_is_like_itself() {
        let same = diff("mv2_w010", "mv2_w010");
        assert_eq!(same.changed, []);
        assert!(same.same > 5 && !same.has_regression());
    }

    #[test]
    fn operators_and_buffers_that_come_and_go_are_named() {
        let found = diff("mv2_w010", "mv2_w010_q");
        let number = |fact: &Fact| found.changed.iter().find(|c| c.fact == *fact);
        let planned = number(&Fact::Planned("forward".into(), 1)).expect("a planned buffer");
        assert_eq!((planned.base, planned.new), (Some(884_736), Some(1_154_688)));
        let calls =
            Fact::Calls("forward".into(), "aten::_native_batch_norm_legit_no_training.out".into());
        assert_eq!(number(&calls).map(|c| (c.base, c.new)), Some((Some(52), None)));
        assert!(found.has_regression());
    }
}
