//! Reference tensors from an `.npz` file.

use super::names::Names;
use crate::failure::Failure;
use crate::tensors::{Array, read_npz};
use crate::text::escape;
use et_inspector::debug_data::{Tensor, Value};
use et_inspector::gap::{Place, same_extents};
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
            let (handles, output) = match name.split_once('#') {
                Some((handles, output)) => (handles, Some(output.parse().ok()?)),
                None => (name.as_str(), None),
            };
            let with_handle = first_run().filter(|(place, _)| has_handles(place, handles, names));
            match output {
                Some(output) => output_of(&with_handle.collect::<Vec<_>>(), output, names),
                None => result_of(with_handle, array, names),
            }
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

/// Whether the instruction was made from the nodes that `name` lists, or from
/// some of them; of a single one, whether it is the last.
fn has_handles(place: &Place, name: &str, names: &Names<'_, '_>) -> bool {
    let handles = names.origin(place).and_then(|origin| origin.debug_handles).unwrap_or_default();
    let listed: Option<Vec<i64>> = name.split(',').map(|handle| handle.parse().ok()).collect();
    match listed.as_deref() {
        // The exporter numbers nodes in the order of the graph: the last puts out the result.
        Some([one]) => handles.iter().max() == Some(one),
        // Nodes that several instructions share go together, as in the Inspector.
        Some(listed) => !handles.is_empty() && handles.iter().all(|h| listed.contains(h)),
        None => false,
    }
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
            let sizes: Vec<i64> = array.sizes.iter().map(|size| i64::from(*size)).collect();
            same_extents(&tensor.sizes, &sizes)
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

/// Output number `output` of the last instruction among `candidates`.
fn output_of<'f, 'v>(
    candidates: &[&'f (Place, Value<'v>)],
    output: usize,
    names: &Names<'_, '_>,
) -> Option<&'f (Place, Value<'v>)> {
    let site = |place: &Place| (place.chain, place.instruction);
    let last = candidates.iter().map(|(place, _)| site(place)).max()?;
    let mut logged = candidates.iter().filter(|(place, _)| site(place) == last);
    let origin = names.origin(&logged.clone().next()?.0)?;
    // A delegate call logs its inputs before its outputs.
    let inputs = match origin.backend {
        Some(_) => logged.clone().count().checked_sub(origin.output_count? as usize)?,
        None => 0,
    };
    logged.nth(inputs.checked_add(output)?).copied()
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
