//! The recorder that makes an ETDump.
//!
//! It follows ExecuTorch's `ETDumpGen`: a block per run, its allocators first,
//! one event per finished scope, the size-prefixed FlatBuffer at the end.

use crate::clock::Clock;
use crate::debug_buffer::DebugBuffer;
use crate::tracer::{
    AllocationRecord, AllocatorInfo, DebugLevel, DebugTensor, DebugValue, DelegateId, Place, Ticks,
    Tracer,
};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use et_schema::ScalarType;
use et_schema::generated::etdump_generated::etdump as fb;
use flatbuffers::{FlatBufferBuilder, WIPOffset};

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
    builder: FlatBufferBuilder<'static>,
    /// Strings of the current run. Those of a run lie beside it, so that a file
    /// that is cut off keeps the names of the events that it keeps.
    strings: BTreeMap<String, WIPOffset<&'static str>>,
    runs: Vec<WIPOffset<fb::RunData<'static>>>,
    current: Option<Run>,
    debug_level: DebugLevel,
    debug_buffer: DebugBuffer,
    bundled_input_index: Option<u32>,
    loss: Loss,
}

/// The run that events are added to.
struct Run {
    name: String,
    allocators: Vec<WIPOffset<fb::Allocator<'static>>>,
    events: Vec<WIPOffset<fb::Event<'static>>>,
}

impl<C: Clock> EtDumpWriter<C> {
    /// A recorder without any runs.
    pub fn new(clock: C, contents: Contents) -> Self {
        EtDumpWriter {
            clock,
            contents,
            builder: FlatBufferBuilder::with_capacity(4096),
            strings: BTreeMap::new(),
            runs: Vec::new(),
            current: None,
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
    pub fn finish(mut self) -> EtDump {
        self.end_run();
        let runs = self.builder.create_vector(&self.runs);
        let args = fb::ETDumpArgs { version: 0, run_data: Some(runs) };
        let root = fb::ETDump::create(&mut self.builder, &args);
        fb::finish_size_prefixed_etdump_buffer(&mut self.builder, root);
        EtDump {
            bytes: self.builder.finished_data().to_vec(),
            debug_buffer: self.debug_buffer.into_bytes(),
            loss: self.loss,
        }
    }

    /// A string, written once per run.
    fn string(&mut self, text: &str) -> WIPOffset<&'static str> {
        if let Some(written) = self.strings.get(text) {
            return *written;
        }
        let written = WIPOffset::new(self.builder.create_string(text).value());
        self.strings.insert(text.into(), written);
        written
    }

    fn end_run(&mut self) {
        let Some(run) = self.current.take() else { return };
        let name = self.string(&run.name);
        let allocators =
            (!run.allocators.is_empty()).then(|| self.builder.create_vector(&run.allocators));
        let events = self.builder.create_vector(&run.events);
        let index = self.bundled_input_index.and_then(|i| i32::try_from(i).ok());
        let args = fb::RunDataArgs {
            name: Some(name),
            bundled_input_index: index.unwrap_or(-1),
            allocators,
            events: Some(events),
        };
        self.runs.push(fb::RunData::create(&mut self.builder, &args));
        self.strings.clear();
    }

    fn add_event(&mut self, args: &fb::EventArgs<'static>) {
        let event = fb::Event::create(&mut self.builder, args);
        if let Some(run) = &mut self.current {
            run.events.push(event);
        }
    }

    fn add_profile_event(&mut self, args: &fb::ProfileEventArgs<'static>) {
        let profile = fb::ProfileEvent::create(&mut self.builder, args);
        self.add_event(&fb::EventArgs { profile_event: Some(profile), ..Default::default() });
    }

    fn supports(&self, scalar_type: ScalarType) -> bool {
        use ScalarType::*;
        let everywhere = matches!(
            scalar_type,
            Byte | Char | Short | Float | Int | Long | Double | Bool | Bits16 | UInt16
        );
        everywhere || self.contents == Contents::Full
    }

    /// The tensor with its bytes in the debug buffer, unless that is not possible.
    fn tensor(&mut self, tensor: &DebugTensor<'_>) -> Option<WIPOffset<fb::Tensor<'static>>> {
        let offset = if tensor.data.is_empty() {
            -1
        } else if let Some(offset) = self.debug_buffer.push(tensor.data) {
            offset as i64
        } else {
            self.loss.values_without_space += 1;
            return None;
        };
        let sizes =
            self.builder.create_vector_from_iter(tensor.sizes.iter().map(|s| i64::from(*s)));
        let strides =
            self.builder.create_vector_from_iter(tensor.strides.iter().map(|s| i64::from(*s)));
        let args = fb::TensorArgs {
            scalar_type: fb_scalar_type(tensor.scalar_type),
            sizes: Some(sizes),
            strides: Some(strides),
            offset,
        };
        Some(fb::Tensor::create(&mut self.builder, &args))
    }

    fn value_args(&mut self, value: DebugValue<'_>) -> Option<fb::ValueArgs<'static>> {
        let mut args = fb::ValueArgs::default();
        match value {
            DebugValue::Int(int_val) => {
                args.val = fb::ValueType::Int;
                args.int_value = Some(fb::Int::create(&mut self.builder, &fb::IntArgs { int_val }));
            }
            DebugValue::Bool(bool_val) => {
                args.val = fb::ValueType::Bool;
                args.bool_value =
                    Some(fb::Bool::create(&mut self.builder, &fb::BoolArgs { bool_val }));
            }
            DebugValue::Double(double_val) => {
                args.val = fb::ValueType::Double;
                args.double_value =
                    Some(fb::Double::create(&mut self.builder, &fb::DoubleArgs { double_val }));
            }
            DebugValue::Tensor(tensor) => {
                args.val = fb::ValueType::Tensor;
                args.tensor = Some(self.tensor(&tensor)?);
            }
            DebugValue::TensorList(list) => {
                let tensors =
                    list.iter().map(|tensor| self.tensor(tensor)).collect::<Option<Vec<_>>>()?;
                let tensors = self.builder.create_vector(&tensors);
                let list = fb::TensorListArgs { tensors: Some(tensors) };
                args.val = fb::ValueType::TensorList;
                args.tensor_list = Some(fb::TensorList::create(&mut self.builder, &list));
            }
        }
        Some(args)
    }
}

impl<C: Clock> Tracer for EtDumpWriter<C> {
    fn begin_run(&mut self, name: &str, allocators: &[AllocatorInfo<'_>]) {
        self.end_run();
        let mut run = Run { name: name.into(), allocators: Vec::new(), events: Vec::new() };
        if self.contents == Contents::Full {
            for allocator in allocators {
                let name = self.string(allocator.name);
                let args = fb::AllocatorArgs { name: Some(name) };
                run.allocators.push(fb::Allocator::create(&mut self.builder, &args));
            }
        }
        self.current = Some(run);
    }

    fn begin(&mut self, _name: &str, _place: Place) -> Ticks {
        self.clock.now()
    }

    fn end(&mut self, name: &str, place: Place, begun: Ticks) {
        let end_time = self.clock.now().0;
        let name = self.string(name);
        self.add_profile_event(&fb::ProfileEventArgs {
            name: Some(name),
            chain_index: place.chain_index(),
            instruction_id: place.instruction_id(),
            start_time: begun.0,
            end_time,
            ..Default::default()
        });
    }

    fn begin_delegate(&mut self, _id: DelegateId<'_>, _place: Place) -> Ticks {
        self.clock.now()
    }

    fn end_delegate(&mut self, id: DelegateId<'_>, place: Place, begun: Ticks, metadata: &[u8]) {
        let end_time = self.clock.now().0;
        let (int, name) = match id {
            DelegateId::Int(int) => (int, None),
            DelegateId::Name(name) => (-1, Some(self.string(name))),
        };
        let metadata = (!metadata.is_empty()).then(|| self.builder.create_vector(metadata));
        self.add_profile_event(&fb::ProfileEventArgs {
            chain_index: place.chain_index(),
            instruction_id: place.instruction_id(),
            delegate_debug_id_int: int,
            delegate_debug_id_str: name,
            delegate_debug_metadata: metadata,
            start_time: begun.0,
            end_time,
            ..Default::default()
        });
    }

    fn allocation(&mut self, record: AllocationRecord) {
        if self.contents != Contents::Full {
            return;
        }
        let args = fb::AllocationEventArgs {
            allocator_id: i32::try_from(record.allocator.0).map_or(i32::MAX, |i| i + 1),
            allocation_size: record.size,
        };
        let allocation = fb::AllocationEvent::create(&mut self.builder, &args);
        self.add_event(&fb::EventArgs { allocation_event: Some(allocation), ..Default::default() });
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
        let Some(mut args) = self.value_args(value) else { return };
        if output {
            let bool_val = fb::BoolArgs { bool_val: true };
            args.output = Some(fb::Bool::create(&mut self.builder, &bool_val));
        }
        let entry = fb::Value::create(&mut self.builder, &args);
        let debug = fb::DebugEvent::create(
            &mut self.builder,
            &fb::DebugEventArgs {
                // Outside of chains the C++ runtime writes -1 into an unsigned field.
                chain_index: i64::from(place.chain_index()) as u64,
                instruction_id: place.instruction_id(),
                debug_entry: Some(entry),
                ..Default::default()
            },
        );
        self.add_event(&fb::EventArgs { debug_event: Some(debug), ..Default::default() });
    }
}

fn fb_scalar_type(
    scalar_type: ScalarType,
) -> et_schema::generated::etdump_generated::executorch_flatbuffer::ScalarType {
    et_schema::generated::etdump_generated::executorch_flatbuffer::ScalarType(scalar_type as i8)
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
