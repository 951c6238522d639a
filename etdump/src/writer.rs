//! The recorder that makes an ETDump.
//!
//! It follows ExecuTorch's `ETDumpGen`: a block per run, its allocators first,
//! one event per finished scope. While a program runs it only takes notes; the
//! file is made of them at the end ([`file`](crate::file)).

use crate::clock::Clock;
use crate::debug_buffer::DebugBuffer;
use crate::file;
use crate::names::{NameId, Names};
use crate::tracer::{
    AllocationRecord, AllocatorInfo, DebugLevel, DebugTensor, DebugValue, DelegateId, Place, Ticks,
    Tracer,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use et_schema::ScalarType;

/// What goes into the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Contents {
    /// Everything, allocations included.
    #[default]
    Full,
    /// What ExecuTorch's Python Inspector reads: it refuses a trace with a
    /// single allocation event, and tensors of 16-bit floats.
    InspectorCompatible,
}

/// What a recorder had to leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Loss {
    /// Values that did not fit into the debug buffer.
    pub values_without_space: u64,
    /// Values of an element type that the reader of the trace would refuse.
    pub values_of_unsupported_type: u64,
}

/// A finished trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtDump {
    /// The `.etdp` file.
    pub bytes: Vec<u8>,
    /// The debug buffer, empty if nothing was logged.
    pub debug_buffer: Vec<u8>,
    /// What is missing from them.
    pub loss: Loss,
}

/// Records a trace in memory.
pub struct EtDumpWriter<C> {
    clock: C,
    contents: Contents,
    names: Names,
    runs: Vec<Run>,
    debug_level: DebugLevel,
    debug_buffer: DebugBuffer,
    bundled_input_index: Option<u32>,
    loss: Loss,
}

/// A block of the trace.
pub(crate) struct Run {
    pub name: NameId,
    pub bundled_input_index: Option<u32>,
    pub allocators: Vec<NameId>,
    pub events: Vec<Event>,
}

/// Something that happened.
pub(crate) enum Event {
    Scope { name: NameId, place: Place, begun: Ticks, ended: Ticks },
    Delegate(Box<DelegateEvent>),
    Allocation { allocator: i32, size: u64 },
    Value(Box<ValueEvent>),
}

/// An operation inside of a delegate.
pub(crate) struct DelegateEvent {
    pub place: Place,
    /// The delegate's own id, by number unless it has a name.
    pub int: i32,
    pub name: Option<NameId>,
    pub begun: Ticks,
    pub ended: Ticks,
    pub metadata: Vec<u8>,
}

/// A value that was logged.
pub(crate) struct ValueEvent {
    pub place: Place,
    pub value: LoggedValue,
    /// Whether it is an output of the method.
    pub output: bool,
}

/// A value whose bytes are in the debug buffer.
pub(crate) enum LoggedValue {
    Int(i64),
    Bool(bool),
    Double(f64),
    Tensor(LoggedTensor),
    TensorList(Vec<LoggedTensor>),
}

/// A tensor whose bytes are in the debug buffer.
pub(crate) struct LoggedTensor {
    pub scalar_type: ScalarType,
    pub sizes: Vec<i64>,
    pub strides: Vec<i64>,
    /// Where in the debug buffer; -1 if there are no bytes.
    pub offset: i64,
}

impl<C: Clock> EtDumpWriter<C> {
    /// A recorder without any runs.
    pub fn new(clock: C, contents: Contents) -> Self {
        EtDumpWriter {
            clock,
            contents,
            names: Names::default(),
            runs: Vec::new(),
            debug_level: DebugLevel::None,
            debug_buffer: DebugBuffer::default(),
            bundled_input_index: None,
            loss: Loss::default(),
        }
    }

    /// Logs values up to `level` into a debug buffer of at most `limit` bytes.
    pub fn log_values(&mut self, level: DebugLevel, limit: Option<usize>) {
        self.debug_level = level;
        self.debug_buffer = DebugBuffer::new(limit);
    }

    /// The runs that follow are of this bundled input.
    pub fn set_bundled_input_index(&mut self, index: Option<u32>) {
        self.bundled_input_index = index;
    }

    /// Ends the last run and makes the file.
    pub fn finish(self) -> EtDump {
        EtDump {
            bytes: file::of(&self.runs, &self.names),
            debug_buffer: self.debug_buffer.into_bytes(),
            loss: self.loss,
        }
    }

    fn add(&mut self, event: Event) {
        if let Some(run) = self.runs.last_mut() {
            run.events.push(event);
        }
    }

    fn supports(&self, scalar_type: ScalarType) -> bool {
        scalar_type.is_in_traces_of_executorch() || self.contents == Contents::Full
    }

    /// The tensor with its bytes in the debug buffer, unless that is not possible.
    fn tensor(&mut self, tensor: &DebugTensor<'_>) -> Option<LoggedTensor> {
        let offset = if tensor.data.is_empty() {
            -1
        } else if let Some(offset) = self.debug_buffer.push(tensor.data) {
            offset as i64
        } else {
            self.loss.values_without_space += 1;
            return None;
        };
        Some(LoggedTensor {
            scalar_type: tensor.scalar_type,
            sizes: tensor.sizes.iter().map(|s| i64::from(*s)).collect(),
            strides: tensor.strides.iter().map(|s| i64::from(*s)).collect(),
            offset,
        })
    }

    fn logged(&mut self, value: DebugValue<'_>) -> Option<LoggedValue> {
        Some(match value {
            DebugValue::Int(value) => LoggedValue::Int(value),
            DebugValue::Bool(value) => LoggedValue::Bool(value),
            DebugValue::Double(value) => LoggedValue::Double(value),
            DebugValue::Tensor(tensor) => LoggedValue::Tensor(self.tensor(&tensor)?),
            DebugValue::TensorList(list) => {
                LoggedValue::TensorList(list.iter().map(|t| self.tensor(t)).collect::<Option<_>>()?)
            }
        })
    }
}

impl<C: Clock> Tracer for EtDumpWriter<C> {
    fn begin_run(&mut self, name: &str, allocators: &[AllocatorInfo<'_>]) {
        let allocators = match self.contents {
            Contents::Full => allocators.iter().map(|a| self.names.id(a.name)).collect(),
            Contents::InspectorCompatible => Vec::new(),
        };
        // Executions of a method have as many events each.
        let expected = self.runs.last().map_or(0, |run| run.events.len());
        self.runs.push(Run {
            name: self.names.id(name),
            bundled_input_index: self.bundled_input_index,
            allocators,
            events: Vec::with_capacity(expected),
        });
    }

    fn begin(&mut self, _name: &str, _place: Place) -> Ticks {
        self.clock.now()
    }

    fn end(&mut self, name: &str, place: Place, begun: Ticks) {
        let ended = self.clock.now();
        let name = self.names.id(name);
        self.add(Event::Scope { name, place, begun, ended });
    }

    fn now(&mut self) -> Option<Ticks> {
        Some(self.clock.now())
    }

    fn span(&mut self, name: &str, place: Place, begun: Ticks, ended: Ticks) {
        let name = self.names.id(name);
        self.add(Event::Scope { name, place, begun, ended });
    }

    fn begin_delegate(&mut self, _id: DelegateId<'_>, _place: Place) -> Ticks {
        self.clock.now()
    }

    fn end_delegate(&mut self, id: DelegateId<'_>, place: Place, begun: Ticks, metadata: &[u8]) {
        let ended = self.clock.now();
        let (int, name) = match id {
            DelegateId::Int(int) => (int, None),
            DelegateId::Name(name) => (-1, Some(self.names.id(name))),
        };
        let metadata = metadata.to_vec();
        let event = DelegateEvent { place, int, name, begun, ended, metadata };
        self.add(Event::Delegate(Box::new(event)));
    }

    fn allocation(&mut self, record: AllocationRecord) {
        if self.contents == Contents::Full {
            let allocator = i32::try_from(record.allocator.0).map_or(i32::MAX, |i| i + 1);
            self.add(Event::Allocation { allocator, size: record.size });
        }
    }

    fn debug_level(&self) -> DebugLevel {
        self.debug_level
    }

    fn value(&mut self, place: Place, value: DebugValue<'_>, output: bool) {
        let tensors = match &value {
            DebugValue::Tensor(tensor) => core::slice::from_ref(tensor),
            DebugValue::TensorList(list) => list,
            _ => &[],
        };
        if !tensors.iter().all(|tensor| self.supports(tensor.scalar_type)) {
            self.loss.values_of_unsupported_type += 1;
            return;
        }
        if let Some(value) = self.logged(value) {
            self.add(Event::Value(Box::new(ValueEvent { place, value, output })));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::AllocatorIndex;
    use alloc::vec;
    use et_schema::etdump::{Event, File, Value};
    use et_schema::ids::{ChainId, InstructionId};

    fn clock() -> impl Clock {
        let mut now = 0;
        move || {
            now += 10;
            Ticks(now)
        }
    }

    const PLACE: Place = Place::Instruction(ChainId(0), InstructionId(3));

    fn record(contents: Contents) -> EtDump {
        let mut writer = EtDumpWriter::new(clock(), contents);
        writer.log_values(DebugLevel::IntermediateOutputs, None);
        writer.begin_run("Execute", &[AllocatorInfo { name: "temp", capacity: 64 }]);
        let begun = writer.begin("OPERATOR_CALL", PLACE);
        let allocator = AllocatorIndex(0);
        writer.allocation(AllocationRecord { allocator, size: 24, offset: 0 });
        let tensor = DebugTensor {
            scalar_type: ScalarType::Half,
            sizes: &[2],
            strides: &[1],
            data: &[1, 2, 3, 4],
        };
        writer.value(PLACE, DebugValue::Tensor(tensor), false);
        writer.value(Place::Method, DebugValue::Int(7), true);
        writer.end("OPERATOR_CALL", PLACE, begun);
        writer.finish()
    }

    #[test]
    fn full_trace_reads_back() {
        let dump = record(Contents::Full);
        let file = File::parse(&dump.bytes).unwrap();
        assert!(file.is_size_prefixed());
        let run = file.runs().next().unwrap();
        assert_eq!(run.name(), "Execute");
        assert_eq!(run.bundled_input_index(), None);
        assert_eq!(run.allocators().collect::<Vec<_>>(), ["temp"]);
        let events: Vec<Event<'_>> = run.events().collect();
        let [Event::Allocation(a), Event::Debug(tensor), Event::Debug(int), Event::Profile(p)] =
            events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!((a.allocator_id, a.size), (1, 24));
        let Some(Value::Tensor(t)) = tensor.value else { panic!("{tensor:?}") };
        assert_eq!(t.data(&dump.debug_buffer), Some(&[1, 2, 3, 4][..]));
        assert!(matches!(int.value, Some(Value::Int(7))) && int.is_output);
        assert_eq!((int.chain_index, int.instruction_id), (u64::MAX, 0));
        assert_eq!((p.name, p.chain_index, p.instruction_id), ("OPERATOR_CALL", 0, 3));
        assert_eq!((p.start_time, p.end_time, p.delegate_id), (10, 20, None));
    }

    #[test]
    fn compatible_trace_has_nothing_that_the_inspector_refuses() {
        let dump = record(Contents::InspectorCompatible);
        let file = File::parse(&dump.bytes).unwrap();
        let run = file.runs().next().unwrap();
        assert_eq!(run.allocators().len(), 0);
        assert!(!run.events().any(|e| matches!(e, Event::Allocation(_))));
        assert_eq!(dump.loss, Loss { values_of_unsupported_type: 1, ..Loss::default() });
    }

    #[test]
    fn tensors_lie_at_multiples_of_64() {
        let mut writer = EtDumpWriter::new(clock(), Contents::Full);
        writer.log_values(DebugLevel::IntermediateOutputs, Some(80));
        writer.begin_run("Execute", &[]);
        let data = [9; 16];
        let tensor =
            |data| DebugTensor { scalar_type: ScalarType::Byte, sizes: &[16], strides: &[1], data };
        writer.value(PLACE, DebugValue::Tensor(tensor(&data)), false);
        writer.value(PLACE, DebugValue::Tensor(tensor(&data)), false);
        writer.value(PLACE, DebugValue::Tensor(tensor(&data)), false);
        let dump = writer.finish();
        assert_eq!(dump.debug_buffer.len(), 80);
        assert_eq!(dump.loss.values_without_space, 1);
        let file = File::parse(&dump.bytes).unwrap();
        let offsets: Vec<Option<u64>> = file
            .runs()
            .flat_map(|run| run.events())
            .filter_map(|event| match event {
                Event::Debug(debug) => debug.value,
                _ => None,
            })
            .map(|value| match value {
                Value::Tensor(tensor) => tensor.offset(),
                _ => None,
            })
            .collect();
        assert_eq!(offsets, vec![Some(0), Some(64)]);
    }

    #[test]
    fn trace_without_runs_is_still_a_trace() {
        let dump = EtDumpWriter::new(clock(), Contents::Full).finish();
        assert_eq!(File::parse(&dump.bytes).unwrap().runs().len(), 0);
    }
}
