//! What tracing takes: the ETDump and the debug buffer of ExecuTorch's own
//! generator (`devtools/etdump`), predicted from the program.
//!
//! The ETDump grows with every execution until it is taken out. Names are
//! written when something begins, events when it ends; with a debug buffer,
//! every output of an operator, every argument of a delegate and every output
//! of the method is an event of its own, and its bytes go to the buffer,
//! aligned to 64. The numbers hold for a buffer that is aligned so as well;
//! another needs up to 63 bytes more.

mod flatcc;

use et_schema::ScalarType;
use et_schema::ids::ValueId;
use et_schema::operators::find_overload;
use et_schema::pte::{Args, Instruction, Method, Tensor, Value};
use flatcc::{Buffer, Fields, PERIOD};

/// Alignment of tensors in the debug buffer.
const DEBUG_ALIGN: u64 = 64;

/// What a generator on a device is asked to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRequest {
    /// Executions before the trace is taken out.
    pub executions: u64,
    /// Whether there is a debug buffer.
    pub debug_buffer: bool,
}

/// What tracing takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceMemory {
    /// What was asked for.
    pub request: TraceRequest,
    /// Bytes of the ETDump.
    pub etdump: u64,
    /// Bytes of the debug buffer; 0 without one.
    pub debug_buffer: u64,
    /// Delegates log events of their own, which are not in it.
    pub has_delegates: bool,
    /// Jumps: every instruction is counted once for each execution.
    pub has_jumps: bool,
    /// Tensors of types that the generator refuses: with a debug buffer, the
    /// trace is damaged.
    pub has_refused_types: bool,
}

impl TraceMemory {
    /// What tracing `method` takes.
    pub fn new(method: &Method<'_>, request: TraceRequest) -> Self {
        let mut trace = Trace { method, debug: request.debug_buffer, ..Trace::of(method) };
        trace.load();
        trace.executions(request.executions);
        trace.buffer.vector(trace.runs, 4);
        trace.buffer.table(&Fields::default().add(1, 4));
        let instructions = || method.chains().flat_map(|chain| chain.instructions());
        TraceMemory {
            request,
            etdump: trace.buffer.file(),
            debug_buffer: trace.data,
            has_delegates: instructions().any(|i| matches!(i, Instruction::DelegateCall { .. })),
            has_refused_types: trace.is_refused,
            has_jumps: instructions().any(|i| matches!(i, Instruction::JumpFalse { .. })),
        }
    }
}

impl TraceMemory {
    /// What the numbers leave out.
    pub fn notes(&self) -> Vec<&'static str> {
        let debug = self.request.debug_buffer;
        let notes = [
            (self.has_delegates, "events of delegates of their own come on top"),
            (self.has_jumps, "each instruction is counted once for each execution"),
            (debug && self.has_refused_types, "float16 and bfloat16 tensors damage the ETDump"),
        ];
        notes.into_iter().filter(|(applies, _)| *applies).map(|(_, note)| note).collect()
    }
}

/// A trace in the making.
struct Trace<'m> {
    method: &'m Method<'m>,
    debug: bool,
    buffer: Buffer,
    /// Bytes of the debug buffer.
    data: u64,
    /// Events of the present run.
    events: usize,
    runs: usize,
    is_refused: bool,
    /// Per operator: the length of its event's name, none for prim ops; and its
    /// output arguments.
    operators: Vec<(Option<usize>, Vec<usize>)>,
}

impl<'m> Trace<'m> {
    fn of(method: &'m Method<'m>) -> Self {
        let operators = method.operators().map(|operator| {
            let full = operator.to_string();
            let name = full.split_once("::").map_or(full.as_str(), |(_, name)| name);
            let args = find_overload(operator.name, operator.overload).map_or(&[][..], |s| s.args);
            let outputs = args.iter().enumerate().filter(|(_, arg)| arg.out).map(|(i, _)| i);
            let event = "native_call_".len() + name.len();
            ((!is_prim(operator.name)).then_some(event), outputs.collect())
        });
        Trace {
            operators: operators.collect(),
            method,
            debug: false,
            buffer: Buffer::default(),
            data: 0,
            events: 0,
            runs: 0,
            is_refused: false,
        }
    }

    fn load(&mut self) {
        self.begin("Default");
        self.buffer.string("Program::load_method".len());
        self.buffer.string("Method::init".len());
        self.profile(false);
        self.profile(false);
        self.end();
    }

    /// Executions are alike, so that after a few the sizes repeat.
    fn executions(&mut self, count: u64) {
        let mut after: Vec<(u64, u64)> = Vec::new();
        let mut left = count;
        while left > 0 {
            self.execution();
            left -= 1;
            let now = (self.buffer.size(), self.data);
            // The first execution is not like the others: it writes vtables.
            let earlier =
                after.iter().skip(1).position(|(size, _)| size % PERIOD == now.0 % PERIOD);
            if let Some(at) = earlier {
                let (size, data) = after[at + 1];
                let rounds = (after.len() - (at + 1)) as u64;
                let times = left / rounds;
                self.buffer.skip(times.saturating_mul(now.0 - size));
                self.data = self.data.saturating_add(times.saturating_mul(now.1 - data));
                self.runs = self.runs.saturating_add((times * rounds) as usize);
                left %= rounds;
                after.clear();
            }
            after.push(now);
        }
    }

    fn execution(&mut self) {
        self.begin("Execute");
        self.buffer.string("Method::execute".len());
        for (chain_index, chain) in self.method.chains().enumerate() {
            for instruction in chain.instructions() {
                self.instruction(instruction, chain_index == 0);
            }
        }
        self.profile(false);
        if self.debug {
            for id in self.method.outputs() {
                self.value(id, true, false);
            }
        }
        self.end();
    }

    fn instruction(&mut self, instruction: Instruction<'_>, first_chain: bool) {
        match instruction {
            Instruction::KernelCall { operator, args } => {
                self.buffer.string("OPERATOR_CALL".len());
                let (event, outputs) =
                    self.operators.get(operator.index()).cloned().unwrap_or_default();
                if let Some(length) = event {
                    self.buffer.string(length);
                    self.debug(args, |index| outputs.contains(&index), first_chain);
                    self.profile(first_chain);
                }
            }
            Instruction::DelegateCall { args, .. } => {
                self.buffer.string("DELEGATE_CALL".len());
                self.debug(args, |_| true, first_chain);
            }
            Instruction::Move { .. } => self.buffer.string("MOVE_CALL".len()),
            Instruction::JumpFalse { .. } => self.buffer.string("JF_CALL".len()),
            Instruction::Free { .. } => self.buffer.string("FREE_CALL".len()),
            Instruction::Unknown(_) => return,
        }
        self.profile(first_chain);
    }

    fn begin(&mut self, name: &str) {
        self.buffer.string(name.len());
        self.events = 0;
    }

    /// `RunData{name, events}`
    fn end(&mut self) {
        self.buffer.vector(self.events, 4);
        self.buffer.table(&Fields::default().add(0, 4).add(3, 4));
        self.runs += 1;
    }

    /// `Event{ProfileEvent{start, end, chain unless 0, instruction, name}}`
    fn profile(&mut self, first_chain: bool) {
        let times = Fields::default().add(6, 8).add(7, 8);
        let place = if first_chain { times } else { times.add(1, 4) };
        self.buffer.table(&place.add(2, 4).add(0, 4));
        self.buffer.table(&Fields::default().add(0, 4));
        self.events += 1;
    }

    fn debug(&mut self, args: Args<'_>, is_logged: impl Fn(usize) -> bool, first_chain: bool) {
        if self.debug {
            for (index, id) in args.ids().enumerate() {
                if is_logged(index) {
                    self.value(id, false, first_chain);
                }
            }
        }
    }

    /// `Event{DebugEvent{chain unless 0, instruction, Value}}`
    fn value(&mut self, id: ValueId, is_output: bool, first_chain: bool) {
        let Ok(value) = self.method.value(id) else { return };
        let Some(field) = self.content(&value) else { return };
        let mut fields = Fields::default().add(0, 1).add(field, 4);
        if is_output {
            self.buffer.table(&Fields::default().add(0, 1));
            fields = fields.add(7, 4);
        }
        self.buffer.table(&fields);
        let chain = Fields::default();
        let chain = if first_chain { chain } else { chain.add(0, 8) };
        self.buffer.table(&chain.add(1, 4).add(2, 4));
        self.buffer.table(&Fields::default().add(2, 4));
        self.events += 1;
    }

    /// Writes the content of a value; the field of `Value` that has it.
    fn content(&mut self, value: &Value<'_>) -> Option<u16> {
        match value {
            Value::Tensor(tensor) => {
                self.tensor(tensor);
                Some(1)
            }
            Value::TensorList(list) => {
                let ids: Vec<ValueId> = list.ids().flatten().collect();
                for id in &ids {
                    if let Ok(Value::Tensor(tensor)) = self.method.value(*id) {
                        self.tensor(&tensor);
                    }
                }
                self.buffer.vector(ids.len(), 4);
                self.buffer.table(&Fields::default().add(0, 4));
                Some(2)
            }
            Value::Int(_) => self.scalar(3, 8),
            Value::Double(_) => self.scalar(5, 8),
            Value::Bool(_) => self.scalar(6, 1),
            _ => None,
        }
    }

    fn scalar(&mut self, field: u16, bytes: u16) -> Option<u16> {
        self.buffer.table(&Fields::default().add(0, bytes));
        Some(field)
    }

    /// `Tensor{type unless Byte, sizes, strides, offset unless 0}`
    fn tensor(&mut self, tensor: &Tensor<'_>) {
        let rank = tensor.sizes().len();
        self.buffer.vector(rank, 8);
        self.buffer.vector(rank, 8);
        let bytes = tensor.nbytes().unwrap_or(0);
        let offset = self.data.checked_next_multiple_of(DEBUG_ALIGN).unwrap_or(u64::MAX);
        self.is_refused |= !tensor.scalar_type().is_ok_and(is_logged);
        let is_byte = tensor.scalar_type() == Ok(ScalarType::Byte);
        let fields = Fields::default();
        let fields = if is_byte { fields } else { fields.add(0, 1) };
        let fields = fields.add(1, 4).add(2, 4);
        // What is empty has the offset -1, which is written.
        let has_offset = offset > 0 || bytes == 0;
        self.buffer.table(&if has_offset { fields.add(3, 8) } else { fields });
        if bytes > 0 {
            self.data = offset.saturating_add(bytes);
        }
    }
}

/// Operators whose kernels are no generated code: they have no event of their
/// own inside the runtime's, and log nothing.
fn is_prim(name: &str) -> bool {
    const ATEN: [&str; 3] = ["aten::_local_scalar_dense", "aten::sym_numel", "aten::sym_size"];
    name.starts_with("executorch_prim::") || ATEN.contains(&name)
}

/// Types that the generator knows; a tensor of another one ends the trace.
fn is_logged(scalar_type: ScalarType) -> bool {
    use ScalarType as T;
    matches!(
        scalar_type,
        T::Byte
            | T::Char
            | T::Short
            | T::Int
            | T::Long
            | T::Float
            | T::Double
            | T::Bool
            | T::Bits16
            | T::UInt16
    )
}
