//! Chart: operators by time, each with its spread over the runs.

use super::words::time;
use super::{OperatorTime, TraceTimes};
use crate::chart::{
    Area, Axis, Chart, Drawn, Paint, Titled, WIDTH, corners, picture, tenths, words,
};
use crate::memory::words::{cut, short};
use plotters::element::PathElement;
use plotters::style::text_anchor::{HPos, VPos};

/// Operators of the chart: the table has more.
const ROWS: usize = 15;

const LEFT: f64 = 260.0;
const RIGHT: f64 = 210.0;
const ROW: f64 = 22.0;

/// Letters of a name beside its bar.
const LETTERS: usize = 36;

/// The picture: a bar to the median of a run, a line from the least to the most.
pub(super) fn chart(trace: &TraceTimes, operators: &[OperatorTime]) -> String {
    let shown = &operators[..operators.len().min(ROWS)];
    // Of a rare run a thousand times as long, the bars would be nothing: the line may be cut.
    let median = shown.iter().map(|operator| operator.spread.p50).max().unwrap_or(0);
    let most = shown.iter().map(|operator| operator.spread.max).max().unwrap_or(0);
    if shown.is_empty() || most == 0 {
        return String::new();
    }
    let axis = Axis::to(most.min(median.saturating_mul(3)).max(1));
    let label = "Time of a run by operator: median, least and most";
    picture(label, "", &[Box::new(Bars { shown, axis, unit: trace.unit })])
}

struct Bars<'a> {
    shown: &'a [OperatorTime],
    axis: Axis,
    unit: &'a str,
}

impl Chart for Bars<'_> {
    fn height(&self) -> f64 {
        ROW * self.shown.len() as f64
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let at = |ticks: u64| LEFT + self.axis.at(ticks, WIDTH - LEFT - RIGHT);
        for (row, operator) in self.shown.iter().enumerate() {
            let s = &operator.spread;
            let middle = ROW * row as f64 + ROW / 2.0;
            let [least, p50, p90, most] = [s.min, s.p50, s.p90, s.max].map(|t| time(t, self.unit));
            let title = format!(
                "{}: median {p50}, least {least}, p90 {p90}, most {most}",
                short(&operator.name)
            );
            let length = (at(s.p50) - LEFT).max(1.0);
            let shape = corners(LEFT, middle - 6.0, length, 12.0);
            area.draw(&Titled::rectangle(title, shape, Paint::BAR))?;
            let (from, to) = (at(s.min), at(s.max));
            for [a, b] in [
                [(from, middle), (to, middle)],
                [(from, middle - 4.0), (from, middle + 4.0)],
                [(to, middle - 4.0), (to, middle + 4.0)],
            ] {
                let ends = [a, b].map(|(x, y)| (tenths(x), tenths(y)));
                area.draw(&PathElement::new(ends, Paint::WHISKER))?;
            }
            let name = cut(&operator.name, LETTERS);
            let place = (tenths(LEFT - 8.0), tenths(middle));
            area.draw(&words(name, place, Paint::TEXT, (HPos::Right, VPos::Center)))?;
            let place = (tenths(at(s.max.max(s.p50)) + 8.0), tenths(middle));
            let text = if s.runs > 1 { format!("{p50}, {least} to {most}") } else { p50 };
            area.draw(&words(text, place, Paint::LEGEND, (HPos::Left, VPos::Center)))?;
        }
        Ok(())
    }
}
