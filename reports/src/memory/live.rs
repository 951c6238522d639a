//! Chart: bytes that are live at each instruction, stacked by what wrote them,
//! with the planned size and the budget above.

use super::Page;
use super::layers::{By, Layers};
use super::words::{bytes, cut, short, size};
use crate::chart::{
    Area, Chart, Drawn, Field, LEFT, LEGEND_ROW, Paint, Titled, field, legend, tenths, words,
};
use et_inspector::memory::operator_name;
use et_inspector::memory::plan::Step;
use plotters::element::{Circle, PathElement};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

/// Units of the field with its axes.
const FIELD: f64 = 260.0;

/// The part of the field above the largest size, and the part that texts are apart, as
/// divisors.
const HEADROOM: u64 = 8;
const APART: u64 = 10;

/// Layers that are named where a column is pointed at, and letters of the peak's text.
const DETAILS: usize = 3;
const PEAK_LETTERS: usize = 64;

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
            let title = format!("{}: at most {}", short(name), size(most));
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
    fn limit(&self, field: &mut Field<'_, '_>, name: &str, bytes: u64, paint: Paint) -> Drawn {
        let (title, ends) =
            (format!("{name}: {}", size(bytes)), [(0, bytes), (self.instructions, bytes)]);
        field.draw_series([Titled::line(title, ends.into(), paint)])?;
        Ok(())
    }

    /// Whether texts about the peak are to the left of it, and all others to the right.
    fn peak_is_late(&self) -> bool {
        u64::from(self.page.memory.plan.peak.step) > self.instructions / 2
    }

    /// The planned size and the limit of the budget, each with a text at the end that
    /// the peak is not at; where the limit lies above the chart, words say so.
    fn limits(&self, field: &mut Field<'_, '_>, most: u64) -> Drawn {
        let plan = &self.page.memory.plan;
        let (at, anchor) = match self.peak_is_late() {
            true => (0, HPos::Left),
            false => (self.instructions, HPos::Right),
        };
        let mut texts = Vec::new();
        self.limit(field, "planned", plan.size(), Paint::PLANNED)?;
        let gaps = plan.size().saturating_sub(plan.peak.bytes);
        if gaps > 0 {
            let text = format!("planned {}, {} never live at once", size(plan.size()), bytes(gaps));
            texts.push((plan.size(), text, Paint::LEGEND));
        }
        self.limit(field, "peak", plan.peak.bytes, Paint::PEAK)?;
        let mut limits = self.page.budget.iter();
        if let Some(check) = limits.find(|check| check.name.ends_with("memory.peak")) {
            let place = check.limit.min(most);
            self.limit(field, "budget of the peak", place, Paint::BUDGET)?;
            let above = if check.limit > most { ", above the chart" } else { "" };
            let text = format!("budget {}{above}", size(check.limit));
            texts.push((place, text, Paint::STRONG));
        }
        texts.sort_by_key(|(place, ..)| *place);
        // The lower of two that are close stands under its line.
        let close = matches!(&texts[..], [low, high] if high.0 - low.0 < most / APART);
        for (index, (place, text, paint)) in texts.into_iter().enumerate() {
            let side = if close && index == 0 { VPos::Top } else { VPos::Bottom };
            field.draw_series([words(text, (at, place), paint, (anchor, side))])?;
        }
        Ok(())
    }

    fn mark_peak(&self, field: &mut Field<'_, '_>) -> Drawn {
        let memory = self.page.memory;
        let peak = &memory.plan.peak;
        let Some(at) = memory.plan.steps.place(peak.step) else { return Ok(()) };
        let name = operator_name(&memory.method, at);
        let text = format!("peak {} at {}:{} {name}", bytes(peak.bytes), at.0, at.1);
        let place = (u64::from(peak.step), peak.bytes);
        field.draw_series([Circle::new(place, tenths(3.5), Paint::MARK.filled())])?;
        // Towards the middle, so that the text stays in the picture.
        let anchor = if self.peak_is_late() { HPos::Right } else { HPos::Left };
        let text = cut(&text, PEAK_LETTERS);
        field.draw_series([words(text, place, Paint::STRONG, (anchor, VPos::Bottom))])?;
        Ok(())
    }

    /// What is live in each column, for who points at it.
    fn details(&self, field: &mut Field<'_, '_>, most: u64) -> Drawn {
        let memory = self.page.memory;
        for (column, parts) in self.columns.iter().zip(&self.layers.columns) {
            let step = Step::try_from(column.step).unwrap_or(Step::MAX);
            let Some(at) = memory.plan.steps.place(step) else { continue };
            let name = operator_name(&memory.method, at);
            let mut named: Vec<(u64, &String)> =
                parts.iter().copied().zip(&self.layers.names).filter(|part| part.0 > 0).collect();
            named.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
            let parts = named
                .iter()
                .take(DETAILS)
                .map(|(part, name)| format!("{} of {}", bytes(*part), cut(name, LETTERS)));
            let parts: Vec<String> = parts.collect();
            let more = named.len().saturating_sub(DETAILS);
            let more = if more > 0 { format!(" + {more} more") } else { String::new() };
            let name = cut(&name, LETTERS);
            let live = bytes(column.bytes);
            let title = format!("{}:{} {name}: {live} = {}{more}", at.0, at.1, parts.join(" + "));
            let corners = [(column.start, most), (column.end, 0)];
            field.draw_series([Titled::rectangle(title, corners, Paint::HIT)])?;
        }
        Ok(())
    }
}

impl Chart for Live<'_> {
    fn height(&self) -> f64 {
        FIELD + self.layers.names.len().div_ceil(ACROSS) as f64 * LEGEND_ROW + 6.0
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let plan = &self.page.memory.plan;
        let top = plan.size().max(plan.peak.bytes);
        // Room for the texts above the lines.
        let most = top.saturating_add(top / HEADROOM).max(1);
        let (above, below) = area.split_vertically(tenths(FIELD));
        let mut field = field(&above, self.instructions, most)?;
        self.draw_layers(&mut field)?;
        let tops: Vec<u64> = self.columns.iter().map(|column| column.bytes).collect();
        field.draw_series([PathElement::new(self.steps(&tops), Paint::LIVE)])?;
        self.details(&mut field, most)?;
        self.limits(&mut field, most)?;
        self.mark_peak(&mut field)?;
        let names = self.layers.names.iter().enumerate();
        let names = names.map(|(layer, name)| (Paint::layer(layer), cut(name, LETTERS)));
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
