//! The parts of the file, and a method's tables, as text.

use super::context::Context;
use super::values::{argument, missing, quoted, row};
use crate::text::{bytes, escape};
use et_inspector::backends::{Backend, named_parts, payload_kind};
use et_schema::ids::ValueId;
use et_schema::pte::{CompileSpec, Delegate, File, Method, Processed, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Bytes of a compile spec that are printed when they are no text.
const SPEC_BYTES: usize = 32;

/// What each segment holds, by its index.
pub type Contents = BTreeMap<u32, Vec<String>>;

/// What the program says that its segments hold.
pub fn segment_contents(file: &File<'_>) -> Contents {
    let mut contents = Contents::new();
    let mut add = |segment: u32, what: String| contents.entry(segment).or_default().push(what);
    if let Some(segment) = constant_segment(file) {
        add(segment, count(constant_count(file) as u64, "constant"));
    }
    for part in file.mutable_data_segments() {
        add(part.segment_index, "initial data of mutable tensors".into());
    }
    for entry in file.named_data() {
        add(entry.segment_index, format!("named data {}", quoted(entry.key)));
    }
    for method in file.methods() {
        for (index, delegate) in method.delegates().enumerate() {
            if let Some(Processed::Segment(segment)) = delegate.processed() {
                let id = escape(delegate.id());
                add(segment, format!("delegate {index} {id} of {}", quoted(method.name())));
            }
        }
    }
    contents
}

/// The segment with the constants, `None` if they lie in the FlatBuffer or
/// there is no room for any.
pub fn constant_segment(file: &File<'_>) -> Option<u32> {
    let part = file.constant_segment()?;
    (part.offsets().len() > 0).then_some(part.segment_index)
}

/// Number of constants, the reserved entry 0 left out.
pub fn constant_count(file: &File<'_>) -> usize {
    let in_segment = file.constant_segment().map_or(0, |part| part.offsets().len());
    let count = if in_segment > 0 { in_segment } else { file.inline_constant_count() };
    count.saturating_sub(1)
}

/// Sizes, header and segments.
pub fn file_text(name: &str, file: &File<'_>) -> String {
    let mut text = String::new();
    let size = bytes(file.bytes().len() as u64);
    let _ = writeln!(text, "{name}: ExecuTorch program (ET12, version {}), {size}", file.version());
    match file.header() {
        None => text.push_str("  no extended header: all of the file is the FlatBuffer\n"),
        Some(header) => {
            let data = header.segment_data_size.map_or("of unknown size".into(), bytes);
            let base = header.segment_base_offset;
            let _ = writeln!(
                text,
                "  FlatBuffer {}; segments {data}, from byte {base}; extended header {} B",
                bytes(header.program_size),
                header.length
            );
        }
    }
    if file.has_inline_constants() {
        let constants = count(constant_count(file) as u64, "constant");
        let _ = writeln!(text, "  {constants} in the FlatBuffer");
    }
    segments_text(&mut text, file);
    text
}

fn segments_text(text: &mut String, file: &File<'_>) {
    let contents = segment_contents(file);
    let base = file.header().map_or(0, |h| h.segment_base_offset);
    for (index, segment) in (0u32..).zip(file.segments()) {
        let start = base.saturating_add(segment.offset);
        let holds = contents.get(&index).map_or("unused".into(), |what| what.join(", "));
        let place = match segment.size {
            // Exporters write an entry without data for a program without constants.
            0 => "empty".into(),
            size if file.segment(index).is_ok() => format!("{} at byte {start}", bytes(size)),
            size => format!("{} at byte {start} (outside the file)", bytes(size)),
        };
        let _ = writeln!(text, "  segment {index}: {place}: {holds}");
    }
    let existing = u32::try_from(file.segments().len()).unwrap_or(u32::MAX);
    for (index, what) in contents.range(existing..) {
        let _ = writeln!(text, "  segment {index} (no such segment): {}", what.join(", "));
    }
}

/// Inputs, outputs, planned buffers, operators and delegates of a method.
pub fn method_text(file: &File<'_>, context: &Context<'_>) -> String {
    let mut text = String::new();
    interface_text(&mut text, context);
    let buffers: Vec<_> = context.method.planned_buffers().collect();
    if !buffers.is_empty() {
        text.push_str("  planned buffers\n");
    }
    for (memory_id, size) in buffers {
        let size = u64::try_from(size).map_or_else(|_| format!("{size} B (negative)"), bytes);
        let _ = writeln!(text, "    @{memory_id}  {size}");
    }
    operators_text(&mut text, context);
    if !context.delegates.is_empty() {
        text.push_str("  delegates\n");
    }
    for (index, (delegate, calls)) in context.delegates.iter().enumerate() {
        let _ = writeln!(
            text,
            "    {index} {}{}  {}, {}",
            escape(delegate.id()),
            backend_name(delegate.id()),
            count(*calls, "call"),
            payload_text(file, delegate)
        );
        for (key, size) in named_parts(file, delegate) {
            let _ = writeln!(text, "      named data {}: {}", quoted(key), bytes(size));
        }
        for spec in delegate.compile_specs() {
            let _ = writeln!(text, "      {} = {}", quoted(spec.key), spec_text(&spec));
        }
    }
    text
}

/// What a backend is, if it is not clear from its id.
fn backend_name(id: &str) -> String {
    let backend = Backend::find(id).filter(|backend| !id.contains(backend.name));
    backend.map(|backend| format!(" ({})", backend.name)).unwrap_or_default()
}

fn interface_text(text: &mut String, context: &Context<'_>) {
    let method = &context.method;
    let mut list = |title: &str, ids: &mut dyn Iterator<Item = ValueId>| {
        let _ = writeln!(text, "  {title}");
        for (index, id) in ids.enumerate() {
            let value = match context.value(id) {
                None => missing(id),
                Some(Value::Tensor(_)) => argument(context, id, None),
                Some(value) => row(context, id, value),
            };
            let _ = writeln!(text, "    {index}  {value}");
        }
    };
    list("inputs", &mut method.inputs());
    list("outputs", &mut method.outputs());
}

fn operators_text(text: &mut String, context: &Context<'_>) {
    if context.operators.is_empty() {
        return;
    }
    text.push_str("  operators\n");
    let mut operators: Vec<_> = context.operators.iter().collect();
    operators.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.name.cmp(&b.name)));
    for operator in operators {
        let calls = count(operator.calls, "call");
        let custom = if operator.signature.is_none() { "  (arguments not known)" } else { "" };
        let _ = writeln!(text, "    {calls:>10}  {}{custom}", escape(&operator.name));
    }
}

/// `1 call`, `2 calls`.
pub fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", crate::text::thousands(number))
}

/// A heading with the numbers of a method.
pub fn method_heading(method: &Method<'_>, instructions: usize) -> String {
    format!(
        "method {}: {}, {}, {}",
        quoted(method.name()),
        count(method.value_count() as u64, "value"),
        count(method.chain_count() as u64, "chain"),
        count(instructions as u64, "instruction"),
    )
}

fn payload_text(file: &File<'_>, delegate: &Delegate<'_>) -> String {
    let place = match delegate.processed() {
        Some(Processed::Inline(index)) => format!("payload {index} in the FlatBuffer"),
        Some(Processed::Segment(index)) => format!("payload in segment {index}"),
        None => return "no payload".into(),
    };
    match delegate.payload(file) {
        Ok(payload) => {
            let kind = payload_kind(file, delegate).map(|kind| format!(", {kind}"));
            format!("{place}: {}{}", bytes(payload.len() as u64), kind.unwrap_or_default())
        }
        Err(error) => format!("{place}: missing: {}", escape(&error.to_string())),
    }
}

/// A compile spec's value as text if it is text, without the zero byte that
/// ends it in C.
pub fn spec_as_text<'a>(spec: &CompileSpec<'a>) -> Option<&'a str> {
    let value = spec.value.strip_suffix(&[0]).unwrap_or(spec.value);
    let text = std::str::from_utf8(value).ok()?;
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\t' | '\r');
    text.chars().all(printable).then_some(text)
}

fn spec_text(spec: &CompileSpec<'_>) -> String {
    if let Some(text) = spec_as_text(spec) {
        return quoted(text);
    }
    let mut text = format!("{}:", bytes(spec.value.len() as u64));
    for byte in spec.value.iter().take(SPEC_BYTES) {
        let _ = write!(text, " {byte:02x}");
    }
    if spec.value.len() > SPEC_BYTES {
        text.push_str(" ...");
    }
    text
}
