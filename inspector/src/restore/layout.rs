//! Where the logged tensors lie in the debug buffer.
//!
//! ExecuTorch's `BufferDataSink` puts each tensor at the next address that is a
//! multiple of 64, so the first offset depends on where the buffer itself
//! began, and the others follow from it and the tensors' sizes.

use super::{Item, Recording, RestoreError};
use et_schema::etdump::{Tensor, Value};
use et_schema::ids::ValueId;
use std::collections::HashMap;

/// `BufferDataSink`'s alignment.
const ALIGNMENT: usize = 64;

/// Offsets of the lost tensors, in the order of the recording.
pub(super) struct Layout {
    pub lost: Vec<usize>,
}

/// Bytes that were logged.
struct Slot {
    nbytes: usize,
    /// The offset that the trace names.
    known: Option<usize>,
    /// The lost tensor and its run, and whether it was logged as output.
    lost: Option<(usize, ValueId, bool)>,
}

impl Layout {
    /// The one layout that fits the trace and the buffer.
    pub fn find(recording: &Recording<'_>, buffer: &[u8]) -> Result<Self, RestoreError> {
        let slots = slots(recording);
        if let Some(known) = slots.iter().find_map(|slot| slot.known) {
            let offsets = offsets(&slots, known % ALIGNMENT, buffer.len());
            return offsets.map(|o| Layout::of(&slots, &o)).ok_or(RestoreError::OtherBuffer);
        }
        // Allocators align to 16 bytes, arrays at least to 8 or 4.
        for step in [16, 8, 4] {
            let mut fitting = (0..ALIGNMENT).step_by(step).filter_map(|start| {
                let offsets = offsets(&slots, start, buffer.len())?;
                fits(&slots, &offsets, buffer).then_some(offsets)
            });
            let Some(first) = fitting.next() else { continue };
            let is_same = |other: Vec<usize>| {
                lost_bytes(&slots, &other, buffer).eq(lost_bytes(&slots, &first, buffer))
            };
            return match fitting.all(is_same) {
                true => Ok(Layout::of(&slots, &first)),
                false => Err(RestoreError::Ambiguous),
            };
        }
        Err(RestoreError::OtherBuffer)
    }

    fn of(slots: &[Slot], offsets: &[usize]) -> Self {
        let lost = slots.iter().zip(offsets).filter(|(slot, _)| slot.lost.is_some());
        Layout { lost: lost.map(|(_, offset)| *offset).collect() }
    }
}

fn slots(recording: &Recording<'_>) -> Vec<Slot> {
    let mut slots = Vec::new();
    let of_trace = |tensor: &Tensor<'_>| {
        let nbytes = tensor.numel().zip(tensor.scalar_type().ok());
        let nbytes =
            nbytes.and_then(|(n, t)| usize::try_from(n.checked_mul(t.size() as u64)?).ok());
        let known = tensor.offset().and_then(|offset| usize::try_from(offset).ok());
        Slot { nbytes: nbytes.filter(|_| known.is_some()).unwrap_or(0), known, lost: None }
    };
    for (number, (_, items)) in recording.runs.iter().enumerate() {
        for item in items {
            match item {
                Item::Logged(event) => match event.value {
                    Some(Value::Tensor(tensor)) => slots.push(of_trace(&tensor)),
                    Some(Value::TensorList(list)) => {
                        slots.extend(list.iter().map(|tensor| of_trace(&tensor)));
                    }
                    _ => {}
                },
                Item::Lost(lost) => slots.push(Slot {
                    nbytes: lost.tensor.nbytes,
                    known: None,
                    lost: Some((number, lost.tensor.value, lost.is_output)),
                }),
                Item::PartOfList(parts) => {
                    let slot = |nbytes: &usize| Slot { nbytes: *nbytes, known: None, lost: None };
                    slots.extend(parts.iter().map(slot));
                }
                Item::Profile(_) | Item::Allocation(_) => {}
            }
        }
    }
    slots
}

/// What the lost tensors hold by these places.
fn lost_bytes<'b>(
    slots: &'b [Slot],
    offsets: &'b [usize],
    buffer: &'b [u8],
) -> impl Iterator<Item = Option<&'b [u8]>> {
    let lost = slots.iter().zip(offsets).filter(|(slot, _)| slot.lost.is_some());
    lost.map(|(slot, offset)| buffer.get(*offset..offset + slot.nbytes))
}

/// Where each slot begins if the first begins at `start`; `None` if the trace
/// or the buffer's size says otherwise.
fn offsets(slots: &[Slot], start: usize, size: usize) -> Option<Vec<usize>> {
    let mut next = start;
    let mut offsets = Vec::with_capacity(slots.len());
    for slot in slots {
        offsets.push(next);
        if slot.nbytes == 0 {
            continue;
        }
        let end = next.checked_add(slot.nbytes)?;
        if slot.known.is_some_and(|known| known != next) || end > size {
            return None;
        }
        next = start.checked_add((end - start).checked_next_multiple_of(ALIGNMENT)?)?;
    }
    Some(offsets)
}

/// Whether the buffer, which is zero where nothing was logged, has something at
/// these places alone, and the same at places of the same value.
fn fits(slots: &[Slot], offsets: &[usize], buffer: &[u8]) -> bool {
    let is_zero = |from: usize, to: usize| {
        buffer.get(from..to.max(from)).is_none_or(|bytes| bytes.iter().all(|byte| *byte == 0))
    };
    let mut end = 0;
    let mut last: HashMap<(usize, ValueId), &[u8]> = HashMap::new();
    for (slot, offset) in slots.iter().zip(offsets).filter(|(slot, _)| slot.nbytes > 0) {
        if !is_zero(end, *offset) {
            return false;
        }
        end = offset + slot.nbytes;
        let (Some((run, value, is_output)), Some(bytes)) = (slot.lost, buffer.get(*offset..end))
        else {
            continue;
        };
        let before = last.insert((run, value), bytes);
        // An output is what the last instruction that wrote it has logged.
        if is_output && before.is_some_and(|before| before != bytes) {
            return false;
        }
    }
    is_zero(end, buffer.len())
}
