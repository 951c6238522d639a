//! Instructions as text, one line each:
//! `0:12  aten::add.out(self=%3 float32[1,8] @1+0x0, other=…, alpha=1, out=…)`.

use super::context::{Context, Operator};
use super::values::{argument, missing, quoted};
use crate::text::escape;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::pte::{Args, Chain, Instruction, Value};
use std::fmt::Write;

/// Arguments of a call that are printed. Kernels take a few, delegates some
/// hundred at most; a damaged file may claim any number for every call.
const ARGUMENTS: usize = 1024;

/// The line of an instruction, without its number.
pub fn line(context: &Context<'_>, chain: &Chain<'_>, instruction: Instruction<'_>) -> String {
    match instruction {
        Instruction::KernelCall { operator, args } => match context.operator(operator) {
            Some(called) => kernel_call(context, called, args),
            None => format!(
                "operator {} (no such operator)({})",
                index(operator.0),
                plain(context, args.ids(), args.len())
            ),
        },
        Instruction::DelegateCall { delegate, args } => {
            let name = match context.delegate(delegate) {
                Some(called) => escape(called.id()),
                None => "(no such delegate)".into(),
            };
            let args = plain(context, args.ids(), args.len());
            format!("delegate {} {name}({args})", index(delegate.0))
        }
        Instruction::Move { from, to } => {
            format!("move {} -> {}", slot(context, from), slot(context, to))
        }
        Instruction::JumpFalse { condition, destination } => {
            let condition = slot(context, condition);
            format!("jump to {} if not {condition}", target(chain, destination))
        }
        Instruction::Free { value } => format!("free {}", slot(context, value)),
        Instruction::Unknown(tag) => format!("unknown instruction of kind {tag}"),
    }
}

/// The chain and index of an instruction, as ETDump counts them.
pub fn number(chain: ChainId, instruction: InstructionId) -> String {
    format!("{chain}:{instruction}")
}

/// Python frames of an instruction, innermost first, at most `limit`, each a
/// line after `indent`.
pub fn frames(chain: &Chain<'_>, id: InstructionId, limit: usize, indent: &str) -> String {
    let frames = chain.frames(id);
    let first = frames.len().saturating_sub(limit);
    let mut lines: Vec<String> = frames
        .skip(first)
        .map(|frame| {
            let (file, function) = (escape(frame.file), escape(frame.function));
            format!("{file}:{} in {function}: {}", frame.line, escape(frame.code.trim()))
        })
        .collect();
    lines.reverse();
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{indent}{line}");
        text
    })
}

fn kernel_call(context: &Context<'_>, operator: &Operator, args: Args<'_>) -> String {
    let name = escape(&operator.name);
    let Some(signature) = operator.signature else {
        return format!("{name}({})", plain(context, args.ids(), args.len()));
    };
    let expected = signature.args.len();
    let mut outs: Vec<ValueId> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    for (arg, id) in signature.args.iter().zip(args.ids()) {
        if arg.out {
            outs.push(id);
        }
        parts.push(format!("{}={}", arg.name, argument(context, id, Some(arg.kind))));
    }
    let mut text = format!("{name}({})", parts.join(", "));
    if args.len() < expected {
        let _ = write!(text, " (takes {expected} arguments, has {})", args.len());
    }
    let returned = || args.ids().skip(expected);
    if args.len() > ARGUMENTS || !returned().all(|id| is_output(context, id, &outs)) {
        text += " -> ";
        text += &plain(context, returned(), args.len().saturating_sub(expected));
    }
    text
}

/// Whether a returned value is one of the arguments that were written to, a
/// list of several of them, or another list of the same tensors.
fn is_output(context: &Context<'_>, id: ValueId, outs: &[ValueId]) -> bool {
    if outs.contains(&id) {
        return true;
    }
    let Some(Value::TensorList(returned)) = context.value(id) else { return false };
    if returned.ids().len() > ARGUMENTS {
        return false;
    }
    returned.ids().flatten().all(|id| outs.contains(&id))
        || outs.iter().any(|out| match context.value(*out) {
            Some(Value::TensorList(written)) => written.ids().eq(returned.ids()),
            _ => false,
        })
}

/// Arguments without names.
fn plain(context: &Context<'_>, ids: impl Iterator<Item = ValueId>, count: usize) -> String {
    let mut parts: Vec<String> =
        ids.take(ARGUMENTS).map(|id| argument(context, id, None)).collect();
    if count > ARGUMENTS {
        parts.push(format!("... {} more", count - ARGUMENTS));
    }
    parts.join(", ")
}

/// A value as a place: its index first, even if it is a number.
fn slot(context: &Context<'_>, id: ValueId) -> String {
    match context.value(id) {
        None => missing(id),
        Some(Value::Tensor(_)) => argument(context, id, None),
        Some(Value::String(text)) => format!("%{id} String {}", quoted(text)),
        Some(value) if context.is_computed(id) => format!("%{id} {}", value.kind()),
        Some(value) => format!("%{id} {} {}", value.kind(), argument(context, id, None)),
    }
}

/// The destination of a jump. The number of instructions itself is the end of
/// the chain; past it is nothing.
fn target(chain: &Chain<'_>, destination: InstructionId) -> String {
    let count = chain.instruction_count();
    match destination.index() {
        d if d < count => destination.to_string(),
        d if d == count => format!("{destination} (the end)"),
        _ => format!("{} (no such instruction)", index(destination.0)),
    }
}

/// An index of the file: the reader maps every negative one to the largest.
fn index(index: u32) -> String {
    if index == u32::MAX { "(negative)".into() } else { index.to_string() }
}
