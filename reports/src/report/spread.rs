//! Chart: operators by time, each with its spread over the runs.

use super::words::time;
use super::{OperatorTime, TraceTimes};
use crate::memory::words::{html as escape, short};
use std::fmt::Write;

/// Operators of the chart: the table has more.
const ROWS: usize = 15;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 260.0;
const RIGHT: f64 = 130.0;
const ROW: f64 = 22.0;

/// Letters of a name beside its bar.
const LETTERS: usize = 36;

/// The picture: a bar to the median of a run, a line from the least to the most.
pub(super) fn chart(trace: &TraceTimes, operators: &[OperatorTime]) -> String {
    let shown = &operators[..operators.len().min(ROWS)];
    // Of a rare run a thousand times as long, the bars would be nothing: the line may be cut.
    let median = shown.iter().map(|operator| operator.spread.p50).max().unwrap_or(0);
    let most = shown.iter().map(|operator| operator.spread.max).max().unwrap_or(0);
    let end = most.min(median.saturating_mul(3)).max(1);
    if shown.is_empty() || most == 0 {
        return String::new();
    }
    let length = WIDTH - LEFT - RIGHT;
    let at = |ticks: u64| LEFT + ticks.min(end) as f64 / end as f64 * length;
    let height = ROW * shown.len() as f64 + 8.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Time of a run by operator: median, least and most\">\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    for (row, operator) in shown.iter().enumerate() {
        let s = &operator.spread;
        let middle = row as f64 * ROW + ROW / 2.0 + 4.0;
        let [least, p50, p90, most] = [s.min, s.p50, s.p90, s.max].map(|t| time(t, trace.unit));
        let name: String = operator.name.chars().take(LETTERS).collect();
        let _ = writeln!(
            svg,
            "<g><title>{}: median {p50}, least {least}, p90 {p90}, most {most}</title>\
             <text text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
             <rect class=\"bar\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\"/>\
             <path class=\"whisker\" d=\"M{:.1} {middle:.1}H{:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{p50}</text></g>",
            escape(&short(&operator.name)),
            LEFT - 8.0,
            middle + 4.0,
            escape(&name),
            middle - 6.0,
            (at(s.p50) - LEFT).max(1.0),
            at(s.min),
            at(s.max),
            at(s.max).max(at(s.p50)) + 8.0,
            middle + 4.0,
        );
    }
    svg + "</svg>\n"
}
