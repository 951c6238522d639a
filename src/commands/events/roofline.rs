//! `events --roofline`: operators against what the machine can.

use super::table::{lines, number, plain_table};
use crate::text::{escape, thousands};
use et_inspector::roofline::{Bound, Point, Roof};
use serde_json::json;

/// A name for what holds an operator back.
fn word(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => "compute",
        Bound::Memory => "memory",
    }
}

/// The operators, and what they are measured against.
pub(super) fn table(points: &[Point], roof: Roof, given: bool) -> String {
    let mut table = plain_table(&[
        "operator", "calls", "ms", "MFLOP", "MB", "FLOP/B", "GFLOP/s", "GB/s", "limit", "reached",
    ]);
    for point in points {
        table.add_row([
            escape(&point.operator),
            thousands(point.calls),
            number(point.seconds * 1e3),
            number(point.operations / 1e6),
            number(point.bytes / 1e6),
            number(point.intensity()),
            number(point.rate() / 1e9),
            number(point.bandwidth() / 1e9),
            word(roof.bound(point)).to_owned(),
            format!("{:.0} %", roof.share(point) * 100.0),
        ]);
    }
    let whose = if given { "as given" } else { "the best seen in this trace" };
    format!(
        "{}\nreached of {} GFLOP/s and {} GB/s, {whose}\n",
        lines(&table),
        number(roof.operations / 1e9),
        number(roof.bytes / 1e9)
    )
}

/// The same for scripts.
pub(super) fn json(points: &[Point], roof: Roof, given: bool) -> String {
    let operators: Vec<_> = points
        .iter()
        .map(|point| {
            json!({
                "operator": point.operator,
                "calls": point.calls,
                "seconds": point.seconds,
                "operations": point.operations,
                "bytes": point.bytes,
                "operations_per_byte": point.intensity(),
                "operations_per_second": point.rate(),
                "bytes_per_second": point.bandwidth(),
                "limit": word(roof.bound(point)),
                "reached": roof.share(point),
            })
        })
        .collect();
    let document = json!({
        "schema": "etinspect.roofline/1",
        "roof": {
            "operations_per_second": roof.operations,
            "bytes_per_second": roof.bytes,
            "given": given,
        },
        "operators": operators,
    });
    format!("{document:#}\n")
}
