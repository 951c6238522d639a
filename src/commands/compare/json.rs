//! `etinspect.compare/1`.

use super::names::Names;
use crate::trace::{damaged, truncated};
use et_inspector::gap::{Comparison, Gap, Place, Tolerance};
use et_schema::etdump::File;
use serde_json::{Value, json};

/// The comparison as a document. Numbers that are not finite are strings
/// (`inf`, `-inf`, `NaN`), as JSON has none. `trace` and `reference` are the
/// files as they are, before anything was restored.
pub(super) fn json(
    comparison: &Comparison,
    names: &Names<'_, '_>,
    by: Tolerance,
    trace: &File<'_>,
    reference: Option<&File<'_>>,
) -> String {
    let places = |places: &[Place]| places.iter().map(|p| place(p, names)).collect::<Vec<Value>>();
    let document = json!({
        "schema": "etinspect.compare/1",
        "rtol": by.rtol,
        "atol": by.atol,
        "truncated": truncated(trace.truncation()),
        "reference_truncated": truncated(reference.and_then(File::truncation)),
        "damaged": damaged(trace.damage()),
        "reference_damaged": damaged(reference.and_then(File::damage)),
        "first_divergence": comparison.first_divergence().map(|g| gap(g, names)),
        "values": comparison.gaps.iter().map(|g| gap(g, names)).collect::<Vec<Value>>(),
        "without_reference": places(&comparison.without_reference),
        "only_in_reference": places(&comparison.only_in_reference),
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn place(place: &Place, names: &Names<'_, '_>) -> Value {
    let origin = names.origin(place);
    json!({
        "run": place.run,
        "chain": (!place.is_output).then_some(place.chain),
        "instruction": (!place.is_output).then_some(place.instruction),
        "delegate_id": place.delegate_id,
        "position": place.position,
        "is_output": place.is_output,
        "operator": names.operator(place),
        "module": origin.as_ref().and_then(|o| o.module()),
        "source": origin.as_ref().and_then(|o| o.source()),
        "debug_handles": origin.and_then(|o| o.debug_handles),
    })
}

fn gap(gap: &Gap, names: &Names<'_, '_>) -> Value {
    let mut value = place(&gap.place, names);
    value["element"] = json!(gap.element);
    value["dtype"] = json!(gap.dtype);
    value["shape"] = json!(gap.shape);
    value["diverges"] = json!(gap.diverges());
    match &gap.measured {
        Err(message) => value["error"] = json!(message),
        Ok(measured) => {
            value["elements"] = json!(measured.elements);
            value["outside"] = json!(measured.outside);
            if let Some(metrics) = measured.metrics {
                value["mse"] = number(metrics.mse);
                value["l1"] = number(metrics.l1);
                value["snr"] = number(metrics.snr);
                value["cosine"] = number(metrics.cosine);
                value["max_abs"] = number(metrics.max_abs);
            }
        }
    }
    value
}

fn number(number: f64) -> Value {
    if number.is_finite() { json!(number) } else { json!(number.to_string()) }
}
