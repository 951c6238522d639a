//! Chart: a planned buffer as a map, instructions to the right, bytes upwards.
//! Each tensor is a box where it lies, from its first use to its last.

use super::words::{bytes, cut, number, short};
use crate::chart::{
    Area, Chart, Drawn, Field, LEFT, LEGEND_ROW, Paint, Titled, field, legend, tenths, words,
};
use et_inspector::memory::MethodMemory;
use et_inspector::memory::plan::{PlannedBuffer, Role, Step, Storage};
use plotters::style::text_anchor::{HPos, VPos};

/// Units of the field with its axes.
const FIELD: f64 = 308.0;

/// Units of a name in the legend.
const NAME: f64 = 110.0;

/// Boxes of a map: a picture of more cannot be read, or opened in time.
const MAX_BOXES: usize = 2_000;

/// Tenths of width and height that a box must have to carry its name.
const MIN_NAMED: (i32, i32) = (600, 130);

/// Tenths of a character's width.
const CHARACTER: i32 = 60;

/// A planned buffer with its tensors, the largest areas first.
pub struct Map<'a> {
    memory: &'a MethodMemory<'a>,
    buffer: &'a PlannedBuffer,
    boxes: Vec<(&'a Storage, (Step, Step))>,
    left_out: usize,
}

impl<'a> Map<'a> {
    /// The map of `buffer`; none if nothing lies in it.
    pub fn new(memory: &'a MethodMemory<'_>, buffer: &'a PlannedBuffer) -> Option<Self> {
        let here = memory.plan.storages.iter().filter(|s| s.memory_id == buffer.memory_id);
        let here = here.filter(|s| s.bytes > 0);
        let mut boxes: Vec<_> = here.flat_map(|s| s.ranges.iter().map(move |r| (s, *r))).collect();
        boxes.sort_by_key(|(storage, (first, last))| {
            let steps = u64::from(last.saturating_sub(*first)) + 1;
            std::cmp::Reverse(storage.bytes.saturating_mul(steps))
        });
        let left_out = boxes.len().saturating_sub(MAX_BOXES);
        boxes.truncate(MAX_BOXES);
        (!boxes.is_empty()).then_some(Map { memory, buffer, boxes, left_out })
    }

    /// What is said above it.
    pub fn heading(&self) -> String {
        let buffer = self.buffer;
        let heading = format!(
            "Planned buffer {}: {}, lower bound {}",
            buffer.memory_id,
            bytes(buffer.size),
            bytes(buffer.lower_bound)
        );
        match self.left_out {
            0 => heading,
            more => format!("{heading}; {} small tensors are not drawn", number(more as u64)),
        }
    }

    fn tensor(
        &self,
        field: &mut Field<'_, '_>,
        storage: &Storage,
        (first, last): (Step, Step),
    ) -> Drawn {
        let label = short(&self.memory.label(storage)).into_owned();
        let steps = &self.memory.plan.steps;
        let place = |step| steps.place(step).map_or_else(String::new, |(c, i)| format!("{c}:{i}"));
        let value = storage.values[0];
        let title = format!(
            "value {value}: {label}, {} at {}..{}, live {} to {}",
            bytes(storage.bytes),
            number(storage.offset),
            number(storage.end()),
            place(first),
            place(last)
        );
        let corners = [(u64::from(first), storage.end()), (u64::from(last) + 1, storage.offset)];
        let [(left, top), (right, bottom)] = corners.map(|corner| field.backend_coord(&corner));
        let shape = Titled::rectangle(title, corners, paint(storage.role)).of_value(value.0);
        field.draw_series([shape])?;
        let (width, height) = (right - left, bottom - top);
        if width >= MIN_NAMED.0 && height >= MIN_NAMED.1 {
            let room = usize::try_from(width / CHARACTER - 1).unwrap_or(0);
            let name = cut(&label, room);
            let at = (u64::from(first), storage.offset + storage.bytes / 2);
            let anchor = (HPos::Left, VPos::Center);
            field.draw_series([words(format!("\u{a0}{name}"), at, Paint::NAME, anchor)])?;
        }
        Ok(())
    }
}

impl Chart for Map<'_> {
    fn height(&self) -> f64 {
        LEGEND_ROW + FIELD
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let (above, below) = area.split_vertically(tenths(LEGEND_ROW));
        let roles = [Role::Intermediate, Role::Input, Role::Output, Role::State];
        let is_here = |role: &Role| self.boxes.iter().any(|(storage, _)| storage.role == *role);
        let roles: Vec<Role> = roles.into_iter().filter(is_here).collect();
        let names = roles.into_iter().map(|role| (paint(role), role.name().to_owned()));
        legend(&above, LEFT, names.len(), NAME, names)?;
        let peak = &self.memory.plan.peak;
        let most = self.buffer.size.max(self.buffer.peak);
        let mut field = field(&below, self.memory.plan.steps.count().into(), most)?;
        for (storage, range) in &self.boxes {
            self.tensor(&mut field, storage, *range)?;
        }
        if peak.bytes == 0 {
            return Ok(());
        }
        let middle = u64::from(peak.step);
        let line = vec![(middle, 0), (middle, most)];
        field.draw_series([Titled::line("most is live here".to_owned(), line, Paint::LIVE)])?;
        let anchor = (HPos::Center, VPos::Bottom);
        field.draw_series([words("peak", (middle, most), Paint::LEGEND, anchor)])?;
        Ok(())
    }
}

/// The paint of a role.
fn paint(role: Role) -> Paint {
    match role {
        Role::Intermediate => Paint::TENSOR,
        Role::Input => Paint::INPUT,
        Role::Output => Paint::OUTPUT,
        Role::State => Paint::STATE,
    }
}
