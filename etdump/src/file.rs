//! The ETDump file: the size-prefixed FlatBuffer of `etdump.fbs`.

use crate::names::{NameId, Names};
use crate::writer::{DelegateEvent, Event, LoggedTensor, LoggedValue, Run, ValueEvent};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use et_schema::ScalarType;
use et_schema::generated::etdump_generated::etdump as fb;
use et_schema::generated::etdump_generated::executorch_flatbuffer as scalar;
use flatbuffers::{FlatBufferBuilder, WIPOffset};

/// Bytes that an event takes in the file, for the first guess of its size.
const EVENT_BYTES: usize = 96;

/// The file with these runs.
pub(crate) fn of(runs: &[Run], names: &Names) -> Vec<u8> {
    let events: usize = runs.iter().map(|run| run.events.len()).sum();
    let mut file = Builder {
        flat: FlatBufferBuilder::with_capacity(1024 + events.saturating_mul(EVENT_BYTES)),
        texts: names.all(),
        names: vec![None; names.all().len()],
    };
    let runs: Vec<_> = runs.iter().map(|run| file.run(run)).collect();
    let run_data = Some(file.flat.create_vector(&runs));
    let root = fb::ETDump::create(&mut file.flat, &fb::ETDumpArgs { version: 0, run_data });
    fb::finish_size_prefixed_etdump_buffer(&mut file.flat, root);
    let (mut bytes, start) = file.flat.collapse();
    bytes.drain(..start);
    bytes
}

struct Builder<'n> {
    flat: FlatBufferBuilder<'static>,
    texts: &'n [String],
    /// The names that are in the file already. Those of a run lie beside it, so
    /// that a file that is cut off keeps the names of the events that it keeps.
    names: Vec<Option<WIPOffset<&'static str>>>,
}

impl Builder<'_> {
    fn name(&mut self, id: NameId) -> WIPOffset<&'static str> {
        let text = &self.texts[id.index()];
        *self.names[id.index()].get_or_insert_with(|| self.flat.create_string(text))
    }

    fn run(&mut self, run: &Run) -> WIPOffset<fb::RunData<'static>> {
        let allocators: Vec<_> = run.allocators.iter().map(|name| self.allocator(*name)).collect();
        let events: Vec<_> = run.events.iter().map(|event| self.event(event)).collect();
        let name = Some(self.name(run.name));
        let allocators = (!allocators.is_empty()).then(|| self.flat.create_vector(&allocators));
        let events = Some(self.flat.create_vector(&events));
        let index = run.bundled_input_index.and_then(|i| i32::try_from(i).ok());
        let bundled_input_index = index.unwrap_or(-1);
        let args = fb::RunDataArgs { name, bundled_input_index, allocators, events };
        self.names.fill(None);
        fb::RunData::create(&mut self.flat, &args)
    }

    fn allocator(&mut self, name: NameId) -> WIPOffset<fb::Allocator<'static>> {
        let name = Some(self.name(name));
        fb::Allocator::create(&mut self.flat, &fb::AllocatorArgs { name })
    }

    fn event(&mut self, event: &Event) -> WIPOffset<fb::Event<'static>> {
        let mut args = fb::EventArgs::default();
        match event {
            Event::Scope { name, place, begun, ended } => {
                let name = Some(self.name(*name));
                args.profile_event = Some(self.profile(&fb::ProfileEventArgs {
                    name,
                    chain_index: place.chain_index(),
                    instruction_id: place.instruction_id(),
                    start_time: begun.0,
                    end_time: ended.0,
                    ..Default::default()
                }));
            }
            Event::Delegate(delegate) => args.profile_event = Some(self.delegate(delegate)),
            Event::Allocation { allocator, size } => {
                let allocation =
                    fb::AllocationEventArgs { allocator_id: *allocator, allocation_size: *size };
                args.allocation_event =
                    Some(fb::AllocationEvent::create(&mut self.flat, &allocation));
            }
            Event::Value(value) => args.debug_event = Some(self.value(value)),
        }
        fb::Event::create(&mut self.flat, &args)
    }

    fn profile(
        &mut self,
        args: &fb::ProfileEventArgs<'static>,
    ) -> WIPOffset<fb::ProfileEvent<'static>> {
        fb::ProfileEvent::create(&mut self.flat, args)
    }

    fn delegate(&mut self, event: &DelegateEvent) -> WIPOffset<fb::ProfileEvent<'static>> {
        let name = event.name.map(|name| self.name(name));
        let metadata =
            (!event.metadata.is_empty()).then(|| self.flat.create_vector(&event.metadata));
        self.profile(&fb::ProfileEventArgs {
            chain_index: event.place.chain_index(),
            instruction_id: event.place.instruction_id(),
            delegate_debug_id_int: event.int,
            delegate_debug_id_str: name,
            delegate_debug_metadata: metadata,
            start_time: event.begun.0,
            end_time: event.ended.0,
            ..Default::default()
        })
    }

    fn value(&mut self, event: &ValueEvent) -> WIPOffset<fb::DebugEvent<'static>> {
        let mut args = self.value_args(&event.value);
        if event.output {
            args.output = Some(fb::Bool::create(&mut self.flat, &fb::BoolArgs { bool_val: true }));
        }
        let entry = fb::Value::create(&mut self.flat, &args);
        let args = fb::DebugEventArgs {
            // Outside of chains the C++ runtime writes -1 into an unsigned field.
            chain_index: i64::from(event.place.chain_index()) as u64,
            instruction_id: event.place.instruction_id(),
            debug_entry: Some(entry),
            ..Default::default()
        };
        fb::DebugEvent::create(&mut self.flat, &args)
    }

    fn value_args(&mut self, value: &LoggedValue) -> fb::ValueArgs<'static> {
        let mut args = fb::ValueArgs::default();
        match value {
            LoggedValue::Int(value) => {
                args.val = fb::ValueType::Int;
                let int = fb::IntArgs { int_val: *value };
                args.int_value = Some(fb::Int::create(&mut self.flat, &int));
            }
            LoggedValue::Bool(value) => {
                args.val = fb::ValueType::Bool;
                let bool = fb::BoolArgs { bool_val: *value };
                args.bool_value = Some(fb::Bool::create(&mut self.flat, &bool));
            }
            LoggedValue::Double(value) => {
                args.val = fb::ValueType::Double;
                let double = fb::DoubleArgs { double_val: *value };
                args.double_value = Some(fb::Double::create(&mut self.flat, &double));
            }
            LoggedValue::Tensor(tensor) => {
                args.val = fb::ValueType::Tensor;
                args.tensor = Some(self.tensor(tensor));
            }
            LoggedValue::TensorList(list) => {
                let tensors: Vec<_> = list.iter().map(|tensor| self.tensor(tensor)).collect();
                let tensors = Some(self.flat.create_vector(&tensors));
                args.val = fb::ValueType::TensorList;
                let list = fb::TensorListArgs { tensors };
                args.tensor_list = Some(fb::TensorList::create(&mut self.flat, &list));
            }
        }
        args
    }

    fn tensor(&mut self, tensor: &LoggedTensor) -> WIPOffset<fb::Tensor<'static>> {
        let sizes = Some(self.flat.create_vector(&tensor.sizes));
        let strides = Some(self.flat.create_vector(&tensor.strides));
        let scalar_type = fb_scalar_type(tensor.scalar_type);
        let args = fb::TensorArgs { scalar_type, sizes, strides, offset: tensor.offset };
        fb::Tensor::create(&mut self.flat, &args)
    }
}

fn fb_scalar_type(scalar_type: ScalarType) -> scalar::ScalarType {
    scalar::ScalarType(scalar_type as i8)
}
