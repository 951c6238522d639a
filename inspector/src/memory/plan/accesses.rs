//! Which instruction reads and writes which value.
//!
//! A kernel call's arguments are told apart by the operator's signature. An
//! operator without one follows the emitter's convention: outputs come last,
//! each once more as the returned value. A delegate call does not say which of
//! its arguments are outputs; that is decided later, from all accesses.

use super::steps::{Step, Steps};
use et_schema::ids::ValueId;
use et_schema::operators::{Kind, Signature, find_overload};
use et_schema::pte::{Args, Instruction, Method, Tensor, Value};

/// Steps at which a value is touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accesses {
    pub first_read: Option<Step>,
    pub first_write: Option<Step>,
    pub last: Option<Step>,
    pub last_read: Option<Step>,
    /// The first delegate call that has it as an argument.
    pub delegate: Option<Step>,
    /// There, a certain input comes after it, so that it is one as well.
    pub delegate_input: bool,
    /// Written piece by piece, in the rounds of a loop.
    pub partial: bool,
}

impl Accesses {
    fn read(&mut self, step: Step) {
        self.first_read = Some(self.first_read.map_or(step, |s| s.min(step)));
        self.last_read = self.last_read.max(Some(step));
        self.last = self.last.max(Some(step));
    }

    fn write(&mut self, step: Step) {
        self.first_write = Some(self.first_write.map_or(step, |s| s.min(step)));
        self.last = self.last.max(Some(step));
    }

    fn merge(&mut self, other: &Accesses) {
        for step in [other.first_read, other.last_read].into_iter().flatten() {
            self.read(step);
        }
        if let Some(step) = other.first_write {
            self.write(step);
        }
        self.last = self.last.max(other.last);
    }
}

/// A Move instruction between two tensors: `to` is `from` afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub step: Step,
    pub from: ValueId,
    pub to: ValueId,
    /// Last read of `to` before it is moved to again.
    pub last_read: Option<Step>,
}

/// All accesses of a method.
pub(super) struct AccessMap {
    /// By value.
    pub values: Vec<Accesses>,
    pub moves: Vec<Move>,
    /// Whether a Move makes another tensor of the value, by value.
    pub moved_to: Vec<bool>,
    /// The value whose data a view shows, by the view's value.
    pub views: Vec<Option<ValueId>>,
    pub is_input: Vec<bool>,
    pub is_output: Vec<bool>,
}

/// What a call does with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Read,
    Write,
    ReadWrite,
    PartialWrite,
    Nothing,
}

struct Operator {
    signature: Option<&'static Signature>,
    uses: Vec<Use>,
    is_view: bool,
}

struct Recorder<'m> {
    method: &'m Method<'m>,
    operators: Vec<Operator>,
    map: AccessMap,
    /// Index in `moves` of the last Move to a value.
    moved: Vec<Option<usize>>,
}

impl AccessMap {
    /// Whether the value only ever is what Moves make of it, so that the bytes
    /// planned for itself hold nothing.
    pub fn is_alias(&self, value: usize) -> bool {
        self.moved_to[value] && !self.is_input[value] && self.values[value].first_write.is_none()
    }

    pub fn new(method: &Method<'_>, steps: &Steps) -> Self {
        let count = method.value_count();
        let mut recorder = Recorder {
            method,
            operators: method.operators().map(|o| Operator::new(o.name, o.overload)).collect(),
            map: AccessMap {
                values: vec![Accesses::default(); count],
                moves: Vec::new(),
                moved_to: Vec::new(),
                views: vec![None; count],
                is_input: flags(method, method.inputs()),
                is_output: flags(method, method.outputs()),
            },
            moved: vec![None; count],
        };
        for (index, chain) in method.chains().enumerate() {
            for (at, instruction) in chain.instructions().enumerate() {
                recorder.instruction(instruction, steps.start(index) + at as u32);
            }
        }
        recorder.expand_lists();
        recorder.map.moved_to = recorder.moved.iter().map(Option::is_some).collect();
        recorder.map
    }
}

/// Marks `ids`, and what the lists among them hold.
fn flags(method: &Method<'_>, ids: impl Iterator<Item = ValueId>) -> Vec<bool> {
    let mut flags = vec![false; method.value_count()];
    for id in ids {
        if let Some(flag) = flags.get_mut(id.index()) {
            *flag = true;
        }
    }
    for index in 0..flags.len() {
        if flags[index]
            && let Ok(list) = method.value(ValueId(index as u32))
        {
            for_elements(&list, |id| {
                if let Some(flag) = flags.get_mut(id.index()) {
                    *flag = true;
                }
            });
        }
    }
    flags
}

fn for_elements(value: &Value<'_>, element: impl FnMut(ValueId)) {
    match value {
        Value::TensorList(list) | Value::OptionalTensorList(list) => {
            list.ids().flatten().for_each(element);
        }
        _ => {}
    }
}

impl Operator {
    fn new(name: &str, overload: &str) -> Self {
        let signature = find_overload(name, overload);
        let is_view = name == "executorch_prim::et_view";
        let by_piece = name == "executorch_prim::et_copy_index";
        let args = signature.map_or(&[][..], |s| s.args);
        let outputs = args.iter().rev().take_while(|arg| arg.out).count();
        let uses = args.iter().enumerate().map(|(index, arg)| match (arg.out, arg.kind) {
            (true, _) if by_piece => Use::PartialWrite,
            (true, _) if index >= args.len() - outputs => Use::Write,
            (true, _) => Use::ReadWrite,
            // Memory that the exporter planned for the kernel's own use.
            (false, Kind::Tensor) if arg.name.starts_with("scratch") => Use::Write,
            (false, Kind::Tensor | Kind::OptionalTensor) => Use::Read,
            (false, Kind::TensorList | Kind::OptionalTensorList | Kind::Any) => Use::Read,
            (false, _) => Use::Nothing,
        });
        Operator { signature, uses: uses.collect(), is_view }
    }
}

impl Recorder<'_> {
    fn instruction(&mut self, instruction: Instruction<'_>, step: Step) {
        match instruction {
            Instruction::KernelCall { operator, args } => {
                let known = self.operators.get(operator.index());
                match known.filter(|o| o.signature.is_some_and(|s| s.args.len() <= args.len())) {
                    Some(_) => self.kernel_call(operator.index(), args, step),
                    None => self.unknown_call(args, step),
                }
            }
            Instruction::DelegateCall { args, .. } => self.delegate_call(args, step),
            Instruction::Move { from, to } => self.moved(from, to, step),
            Instruction::JumpFalse { condition, .. } => self.touch(condition, Use::Read, step),
            Instruction::Free { .. } | Instruction::Unknown(_) => {}
        }
    }

    fn kernel_call(&mut self, operator: usize, args: Args<'_>, step: Step) {
        if self.operators[operator].is_view {
            let mut ids = args.ids();
            if let (Some(from), Some(to)) = (ids.next(), ids.nth(1))
                && let Some(view) = self.map.views.get_mut(to.index())
            {
                *view = (from != to).then_some(from);
            }
        }
        for (index, id) in args.ids().enumerate() {
            let Some(&how) = self.operators[operator].uses.get(index) else { break };
            self.touch(id, how, step);
        }
    }

    /// Outputs last, and once more as the returned value or as a list of them.
    fn unknown_call(&mut self, args: Args<'_>, step: Step) {
        let count = args.len();
        let Some(returned) = args.ids().last() else { return };
        let list = match self.method.value(returned) {
            Ok(Value::TensorList(list)) => Some(list.ids().len()),
            _ => None,
        };
        let repeats = list.unwrap_or(1).min(count - 1);
        let in_place = list.is_none() && args.ids().take(count - 1).any(|id| id == returned);
        let last_is_out = args.ids().nth(count.saturating_sub(2)) == Some(returned);
        for (index, id) in args.ids().take(count - 1).enumerate() {
            let is_out = index + 1 + repeats >= count && (list.is_some() || last_is_out);
            let how = match (is_out, id == returned && in_place) {
                (true, _) => Use::Write,
                (false, true) => Use::ReadWrite,
                (false, false) => Use::Read,
            };
            self.touch(id, how, step);
        }
        if !in_place {
            self.touch(returned, Use::Write, step);
        }
    }

    fn delegate_call(&mut self, args: Args<'_>, step: Step) {
        let known = args.ids().enumerate().filter(|(_, id)| self.is_defined(*id));
        let last_input = known.map(|(index, _)| index).last();
        for (index, id) in args.ids().enumerate() {
            if self.is_defined(id) {
                self.touch(id, Use::Read, step);
            } else if let Some(accesses) = self.map.values.get_mut(id.index())
                && accesses.delegate.is_none()
            {
                accesses.delegate = Some(step);
                accesses.delegate_input = last_input.is_some_and(|last| index < last);
            } else {
                self.touch(id, Use::Read, step);
            }
        }
    }

    /// Whether the value has content when the next instruction runs.
    fn is_defined(&self, id: ValueId) -> bool {
        let index = id.index();
        let Some(accesses) = self.map.values.get(index) else { return false };
        let has_data = |t: &Tensor<'_>| t.data_buffer_idx().is_some() || t.is_constant();
        self.map.is_input[index]
            || accesses.first_write.is_some()
            || match self.method.value(id) {
                Ok(Value::Tensor(tensor)) => has_data(&tensor),
                _ => true,
            }
    }

    fn moved(&mut self, from: ValueId, to: ValueId, step: Step) {
        self.touch(from, Use::Read, step);
        let is_tensor = matches!(self.method.value(from), Ok(Value::Tensor(_)));
        if let Some(moved) = self.moved.get_mut(to.index()).filter(|_| is_tensor) {
            *moved = Some(self.map.moves.len());
            self.map.moves.push(Move { step, from, to, last_read: None });
        }
    }

    fn touch(&mut self, id: ValueId, how: Use, step: Step) {
        let Some(accesses) = self.map.values.get_mut(id.index()) else { return };
        match how {
            Use::Nothing => return,
            Use::Read => accesses.read(step),
            Use::Write => accesses.write(step),
            Use::ReadWrite => {
                accesses.read(step);
                accesses.write(step);
            }
            Use::PartialWrite => {
                accesses.partial = true;
                accesses.write(step);
            }
        }
        if let Some(index) = self.moved[id.index()] {
            self.map.moves[index].last_read = Some(step);
        }
    }

    /// What was noted about a list holds for its elements.
    fn expand_lists(&mut self) {
        for (index, value) in self.method.values().enumerate() {
            let accesses = self.map.values[index];
            if accesses.last.is_some() {
                let values = &mut self.map.values;
                for_elements(&value, |id| {
                    if let Some(element) = values.get_mut(id.index()) {
                        element.merge(&accesses);
                    }
                });
            }
        }
    }
}
