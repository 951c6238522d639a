//! Chart: time by module of the model, each module under the one that holds it.

use super::words::{share, time};
use super::{OperatorTime, TraceTimes};
use crate::chart::{Area, Chart, Drawn, Paint, Titled, WIDTH, corners, picture, tenths, words};
use crate::memory::words::{cut, short};
use plotters::style::text_anchor::{HPos, VPos};
use std::collections::BTreeMap;

const ROW: f64 = 22.0;

/// Levels that are drawn; what lies deeper is in its module.
const DEPTH: usize = 12;

/// Units of width below which a box cannot be seen, and from which on it has a name.
const SEEN: f64 = 0.5;
const NAMED: f64 = 40.0;

/// Units of width of a letter.
const LETTER: f64 = 6.8;

/// A module: its time with all that is in it.
#[derive(Default)]
struct Node {
    ticks: u64,
    parts: BTreeMap<String, Node>,
}

/// A module on its level.
struct Part {
    path: String,
    name: String,
    ticks: u64,
    x: f64,
    width: f64,
    depth: usize,
}

/// The modules from the outermost on.
struct Flame<'a> {
    parts: Vec<Part>,
    unit: &'a str,
    all: u64,
}

/// The picture; nothing if no time is known of any module.
pub(super) fn chart(trace: &TraceTimes, modules: &[OperatorTime]) -> String {
    let mut root = Node { ticks: trace.total, parts: BTreeMap::new() };
    for module in modules {
        let mut node = &mut root;
        for part in module.name.split('.').take(DEPTH) {
            node = node.parts.entry(part.to_owned()).or_default();
            node.ticks = node.ticks.saturating_add(module.ticks);
        }
    }
    if root.ticks == 0 || root.parts.is_empty() {
        return String::new();
    }
    let mut flame = Flame { parts: Vec::new(), unit: trace.unit, all: root.ticks };
    flame.place("all", "all", &root, 0.0, 0);
    picture("Time by module, each under the one that holds it", "", &[Box::new(flame)])
}

impl Flame<'_> {
    /// Places `node` and what is in it from `x` on; the depth is bounded by [`DEPTH`].
    fn place(&mut self, name: &str, path: &str, node: &Node, x: f64, depth: usize) {
        let width = node.ticks.min(self.all) as f64 / self.all as f64 * WIDTH;
        if width < SEEN {
            return;
        }
        let [path_of, name] = [path, name].map(str::to_owned);
        self.parts.push(Part { path: path_of, name, ticks: node.ticks, x, width, depth });
        let mut parts: Vec<(&String, &Node)> = node.parts.iter().collect();
        parts.sort_by_key(|(name, part)| (std::cmp::Reverse(part.ticks), (*name).clone()));
        let mut x = x;
        for (name, part) in parts {
            let path = if depth == 0 { name.clone() } else { format!("{path}.{name}") };
            self.place(name, &path, part, x, depth + 1);
            x += part.ticks as f64 / self.all as f64 * WIDTH;
        }
    }
}

impl Chart for Flame<'_> {
    fn height(&self) -> f64 {
        let deepest = self.parts.iter().map(|part| part.depth).max().unwrap_or(0);
        (deepest + 1) as f64 * ROW
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        for part in &self.parts {
            let y = part.depth as f64 * ROW;
            let (time, share) = (time(part.ticks, self.unit), share(part.ticks, self.all));
            let title = format!("{}: {time} ({share})", short(&part.path));
            let paint = Paint::layer(if part.depth == 0 { 7 } else { (part.depth - 1) % 7 });
            let shape = corners(part.x, y, (part.width - 0.5).max(SEEN), ROW - 1.0);
            area.draw(&Titled::rectangle(title, shape, paint))?;
            if part.width >= NAMED {
                let room = ((part.width - 8.0) / LETTER) as usize;
                // The whole path where there is room.
                let fits = part.path.chars().count() <= room;
                let name = if fits { &part.path } else { &part.name };
                let name = cut(name, room);
                let at = (tenths(part.x + 4.0), tenths(y + ROW / 2.0));
                area.draw(&words(name, at, Paint::NAME, (HPos::Left, VPos::Center)))?;
            }
        }
        Ok(())
    }
}
