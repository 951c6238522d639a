//! Events over time, in lanes, with what allocators hold below.

use super::{lines, nothing};
use crate::app::App;
use crate::events::site_text;
use crate::mouse::Zone;
use crate::spans::{INSTRUCTIONS, KERNELS, LANES};
use crate::text::{bytes, count, fit, fit_middle, fit_right, width as width_of};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of a lane's name.
const NAME: usize = 14;

/// Columns between two marks of the axis.
const BETWEEN: usize = 16;

/// Rows of what is said of the selected instruction.
const DETAILS: usize = 5;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    if app.session.spans.is_empty() {
        let how = "`etinspect run MODEL.pte --etdump TRACE.etdp` writes one; then \
                   `etinspect tui MODEL.pte TRACE.etdp`";
        return nothing(app, frame, area, "No trace was given", how);
    }
    let width = usize::from(area.width).saturating_sub(NAME).max(1);
    let mut text = vec![title(app, usize::from(area.width)), axis(app, width)];
    let used: Vec<usize> =
        (0..LANES.len()).filter(|lane| !app.session.spans.lanes[*lane].is_empty()).collect();
    let curves = Curve::all(app);
    let rows = usize::from(area.height).saturating_sub(3 + DETAILS);
    let [lane_rows, curve_rows] = heights(rows, used.len(), curves.len());
    let place = |from: usize, rows: usize| Rect {
        x: area.x + NAME as u16,
        y: area.y + from as u16,
        width: width as u16,
        height: rows as u16,
    };
    for lane in used {
        let here = place(text.len(), lane_rows).intersection(area);
        app.zone(here, Zone::Time(Some(lane)));
        for row in 0..lane_rows {
            text.push(self::lane(app, lane, row, width));
        }
    }
    for curve in &curves {
        app.zone(place(text.len(), curve_rows).intersection(area), Zone::Time(None));
        text.extend(curve.lines(app, width, curve_rows));
    }
    text.push(Line::default());
    let room = usize::from(area.height).saturating_sub(text.len());
    text.extend(details(app, usize::from(area.width), room));
    lines(frame, area, text);
}

/// Rows of a lane and of a curve, if there are so many in all. Lanes need no
/// more than three, curves say more the higher they are.
fn heights(rows: usize, lanes: usize, curves: usize) -> [usize; 2] {
    let lane = match rows {
        0..16 => 1,
        16..34 => 2,
        _ => 3,
    };
    let left = rows.saturating_sub(lane * lanes);
    let curve = left.checked_div(curves).map_or(0, |rows| rows.clamp(1, 16));
    [lane, curve]
}

fn title(app: &App, width: usize) -> Line<'static> {
    let (from, to) = app.window;
    let (first, last) = app.session.spans.range;
    let whole = app.ticks(last - first);
    let title = match app.window == (first, last) {
        true => format!("{whole}, all of it"),
        false => {
            let part = (to - from) as f64 / (last - first).max(1) as f64 * 100.0;
            let offset = app.ticks(from - first);
            format!("{} from {offset} on, {part:.2} % of {whole}", app.ticks(to - from))
        }
    };
    let mut spans = vec![Span::styled(title.clone(), app.theme.heading())];
    if let Some((a, b)) = app.drag.filter(|(a, b)| a != b) {
        let drawn = format!("  drawn over: {}", app.ticks(a.abs_diff(b)));
        spans
            .push(Span::styled(fit(&drawn, width.saturating_sub(title.len())), app.theme.strong()));
    }
    Line::from(spans)
}

/// Marks at round times, from the beginning of the trace.
fn axis(app: &App, width: usize) -> Line<'static> {
    let (from, to) = app.window;
    let first = app.session.spans.range.0;
    let step = round_step((to - from) / (width / BETWEEN).max(1) as u64);
    let mut marks = String::new();
    let mut next = (from - first).div_ceil(step).checked_mul(step);
    while let Some(tick) = next.filter(|tick| *tick <= to - first) {
        let column =
            u128::from(tick - (from - first)) * width as u128 / u128::from((to - from).max(1));
        let blank = (column as usize).saturating_sub(width_of(&marks));
        let label = format!("╵{}", app.ticks(tick));
        if width_of(&marks) + blank + width_of(&label) > width {
            break;
        }
        marks.extend(std::iter::repeat_n(' ', blank));
        marks += &label;
        next = tick.checked_add(step);
    }
    Line::styled(format!("{}{marks}", " ".repeat(NAME)), app.theme.faint())
}

/// The next 1, 2 or 5 with zeros.
fn round_step(least: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= least || step == u64::MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A row of a lane: each column has the event that covers most of it. The
/// first row has names, where there is room.
fn lane(app: &App, lane: usize, row: usize, width: usize) -> Line<'static> {
    let spans = &app.session.spans;
    let title = if row == 0 { LANES[lane] } else { "" };
    let mut line = vec![Span::styled(fit(title, NAME), app.theme.faint())];
    let site = app.site();
    let here = |column: usize| {
        let (from, to) = ticks(app, column, width);
        spans.covering(lane, from, to)
    };
    let mut column = 0;
    let mut found = here(column);
    while column < width {
        let mut end = column + 1;
        let mut next = None;
        let Some(span) = found else {
            let dot = if row == 0 { "·" } else { " " };
            line.push(Span::styled(dot, app.theme.faint()));
            column = end;
            found = if column < width { here(column) } else { None };
            continue;
        };
        while end < width {
            next = here(end);
            if !next.is_some_and(|s| s.name == span.name && s.start == span.start) {
                break;
            }
            end += 1;
        }
        let own = spans.site(span);
        let is_selected = own.is_some() && own == site;
        let label = if row == 0 { label(app, lane, span.name as usize) } else { "" };
        let color = spans.colors.get(span.name as usize).copied().unwrap_or(0);
        let style = app.theme.block(color as usize);
        let style = if is_selected { style.patch(app.theme.selected()) } else { style };
        line.push(Span::styled(block(app, label, end - column), style));
        (column, found) = (end, next);
    }
    Line::from(line)
}

/// What stands in a block: the operator says more than that it is a call.
fn label(app: &App, lane: usize, name: usize) -> &str {
    let spans = &app.session.spans;
    let text = spans.names[name].as_str();
    if lane == INSTRUCTIONS {
        let site = spans.site_of(name);
        let step = site.and_then(|site| app.session.step(site));
        return step.map_or(text, |step| app.session.instructions[step].name.as_str());
    }
    text.strip_prefix("native_call_").filter(|_| lane == KERNELS).unwrap_or(text)
}

/// Ticks of a column.
fn ticks(app: &App, column: usize, width: usize) -> (u64, u64) {
    let (from, to) = app.window;
    let at = |column: usize| from + ((to - from) as u128 * column as u128 / width as u128) as u64;
    (at(column), at(column + 1).max(at(column) + 1))
}

/// A block of a width, with as much of its name as there is room for. Where
/// there are no colours, a line at its beginning tells it from the one before.
fn block(app: &App, label: &str, width: usize) -> String {
    let name = if width >= 4 { label } else { "" };
    if app.theme.color {
        // Neighbours may have the same colour: a thin line is between them.
        let edge = if width > 1 { "▏" } else { " " };
        return format!("{edge}{}", fit(name, width - 1));
    }
    let room = width - 1;
    let text = fit(name, width_of(name).min(room));
    let rest = room.saturating_sub(width_of(&text));
    format!("│{text}{}", "─".repeat(rest))
}

/// What is live over time: measured, where the trace has allocation events, or
/// planned, by the instruction of each time.
enum Curve<'a> {
    Measured(&'a crate::allocations::Curve),
    Planned(&'a crate::session::Memory, u64),
}

impl<'a> Curve<'a> {
    fn all(app: &'a App) -> Vec<Self> {
        let measured = app.session.curves.iter().filter(|curve| curve.most > 0);
        let mut all: Vec<Self> = measured.map(Curve::Measured).collect();
        let planned = app.session.memory.as_ref();
        let most = planned.and_then(|memory| memory.live.iter().copied().max()).unwrap_or(0);
        all.extend(planned.filter(|_| most > 0).map(|memory| Curve::Planned(memory, most)));
        all
    }

    fn name(&self) -> &str {
        match self {
            Curve::Measured(curve) => &curve.name,
            Curve::Planned(..) => "planned, live",
        }
    }

    fn most(&self) -> u64 {
        match self {
            Curve::Measured(curve) => curve.most,
            Curve::Planned(_, most) => *most,
        }
    }

    fn live(&self, app: &App, (from, to): (u64, u64)) -> u64 {
        match self {
            Curve::Measured(curve) => curve.most_in(from, to),
            Curve::Planned(memory, _) => {
                let spans = &app.session.spans;
                let lanes = [INSTRUCTIONS, KERNELS].into_iter();
                let mut found = lanes.filter_map(|lane| spans.covering(lane, from, to));
                let step = found.find_map(|span| app.session.step(spans.site(span)?));
                step.and_then(|step| memory.live.get(step).copied()).unwrap_or(0)
            }
        }
    }

    fn lines(&self, app: &App, width: usize, rows: usize) -> Vec<Line<'static>> {
        let most = self.most().max(1) as f64;
        let shares: Vec<f64> = (0..width)
            .map(|column| self.live(app, ticks(app, column, width)) as f64 / most)
            .collect();
        let line = |row: usize| {
            let name = match row {
                0 => fit(self.name(), NAME),
                1 => fit(&fit_right(&bytes(self.most()), NAME - 1), NAME),
                _ if row + 1 == rows => fit(&fit_right("0 B", NAME - 1), NAME),
                _ => " ".repeat(NAME),
            };
            let levels: String =
                shares.iter().map(|share| app.theme.level_in(*share, row, rows)).collect();
            Line::from(vec![
                Span::styled(name, app.theme.faint()),
                Span::styled(levels, app.theme.bar()),
            ])
        };
        (0..rows).map(line).collect()
    }
}

/// The selected instruction's events, and what its curves have.
fn details(app: &App, width: usize, room: usize) -> Vec<Line<'static>> {
    let Some(row) = app.session.instructions.get(app.step) else { return Vec::new() };
    let place = format!("{} {}", site_text(row.site), row.name);
    let live = app.session.memory.as_ref().and_then(|memory| memory.live.get(app.step));
    let live = live.map_or(String::new(), |live| format!("  {} live", bytes(*live)));
    let place = fit(&place, width_of(&place).min(width.saturating_sub(live.len())));
    let mut text = vec![Line::styled(fit(&format!("{place}{live}"), width), app.theme.heading())];
    let events: Vec<_> = app.session.events.of_site(row.site).collect();
    if events.is_empty() {
        text.push(Line::styled("  the trace has no event of it", app.theme.faint()));
    }
    let shown = if events.len() >= room { room.saturating_sub(2) } else { events.len() };
    let name = events.iter().map(|event| width_of(&event.name)).max().unwrap_or(0);
    for event in events.iter().take(shown) {
        let clock = app.clock();
        let calls = count(event.times.len(), "call");
        let spread = event.spread;
        let median = clock.text(spread.median);
        let mut times = match event.times.len() {
            1 => format!("{calls}, {median}"),
            _ => format!("{calls}, median {median}"),
        };
        let range = format!(", {} to {}", clock.text(spread.min), clock.text(spread.max));
        // What it is says more than how its times are spread.
        let room = |used: usize| width.saturating_sub(used + 4);
        if event.times.len() > 1 && room(width_of(&times) + width_of(&range)) >= name {
            times += &range;
        }
        let line =
            format!("  {}  {times}", fit_middle(&event.name, name.min(room(width_of(&times)))));
        text.push(Line::from(fit(&line, width)));
    }
    if shown < events.len() {
        let more = format!("  and {} more", events.len() - shown);
        text.push(Line::styled(more, app.theme.faint()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_the_axis_are_round() {
        for (least, step) in [(0, 1), (1, 1), (3, 5), (11, 20), (777, 1000), (1000, 1000)] {
            assert_eq!(round_step(least), step);
        }
        assert!(round_step(u64::MAX) >= u64::MAX / 10);
    }
}
