//! The program file by its parts, its largest weights, and what its delegates run.

use et_inspector::memory::operator_name;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::{File, Instruction, Location, Method, Processed, Tensor, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A program file by its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of constant tensors in it.
    pub constants: u64,
    /// Bytes of delegates' payloads in it.
    pub delegates: u64,
    /// Bytes of constants that lie in other files (`.ptd`).
    pub external: u64,
    /// The constants, largest first.
    pub weights: Vec<Weight>,
}

/// A constant tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Method that has it first.
    pub method: String,
    /// Its value there.
    pub value: u32,
    /// Name in the PyTorch model, where the exporter kept it.
    pub name: Option<String>,
    /// Element type and sizes.
    pub kind: String,
    /// Bytes.
    pub bytes: u64,
    /// Whether it lies in another file.
    pub is_external: bool,
}

impl Program {
    /// The parts of `file`. Methods that share data count it once.
    pub fn of(file: &File<'_>) -> Self {
        let mut program = Program { bytes: file.bytes().len() as u64, ..Program::default() };
        let (mut seen, mut payloads) = (HashSet::new(), BTreeSet::new());
        for method in file.methods() {
            for (value, tensor) in constants(&method) {
                let weight = weight(&method, value, &tensor);
                let is_new = match (weight.is_external, tensor.data_buffer_idx()) {
                    (true, _) => seen.insert((0, weight.name.clone())),
                    (false, index) => seen.insert((index.map_or(0, |index| index.get()), None)),
                };
                if is_new {
                    let sum = if weight.is_external {
                        &mut program.external
                    } else {
                        &mut program.constants
                    };
                    *sum = sum.saturating_add(weight.bytes);
                    program.weights.push(weight);
                }
            }
            for delegate in method.delegates() {
                let place = match delegate.processed() {
                    Some(Processed::Inline(index)) => (false, index),
                    Some(Processed::Segment(index)) => (true, index),
                    None => continue,
                };
                if payloads.insert(place) {
                    let bytes = delegate.payload(file).map_or(0, |payload| payload.len() as u64);
                    program.delegates = program.delegates.saturating_add(bytes);
                }
            }
        }
        program.weights.sort_by_key(|weight| std::cmp::Reverse(weight.bytes));
        program
    }

    /// Bytes of the rest: values, instructions, named data and padding.
    pub fn rest(&self) -> u64 {
        self.bytes.saturating_sub(self.constants).saturating_sub(self.delegates)
    }
}

fn constants<'a>(method: &Method<'a>) -> impl Iterator<Item = (u32, Tensor<'a>)> {
    method.values().enumerate().filter_map(|(index, value)| match value {
        Value::Tensor(tensor) if tensor.is_constant() => {
            Some((u32::try_from(index).unwrap_or(u32::MAX), tensor))
        }
        _ => None,
    })
}

fn weight(method: &Method<'_>, value: u32, tensor: &Tensor<'_>) -> Weight {
    let sizes: Vec<String> = tensor.sizes().iter().map(|size| size.to_string()).collect();
    let scalar = tensor.scalar_type().map_or("unknown", |scalar| scalar.name());
    Weight {
        method: method.name().to_owned(),
        value,
        name: tensor.name().map(str::to_owned),
        kind: format!("{scalar} [{}]", sizes.join(", ")),
        bytes: tensor.nbytes().unwrap_or(0),
        is_external: tensor.location() == Location::External,
    }
}

/// How much of a method its delegates run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Calls of delegates, by backend.
    pub delegates: BTreeMap<String, u64>,
    /// Kernel calls, by operator: what no delegate took.
    pub kernels: BTreeMap<String, u64>,
    /// Moves, jumps and frees.
    pub other: u64,
}

impl Share {
    /// Counts the instructions of `method`.
    pub fn of(method: &Method<'_>) -> Self {
        let mut share = Share::default();
        for (chain_index, chain) in method.chains().enumerate() {
            for (index, instruction) in chain.instructions().enumerate() {
                let calls = match instruction {
                    Instruction::DelegateCall { .. } => &mut share.delegates,
                    Instruction::KernelCall { .. } => &mut share.kernels,
                    _ => {
                        share.other += 1;
                        continue;
                    }
                };
                let at = (ChainId(chain_index as u32), InstructionId(index as u32));
                *calls.entry(operator_name(method, at)).or_insert(0) += 1;
            }
        }
        share
    }

    /// Number of delegate calls.
    pub fn delegate_calls(&self) -> u64 {
        self.delegates.values().sum()
    }

    /// Number of kernel calls.
    pub fn kernel_calls(&self) -> u64 {
        self.kernels.values().sum()
    }
}
