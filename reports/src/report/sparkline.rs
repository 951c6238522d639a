//! Chart: the peaks of the latest runs, as a line in a row.

use super::Entry;
use super::words::size;
use crate::chart::{Axis, Canvas, Paint, tenths};
use crate::memory::words::html;
use plotters::coord::ranged1d::Ranged;
use plotters::drawing::IntoDrawingArea;
use plotters::element::PathElement;

/// Points of the line: the latest.
pub(super) const POINTS: usize = 50;

/// Units of the picture.
const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

/// The picture, and the number of runs; nothing of no runs.
pub(super) fn chart(history: &[Entry]) -> String {
    let latest = &history[history.len().saturating_sub(POINTS)..];
    let (Some(first), Some(last)) = (latest.first(), latest.last()) else { return String::new() };
    let peaks = || latest.iter().map(|entry| entry.peak_bytes);
    let up = Axis::to(peaks().max().unwrap_or(0).max(1));
    let across = Axis::to(latest.len().max(2) as u64 - 1);
    let points: Vec<(i32, i32)> = peaks()
        .enumerate()
        .map(|(run, peak)| {
            let x = across.map(&(run as u64), (0, tenths(WIDTH)));
            (x, up.map(&peak, (tenths(HEIGHT - 1.0), tenths(1.0))))
        })
        .collect();
    let label = match latest.len() {
        1 => "one run".to_owned(),
        runs => {
            format!("{runs} runs, from {} to {}", size(first.peak_bytes), size(last.peak_bytes))
        }
    };
    let mut body = String::new();
    let canvas =
        Canvas::new(&mut body, (tenths(WIDTH).unsigned_abs(), tenths(HEIGHT).unsigned_abs()));
    // Points lie on the canvas.
    let _ = canvas.into_drawing_area().draw(&PathElement::new(points, Paint::SPARK));
    let label = html(&label);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" \
         aria-label=\"{label}\" class=\"line\"><g><title>{label}</title>{body}</g></svg> {}",
        latest.len()
    )
}
