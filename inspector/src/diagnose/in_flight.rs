//! An instruction that never came back, with its tensors.

use super::pace::Pace;
use crate::memory::operator_name;
use et_schema::ScalarType;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::operators::find_overload;
use et_schema::pte::{Args, Instruction, Method, Tensor, Value};

/// Tensors that are listed of an instruction.
const TENSORS: usize = 64;

/// A tensor that an instruction takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Value.
    pub value: ValueId,
    /// Name of the operator's argument; empty if it is not known.
    pub name: &'static str,
    /// Whether the instruction writes it; `None` if that is not known.
    pub output: Option<bool>,
    /// Element type.
    pub scalar_type: Option<ScalarType>,
    /// Extents, the upper bounds of a dynamic shape.
    pub sizes: Vec<i32>,
    /// Bytes.
    pub bytes: Option<u64>,
    /// Memory id and offset, if it is planned.
    pub planned: Option<(u32, u64)>,
    /// Whether its data is a constant of the program.
    pub constant: bool,
}

/// The instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Method.
    pub method: String,
    /// Chain.
    pub chain: ChainId,
    /// Instruction.
    pub instruction: InstructionId,
    /// Whether it may as well be a later one.
    pub or_later: bool,
    /// Operator, delegate, or kind of instruction.
    pub operator: String,
    /// Its tensors.
    pub tensors: Vec<Argument>,
    /// Ticks since it began, if known, and ticks per second.
    pub since: Option<(u64, u64)>,
    /// Whether that is long for it.
    pub pace: Pace,
}

impl InFlight {
    /// The instruction at a place of `method`.
    pub fn at(method: &Method<'_>, place: (ChainId, InstructionId), or_later: bool) -> Self {
        let instruction = method.chain(place.0).ok().and_then(|chain| chain.instruction(place.1));
        InFlight {
            method: method.name().to_owned(),
            chain: place.0,
            instruction: place.1,
            or_later,
            operator: operator_name(method, place),
            tensors: instruction.map_or_else(Vec::new, |i| tensors(method, &i)),
            since: None,
            pace: Pace::default(),
        }
    }

    /// `0:17 aten::add.out`.
    pub fn place(&self) -> String {
        format!("{}:{} ({})", self.chain, self.instruction, self.operator)
    }
}

/// The tensors of an instruction, each once.
fn tensors(method: &Method<'_>, instruction: &Instruction<'_>) -> Vec<Argument> {
    match *instruction {
        Instruction::KernelCall { operator, args } => {
            let signature =
                method.operator(operator).ok().and_then(|o| find_overload(o.name, o.overload));
            let names = move |index: usize| {
                let arg = signature.and_then(|s| s.args.get(index));
                arg.map_or(("", None), |arg| (arg.name, Some(arg.out)))
            };
            arguments(method, args, names)
        }
        Instruction::DelegateCall { args, .. } => {
            let inputs = method.inputs().collect::<Vec<_>>();
            let mut found = arguments(method, args, |_| ("", None));
            for argument in &mut found {
                if inputs.contains(&argument.value) {
                    argument.output = Some(false);
                }
            }
            found
        }
        Instruction::Move { from, to } => [(from, "from", false), (to, "to", true)]
            .into_iter()
            .filter_map(|(id, name, out)| argument(method, id, name, Some(out)))
            .collect(),
        Instruction::JumpFalse { condition, .. } => {
            argument(method, condition, "condition", Some(false)).into_iter().collect()
        }
        Instruction::Free { value } => {
            argument(method, value, "value", Some(false)).into_iter().collect()
        }
        Instruction::Unknown(_) => Vec::new(),
    }
}

fn arguments(
    method: &Method<'_>,
    args: Args<'_>,
    names: impl Fn(usize) -> (&'static str, Option<bool>),
) -> Vec<Argument> {
    let mut found: Vec<Argument> = Vec::new();
    for (index, id) in args.ids().enumerate() {
        if found.len() >= TENSORS {
            break;
        }
        let (name, output) = names(index);
        let members: Vec<ValueId> = match method.value(id) {
            Ok(Value::TensorList(list) | Value::OptionalTensorList(list)) => {
                list.ids().flatten().take(TENSORS).collect()
            }
            _ => vec![id],
        };
        for id in members {
            let known = found.iter().any(|a| a.value == id);
            if let Some(argument) = argument(method, id, name, output).filter(|_| !known) {
                found.push(argument);
            }
        }
    }
    found
}

fn argument(
    method: &Method<'_>,
    id: ValueId,
    name: &'static str,
    output: Option<bool>,
) -> Option<Argument> {
    let Ok(Value::Tensor(tensor)) = method.value(id) else { return None };
    Some(Argument {
        value: id,
        name,
        output,
        scalar_type: tensor.scalar_type().ok(),
        sizes: sizes(&tensor),
        bytes: tensor.nbytes(),
        planned: tensor.allocation().map(|a| (a.memory_id.0, a.offset)),
        constant: tensor.is_constant(),
    })
}

/// At most 16 extents: the runtime takes no more.
fn sizes(tensor: &Tensor<'_>) -> Vec<i32> {
    tensor.sizes().iter().take(16).collect()
}
