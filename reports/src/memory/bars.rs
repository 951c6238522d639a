//! Chart: what each allocator needs, as bars.

use super::axis::{Axis, coordinate};
use super::svg::{LEFT, RIGHT, Svg, WIDTH};
use super::words::{bytes, html, short};
use super::{Document, Need, Page};
use et_inspector::target::MemoryFit;

const ROW: f64 = 20.0;
const BAR: f64 = 12.0;

/// Units of the numbers to the right of bars.
const NUMBERS: f64 = 330.0;

/// Draws what the allocators of `page` need, and how full the board is.
pub fn draw(svg: &mut Svg, document: &Document<'_>, page: &Page<'_>) {
    let needs = page.allocators(document.program);
    svg.heading("What each allocator needs");
    let most = needs.iter().map(|need| need.bytes).max().unwrap_or(0);
    let axis = Axis { most, length: WIDTH - RIGHT - LEFT - NUMBERS };
    for Need { name, bytes: size, note } in &needs {
        row(svg, name, axis.at(*size), "bar", &bytes(*size), note);
    }
    let (Some(fit), Some(target)) = (&page.fit, document.target) else { return };
    let verdict = if fit.fits() { "Fits" } else { "Does NOT fit" };
    svg.heading(&format!("{verdict} {} ({})", target.name, target.title));
    for memory in fit.memories.iter().filter(|memory| memory.takes > 0) {
        fill(svg, memory, axis.length);
    }
}

/// One memory of a board: the part that is taken of the whole.
fn fill(svg: &mut Svg, memory: &MemoryFit, length: f64) {
    let available = memory.size.saturating_sub(memory.reserved);
    let axis = Axis { most: available.max(memory.takes), length };
    let (class, end) = match memory.missing() {
        0 => ("bar", format!("{} free", bytes(available - memory.takes.min(available)))),
        missing => ("bar over", format!("{} MISSING", bytes(missing))),
    };
    let y = svg.y + (ROW - BAR) / 2.0;
    svg.push(&format!(
        "<rect class=\"room\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{BAR}\"/>\n",
        coordinate(LEFT),
        coordinate(y),
        coordinate(axis.at(available))
    ));
    let note = format!("of {}, {end}", bytes(available));
    let numbers = format!("{} {note}", bytes(memory.takes));
    row(svg, &memory.name, axis.at(memory.takes), class, &numbers, &note);
}

fn row(svg: &mut Svg, name: &str, length: f64, class: &str, size: &str, note: &str) {
    let y = svg.y + (ROW - BAR) / 2.0;
    let baseline = coordinate(svg.y + ROW / 2.0 + 4.0);
    svg.push(&format!(
        "<g><title>{note}</title><text text-anchor=\"end\" x=\"{}\" y=\"{baseline}\">{}</text>\
         <rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{BAR}\"/>\
         <text x=\"{}\" y=\"{baseline}\">{size}</text></g>\n",
        coordinate(LEFT - 8.0),
        html(&name.chars().take(16).collect::<String>()),
        coordinate(LEFT),
        coordinate(y),
        coordinate(length.max(if length > 0.0 { 1.0 } else { 0.0 })),
        coordinate(LEFT + length + 6.0),
        note = html(&short(note)),
    ));
    svg.y += ROW;
}
