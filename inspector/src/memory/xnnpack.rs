//! What XNNPACK takes from the heap: an estimate from the graph.
//!
//! Nothing in a program says it. Fitted to what the real runtime of release
//! 1.5.1 had live after an execution on x86-64, for 160 programs
//! (`scripts/xnnpack_heap.py`): objects for delegate and node, constants packed
//! for the kernels, tensors between the nodes, and a pointer for each element of
//! each window of a convolution. Nine of ten programs took 0.75 to 1.7 times as
//! much; the largest differences are of tiny ones.

use et_schema::layout::Abi;
use et_schema::xnnpack::{Operation, Payload, Value};
use std::collections::BTreeMap;

/// Bytes of objects for each delegate and each node.
const DELEGATE: u64 = 350;
const NODE: u64 = 1450;

/// What packed constants take, in percent of those in the payload.
const PACKED_PERCENT: u64 = 120;

/// Estimated bytes of the heap for one delegate.
pub(super) fn heap(payload: &Payload<'_>, abi: Abi) -> u64 {
    let values: BTreeMap<u32, Value<'_>> =
        payload.values().map(|value| (value.id(), value)).collect();
    let bytes = |value: &Value<'_>| value.nbytes().unwrap_or(0);
    let constants = values
        .values()
        .filter(|value| value.constant() != 0)
        .fold(0_u64, |sum, value| sum.saturating_add(bytes(value)));
    let pointers = payload.nodes().fold(0_u64, |sum, node| {
        let Operation::Convolution(convolution) = node.operation() else { return sum };
        let [height, width] = convolution.kernel.map(u64::from);
        let Some(output) = values.get(&convolution.output).filter(|_| height * width > 1) else {
            return sum;
        };
        let pixels = output.dims().iter().skip(1).take(2).map(u64::from);
        sum.saturating_add(pixels.fold(height.saturating_mul(width), u64::saturating_mul))
    });
    let nodes = payload.nodes().len() as u64;
    (DELEGATE + NODE * nodes)
        .saturating_add(constants.saturating_mul(PACKED_PERCENT) / 100)
        .saturating_add(workspace(payload, &values))
        .saturating_add(pointers.saturating_mul(if abi.is_32_bit() { 4 } else { 8 }))
}

/// The largest sum of tensors between nodes that are needed at one moment.
fn workspace(payload: &Payload<'_>, values: &BTreeMap<u32, Value<'_>>) -> u64 {
    let mut lives: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (at, node) in payload.nodes().enumerate() {
        let operation = node.operation();
        for id in operation.inputs().chain(operation.outputs()) {
            lives.entry(id).or_insert((at, at)).1 = at;
        }
    }
    // Changes of the sum, by node: more where a life begins, less behind its end.
    let mut changes: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for (id, (first, last)) in lives {
        let Some(value) = values.get(&id) else { continue };
        if value.constant() == 0 && value.external_id().is_none() {
            let bytes = value.nbytes().unwrap_or(0);
            let begin = &mut changes.entry(first).or_default().0;
            *begin = begin.saturating_add(bytes);
            let end = &mut changes.entry(last + 1).or_default().1;
            *end = end.saturating_add(bytes);
        }
    }
    let mut live = 0_u64;
    changes.values().fold(0, |peak, (more, less)| {
        live = live.saturating_sub(*less).saturating_add(*more);
        peak.max(live)
    })
}
