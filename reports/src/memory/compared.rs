//! Chart: what was predicted of each allocator beside what a trace measured.

use super::words::{bytes, cut, size};
use crate::chart::{
    Area, Axis, Chart, Drawn, Paint, RIGHT, Titled, WIDTH, corners, legend, tenths, words,
};
use et_inspector::memory::measured::Comparison;
use plotters::style::text_anchor::{HPos, VPos};

const ROW: f64 = 30.0;
const BAR: f64 = 10.0;
const LEGEND: f64 = 24.0;

/// Units to the left of bars, for names.
const LEFT: f64 = 150.0;

/// Units of the numbers to the right of bars.
const NUMBERS: f64 = 200.0;

/// Letters of a name.
const LETTERS: usize = 22;

/// Two bars for each allocator that has events.
pub struct Compared(Vec<(String, u64, u64)>);

impl Compared {
    /// The chart of `comparison`; none if no allocator has both numbers.
    pub fn new(comparison: &Comparison) -> Option<Self> {
        let both = comparison.allocators.iter().filter_map(|compared| {
            Some((compared.name.clone(), compared.predicted?, compared.measured?))
        });
        let rows: Vec<(String, u64, u64)> = both.collect();
        (!rows.is_empty()).then_some(Compared(rows))
    }
}

impl Chart for Compared {
    fn height(&self) -> f64 {
        LEGEND + ROW * self.0.len() as f64
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let names =
            [(Paint::BAR, "predicted".to_owned()), (Paint::MEASURED, "measured".to_owned())];
        legend(area, LEFT, 2, 110.0, names)?;
        let most = self.0.iter().map(|(_, predicted, measured)| *predicted.max(measured)).max();
        let axis = Axis::to(most.unwrap_or(0));
        let length = WIDTH - LEFT - RIGHT - NUMBERS;
        for (row, (name, predicted, measured)) in self.0.iter().enumerate() {
            let top = LEGEND + ROW * row as f64 + 2.0;
            let short = cut(name, LETTERS);
            let at = (tenths(LEFT - 8.0), tenths(top + BAR));
            area.draw(&words(short, at, Paint::TEXT, (HPos::Right, VPos::Center)))?;
            let sides =
                [("predicted", predicted, Paint::BAR), ("measured", measured, Paint::MEASURED)];
            for (side, (what, used, paint)) in sides.into_iter().enumerate() {
                let y = top + BAR * side as f64 + side as f64;
                let long = axis.at(*used, length);
                let paint = if *used > 0 { paint } else { Paint::NOTHING };
                let title = format!("{name}, {what}: {}", bytes(*used));
                area.draw(&Titled::rectangle(title, corners(LEFT, y, long, BAR), paint))?;
                let at = (tenths(LEFT + long + 6.0), tenths(y + BAR / 2.0));
                area.draw(&words(size(*used), at, Paint::LEGEND, (HPos::Left, VPos::Center)))?;
            }
        }
        Ok(())
    }
}
