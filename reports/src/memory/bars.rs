//! Chart: what each allocator needs, as bars.

use super::words::{cut, short, size};
use super::{Need, Page};
use crate::chart::{Area, Axis, Chart, Drawn, Paint, RIGHT, Titled, WIDTH, corners, tenths, words};
use plotters::style::text_anchor::{HPos, VPos};

const ROW: f64 = 20.0;
const BAR: f64 = 12.0;

/// Units to the left of bars, for names, and to the right, for numbers.
const LEFT: f64 = 150.0;
const NUMBERS: f64 = 180.0;

/// Units of the longest bar.
const LENGTH: f64 = WIDTH - RIGHT - LEFT - NUMBERS;

/// Letters of a name.
const LETTERS: usize = 22;

/// Bars with a name and a size.
pub struct Bars(Vec<Need>);

impl Bars {
    /// What the allocators of `page` need; the program has `program` bytes.
    pub fn of_allocators(page: &Page<'_>, program: u64) -> Self {
        Bars(page.allocators(program))
    }
}

impl Chart for Bars {
    fn height(&self) -> f64 {
        ROW * self.0.len() as f64
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let axis = Axis::to(self.0.iter().map(|need| need.bytes).max().unwrap_or(0));
        for (row, Need { name, bytes, note }) in self.0.iter().enumerate() {
            let top = ROW * row as f64 + (ROW - BAR) / 2.0;
            let middle = tenths(top + BAR / 2.0);
            // Of nothing there is no bar.
            let paint = if *bytes > 0 { Paint::BAR } else { Paint::NOTHING };
            let length = axis.at(*bytes, LENGTH);
            let title = format!("{}: {}; {note}", short(name), size(*bytes));
            let shape = corners(LEFT, top, length.max(1.0), BAR);
            area.draw(&Titled::rectangle(title, shape, paint))?;
            let name = cut(name, LETTERS);
            let at = (tenths(LEFT - 8.0), middle);
            area.draw(&words(name, at, Paint::TEXT, (HPos::Right, VPos::Center)))?;
            let at = (tenths(LEFT + length + 6.0), middle);
            area.draw(&words(size(*bytes), at, Paint::TEXT, (HPos::Left, VPos::Center)))?;
        }
        Ok(())
    }
}
