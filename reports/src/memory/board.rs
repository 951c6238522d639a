//! Chart: how full the memories of a board are, each with the pools that lie in it.

use super::Page;
use super::words::{bytes, cut, kib, short, size};
use crate::chart::{Area, Axis, Chart, Drawn, Paint, Titled, WIDTH, corners, tenths, words};
use et_inspector::target::{Fit, MemoryFit, PoolFit, Target};
use plotters::element::{PathElement, Rectangle};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

/// Units of a memory: a line of text, its bar, and the space to the next.
const TEXT: f64 = 32.0;
const BAR: f64 = 22.0;
const SPACE: f64 = 12.0;

/// Letters of the name of a memory.
const LETTERS: usize = 30;

/// Units of a letter in a bar, and of the space beside a name there.
const LETTER: f64 = 6.2;
const BESIDE: f64 = 8.0;

/// Bars of memories.
pub struct Board(Vec<Memory>);

struct Memory {
    name: String,
    /// Bytes that pools can have, and that they take.
    available: u64,
    takes: u64,
    missing: u64,
    parts: Vec<Part>,
}

struct Part {
    name: String,
    bytes: u64,
    paint: Paint,
}

impl Board {
    /// The memories of `target` that `page` takes something of; none without a target.
    pub fn new(page: &Page<'_>, target: Option<&Target>) -> Option<Self> {
        let (fit, target) = page.fit.as_ref().zip(target)?;
        let planned = page.needs.planned_in_method_pool(target);
        let taken = fit.memories.iter().filter(|memory| memory.takes > 0);
        let rows: Vec<Memory> = taken.map(|memory| row(fit, memory, planned)).collect();
        (!rows.is_empty()).then_some(Board(rows))
    }
}

fn row(fit: &Fit, memory: &MemoryFit, planned: u64) -> Memory {
    let pools = fit.pools.iter().filter(|pool| pool.memory == memory.name);
    Memory {
        name: memory.name.clone(),
        available: memory.size.saturating_sub(memory.reserved),
        takes: memory.takes,
        missing: memory.missing(),
        parts: pools.flat_map(|pool| parts(pool, planned)).filter(|part| part.bytes > 0).collect(),
    }
}

/// A pool by what is in it; the method allocator's may hold planned buffers.
fn parts(pool: &PoolFit, planned: u64) -> Vec<Part> {
    let part = |name: &str, bytes: u64, paint: usize| Part {
        name: name.to_owned(),
        bytes,
        paint: Paint::layer(paint),
    };
    let mut parts = match pool.name.as_str() {
        "method" => vec![
            part("planned buffers", planned.min(pool.needs), 0),
            part("method allocator", pool.needs.saturating_sub(planned), 1),
        ],
        "temp" => vec![part("temp allocator", pool.needs, 2)],
        "program" => vec![part("program", pool.needs, 3)],
        name if name.starts_with("planned") => vec![part(name, pool.needs, 0)],
        name => vec![part(name, pool.needs, 5)],
    };
    let unused = format!("unused of the {} pool", pool.name);
    parts.push(part(&unused, pool.takes().saturating_sub(pool.needs), 7));
    parts
}

impl Memory {
    /// The line above the bar.
    fn text(&self) -> String {
        let (takes, available) = (kib(self.takes), kib(self.available));
        match self.missing {
            0 => {
                let free = kib(self.available.saturating_sub(self.takes));
                format!("{takes} of {available} taken, {free} free")
            }
            missing => format!("{takes} of {available} taken, {} MISSING", kib(missing)),
        }
    }

    fn draw(&self, area: &Area<'_>, top: f64) -> Drawn {
        let axis = Axis::to(self.available.max(self.takes).max(1));
        let at = |bytes: u64| axis.at(bytes, WIDTH);
        let line = tenths(top + TEXT - 4.0);
        let name = cut(&self.name, LETTERS);
        area.draw(&words(name, (0, line), Paint::STRONG, (HPos::Left, VPos::Bottom)))?;
        let right = (tenths(WIDTH), line);
        let paint = if self.missing > 0 { Paint::STRONG } else { Paint::TEXT };
        area.draw(&words(self.text(), right, paint, (HPos::Right, VPos::Bottom)))?;
        let y = top + TEXT;
        let room = corners(0.0, y, at(self.available), BAR);
        area.draw(&Rectangle::new(room, Paint::ROOM.filled()))?;
        let mut before = 0u64;
        for part in &self.parts {
            let (x, end) = (at(before), at(before.saturating_add(part.bytes)));
            let name = short(&part.name).into_owned();
            let title = format!("{}, {name}: {}", short(&self.name), size(part.bytes));
            let shape = corners(x, y, (end - x).max(1.0), BAR);
            area.draw(&Titled::rectangle(title, shape, part.paint))?;
            let label = format!("{name} {}", bytes(part.bytes));
            let room = |text: &str| text.chars().count() as f64 * LETTER + BESIDE < end - x;
            if let Some(label) = [label, name].into_iter().find(|label| room(label)) {
                let place = (tenths(x + BESIDE / 2.0), tenths(y + BAR / 2.0));
                area.draw(&words(label, place, Paint::NAME, (HPos::Left, VPos::Center)))?;
            }
            before = before.saturating_add(part.bytes);
        }
        if self.missing == 0 {
            return Ok(());
        }
        let title = format!("{} MISSING in {}", size(self.missing), short(&self.name));
        let end = at(self.available);
        let shape = corners(end, y, (WIDTH - end).max(1.0), BAR);
        area.draw(&Titled::rectangle(title, shape, Paint::MISSING))?;
        let line = [y - 3.0, y + BAR + 3.0].map(|y| (tenths(end), tenths(y)));
        area.draw(&PathElement::new(line, Paint::CAPACITY))
    }
}

impl Chart for Board {
    fn height(&self) -> f64 {
        (TEXT + BAR + SPACE) * self.0.len() as f64
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let mut rows = self.0.iter().enumerate();
        rows.try_for_each(|(row, memory)| memory.draw(area, (TEXT + BAR + SPACE) * row as f64))
    }
}
