//! Chart: bytes that are live at each instruction, with the planned size above.

use super::axis::{Axis, coordinate};
use super::svg::{BOTTOM, LEFT, RIGHT, Svg, WIDTH};
use super::words::{bytes, html, number};
use et_inspector::memory::{MethodMemory, operator_name};

const HEIGHT: f64 = 200.0;

/// Columns of the curve: more instructions share one, which shows their most.
const COLUMNS: usize = 800;

/// Draws the chart of `memory`.
pub fn draw(svg: &mut Svg, memory: &MethodMemory<'_>) {
    let plan = &memory.plan;
    let live = plan.live_bytes();
    if live.is_empty() || plan.size() == 0 {
        return;
    }
    svg.heading("Live bytes of planned tensors by instruction");
    let (top, right) = (svg.y + 14.0, WIDTH - RIGHT);
    let bottom = top + HEIGHT;
    let up = Axis { most: plan.size().max(plan.peak.bytes), length: HEIGHT };
    let across = Axis { most: live.len() as u64, length: right - LEFT };
    svg.byte_ticks(up, bottom, right);
    svg.instruction_ticks(across, bottom);

    let mut path = format!("M{} {}", coordinate(LEFT), coordinate(bottom));
    let width = live.len().div_ceil(COLUMNS);
    for (column, group) in live.chunks(width).enumerate() {
        let start = (column * width) as u64;
        let most = group.iter().copied().max().unwrap_or(0);
        let from = LEFT + across.at(start);
        let to = LEFT + across.at(start + group.len() as u64);
        let y = coordinate(bottom - up.at(most));
        path += &format!("L{} {y}L{} {y}", coordinate(from), coordinate(to));
    }
    path += &format!("L{} {}Z", coordinate(right), coordinate(bottom));
    svg.push(&format!("<path class=\"live\" d=\"{path}\"/>\n"));
    limit(svg, "planned", plan.size(), bottom - up.at(plan.size()), right);
    limit(svg, "peak", plan.peak.bytes, bottom - up.at(plan.peak.bytes), right);
    mark_peak(svg, memory, (across, up), bottom);
    svg.y = bottom + BOTTOM;
}

/// A line across the chart at a size.
fn limit(svg: &mut Svg, name: &str, size: u64, y: f64, right: f64) {
    let title = format!("{name}: {}", bytes(size));
    svg.push(&format!(
        "<g><title>{title}</title><line class=\"limit {name}\" x1=\"{}\" x2=\"{}\" y1=\"{y}\" \
         y2=\"{y}\"/></g>\n",
        coordinate(LEFT),
        coordinate(right),
        y = coordinate(y)
    ));
}

fn mark_peak(svg: &mut Svg, memory: &MethodMemory<'_>, (across, up): (Axis, Axis), bottom: f64) {
    let peak = &memory.plan.peak;
    let Some(at) = memory.plan.steps.place(peak.step) else { return };
    let name = operator_name(&memory.method, at);
    let text = format!("peak {} at {}:{} {name}", bytes(peak.bytes), at.0, at.1);
    let x = LEFT + across.at(u64::from(peak.step)) + across.at(1) / 2.0;
    let y = bottom - up.at(peak.bytes);
    // Towards the middle, so that the text stays in the picture.
    let (anchor, shift) = if x > WIDTH / 2.0 { ("end", -8.0) } else { ("start", 8.0) };
    svg.push(&format!(
        "<circle class=\"mark\" cx=\"{}\" cy=\"{}\" r=\"3\"/>\n\
         <text class=\"strong\" text-anchor=\"{anchor}\" x=\"{}\" y=\"{}\">{}</text>\n",
        coordinate(x),
        coordinate(y),
        coordinate(x + shift),
        coordinate(y + 14.0),
        html(&text)
    ));
    let gaps = memory.plan.size().saturating_sub(peak.bytes);
    if gaps > 0 {
        svg.push(&format!(
            "<text x=\"{}\" y=\"{}\">planned {}, {} of it never live at once</text>\n",
            coordinate(LEFT + 4.0),
            coordinate(bottom - up.at(memory.plan.size()) - 4.0),
            bytes(memory.plan.size()),
            number(gaps)
        ));
    }
}
