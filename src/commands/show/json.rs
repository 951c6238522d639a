//! A program as `etinspect.show/1`: every value, every instruction.
//!
//! The document is written while the program is walked, so that it takes no
//! memory, however often a damaged file repeats itself.

use super::context::Context;
use super::document_name;
use super::program::{constant_count, constant_segment, segment_contents, spec_as_text};
use super::values::dtype;
use crate::failure::Failure;
use crate::output::Output;
use et_schema::ids::{InstructionId, ValueId};
use et_schema::pte::{
    Args, Chain, CompileSpec, Delegate, DeviceType, Dynamism, File, Instruction, Location, Method,
    Processed, Tensor, Value,
};
use et_schema::xnnpack::Payload;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// Writes the document of a program, which may come in a bundled program.
pub fn write(
    path: &Path,
    file: &File<'_>,
    methods: &[Method<'_>],
    bundled: Option<Json>,
    output: &mut Output,
) -> Result<(), Failure> {
    write_document(&Document { path, file, methods, bundled }, output)
}

/// Writes any document.
pub fn write_document(document: &impl Serialize, output: &mut Output) -> Result<(), Failure> {
    let mut sink = Sink { output, failure: None };
    let written = serde_json::to_writer_pretty(&mut sink, document);
    match (written, sink.failure.take()) {
        (_, Some(failure)) => Err(failure),
        (Err(error), None) => Err(Failure::output(None, error.into())),
        (Ok(()), None) => output.text("\n"),
    }
}

/// The output as the serializer sees it, which keeps the failure, and escapes
/// what a terminal would act on and JSON allows in strings.
struct Sink<'a> {
    output: &'a mut Output,
    failure: Option<Failure>,
}

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The serializer writes whole pieces of text.
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let safe = bytes.iter().all(|byte| *byte < LAST_CONTROL);
        let text = if safe { text.into() } else { Cow::Owned(escape_json(text)) };
        match self.output.text(&text) {
            Ok(()) => Ok(bytes.len()),
            Err(failure) => {
                self.failure = Some(failure);
                Err(io::Error::other("output"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Delete: the serializer escapes the control characters before it only.
const LAST_CONTROL: u8 = 0x7f;

/// Characters from delete on only occur in strings, so each may become an escape: one of
/// four digits for each of its UTF-16 units.
fn escape_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c >= char::from(LAST_CONTROL)
            && crate::text::escape(c.encode_utf8(&mut [0; 4])).starts_with('\\')
        {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

struct Document<'a> {
    path: &'a Path,
    file: &'a File<'a>,
    methods: &'a [Method<'a>],
    bundled: Option<Json>,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", "etinspect.show/1")?;
        map.serialize_entry("model", &document_name(self.path))?;
        let format = if self.bundled.is_some() { "bundled_program" } else { "program" };
        map.serialize_entry("format", format)?;
        if let Some(bundled) = &self.bundled {
            map.serialize_entry("bundled", bundled)?;
        }
        map.serialize_entry("file", &file_json(self.file))?;
        let methods = || {
            self.methods.iter().map(|m| MethodJson { file: self.file, context: Context::new(*m) })
        };
        map.serialize_entry("methods", &Seq(methods))?;
        map.end()
    }
}

/// A sequence that is made while it is written.
struct Seq<F>(F);

impl<F, I> Serialize for Seq<F>
where
    F: Fn() -> I,
    I: IntoIterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

fn file_json(file: &File<'_>) -> Json {
    let contents = segment_contents(file);
    let segments = (0u32..).zip(file.segments()).map(|(index, segment)| {
        json!({
            "index": index,
            "offset": segment.offset,
            "size_bytes": segment.size,
            "in_file": segment.size == 0 || file.segment(index).is_ok(),
            "holds": contents.get(&index).cloned().unwrap_or_default(),
        })
    });
    let named = file.named_data().map(|entry| {
        let size = file.segment(entry.segment_index).ok().map(<[u8]>::len);
        json!({ "name": entry.key, "segment": entry.segment_index, "size_bytes": size })
    });
    json!({
        "size_bytes": file.bytes().len(),
        "version": file.version(),
        "program_bytes": file.program_size(),
        "header": file.header().map(|header| json!({
            "length_bytes": header.length,
            "program_bytes": header.program_size,
            "segment_base_offset": header.segment_base_offset,
            "segment_data_bytes": header.segment_data_size,
        })),
        "constants": {
            "count": constant_count(file),
            "segment": constant_segment(file),
            "in_flatbuffer": file.has_inline_constants(),
        },
        "segments": segments.collect::<Vec<Json>>(),
        "named_data": named.collect::<Vec<Json>>(),
    })
}

struct MethodJson<'a> {
    file: &'a File<'a>,
    context: Context<'a>,
}

impl Serialize for MethodJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let context = &self.context;
        let method = &context.method;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", method.name())?;
        map.serialize_entry("inputs", &Seq(|| method.inputs().map(|id| entry(context, id))))?;
        map.serialize_entry("outputs", &Seq(|| method.outputs().map(|id| entry(context, id))))?;
        let buffers = || {
            let buffers = method.planned_buffers();
            buffers.map(|(id, size)| json!({ "memory_id": id.0, "size_bytes": size }))
        };
        map.serialize_entry("planned_buffers", &Seq(buffers))?;
        let operators = || {
            context.operators.iter().map(|o| {
                json!({
                    "name": o.name,
                    "calls": o.calls,
                    "arguments_known": o.signature.is_some(),
                })
            })
        };
        map.serialize_entry("operators", &Seq(operators))?;
        let delegates = || {
            let delegates = context.delegates.iter();
            let method = &context.method;
            delegates.enumerate().map(move |(index, (delegate, calls))| {
                delegate_json(self.file, method, index, delegate, *calls)
            })
        };
        map.serialize_entry("delegates", &Seq(delegates))?;
        let values = || {
            let values = (0u32..).map(ValueId).zip(method.values());
            values.map(|(id, value)| ValueJson { context, id, value })
        };
        map.serialize_entry("values", &Seq(values))?;
        let chains = || method.chains().map(|chain| ChainJson { context, chain });
        map.serialize_entry("chains", &Seq(chains))?;
        map.end()
    }
}

/// An input or output with its value in full; only its index if there is none.
fn entry<'a>(context: &'a Context<'a>, id: ValueId) -> Entry<'a> {
    match context.value(id) {
        Some(value) => Entry::Value(ValueJson { context, id, value }),
        None => Entry::Missing { value: index(id.0) },
    }
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Value(ValueJson<'a>),
    Missing { value: Option<u32> },
}

/// An index; null for one that is negative in the file.
fn index(index: u32) -> Option<u32> {
    (index != u32::MAX).then_some(index)
}

fn delegate_json(
    file: &File<'_>,
    method: &Method<'_>,
    at: usize,
    delegate: &Delegate<'_>,
    calls: u64,
) -> Json {
    let is_npu = delegate.id() == et_schema::ethos_u::BACKEND;
    let stream = is_npu.then(|| et_inspector::ethos_u::unit(file, method, at, delegate).ok());
    let (place, index) = match delegate.processed() {
        Some(Processed::Inline(index)) => (Some("flatbuffer"), Some(index)),
        Some(Processed::Segment(index)) => (Some("segment"), Some(index)),
        None => (None, None),
    };
    let payload = delegate.payload(file);
    let graph = payload.as_ref().ok().filter(|_| delegate.id() == et_schema::xnnpack::BACKEND);
    let graph = graph.and_then(|payload| Payload::parse(payload).ok());
    json!({
        "id": delegate.id(),
        "backend": et_inspector::backends::Backend::find(delegate.id()).map(|b| b.name),
        "calls": calls,
        "payload": {
            "place": place,
            "index": index,
            "size_bytes": payload.as_ref().ok().map(|p| p.len()),
            "kind": et_inspector::backends::payload_kind(file, delegate),
            "error": payload.err().map(|e| e.to_string()),
        },
        "compile_specs": delegate.compile_specs().map(|spec| spec_json(&spec)).collect::<Vec<_>>(),
        "command_stream": stream.flatten().map(|unit| super::ethos_u::json(&unit)),
        "graph": graph.map(|payload| super::xnnpack::Graph::new(payload).json()),
    })
}

fn spec_json(spec: &CompileSpec<'_>) -> Json {
    let hex = || {
        spec.value.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    match spec_as_text(spec) {
        Some(text) => json!({ "key": spec.key, "size_bytes": spec.value.len(), "text": text }),
        None => json!({ "key": spec.key, "size_bytes": spec.value.len(), "hex": hex() }),
    }
}

struct ValueJson<'a> {
    context: &'a Context<'a>,
    id: ValueId,
    value: Value<'a>,
}

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", &self.id.0)?;
        map.serialize_entry("kind", self.value.kind())?;
        map.serialize_entry("set_at_run_time", &self.context.is_computed(self.id))?;
        match self.value {
            Value::Null => {}
            Value::Int(number) => map.serialize_entry("content", &number)?,
            Value::Bool(flag) => map.serialize_entry("content", &flag)?,
            Value::Double(number) => map.serialize_entry("content", &double(number))?,
            Value::String(text) => map.serialize_entry("content", text)?,
            Value::DoubleList(numbers) => {
                map.serialize_entry("content", &Seq(|| numbers.iter().map(double)))?;
            }
            Value::BoolList(flags) => {
                map.serialize_entry("content", &Seq(|| flags.iter()))?;
            }
            Value::IntList(ids) => {
                map.serialize_entry("values", &Seq(|| ids.ids().map(|id| index(id.0))))?;
            }
            Value::TensorList(ids) | Value::OptionalTensorList(ids) => {
                let ids = || ids.ids().map(|id| id.and_then(|id| index(id.0)));
                map.serialize_entry("values", &Seq(ids))?;
            }
            Value::Tensor(tensor) => map.serialize_entry("tensor", &TensorJson(tensor))?,
            Value::Unknown(tag) => map.serialize_entry("tag", &tag)?,
        }
        map.end()
    }
}

/// JSON has no infinities and no NaN: these are text.
fn double(number: f64) -> Json {
    if number.is_finite() { json!(number) } else { json!(format!("{number:?}")) }
}

struct TensorJson<'a>(Tensor<'a>);

impl Serialize for TensorJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tensor = &self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("dtype", &dtype(tensor.scalar_type()))?;
        map.serialize_entry("shape", &Seq(|| tensor.sizes().iter()))?;
        map.serialize_entry("dim_order", tensor.dim_order())?;
        map.serialize_entry("size_bytes", &tensor.nbytes())?;
        map.serialize_entry(
            "dynamism",
            match tensor.dynamism() {
                Dynamism::Static => "static",
                Dynamism::DynamicBound => "dynamic_bound",
                Dynamism::DynamicUnbound => "dynamic_unbound",
            },
        )?;
        let planned = tensor.allocation();
        map.serialize_entry("memory_id", &planned.map(|p| p.memory_id.0))?;
        map.serialize_entry("offset", &planned.map(|p| p.offset))?;
        map.serialize_entry("data_buffer_idx", &tensor.data_buffer_idx())?;
        map.serialize_entry("external", &(tensor.location() == Location::External))?;
        map.serialize_entry("name", &tensor.name())?;
        map.serialize_entry("storage_offset", &tensor.storage_offset())?;
        map.serialize_entry(
            "device",
            &match tensor.device() {
                DeviceType::Cpu => "cpu".to_owned(),
                DeviceType::Cuda => "cuda".to_owned(),
                DeviceType::Other(number) => number.to_string(),
            },
        )?;
        map.end()
    }
}

struct ChainJson<'a> {
    context: &'a Context<'a>,
    chain: Chain<'a>,
}

impl Serialize for ChainJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ChainJson { context, chain } = self;
        let mut map = serializer.serialize_map(Some(1))?;
        let instructions = || {
            let numbered = (0u32..).map(InstructionId).zip(chain.instructions());
            numbered.map(|(id, instruction)| InstructionJson { context, chain, id, instruction })
        };
        map.serialize_entry("instructions", &Seq(instructions))?;
        map.end()
    }
}

struct InstructionJson<'a> {
    context: &'a Context<'a>,
    chain: &'a Chain<'a>,
    id: InstructionId,
    instruction: Instruction<'a>,
}

impl Serialize for InstructionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("instruction", &self.id.0)?;
        match self.instruction {
            Instruction::KernelCall { operator, args } => {
                let called = self.context.operator(operator);
                let signature = called.and_then(|o| o.signature);
                map.serialize_entry("kind", "kernel_call")?;
                map.serialize_entry("operator_index", &index(operator.0))?;
                map.serialize_entry("operator", &called.map(|o| &o.name))?;
                let names = move |i: usize| Some(signature?.args.get(i)?.name);
                map.serialize_entry("args", &ArgsJson { args, names })?;
            }
            Instruction::DelegateCall { delegate, args } => {
                let called = self.context.delegate(delegate);
                map.serialize_entry("kind", "delegate_call")?;
                map.serialize_entry("delegate_index", &index(delegate.0))?;
                map.serialize_entry("delegate", &called.map(|d| d.id()))?;
                map.serialize_entry("args", &ArgsJson { args, names: |_| None })?;
            }
            Instruction::Move { from, to } => {
                map.serialize_entry("kind", "move")?;
                map.serialize_entry("from", &index(from.0))?;
                map.serialize_entry("to", &index(to.0))?;
            }
            Instruction::JumpFalse { condition, destination } => {
                map.serialize_entry("kind", "jump_false")?;
                map.serialize_entry("condition", &index(condition.0))?;
                map.serialize_entry("destination", &index(destination.0))?;
            }
            Instruction::Free { value } => {
                map.serialize_entry("kind", "free")?;
                map.serialize_entry("value", &index(value.0))?;
            }
            Instruction::Unknown(tag) => {
                map.serialize_entry("kind", "unknown")?;
                map.serialize_entry("tag", &tag)?;
            }
        }
        let frames = || {
            self.chain.frames(self.id).map(|frame| {
                json!({
                    "file": frame.file,
                    "line": frame.line,
                    "function": frame.function,
                    "code": frame.code,
                })
            })
        };
        map.serialize_entry("frames", &Seq(frames))?;
        map.end()
    }
}

/// Arguments of a call: the value of each, and its name if the operator's
/// arguments are known. Returned values come last and have none.
struct ArgsJson<'a, F> {
    args: Args<'a>,
    names: F,
}

impl<F: Fn(usize) -> Option<&'static str>> Serialize for ArgsJson<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let args = self.args.ids().enumerate();
        serializer.collect_seq(
            args.map(|(i, id)| json!({ "name": (self.names)(i), "value": index(id.0) })),
        )
    }
}
