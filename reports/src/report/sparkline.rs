//! Chart: peaks and times of the latest runs, as lines in a row.

use super::Entry;
use super::words::{size, time};
use crate::chart::{Axis, Canvas, Paint, tenths};
use crate::memory::words::html;
use plotters::coord::ranged1d::Ranged;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, PathElement};
use plotters::style::Color;

/// Points of the line: the latest.
pub(super) const POINTS: usize = 50;

/// Units of the picture.
const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

/// Peaks of the latest runs, and their number; nothing of no runs.
pub(super) fn peaks(history: &[Entry]) -> String {
    let latest = latest(history);
    let label = match latest {
        [] => return String::new(),
        [_] => "one run".to_owned(),
        [first, .., last] => {
            let [first, last] = [first, last].map(|entry| size(entry.peak_bytes));
            format!("{} runs, from {first} to {last}", latest.len())
        }
    };
    let peaks: Vec<u64> = latest.iter().map(|entry| entry.peak_bytes).collect();
    chart(&peaks, &label)
}

/// Times of the latest runs that have one in the unit of the last; nothing of none.
pub(super) fn times(history: &[Entry]) -> String {
    let timed = |entry: &Entry| entry.run_ticks.zip(entry.unit.clone());
    let Some((last, unit)) = history.last().and_then(timed) else { return String::new() };
    let times = latest(history).iter().filter_map(timed);
    let times: Vec<u64> = times.filter(|time| time.1 == unit).map(|time| time.0).collect();
    let [first, last] = [times.first().copied().unwrap_or(last), last].map(|t| time(t, &unit));
    let label = match times.len() {
        1 => "one timed run".to_owned(),
        count => format!("{count} timed runs, from {first} to {last}"),
    };
    chart(&times, &label)
}

fn latest(history: &[Entry]) -> &[Entry] {
    &history[history.len().saturating_sub(POINTS)..]
}

/// The line through `values`, and their number.
fn chart(values: &[u64], label: &str) -> String {
    let up = Axis::to(values.iter().copied().max().unwrap_or(0).max(1));
    let across = Axis::to(values.len().max(2) as u64 - 1);
    let place = |(run, value): (usize, &u64)| {
        let x = across.map(&(run as u64), (tenths(2.0), tenths(WIDTH - 2.0)));
        (x, up.map(value, (tenths(HEIGHT - 2.0), tenths(2.0))))
    };
    let points: Vec<(i32, i32)> = values.iter().enumerate().map(place).collect();
    let mut body = String::new();
    let canvas =
        Canvas::new(&mut body, (tenths(WIDTH).unsigned_abs(), tenths(HEIGHT).unsigned_abs()));
    let area = canvas.into_drawing_area();
    // Points lie on the canvas.
    let last = points.last().copied().unwrap_or_default();
    let _ = area.draw(&PathElement::new(points, Paint::SPARK));
    let _ = area.draw(&Circle::new(last, tenths(2.0), Paint::MARK.filled()));
    drop(area);
    let label = html(label);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" \
         aria-label=\"{label}\" class=\"line\"><g><title>{label}</title>{body}</g></svg> {}",
        values.len()
    )
}
