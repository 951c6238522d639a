//! Lists of views: which of their rows a filter keeps.

use crate::app::{App, VIEWS, View};
use crate::query::{Field, Query};
use crate::session::Session;
use crate::{columns, diff, tensors};

/// Filters, and what they keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    /// What was typed, by view; that of the events is in their table.
    filters: [String; VIEWS.len()],
    /// Rows that are kept; `None` is all.
    rows: [Option<Vec<u32>>; VIEWS.len()],
}

/// Names of what a filter can ask of findings.
const FINDING_FIELDS: [&str; 4] = ["code", "severity", "at", "operator"];

/// Names of what a filter can ask of instructions.
const INSTRUCTION_FIELDS: [&str; 5] = ["op", "at", "tensor", "source", "time"];

/// The list that a view shows: the overview has that of the findings.
fn list_of(view: View) -> usize {
    match view {
        View::Overview => View::Findings.index(),
        view => view.index(),
    }
}

/// Names of what a filter of a view can ask.
pub(crate) fn fields(view: View) -> &'static [&'static str] {
    match view {
        View::Events => &columns::FIELDS,
        View::Tensors => &tensors::FIELDS,
        View::Diff => &diff::FIELDS,
        View::Overview | View::Findings => &FINDING_FIELDS,
        View::Program | View::Memory | View::Timeline => &INSTRUCTION_FIELDS,
    }
}

/// Rows of a view without a filter.
fn all(view: View, session: &Session) -> usize {
    match view {
        View::Overview | View::Findings => session.findings.len(),
        View::Tensors => session.tensors.rows.len(),
        View::Diff => session.diff.as_ref().map_or(0, |diff| diff.rows.len()),
        View::Events | View::Program | View::Memory | View::Timeline => 0,
    }
}

impl Lists {
    /// Number of rows that are kept.
    pub fn len(&self, view: View, session: &Session) -> usize {
        self.rows[list_of(view)].as_ref().map_or_else(|| all(view, session), Vec::len)
    }

    /// Which row stands at `place`.
    pub fn row(&self, view: View, place: usize, session: &Session) -> Option<usize> {
        match &self.rows[list_of(view)] {
            Some(rows) => rows.get(place).map(|row| *row as usize),
            None => (place < all(view, session)).then_some(place),
        }
    }

    /// Where a row stands, unless it is left out.
    pub fn place_of(&self, view: View, row: usize) -> Option<usize> {
        match &self.rows[list_of(view)] {
            Some(rows) => rows.iter().position(|kept| *kept as usize == row),
            None => Some(row),
        }
    }

    /// The rows belong to another session.
    pub fn clear_rows(&mut self) {
        self.rows = Default::default();
    }
}

impl App {
    /// The filter of the view.
    pub fn filter(&self) -> &str {
        match self.view {
            View::Events => &self.wanted.filter,
            view => &self.lists.filters[list_of(view)],
        }
    }

    /// Keeps rows that match `filter` only.
    pub(crate) fn set_filter(&mut self, filter: String) {
        let view = self.view;
        match view {
            View::Events => {
                self.wanted.filter = filter;
                self.refresh();
            }
            View::Program | View::Memory | View::Timeline => {
                self.lists.filters[View::Program.index()].clone_from(&filter);
                self.layout_program();
            }
            _ => {
                let row = self.row();
                self.lists.filters[list_of(view)] = filter;
                self.list(view);
                let place = row.and_then(|row| self.lists.place_of(view, row));
                self.set_cursor(place.unwrap_or(0));
            }
        }
    }

    /// Makes the list of a view anew.
    pub(crate) fn list(&mut self, view: View) {
        let own = list_of(view);
        let query = Query::parse(&self.lists.filters[own], fields(view), self.clock());
        self.lists.rows[own] = (!query.is_empty()).then(|| {
            let rows = 0..all(view, &self.session) as u32;
            rows.filter(|row| keeps(&query, view, &self.session, *row as usize)).collect()
        });
    }

    /// Makes the lines of the program anew.
    pub(crate) fn layout_program(&mut self) {
        let filter = &self.lists.filters[View::Program.index()];
        let query = Query::parse(filter, &INSTRUCTION_FIELDS, self.clock());
        let session = &self.session;
        let keeps = |step: usize| query.is_empty() || keeps_instruction(&query, session, step);
        self.tree.layout(session, &keeps);
    }

    /// The cursor of the program goes to the selected instruction.
    pub(crate) fn tree_to_step(&mut self) {
        if self.tree.go_to(&self.session, self.step) {
            self.layout_program();
            self.tree.go_to(&self.session, self.step);
        }
    }
}

fn keeps(query: &Query, view: View, session: &Session, row: usize) -> bool {
    match view {
        View::Tensors => {
            let Some(tensor) = session.tensors.rows.get(row) else { return false };
            let text = crate::view::tensors::line(tensor);
            query.keeps(&text, &|name| tensor.field(name))
        }
        View::Diff => {
            let rows = session.diff.as_ref().map_or(&[][..], |diff| &diff.rows);
            rows.get(row).is_some_and(|row| query.keeps(&row.name, &|name| row.field(name)))
        }
        _ => {
            let Some(finding) = session.findings.get(row) else { return false };
            let page = finding.code.page();
            let text = format!("{} {} {}", page.code, page.severity.name(), finding.title);
            query.keeps(&text, &|name| match name {
                "code" => Some(Field::Text(page.code)),
                "severity" => Some(Field::Text(page.severity.name())),
                "at" => finding.at.map(|(c, i)| Field::Made(format!("{c}:{i}"))),
                "operator" => finding.operator.as_deref().map(Field::Text),
                _ => None,
            })
        }
    }
}

fn keeps_instruction(query: &Query, session: &Session, step: usize) -> bool {
    let Some(row) = session.instructions.get(step) else { return false };
    query.keeps(&row.name, &|name| match name {
        "op" => Some(Field::Text(&row.name)),
        "at" => Some(Field::Made(crate::events::site_text(row.site))),
        "tensor" => {
            let texts: Vec<&str> = row.arguments.iter().map(|a| a.text.as_str()).collect();
            Some(Field::Made(texts.join(" ")))
        }
        "source" => row.source.as_deref().map(Field::Text),
        "time" => session.events.time_of(row.site).map(|ticks| Field::Number(ticks as f64)),
        _ => None,
    })
}

/// What a filter of a view can ask, as a hint while it is typed.
pub(crate) fn hint(view: View) -> String {
    let fields: Vec<&str> = fields(view).to_vec();
    format!("words, 'exact, !not; fields: {}", fields.join(" "))
}
