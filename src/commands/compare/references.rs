//! Reference tensors from an `.npz` file.

use super::names::Names;
use crate::failure::Failure;
use crate::tensors::{Array, read_npz};
use crate::text::escape;
use et_inspector::debug_data::{Tensor, Value};
use et_inspector::gap::Place;
use et_schema::ScalarType;
use std::path::Path;

/// As many names are listed in a message.
const LISTED: usize = 5;

/// The tensors of a file.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Array)>, Failure> {
    read_npz(bytes).map_err(|error| {
        let message = format!(
            "neither a trace (.etdp) nor a readable .npz file: {error}; numpy.savez writes .npz"
        );
        Failure::input(path, message)
    })
}

/// The tensors at the places of the first run's values, and the names that fit none.
pub(super) fn values<'b>(
    arrays: &'b [(String, Array)],
    found: &[(Place, Value<'_>)],
    names: &Names<'_, '_>,
) -> (Vec<(Place, Value<'b>)>, Vec<&'b str>) {
    let mut values = Vec::new();
    let mut unused = Vec::new();
    for (name, array) in arrays {
        let first_run = || found.iter().filter(|(place, _)| place.run == 0);
        let by_site = first_run().find(|(place, _)| is_named(place, name));
        let by_handle = || {
            let with_handle = first_run().filter(|(place, _)| has_handles(place, name, names));
            result_of(with_handle, array, names)
        };
        let value = by_site.or_else(by_handle);
        match value.and_then(|(place, value)| Some((place.clone(), like(value, array)?))) {
            Some(reference) => values.push(reference),
            None => unused.push(name.as_str()),
        }
    }
    (values, unused)
}

/// Whether `name` is that of an output of the method or of an instruction.
fn is_named(place: &Place, name: &str) -> bool {
    let position = place.position;
    if place.is_output {
        return name == format!("output_{position}");
    }
    let site = format!("{}:{}", place.chain, place.instruction);
    place.delegate_id.is_none()
        && (name == format!("{site}:{position}") || position == 0 && name == site)
}

/// Whether `name` lists the debug handles of the instruction, or is the last of them.
fn has_handles(place: &Place, name: &str, names: &Names<'_, '_>) -> bool {
    let handles = names.origin(place).and_then(|origin| origin.debug_handles).unwrap_or_default();
    // The exporter numbers nodes in the order of the graph: the last puts out the result.
    let last = handles.iter().max().is_some_and(|last| name == last.to_string());
    let all: Vec<String> = handles.iter().map(i64::to_string).collect();
    last || !all.is_empty() && name == all.join(",")
}

/// Of all values that a node became, the one that is its result: one node
/// becomes several instructions (a linear layer transposes its weights first),
/// of which the last that puts out the node's shape does the rest of the work.
/// A kernel's first output is the node's; a delegate call logs its inputs too,
/// before its outputs.
fn result_of<'f, 'v: 'f>(
    candidates: impl Iterator<Item = &'f (Place, Value<'v>)>,
    array: &Array,
    names: &Names<'_, '_>,
) -> Option<&'f (Place, Value<'v>)> {
    let has_shape = |value: &Value<'_>| match value {
        Value::Tensor(tensor) => {
            tensor.sizes.iter().copied().eq(array.sizes.iter().map(|size| i64::from(*size)))
        }
        Value::Number(_) => array.numel() == 1,
        _ => false,
    };
    let rank = |(place, value): &&(Place, Value<'_>)| {
        let order = (place.chain, place.instruction);
        let position = place.position as i64;
        let is_delegate = names.origin(place).is_some_and(|origin| origin.backend.is_some());
        (has_shape(value), order, if is_delegate { position } else { -position })
    };
    candidates.max_by_key(rank)
}

/// The reference as the kind of value that was logged.
fn like<'b>(value: &Value<'_>, array: &'b Array) -> Option<Value<'b>> {
    if matches!(value, Value::Number(_)) && array.numel() == 1 {
        return Some(Value::Number(array.number(0)));
    }
    let logged = value.tensors().first().and_then(|tensor| tensor.scalar_type);
    let scalar_type = match (logged, array.scalar_type) {
        // NumPy has no such type and keeps its bits.
        (Some(ScalarType::BFloat16), ScalarType::UInt16) => ScalarType::BFloat16,
        (_, own) => own,
    };
    let sizes: Vec<i64> = array.sizes.iter().map(|size| i64::from(*size)).collect();
    Tensor::from_elements(scalar_type, &sizes, &array.data).map(Value::Tensor)
}

/// What to say of tensors that fit no value.
pub(super) fn unused_message(path: &Path, unused: &[&str]) -> String {
    let listed: Vec<String> = unused.iter().take(LISTED).map(|name| escape(name)).collect();
    let more = if unused.len() > LISTED { ", …" } else { "" };
    format!(
        "{}: {} tensors belong to no value of the trace: {}{more}",
        escape(&path.to_string_lossy()),
        unused.len(),
        listed.join(", ")
    )
}
