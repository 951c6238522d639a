//! Chart: what each allocator needs, and how full a board is, as bars.

use super::words::{bytes, short};
use super::{Need, Page};
use crate::chart::{
    Area, Axis, Chart, Drawn, LEFT, Paint, RIGHT, Titled, WIDTH, corners, tenths, words,
};
use et_inspector::target::{Fit, MemoryFit};
use plotters::element::Rectangle;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

const ROW: f64 = 20.0;
const BAR: f64 = 12.0;

/// Units of the numbers to the right of bars.
const NUMBERS: f64 = 330.0;

/// Units of the longest bar.
const LENGTH: f64 = WIDTH - RIGHT - LEFT - NUMBERS;

/// Letters of a name.
const LETTERS: usize = 16;

/// Bars with a name and a size.
pub struct Bars(Vec<Bar>);

struct Bar {
    name: String,
    /// Units of the bar, and of the room that it is a part of.
    length: f64,
    room: f64,
    paint: Paint,
    size: String,
    note: String,
}

impl Bars {
    /// What the allocators of `page` need; the program has `program` bytes.
    pub fn of_allocators(page: &Page<'_>, program: u64) -> Self {
        let needs = page.allocators(program);
        let axis = Axis::to(needs.iter().map(|need| need.bytes).max().unwrap_or(0));
        let bar = |Need { name, bytes: size, note }| Bar {
            name,
            length: axis.at(size, LENGTH),
            room: 0.0,
            paint: Paint::BAR,
            size: bytes(size),
            note,
        };
        Bars(needs.into_iter().map(bar).collect())
    }

    /// How full the memories of a board are.
    pub fn of_memories(fit: &Fit) -> Self {
        let taken = fit.memories.iter().filter(|memory| memory.takes > 0);
        Bars(taken.map(memory).collect())
    }
}

/// One memory of a board: the part that is taken of the whole.
fn memory(memory: &MemoryFit) -> Bar {
    let available = memory.size.saturating_sub(memory.reserved);
    let axis = Axis::to(available.max(memory.takes));
    let (paint, end) = match memory.missing() {
        0 => (Paint::BAR, format!("{} free", bytes(available - memory.takes.min(available)))),
        missing => (Paint::OVER, format!("{} MISSING", bytes(missing))),
    };
    let note = format!("of {}, {end}", bytes(available));
    Bar {
        name: memory.name.clone(),
        length: axis.at(memory.takes, LENGTH),
        room: axis.at(available, LENGTH),
        paint,
        size: format!("{} {note}", bytes(memory.takes)),
        note,
    }
}

impl Chart for Bars {
    fn height(&self) -> f64 {
        ROW * self.0.len() as f64
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        for (row, Bar { name, length, room, paint, size, note }) in self.0.iter().enumerate() {
            let top = ROW * row as f64 + (ROW - BAR) / 2.0;
            let middle = tenths(top + BAR / 2.0);
            if *room > 0.0 {
                area.draw(&Rectangle::new(corners(LEFT, top, *room, BAR), Paint::ROOM.filled()))?;
            }
            // Of nothing there is no bar.
            let paint = if *length > 0.0 { *paint } else { Paint::NOTHING };
            let title = format!("{name}: {size}; {note}");
            let shape = corners(LEFT, top, length.max(1.0), BAR);
            area.draw(&Titled::rectangle(title, shape, paint))?;
            let name: String = name.chars().take(LETTERS).collect();
            let at = (tenths(LEFT - 8.0), middle);
            area.draw(&words(name, at, Paint::TEXT, (HPos::Right, VPos::Center)))?;
            let at = (tenths(LEFT + length + 6.0), middle);
            area.draw(&words(short(size), at, Paint::TEXT, (HPos::Left, VPos::Center)))?;
        }
        Ok(())
    }
}
