//! What is below the view: what is selected or going on, and the keys that
//! matter here.

use super::{diff, events, tensors};
use crate::app::{App, View};
use crate::events::site_text;
use crate::keys::Action;
use crate::lists;
use crate::text::{escape, fit, thousands, width as width_of};
use ratatui::text::{Line, Span};

/// The status, and the hints if they have a line of their own.
pub fn draw(app: &App, width: usize, is_tall: bool) -> [Option<Line<'static>>; 2] {
    if is_tall {
        let hints = match typing(app) {
            Some(hints) => fit(hints, width),
            None => hints(app, width),
        };
        return [Some(status(app, width)), Some(Line::styled(hints, app.theme.faint()))];
    }
    let keys = if width >= 80 { "? help  / search  q quit" } else { "? help" };
    let room = width.saturating_sub(keys.len() + 2);
    let mut line = status(app, room);
    line.push_span(Span::styled(format!("  {keys}"), app.theme.faint()));
    [Some(line), None]
}

fn status(app: &App, width: usize) -> Line<'static> {
    if app.typing {
        let typed = escape(app.filter());
        let hint = match making(app) {
            Some(making) => format!("  {making}"),
            None => format!("  {}", lists::hint(app.view)),
        };
        let cursor = Span::styled(" ", app.theme.selected());
        let used = width_of(&typed) + 9;
        let hint = fit(&hint, width.saturating_sub(used));
        let hint = Span::styled(hint, app.theme.faint());
        return Line::from(vec![Span::raw(format!("filter: {typed}")), cursor, hint]);
    }
    let strong = |text: &str| Line::styled(fit(&escape(text), width), app.theme.strong());
    if let Some(message) = &app.message {
        return strong(message);
    }
    if let Some(loading) = &app.loading {
        return strong(&loading.line(width));
    }
    if let Some(making) = making(app) {
        return strong(&format!("{making}, Esc cancels"));
    }
    if let Some(live) = &app.live {
        let room = if width >= 100 { width * 3 / 5 } else { width };
        let in_flight = app.session.in_flight().map(|site| {
            let step = app.session.step(site);
            let name = step.map_or("", |step| app.session.instructions[step].name.as_str());
            format!("{} {name}", site_text(site))
        });
        let line = live.line(in_flight.as_deref(), room);
        let mut spans = vec![Span::styled(line, app.theme.strong())];
        if width > room {
            let selected = fit(&selected_line(app), width - room - 2);
            spans.push(Span::styled(format!("  {selected}"), app.theme.plain()));
        }
        return Line::from(spans);
    }
    let count = app.len();
    let place = match count {
        0 => String::new(),
        _ => format!("{}/{}", thousands(app.selected() as u64 + 1), thousands(count as u64)),
    };
    let room = width.saturating_sub(place.len() + 1);
    let text = fit(&selected_line(app), room);
    Line::from(vec![Span::raw(format!("{text} ")), Span::styled(place, app.theme.faint())])
}

/// What is being made for the view's list, if one has to wait for it.
fn making(app: &App) -> Option<String> {
    let making = app.lists.making(app.view).filter(|making| making.is_long())?;
    let what = if app.view == View::Events { "sorting" } else { "filtering" };
    Some(format!("{what} {} rows: {} %", thousands(making.count as u64), making.percent()))
}

/// Keys of the view, as many as there is room for.
fn hints(app: &App, width: usize) -> String {
    use Action::{
        Back, Columns, Consumer, Enter, Export, Filter, Fold, Group, Help, InFlight, Palette, Pan,
        Peak, Producer, Quit, Reverse, Search, Slowest, Sort, Whole, Zoom,
    };
    let is_of_rows = !matches!(app.view, View::Overview | View::Memory | View::Timeline);
    let own: &[(Action, &str)] = match app.view {
        _ if app.session.is_empty() => &[],
        _ if is_of_rows && app.is_empty() && app.filter().is_empty() => &[],
        View::Overview if app.session.in_flight().is_some() => {
            &[(InFlight, "in flight"), (Enter, "to the place"), (Peak, "peak")]
        }
        View::Overview => &[(Enter, "to the place"), (Peak, "peak"), (Slowest, "slowest")],
        View::Events => &[
            (Sort, "sort"),
            (Reverse, "reverse"),
            (Group, "group"),
            (Columns, "columns"),
            (Filter, "filter"),
            (Enter, "program"),
        ],
        View::Timeline => &[
            (Zoom(1), "in"),
            (Zoom(-1), "out"),
            (Pan(-1), "earlier"),
            (Pan(1), "later"),
            (Whole, "all"),
            (Slowest, "slowest"),
        ],
        View::Memory => {
            &[(Pan(-1), "before"), (Pan(1), "after"), (Peak, "peak"), (Enter, "program")]
        }
        View::Program => &[
            (Enter, "open, follow"),
            (Fold, "fold"),
            (Producer, "producer"),
            (Consumer, "consumer"),
            (Back, "back"),
            (Filter, "filter"),
        ],
        View::Findings => &[(Enter, "to the place"), (Filter, "filter")],
        View::Tensors if !has_runs(app) => &[(Enter, "program"), (Filter, "filter")],
        View::Tensors => &[
            (Pan(-1), "run before"),
            (Pan(1), "run after"),
            (Enter, "program"),
            (Filter, "filter"),
        ],
        View::Diff => &[(Enter, "program"), (Filter, "filter"), (Export, "write")],
    };
    let common = [(Search, "search"), (Palette, "commands"), (Help, "help"), (Quit, "quit")];
    let text = |(action, what): &(Action, &str)| format!("{} {what}", app.keys.label(*action));
    let right = common.iter().map(text).collect::<Vec<_>>().join("  ");
    let mut left = String::new();
    for hint in own.iter().map(text) {
        if width_of(&left) + width_of(&hint) + 2 + width_of(&right) + 1 > width {
            break;
        }
        left += &hint;
        left += "  ";
    }
    format!("{}{right}", fit(&left, width.saturating_sub(width_of(&right))))
}

/// The keys that matter while something is typed or lies over the view.
fn typing(app: &App) -> Option<&'static str> {
    match (&app.picker, app.typing, app.help) {
        (Some(picker), ..) if picker.stays => Some("Space shows or hides  ↑ ↓ move  Esc closes"),
        (Some(_), ..) => Some("Enter chooses  ↑ ↓ move  C-u clears  Esc closes"),
        (None, true, _) => Some("Enter keeps the filter  ↑ ↓ move  C-u clears  Esc shows all"),
        (None, false, Some(_)) => Some("j k scroll  any other key closes"),
        (None, false, None) => None,
    }
}

/// Whether the selected tensor has more than one set of values.
fn has_runs(app: &App) -> bool {
    let row = app.row().and_then(|row| app.session.tensors.rows.get(row));
    row.is_some_and(|row| row.data.len() > 1)
}

/// The selected row in one line, as it is copied.
pub fn selected_line(app: &App) -> String {
    let line = match app.view {
        View::Events => app.event(app.cursor()).map(|row| events::line(app, &row)),
        View::Tensors => {
            app.row().and_then(|row| app.session.tensors.rows.get(row)).map(tensors::line)
        }
        View::Diff => {
            let row = app.row().zip(app.session.diff.as_ref());
            row.and_then(|(row, diff)| diff.rows.get(row)).map(diff::line)
        }
        View::Overview | View::Findings => {
            app.row().and_then(|row| app.session.findings.get(row)).map(|finding| {
                let page = finding.code.page();
                format!("{} {}", page.code, escape(&finding.title))
            })
        }
        View::Program | View::Memory | View::Timeline => None,
    };
    line.or_else(|| instruction(app)).unwrap_or_else(|| "nothing is selected".into())
}

/// The selected instruction, with its time and its module.
fn instruction(app: &App) -> Option<String> {
    let row = app.session.instructions.get(app.step)?;
    let mut line = format!("{} {}", site_text(row.site), row.name);
    if app.marks.contains(&row.site) {
        line = format!("◆ {line}");
    }
    if let Some(ticks) = app.session.events.time_of(row.site) {
        line += &format!("  {}", app.ticks(ticks));
    }
    let module = app.session.events.of_site(row.site).find(|row| !row.module.is_empty());
    if let Some(event) = module {
        line += &format!("  {}", event.module);
    }
    Some(line)
}
