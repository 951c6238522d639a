//! Events over time, in lanes.

use super::{lines, nothing};
use crate::app::App;
use crate::spans::LANES;
use crate::text::{bytes, fit, nanoseconds};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The lane of instructions.
const INSTRUCTIONS: usize = 1;

/// Columns of a lane's name.
const NAME: usize = 14;

/// Draws it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let spans = &app.session.spans;
    if spans.lanes.iter().all(Vec::is_empty) {
        let how = "etinspect run MODEL.pte --etdump TRACE.etdp writes a trace";
        return nothing(app, frame, area, "No trace was given", how);
    }
    let width = usize::from(area.width).saturating_sub(NAME).max(1);
    let (from, to) = app.window;
    let offset = from - spans.range.0;
    let title = format!(
        "{} from {} on, of {} (+ - zoom, h l pan)",
        nanoseconds(to - from),
        nanoseconds(offset),
        nanoseconds(spans.range.1 - spans.range.0)
    );
    let mut text = vec![Line::styled(fit(&title, usize::from(area.width)), app.theme.heading())];
    let curve_rows = app.session.curves.len() + 2;
    let height = usize::from(area.height).saturating_sub(6 + curve_rows) / LANES.len();
    let height = height.clamp(1, 3);
    for lane in 0..LANES.len() {
        if spans.lanes[lane].is_empty() {
            continue;
        }
        for row in 0..height {
            text.push(self::lane(app, lane, row, width));
        }
    }
    text.extend(curves(app, width));
    text.push(Line::default());
    text.extend(details(app, usize::from(area.width)));
    lines(frame, area, text);
}

/// A row of a lane: each column has the event that covers most of it. The
/// first row has names, where there is room.
fn lane(app: &App, lane: usize, row: usize, width: usize) -> Line<'static> {
    let spans = &app.session.spans;
    let title = if row == 0 { LANES[lane] } else { "" };
    let mut line = vec![Span::styled(fit(title, NAME), app.theme.faint())];
    let site = app.site();
    let mut column = 0;
    while column < width {
        let here = |column: usize| {
            let (from, to) = ticks(app, column, width);
            spans.covering(lane, from, to)
        };
        let Some(span) = here(column) else {
            line.push(Span::styled(if app.theme.unicode { "·" } else { "." }, app.theme.faint()));
            column += 1;
            continue;
        };
        let (name, start) = (span.name, span.start);
        let mut end = column + 1;
        while end < width && here(end).is_some_and(|s| s.name == name && s.start == start) {
            end += 1;
        }
        let own = spans.site(span);
        let known = own.filter(|_| lane == INSTRUCTIONS);
        let known = known.and_then(|site| app.session.step(site));
        let label = match known {
            _ if row > 0 => "",
            // What is called says more than that it is a call.
            Some(step) => app.session.instructions[step].name.as_str(),
            None => spans.names[name as usize].as_str(),
        };
        let style = app.theme.neighbour(name as usize);
        let style = match own.is_some() && own == site {
            true => style.patch(app.theme.selected()),
            false => style,
        };
        line.push(Span::styled(block(app, label, end - column), style));
        column = end;
    }
    Line::from(line)
}

/// Ticks of a column.
fn ticks(app: &App, column: usize, width: usize) -> (u64, u64) {
    let (from, to) = app.window;
    let at = |column: usize| from + ((to - from) as u128 * column as u128 / width as u128) as u64;
    (at(column), at(column + 1).max(at(column) + 1))
}

/// What is live in each allocator, below the lanes: measured, where the trace
/// has allocation events, and planned, by the instruction of each time.
fn curves(app: &App, width: usize) -> Vec<Line<'static>> {
    let mut text = Vec::new();
    let mut notes = Vec::new();
    let curve = |name: &str, most: u64, live: &dyn Fn((u64, u64)) -> u64| {
        let level =
            |column| app.theme.level(live(ticks(app, column, width)) as f64 / most.max(1) as f64);
        let levels: String = (0..width).map(level).collect();
        let name = Span::styled(fit(name, NAME), app.theme.faint());
        Line::from(vec![name, Span::styled(levels, app.theme.bar())])
    };
    for allocator in app.session.curves.iter().filter(|curve| curve.most > 0) {
        let live = |(from, to)| allocator.most_in(from, to);
        text.push(curve(&allocator.name, allocator.most, &live));
        notes.push(format!("{} {}", allocator.name, bytes(allocator.most)));
    }
    let planned = app.session.memory.as_ref();
    let most = planned.and_then(|memory| memory.live.iter().copied().max()).unwrap_or(0);
    if let Some(memory) = planned.filter(|_| most > 0) {
        let live = |(from, to)| {
            let lanes = [INSTRUCTIONS, INSTRUCTIONS + 1].into_iter();
            let mut found = lanes.filter_map(|lane| app.session.spans.covering(lane, from, to));
            let step = found.find_map(|span| app.session.step(app.session.spans.site(span)?));
            step.and_then(|step| memory.live.get(step).copied()).unwrap_or(0)
        };
        text.push(curve("planned, live", most, &live));
        notes.push(format!("planned {}", bytes(most)));
    }
    if !notes.is_empty() {
        let most = format!("at most: {}", notes.join(", "));
        text.push(Line::styled(fit(&most, width + NAME), app.theme.faint()));
    }
    text
}

/// A block of a width, with as much of its name as there is room for.
fn block(app: &App, label: &str, width: usize) -> String {
    let fill = if app.theme.unicode { '▄' } else { '=' };
    let bar = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    if label.is_empty() || width < 4 {
        return bar(width);
    }
    let text = fit(label, (width - 1).min(label.chars().count()));
    let used = text.chars().count();
    format!("{text}{}", bar(width.saturating_sub(used)))
}

/// The selected instruction's events.
fn details(app: &App, width: usize) -> Vec<Line<'static>> {
    let Some(row) = app.session.instructions.get(app.step) else { return Vec::new() };
    let place = format!("{}:{} {}", row.site.chain, row.site.instruction, row.name);
    let mut text = vec![Line::styled(fit(&place, width), app.theme.heading())];
    for event in app.session.events.rows.iter().filter(|event| event.site == Some(row.site)) {
        let spread = event.spread;
        let line = format!(
            "  {} {} calls, median {}, {} to {}",
            fit(&event.name, 40.min(width / 2)),
            event.count,
            nanoseconds(spread.median),
            nanoseconds(spread.low),
            nanoseconds(spread.high)
        );
        text.push(Line::from(fit(&line, width)));
    }
    text
}
