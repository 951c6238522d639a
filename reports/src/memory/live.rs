//! Chart: bytes that are live at each instruction, stacked by what wrote them,
//! with the planned size and the budget above.

use super::Page;
use super::layers::{By, Layers};
use super::words::{bytes, number, short};
use crate::chart::{
    Area, Chart, Drawn, Field, LEFT, LEGEND_ROW, Paint, Titled, field, legend, tenths, words,
};
use et_inspector::memory::{MethodMemory, operator_name};
use plotters::element::{Circle, PathElement};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

/// Units of the field with its axes.
const FIELD: f64 = 248.0;

/// Units of a name in the legend, names in its row, and letters of a name.
const NAME: f64 = 215.0;
const ACROSS: usize = 4;
const LETTERS: usize = 30;

/// Columns of the curve: more instructions share one, which shows their most.
const COLUMNS: usize = 800;

/// A place in the field: instruction and bytes.
type Place = (u64, u64);

/// Live bytes over instructions, by operator or by module.
pub struct Live<'a> {
    page: &'a Page<'a>,
    by: By,
    instructions: u64,
    columns: Vec<Column>,
    layers: Layers,
}

/// Instructions that share a column, and the one of them with the most live bytes.
struct Column {
    start: u64,
    end: u64,
    step: usize,
    bytes: u64,
}

impl<'a> Live<'a> {
    /// The chart of `page`; none if nothing is planned.
    pub fn new(page: &'a Page<'_>, by: By) -> Option<Self> {
        let plan = &page.memory.plan;
        let live = plan.live_bytes();
        if live.is_empty() || plan.size() == 0 {
            return None;
        }
        let columns = columns(&live);
        let steps: Vec<usize> = columns.iter().map(|column| column.step).collect();
        let layers = Layers::at(page.memory, &steps, by);
        Some(Live { page, by, instructions: live.len() as u64, columns, layers })
    }

    /// What is said above it.
    pub fn heading(&self) -> &'static str {
        match self.by {
            By::Operator => "Live bytes of planned tensors by instruction",
            By::Module => "Live bytes of planned tensors by module of the model",
        }
    }

    /// Each layer on those before it: their tops add up to the live bytes.
    fn draw_layers(&self, field: &mut Field<'_, '_>) -> Drawn {
        let mut below = vec![0u64; self.columns.len()];
        for (layer, name) in self.layers.names.iter().enumerate() {
            let parts = self.layers.columns.iter().map(|c| c.get(layer).copied().unwrap_or(0));
            let parts: Vec<u64> = parts.collect();
            let tops = below.iter().zip(&parts).map(|(below, part)| below.saturating_add(*part));
            let tops: Vec<u64> = tops.collect();
            let most = parts.iter().copied().max().unwrap_or(0);
            let title = format!("{}: at most {}", short(name), bytes(most));
            let mut around = self.steps(&tops);
            around.extend(self.steps(&below).into_iter().rev());
            field.draw_series([Titled::area(title, around, Paint::layer(layer))])?;
            below = tops;
        }
        Ok(())
    }

    /// A curve of steps through `tops`.
    fn steps(&self, tops: &[u64]) -> Vec<Place> {
        let ends = self.columns.iter().zip(tops).map(|(c, top)| [(c.start, *top), (c.end, *top)]);
        ends.flatten().collect()
    }

    /// A line across the field at a size.
    fn limit(&self, field: &mut Field<'_, '_>, name: &str, size: u64, paint: Paint) -> Drawn {
        let (title, ends) =
            (format!("{name}: {}", bytes(size)), [(0, size), (self.instructions, size)]);
        field.draw_series([Titled::line(title, ends.into(), paint)])?;
        Ok(())
    }

    /// The limit of the budget; where it lies above the chart, words say so.
    fn budget(&self, field: &mut Field<'_, '_>, limit: u64, most: u64) -> Drawn {
        self.limit(field, "budget", limit.min(most), Paint::BUDGET)?;
        let above = if limit > most { " (above)" } else { "" };
        let text = format!("budget {}{above}", bytes(limit));
        let at = (self.instructions, limit.min(most));
        field.draw_series([words(text, at, Paint::STRONG, (HPos::Right, VPos::Bottom))])?;
        Ok(())
    }

    fn mark_peak(&self, field: &mut Field<'_, '_>, memory: &MethodMemory<'_>) -> Drawn {
        let peak = &memory.plan.peak;
        let Some(at) = memory.plan.steps.place(peak.step) else { return Ok(()) };
        let name = operator_name(&memory.method, at);
        let text = format!("peak {} at {}:{} {name}", bytes(peak.bytes), at.0, at.1);
        let place = (u64::from(peak.step), peak.bytes);
        field.draw_series([Circle::new(place, tenths(3.0), Paint::MARK.filled())])?;
        // Towards the middle, so that the text stays in the picture.
        let anchor = if place.0 > self.instructions / 2 { HPos::Right } else { HPos::Left };
        let text = format!(" {} ", short(&text));
        field.draw_series([words(text, place, Paint::STRONG, (anchor, VPos::Top))])?;
        let gaps = memory.plan.size().saturating_sub(peak.bytes);
        if gaps > 0 {
            let size = memory.plan.size();
            let text =
                format!(" planned {}, {} of it never live at once", bytes(size), number(gaps));
            field.draw_series([words(text, (0, size), Paint::TEXT, (HPos::Left, VPos::Bottom))])?;
        }
        Ok(())
    }
}

impl Chart for Live<'_> {
    fn height(&self) -> f64 {
        FIELD + self.layers.names.len().div_ceil(ACROSS) as f64 * LEGEND_ROW + 6.0
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let memory = self.page.memory;
        let plan = &memory.plan;
        let most = plan.size().max(plan.peak.bytes);
        let (above, below) = area.split_vertically(tenths(FIELD));
        let mut field = field(&above, self.instructions, most)?;
        self.draw_layers(&mut field)?;
        let tops: Vec<u64> = self.columns.iter().map(|column| column.bytes).collect();
        field.draw_series([PathElement::new(self.steps(&tops), Paint::LIVE)])?;
        self.limit(&mut field, "planned", plan.size(), Paint::PLANNED)?;
        self.limit(&mut field, "peak", plan.peak.bytes, Paint::PEAK)?;
        let mut limits = self.page.budget.iter();
        if let Some(check) = limits.find(|check| check.name.ends_with("memory.peak")) {
            self.budget(&mut field, check.limit, most)?;
        }
        self.mark_peak(&mut field, memory)?;
        let names = self.layers.names.iter().enumerate();
        let cut = |name: &str| name.chars().take(LETTERS).collect();
        let names = names.map(|(layer, name)| (Paint::layer(layer), cut(name)));
        legend(&below, LEFT, ACROSS, NAME, names)
    }
}

fn columns(live: &[u64]) -> Vec<Column> {
    let width = live.len().div_ceil(COLUMNS).max(1);
    let column = |(index, group): (usize, &[u64])| {
        let start = index * width;
        let most = group.iter().enumerate().max_by_key(|(at, bytes)| (**bytes, usize::MAX - at));
        let (at, bytes) = most.unwrap_or((0, &0));
        let end = (start + group.len()) as u64;
        Column { start: start as u64, end, step: start + at, bytes: *bytes }
    };
    live.chunks(width).enumerate().map(column).collect()
}
