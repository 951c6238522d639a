//! What a program says of each instruction.

use et_schema::ids::{ChainId, InstructionId, MemoryId, ValueId};
use et_schema::operators::{Kind, find_overload};
use et_schema::pte::{Allocation, Args, Instruction, Method, Tensor, Value};
use std::collections::HashMap;

/// An instruction's place in its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Chain.
    pub chain: ChainId,
    /// Instruction in it.
    pub instruction: InstructionId,
}

/// What an instruction does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Runs an operator's kernel.
    Kernel {
        /// Full name, such as `aten::add.out`.
        operator: String,
    },
    /// Runs a delegate.
    Delegate {
        /// Index in the method's table of delegates.
        index: u32,
        /// Backend, such as `XnnpackBackend`.
        backend: String,
    },
    /// Copies a value's slot.
    Move,
    /// Jumps when a condition is false.
    JumpFalse,
    /// Forgets a tensor's data.
    Free,
    /// Something that this version does not know.
    Unknown,
}

/// Whether an instruction reads or writes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It reads it.
    Input,
    /// It writes it.
    Output,
}

/// A tensor among an instruction's arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Index of the value.
    pub value: ValueId,
    /// Read or written.
    pub role: Role,
    /// Element type, by PyTorch's name.
    pub dtype: &'static str,
    /// Extents; the upper bound where the shape is dynamic.
    pub sizes: Vec<i32>,
    /// Bytes of all elements, if they can be counted.
    pub bytes: Option<u64>,
    /// Place in a planned buffer.
    pub allocation: Option<Allocation>,
    /// Name in the PyTorch model, where the exporter kept it.
    pub name: Option<String>,
}

/// What the program says of one instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct InstructionFacts {
    /// What it does.
    pub call: Call,
    /// Its tensors, inputs and outputs, each once.
    pub arguments: Vec<Argument>,
    /// Instructions that wrote its inputs.
    pub producers: Vec<Site>,
    /// Instructions that read its outputs.
    pub consumers: Vec<Site>,
    /// File and line of the innermost Python frame, if the program has them.
    pub source: Option<(String, i32)>,
}

impl InstructionFacts {
    /// Operator, or what else the instruction does.
    pub fn name(&self) -> &str {
        match &self.call {
            Call::Kernel { operator } => operator,
            Call::Delegate { backend, .. } => backend,
            Call::Move => "Move",
            Call::JumpFalse => "JumpFalse",
            Call::Free => "Free",
            Call::Unknown => "unknown instruction",
        }
    }
}

/// All instructions of a method.
#[derive(Clone, Debug, Default)]
pub struct Instructions {
    facts: HashMap<Site, InstructionFacts>,
}

impl Instructions {
    /// Those of `method`.
    pub fn of(method: &Method<'_>) -> Self {
        let mut builder = Builder {
            method,
            facts: HashMap::new(),
            writer: HashMap::new(),
            place_writer: HashMap::new(),
        };
        for (chain, instructions) in method.chains().enumerate() {
            let chain_id = ChainId(chain as u32);
            for (index, instruction) in instructions.instructions().enumerate() {
                let id = InstructionId(index as u32);
                let mut facts =
                    builder.instruction(instruction, Site { chain: chain_id, instruction: id });
                facts.source = instructions.frames(id).last().map(|f| (f.file.to_owned(), f.line));
                builder.facts.insert(Site { chain: chain_id, instruction: id }, facts);
            }
        }
        Instructions { facts: builder.facts }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.facts.len()
    }

    /// The instruction at `site`.
    pub fn get(&self, site: Site) -> Option<&InstructionFacts> {
        self.facts.get(&site)
    }
}

struct Builder<'m> {
    method: &'m Method<'m>,
    facts: HashMap<Site, InstructionFacts>,
    /// The instruction that last wrote a value.
    writer: HashMap<ValueId, Site>,
    /// The instruction that last wrote a tensor at a place in a planned buffer,
    /// and the tensor's bytes.
    place_writer: HashMap<(MemoryId, u64), (Site, Option<u64>)>,
}

impl Builder<'_> {
    fn instruction(&mut self, instruction: Instruction<'_>, site: Site) -> InstructionFacts {
        let method = self.method;
        let (call, uses) = match instruction {
            Instruction::KernelCall { operator, args } => {
                let found = method.operator(operator).ok();
                let uses = match found.and_then(|o| find_overload(o.name, o.overload)) {
                    Some(signature) => args
                        .ids()
                        .zip(signature.args)
                        .filter(|(_, arg)| !matches!(arg.kind, Kind::IntList))
                        .map(|(id, arg)| (id, if arg.out { Role::Output } else { Role::Input }))
                        .collect(),
                    None => by_convention(args),
                };
                let operator = found.map_or_else(|| "missing operator".into(), |o| o.to_string());
                (Call::Kernel { operator }, uses)
            }
            Instruction::DelegateCall { delegate, args } => {
                let backend = method.delegate(delegate).map(|d| d.id().to_owned());
                let uses = args.ids().map(|id| (id, self.delegate_role(id))).collect();
                (Call::Delegate { index: delegate.0, backend: backend.unwrap_or_default() }, uses)
            }
            Instruction::Move { from, to } => {
                (Call::Move, vec![(from, Role::Input), (to, Role::Output)])
            }
            Instruction::JumpFalse { condition, .. } => {
                (Call::JumpFalse, vec![(condition, Role::Input)])
            }
            Instruction::Free { value } => (Call::Free, vec![(value, Role::Input)]),
            Instruction::Unknown(_) => (Call::Unknown, Vec::new()),
        };
        self.facts_of(call, &self.elements(uses), site)
    }

    /// The values with those in their lists, each with each of its roles once.
    fn elements(&self, uses: Vec<(ValueId, Role)>) -> Vec<(ValueId, Role)> {
        let mut all: Vec<(ValueId, Role)> = Vec::with_capacity(uses.len());
        let mut add = |id, role| {
            if !all.contains(&(id, role)) {
                all.push((id, role));
            }
        };
        for (id, role) in uses {
            match self.method.value(id) {
                Ok(Value::TensorList(list) | Value::OptionalTensorList(list)) => {
                    list.ids().flatten().for_each(|id| add(id, role));
                }
                _ => add(id, role),
            }
        }
        all
    }

    fn facts_of(&mut self, call: Call, uses: &[(ValueId, Role)], site: Site) -> InstructionFacts {
        let mut producers: Vec<Site> = Vec::new();
        for (id, _) in uses.iter().filter(|(_, role)| *role == Role::Input) {
            let Some(producer) = self.producer(*id) else { continue };
            if !producers.contains(&producer) {
                producers.push(producer);
            }
            if let Some(facts) = self.facts.get_mut(&producer)
                && facts.consumers.last() != Some(&site)
            {
                facts.consumers.push(site);
            }
        }
        for (id, _) in uses.iter().filter(|(_, role)| *role == Role::Output) {
            self.writer.insert(*id, site);
            if let Ok(Value::Tensor(tensor)) = self.method.value(*id)
                && let Some(place) = tensor.allocation()
            {
                let place = (place.memory_id, place.offset);
                self.place_writer.insert(place, (site, tensor.nbytes()));
            }
        }
        let tensor = |&(id, role): &(ValueId, Role)| match self.method.value(id) {
            Ok(Value::Tensor(tensor)) => Some(Argument::new(id, role, &tensor)),
            _ => None,
        };
        let arguments = uses.iter().filter_map(tensor).collect();
        InstructionFacts { call, arguments, producers, consumers: Vec::new(), source: None }
    }

    /// The instruction that wrote what a value reads. A view that the exporter
    /// made of a copy is a value of its own, which nobody writes: it lies where
    /// its base lies.
    fn producer(&self, id: ValueId) -> Option<Site> {
        if let Some(site) = self.writer.get(&id) {
            return Some(*site);
        }
        let Ok(Value::Tensor(tensor)) = self.method.value(id) else { return None };
        let place = tensor.allocation()?;
        let (site, bytes) = *self.place_writer.get(&(place.memory_id, place.offset))?;
        let is_input = self.method.inputs().any(|input| input == id);
        let is_view = !is_input && bytes.is_some_and(|bytes| bytes > 0) && bytes == tensor.nbytes();
        is_view.then_some(site)
    }

    /// A delegate call does not tell its outputs: they are what nobody wrote before.
    fn delegate_role(&self, id: ValueId) -> Role {
        let is_input = self.writer.contains_key(&id)
            || self.method.inputs().any(|input| input == id)
            || match self.method.value(id) {
                Ok(Value::Tensor(t)) => t.is_constant() || t.data_buffer_idx().is_some(),
                _ => true,
            };
        if is_input { Role::Input } else { Role::Output }
    }
}

/// The emitter's convention: outputs come last, then the last of them once more.
fn by_convention(args: Args<'_>) -> Vec<(ValueId, Role)> {
    let returned = args.ids().last();
    let role = |id| if Some(id) == returned { Role::Output } else { Role::Input };
    args.ids().map(|id| (id, role(id))).collect()
}

impl Argument {
    fn new(value: ValueId, role: Role, tensor: &Tensor<'_>) -> Self {
        Argument {
            value,
            role,
            dtype: tensor.scalar_type().map_or("unknown", |t| t.name()),
            sizes: tensor.sizes().iter().collect(),
            bytes: tensor.nbytes(),
            allocation: tensor.allocation(),
            name: tensor.name().map(str::to_owned),
        }
    }
}
