//! Chart: bytes that are live at each instruction, stacked by what wrote them,
//! with the planned size and the budget above.

use super::Page;
use super::axis::{Axis, coordinate};
use super::layers::Layers;
use super::svg::{BOTTOM, LEFT, RIGHT, Svg, WIDTH};
use super::words::{bytes, html, number, short};
use et_inspector::memory::{MethodMemory, operator_name};

const HEIGHT: f64 = 200.0;

/// Columns of the curve: more instructions share one, which shows their most.
const COLUMNS: usize = 800;

/// Draws the chart of `page`.
pub fn draw(svg: &mut Svg, page: &Page<'_>) {
    let memory = page.memory;
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

    let columns: Vec<Column> = columns(&live);
    let steps: Vec<usize> = columns.iter().map(|column| column.step).collect();
    let layers = Layers::at(memory, &steps);
    draw_layers(svg, &layers, &columns, (across, up), bottom);
    let tops = columns.iter().map(|column| column.bytes);
    let path = outline(&columns, tops, None, (across, up), bottom);
    svg.push(&format!("<path class=\"live\" d=\"{path}\"/>\n"));
    limit(svg, "planned", plan.size(), bottom - up.at(plan.size()), right);
    limit(svg, "peak", plan.peak.bytes, bottom - up.at(plan.peak.bytes), right);
    if let Some(check) = page.budget.iter().find(|check| check.name.ends_with("memory.peak")) {
        budget(svg, check.limit, up, bottom, right);
    }
    mark_peak(svg, memory, (across, up), bottom);
    svg.y = bottom + BOTTOM;
    legend(svg, &layers.names);
}

/// Instructions that share a column, and the one of them with the most live bytes.
struct Column {
    start: usize,
    end: usize,
    step: usize,
    bytes: u64,
}

fn columns(live: &[u64]) -> Vec<Column> {
    let width = live.len().div_ceil(COLUMNS).max(1);
    let column = |(index, group): (usize, &[u64])| {
        let start = index * width;
        let most = group.iter().enumerate().max_by_key(|(at, bytes)| (**bytes, usize::MAX - at));
        let (at, bytes) = most.unwrap_or((0, &0));
        Column { start, end: start + group.len(), step: start + at, bytes: *bytes }
    };
    live.chunks(width).enumerate().map(column).collect()
}

/// A path around what lies between `below` (or the ground) and `tops`.
fn outline(
    columns: &[Column],
    tops: impl Iterator<Item = u64>,
    below: Option<&[u64]>,
    (across, up): (Axis, Axis),
    bottom: f64,
) -> String {
    let x = |step: usize| coordinate(LEFT + across.at(step as u64));
    let y = |bytes: u64| coordinate(bottom - up.at(bytes));
    let mut path = format!("M{} {}", coordinate(LEFT), coordinate(bottom));
    for (column, top) in columns.iter().zip(tops) {
        let y = y(top);
        path += &format!("L{} {y}L{} {y}", x(column.start), x(column.end));
    }
    match below {
        None => {
            let right = columns.last().map_or(0, |column| column.end);
            path += &format!("L{} {}Z", x(right), coordinate(bottom));
        }
        Some(below) => {
            for (column, bytes) in columns.iter().zip(below).rev() {
                let y = y(*bytes);
                path += &format!("L{} {y}L{} {y}", x(column.end), x(column.start));
            }
            path.push('Z');
        }
    }
    path
}

/// Each layer on those before it: their tops add up to the live bytes.
fn draw_layers(
    svg: &mut Svg,
    layers: &Layers,
    columns: &[Column],
    axes: (Axis, Axis),
    bottom: f64,
) {
    let mut below = vec![0u64; columns.len()];
    for (layer, name) in layers.names.iter().enumerate() {
        let parts: Vec<u64> =
            layers.columns.iter().map(|c| c.get(layer).copied().unwrap_or(0)).collect();
        let tops: Vec<u64> =
            below.iter().zip(&parts).map(|(below, part)| below.saturating_add(*part)).collect();
        let path = outline(columns, tops.iter().copied(), Some(&below), axes, bottom);
        let most = parts.iter().copied().max().unwrap_or(0);
        svg.push(&format!(
            "<g><title>{}: at most {}</title><path class=\"layer{layer}\" d=\"{path}\"/></g>\n",
            html(&short(name)),
            bytes(most)
        ));
        below = tops;
    }
}

/// What the colours of layers mean.
fn legend(svg: &mut Svg, names: &[String]) {
    const COLUMN: f64 = 215.0;
    for (layer, name) in names.iter().enumerate() {
        let x = LEFT + (layer % 4) as f64 * COLUMN;
        let y = svg.y + (layer / 4) as f64 * 18.0;
        let name: String = name.chars().take(30).collect();
        svg.push(&format!(
            "<rect class=\"layer{layer}\" x=\"{}\" y=\"{}\" width=\"12\" height=\"12\"/>\
             <text class=\"name\" x=\"{}\" y=\"{}\">{}</text>\n",
            coordinate(x),
            coordinate(y),
            coordinate(x + 17.0),
            coordinate(y + 10.0),
            html(&name)
        ));
    }
    svg.y += names.len().div_ceil(4) as f64 * 18.0 + 6.0;
}

/// The limit of the budget; where it lies above the chart, words say so.
fn budget(svg: &mut Svg, limit: u64, up: Axis, bottom: f64, right: f64) {
    let y = bottom - up.at(limit.min(up.most));
    let text = match limit > up.most {
        true => format!("budget {} (above)", bytes(limit)),
        false => format!("budget {}", bytes(limit)),
    };
    svg.push(&format!(
        "<line class=\"limit budget\" x1=\"{}\" x2=\"{x}\" y1=\"{y}\" y2=\"{y}\"/>\
         <text class=\"strong\" text-anchor=\"end\" x=\"{x}\" y=\"{}\">{text}</text>\n",
        coordinate(LEFT),
        coordinate(y - 4.0),
        x = coordinate(right),
        y = coordinate(y),
    ));
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
        html(&short(&text))
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
