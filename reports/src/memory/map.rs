//! Chart: a planned buffer as a map, instructions to the right, bytes upwards.
//! Each tensor is a box where it lies, from its first use to its last.

use super::axis::{Axis, coordinate};
use super::svg::{BOTTOM, LEFT, RIGHT, Svg, WIDTH};
use super::words::{bytes, html, number, short};
use et_inspector::memory::MethodMemory;
use et_inspector::memory::plan::{PlannedBuffer, Role, Step, Storage};

const HEIGHT: f64 = 260.0;

/// Boxes of a map: a picture of more cannot be read, or opened in time.
const MAX_BOXES: usize = 2_000;

/// Units of height and width that a box must have to carry its name.
const MIN_NAMED: (f64, f64) = (13.0, 60.0);

/// Units of width of a character.
const CHARACTER: f64 = 6.0;

/// Draws the map of `buffer`.
pub fn draw(svg: &mut Svg, memory: &MethodMemory<'_>, buffer: &PlannedBuffer) {
    let mut boxes = boxes(memory, buffer);
    if boxes.is_empty() {
        return;
    }
    let left_out = boxes.len().saturating_sub(MAX_BOXES);
    boxes.truncate(MAX_BOXES);
    let mut heading = format!(
        "Planned buffer {}: {}, lower bound {}",
        buffer.memory_id,
        bytes(buffer.size),
        bytes(buffer.lower_bound)
    );
    if left_out > 0 {
        heading += &format!("; {} small tensors are not drawn", number(left_out as u64));
    }
    svg.heading(&heading);
    svg.legend();
    let (top, right) = (svg.y + 8.0, WIDTH - RIGHT);
    let bottom = top + HEIGHT;
    let up = Axis { most: buffer.size.max(buffer.peak), length: HEIGHT };
    let across = Axis { most: u64::from(memory.plan.steps.count()), length: right - LEFT };
    svg.byte_ticks(up, bottom, right);
    svg.instruction_ticks(across, bottom);
    for (storage, range) in boxes {
        tensor(svg, memory, storage, range, (across, up), bottom);
    }
    svg.y = bottom + BOTTOM;
}

/// The tensors of `buffer` with their live ranges, the largest areas first.
fn boxes<'m>(
    memory: &'m MethodMemory<'_>,
    buffer: &PlannedBuffer,
) -> Vec<(&'m Storage, (Step, Step))> {
    let here = memory.plan.storages.iter().filter(|s| s.memory_id == buffer.memory_id);
    let here = here.filter(|s| s.bytes > 0);
    let mut boxes: Vec<_> = here.flat_map(|s| s.ranges.iter().map(move |r| (s, *r))).collect();
    boxes.sort_by_key(|(storage, (first, last))| {
        let steps = u64::from(last.saturating_sub(*first)) + 1;
        std::cmp::Reverse(storage.bytes.saturating_mul(steps))
    });
    boxes
}

fn tensor(
    svg: &mut Svg,
    memory: &MethodMemory<'_>,
    storage: &Storage,
    (first, last): (Step, Step),
    (across, up): (Axis, Axis),
    bottom: f64,
) {
    let x = LEFT + across.at(first.into());
    let width = across.at(u64::from(last.saturating_sub(first)) + 1);
    let height = up.at(storage.bytes);
    let y = bottom - up.at(storage.end());
    let label = short(&memory.label(storage)).into_owned();
    let place =
        |step| memory.plan.steps.place(step).map_or_else(String::new, |(c, i)| format!("{c}:{i}"));
    let title = format!(
        "value {}: {label}, {} at {}..{}, live {} to {}",
        storage.values[0],
        bytes(storage.bytes),
        number(storage.offset),
        number(storage.end()),
        place(first),
        place(last)
    );
    svg.push(&format!(
        "<g data-value=\"{}\"><title>{}</title><rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
        storage.values[0],
        html(&title),
        class(storage.role),
        coordinate(x),
        coordinate(y),
        coordinate(width.max(0.5)),
        coordinate(height.max(0.5)),
    ));
    if height >= MIN_NAMED.0 && width >= MIN_NAMED.1 {
        let room = (width / CHARACTER) as usize - 1;
        let name: String = label.chars().take(room).collect();
        svg.push(&format!(
            "<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            coordinate(x + 3.0),
            coordinate(y + height / 2.0 + 4.0),
            html(&name)
        ));
    }
    svg.push("</g>\n");
}

/// The style of a role.
pub fn class(role: Role) -> &'static str {
    match role {
        Role::Intermediate => "tensor",
        Role::Input => "input",
        Role::Output => "output",
        Role::State => "state",
    }
}
