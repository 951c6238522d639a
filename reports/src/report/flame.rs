//! Chart: time by module of the model, each module under the one that holds it.

use super::words::{share, time};
use super::{OperatorTime, TraceTimes};
use crate::memory::words::{html as escape, short};
use std::collections::BTreeMap;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const ROW: f64 = 22.0;

/// Levels that are drawn; what lies deeper is in its module.
const DEPTH: usize = 12;

/// Units of width below which a box cannot be seen, and from which on it has a name.
const SEEN: f64 = 0.5;
const NAMED: f64 = 40.0;

/// Units of width of a letter.
const LETTER: f64 = 6.5;

/// A module: its time with all that is in it.
#[derive(Default)]
struct Node {
    ticks: u64,
    parts: BTreeMap<String, Node>,
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
    let mut drawing = Drawing { boxes: String::new(), depth: 0, unit: trace.unit, all: root.ticks };
    drawing.node("all", "all", &root, 0.0, 0);
    let height = (drawing.depth + 1) as f64 * ROW;
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Time by module, each under the one that holds it\">\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n{}</svg>\n",
        drawing.boxes
    )
}

struct Drawing<'a> {
    boxes: String,
    depth: usize,
    unit: &'a str,
    all: u64,
}

impl Drawing<'_> {
    /// Draws `node` and what is in it from `x` on; the depth is bounded by [`DEPTH`].
    fn node(&mut self, name: &str, path: &str, node: &Node, x: f64, depth: usize) {
        let width = node.ticks.min(self.all) as f64 / self.all as f64 * WIDTH;
        if width < SEEN {
            return;
        }
        self.depth = self.depth.max(depth);
        let y = depth as f64 * ROW;
        let _ = write!(
            self.boxes,
            "<g><title>{}: {} ({})</title><rect class=\"layer{} edge\" x=\"{x:.1}\" y=\"{y:.1}\" \
             width=\"{width:.1}\" height=\"{:.1}\"/>",
            escape(&short(path)),
            time(node.ticks, self.unit),
            share(node.ticks, self.all),
            if depth == 0 { 7 } else { (depth - 1) % 7 },
            ROW - 1.0,
        );
        if width >= NAMED {
            let room = ((width - 8.0) / LETTER) as usize;
            let name: String = name.chars().take(room).collect();
            let _ = write!(
                self.boxes,
                "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + 4.0,
                y + 14.0,
                escape(&name)
            );
        }
        self.boxes.push_str("</g>\n");
        let mut parts: Vec<(&String, &Node)> = node.parts.iter().collect();
        parts.sort_by_key(|(name, part)| (std::cmp::Reverse(part.ticks), (*name).clone()));
        let mut x = x;
        for (name, part) in parts {
            let path = if depth == 0 { name.clone() } else { format!("{path}.{name}") };
            self.node(name, &path, part, x, depth + 1);
            x += part.ticks as f64 / self.all as f64 * WIDTH;
        }
    }
}
