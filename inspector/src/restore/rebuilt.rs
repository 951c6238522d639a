//! The whole trace, written anew.

use super::layout::Layout;
use super::{Item, Lost, Recording, Restored};
use et_schema::ScalarType;
use et_schema::etdump::{self as trace, DebugEvent, ProfileEvent, Value};
use et_schema::ids::{ChainId, InstructionId};
use etdump::{
    AllocationRecord, AllocatorIndex, AllocatorInfo, Contents, DebugLevel, DebugTensor, DebugValue,
    DelegateId, EtDumpWriter, Place, Ticks, Tracer,
};
use std::cell::Cell;
use std::rc::Rc;

/// The recording with the lost tensors where `layout` says, all values copied
/// into a debug buffer of their own.
pub(super) fn rebuilt(recording: &Recording<'_>, layout: &Layout, buffer: &[u8]) -> Restored {
    let now = Rc::new(Cell::new(0));
    let clock = now.clone();
    let mut writer = EtDumpWriter::new(move || Ticks(clock.get()), Contents::Full);
    writer.log_values(DebugLevel::IntermediateOutputs, None);
    let mut offsets = layout.lost.iter();
    let mut lost_lists = 0;
    for (run, items) in &recording.runs {
        writer.set_bundled_input_index(run.bundled_input_index());
        let allocators: Vec<AllocatorInfo<'_>> =
            run.allocators().map(|name| AllocatorInfo { name, capacity: 0 }).collect();
        writer.begin_run(run.name(), &allocators);
        for item in items {
            match item {
                Item::Profile(event) => add_profile(&mut writer, event, &now),
                Item::Allocation(event) => writer.allocation(AllocationRecord {
                    allocator: AllocatorIndex(event.allocator_id.saturating_sub(1).max(0) as u32),
                    size: event.size,
                    offset: 0,
                }),
                Item::Logged(event) => add_logged(&mut writer, event, buffer),
                Item::Lost(lost) => add_lost(&mut writer, lost, offsets.next(), buffer),
                Item::PartOfList(_) => lost_lists += 1,
            }
        }
    }
    let dump = writer.finish();
    let values = layout.lost.len();
    Restored { trace: dump.bytes, debug_buffer: dump.debug_buffer, values, lost_lists }
}

fn place(chain: i64, instruction: i32) -> Place {
    match (u32::try_from(chain), u32::try_from(instruction)) {
        (Ok(chain), Ok(id)) => Place::Instruction(ChainId(chain), InstructionId(id)),
        _ => Place::Method,
    }
}

fn add_profile(writer: &mut impl Tracer, event: &ProfileEvent<'_>, now: &Cell<u64>) {
    let at = place(event.chain_index.into(), event.instruction_id);
    let (begun, ended) = (Ticks(event.start_time), Ticks(event.end_time));
    let id = match event.delegate_id {
        None => return writer.span(event.name, at, begun, ended),
        Some(trace::DelegateId::Int(id)) => DelegateId::Int(id),
        Some(trace::DelegateId::Name(name)) => DelegateId::Name(name),
    };
    now.set(event.end_time);
    writer.end_delegate(id, at, begun, event.delegate_metadata);
}

/// A tensor as writers take it; `None` if its shape is none.
struct Owned<'b> {
    scalar_type: ScalarType,
    sizes: Vec<i32>,
    strides: Vec<i32>,
    data: &'b [u8],
}

impl<'b> Owned<'b> {
    fn of(tensor: &trace::Tensor<'_>, buffer: &'b [u8]) -> Option<Self> {
        let numbers = |longs: trace::Longs<'_>| -> Option<Vec<i32>> {
            longs.iter().map(|number| i32::try_from(number).ok()).collect()
        };
        Some(Owned {
            scalar_type: tensor.scalar_type().ok()?,
            sizes: numbers(tensor.sizes())?,
            strides: numbers(tensor.strides())?,
            data: tensor.data(buffer).unwrap_or_default(),
        })
    }

    fn borrowed(&self) -> DebugTensor<'_> {
        let Owned { scalar_type, sizes, strides, data } = self;
        DebugTensor { scalar_type: *scalar_type, sizes, strides, data }
    }
}

fn add_logged(writer: &mut impl Tracer, event: &DebugEvent<'_>, buffer: &[u8]) {
    let at = place(event.chain_index as i64, event.instruction_id);
    let mut add = |value| writer.value(at, value, event.is_output);
    match event.value {
        Some(Value::Int(value)) => add(DebugValue::Int(value)),
        Some(Value::Bool(value)) => add(DebugValue::Bool(value)),
        Some(Value::Float(value)) => add(DebugValue::Double(value.into())),
        Some(Value::Double(value)) => add(DebugValue::Double(value)),
        Some(Value::Tensor(tensor)) => {
            if let Some(tensor) = Owned::of(&tensor, buffer) {
                add(DebugValue::Tensor(tensor.borrowed()));
            }
        }
        Some(Value::TensorList(list)) => {
            let tensors: Option<Vec<Owned<'_>>> =
                list.iter().map(|tensor| Owned::of(&tensor, buffer)).collect();
            let tensors = tensors.unwrap_or_default();
            let tensors: Vec<DebugTensor<'_>> = tensors.iter().map(Owned::borrowed).collect();
            add(DebugValue::TensorList(&tensors));
        }
        None | Some(Value::Null | Value::String | Value::Unknown(_)) => {}
    }
}

fn add_lost(writer: &mut impl Tracer, lost: &Lost, offset: Option<&usize>, buffer: &[u8]) {
    let at = place(lost.chain.into(), lost.instruction);
    let start = offset.copied().unwrap_or(buffer.len());
    let data = buffer.get(start..start.saturating_add(lost.tensor.nbytes)).unwrap_or_default();
    let tensor = DebugTensor {
        scalar_type: lost.tensor.scalar_type,
        sizes: &lost.tensor.sizes,
        strides: &lost.tensor.strides,
        data,
    };
    writer.value(at, DebugValue::Tensor(tensor), lost.is_output);
}
