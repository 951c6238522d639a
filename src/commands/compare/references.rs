//! Reference tensors from an `.npz` file.

use super::names::Names;
use crate::failure::Failure;
use crate::tensors::{Array, read_npz};
use crate::text::escape;
use et_inspector::debug_data::{Tensor, Value};
use et_inspector::gap::Place;
use et_schema::ScalarType;
use std::collections::HashSet;
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
    let mut used: HashSet<&str> = HashSet::new();
    for (place, value) in found.iter().filter(|(place, _)| place.run == 0) {
        let wanted = names_of(place, names);
        let array = wanted.iter().find_map(|w| arrays.iter().find(|(name, _)| name == w));
        let Some((name, array)) = array else { continue };
        let Some(reference) = like(value, array) else { continue };
        used.insert(name);
        values.push((place.clone(), reference));
    }
    let unused = arrays.iter().map(|(name, _)| name.as_str()).filter(|n| !used.contains(n));
    (values, unused.collect())
}

/// Names under which a reference may stand, the most exact first.
fn names_of(place: &Place, names: &Names<'_, '_>) -> Vec<String> {
    let position = place.position;
    if place.is_output {
        return vec![format!("output_{position}")];
    }
    let site = format!("{}:{}", place.chain, place.instruction);
    let mut wanted = Vec::new();
    if place.delegate_id.is_none() {
        wanted.push(format!("{site}:{position}"));
        if position == 0 {
            wanted.push(site);
        }
    }
    let handles = names.origin(place).and_then(|origin| origin.debug_handles).unwrap_or_default();
    if position == 0 && !handles.is_empty() {
        let all: Vec<String> = handles.iter().map(i64::to_string).collect();
        wanted.push(all.join(","));
        // The exporter numbers nodes in the order of the graph: the last puts out the result.
        wanted.extend(handles.iter().max().map(i64::to_string));
    }
    wanted
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
