//! Values as text: `%3 float32[1,8] @1+0x40`, `1e-5`, `[2, 2]`.
//!
//! An index that points nowhere is part of the text, never a failure, so that
//! a damaged program can be looked at.

use super::context::Context;
use crate::text::escape;
use et_schema::ScalarType;
use et_schema::ids::ValueId;
use et_schema::operators::Kind;
use et_schema::pte::{DeviceType, Dynamism, Location, Tensor, Value};

/// Elements of a list that are printed. Real ones are short; a damaged file
/// may claim any number, for any number of instructions.
const LIST: usize = 64;

/// Characters of a string that are printed.
const STRING: usize = 200;

/// Memory formats by their number in PyTorch.
const MEMORY_FORMATS: [&str; 4] =
    ["contiguous_format", "preserve_format", "channels_last", "channels_last_3d"];

/// A value as an argument: what it is, where the kind of argument matters.
pub fn argument(context: &Context<'_>, id: ValueId, kind: Option<Kind>) -> String {
    let Some(value) = context.value(id) else { return missing(id) };
    if context.is_computed(id) && !matches!(value, Value::Tensor(_)) {
        return format!("%{id} {}", value.kind());
    }
    match (value, kind) {
        (Value::Int(number), Some(Kind::ScalarType | Kind::OptionalScalarType)) => {
            ScalarType::from_number(number)
                .map_or_else(|| format!("{number}"), |t| t.name().to_owned())
        }
        (Value::Int(number), Some(Kind::OptionalMemoryFormat)) => usize::try_from(number)
            .ok()
            .and_then(|n| MEMORY_FORMATS.get(n))
            .map_or_else(|| format!("{number}"), |name| (*name).to_owned()),
        (value, _) => content(context, id, value),
    }
}

/// A value of the table: its index and content.
pub fn row(context: &Context<'_>, id: ValueId, value: Value<'_>) -> String {
    match value {
        Value::Tensor(_) => content(context, id, value),
        Value::Null => format!("%{id} None"),
        value => {
            let computed = if context.is_computed(id) { " (set at run time)" } else { "" };
            format!("%{id} {} {}{computed}", value.kind(), content(context, id, value))
        }
    }
}

/// What is printed for an index that no value has.
pub fn missing(id: ValueId) -> String {
    match id.0 {
        // The reader maps every negative index to this one.
        u32::MAX => "%(negative) (no such value)".into(),
        _ => format!("%{id} (no such value)"),
    }
}

/// Text of the file in quotes, escaped and of bounded length.
pub fn quoted(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(STRING).collect();
    let rest = characters.count();
    let quoted = format!("\"{}\"", escape(&start).replace('"', "\\\""));
    if rest == 0 { quoted } else { format!("{quoted} and {rest} characters more") }
}

fn content(context: &Context<'_>, id: ValueId, value: Value<'_>) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Int(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::String(text) => quoted(text),
        Value::Tensor(t) => format!("%{id} {}", tensor(&t)),
        Value::IntList(ids) => list(ids.ids().map(|id| element(context, id))),
        Value::DoubleList(numbers) => list(numbers.iter().map(|n| format!("{n:?}"))),
        Value::BoolList(flags) => list(flags.iter().map(|f| f.to_string())),
        Value::TensorList(ids) | Value::OptionalTensorList(ids) => {
            list(ids.ids().map(|id| id.map_or("None".into(), |id| element(context, id))))
        }
        Value::Unknown(tag) => format!("%{id} of unknown kind {tag}"),
    }
}

/// An element of a list: a number or a tensor. Anything else, a list in a list
/// among it, is only named.
fn element(context: &Context<'_>, id: ValueId) -> String {
    match context.value(id) {
        None => missing(id),
        Some(Value::Int(number)) if !context.is_computed(id) => number.to_string(),
        Some(Value::Tensor(t)) => format!("%{id} {}", tensor(&t)),
        Some(other) => format!("%{id} {}", other.kind()),
    }
}

fn list(elements: impl ExactSizeIterator<Item = String>) -> String {
    let more = elements.len().saturating_sub(LIST);
    let mut shown: Vec<String> = elements.take(LIST).collect();
    if more > 0 {
        shown.push(format!("... {more} more"));
    }
    format!("[{}]", shown.join(", "))
}

/// Element type, shape, place, and what is unusual about the tensor.
fn tensor(tensor: &Tensor<'_>) -> String {
    let mut text = format!("{}{}", dtype(tensor.scalar_type()), shape(tensor.sizes().iter()));
    match tensor.dynamism() {
        Dynamism::Static => {}
        Dynamism::DynamicBound => text += " dynamic",
        Dynamism::DynamicUnbound => text += " unbounded",
    }
    let order = tensor.dim_order();
    if order.iter().enumerate().any(|(i, &dim)| i != usize::from(dim)) {
        text += &format!(" order {}", list(order.iter().map(u8::to_string)));
    }
    match tensor.device() {
        DeviceType::Cpu => {}
        DeviceType::Cuda => text += " cuda",
        DeviceType::Other(number) => text += &format!(" device {number}"),
    }
    text.push(' ');
    text + &place(tensor)
}

/// Element type by name, or `dtype N`.
pub fn dtype(scalar_type: Result<ScalarType, i8>) -> String {
    scalar_type.map_or_else(|n| format!("dtype {n}"), |t| t.name().to_owned())
}

/// Extents, as `[2,3]`.
pub fn shape(sizes: impl ExactSizeIterator<Item = i32>) -> String {
    list(sizes.map(|size| size.to_string())).replace(", ", ",")
}

/// `@memory_id+offset`, `const N` or `ext "name"`; `unplanned` for a tensor
/// whose memory the caller or a delegate provides.
fn place(tensor: &Tensor<'_>) -> String {
    let external = tensor.location() == Location::External;
    let name = tensor.name().map(quoted);
    match (tensor.allocation(), tensor.data_buffer_idx()) {
        (Some(planned), data) => {
            let mut text = format!("@{}+{:#x}", planned.memory_id, planned.offset);
            match (external, data) {
                (true, _) => text += " initially ext",
                (false, Some(index)) => text += &format!(" initially data {index}"),
                (false, None) => {}
            }
            with_name(text, name)
        }
        (None, _) if external => with_name("ext".into(), name),
        (None, Some(index)) => with_name(format!("const {index}"), name),
        (None, None) => with_name("unplanned".into(), name),
    }
}

fn with_name(text: String, name: Option<String>) -> String {
    match name {
        Some(name) => format!("{text} {name}"),
        None => text,
    }
}
