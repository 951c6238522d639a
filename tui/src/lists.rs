//! Lists of views: which of their rows a filter keeps, in which order. All are
//! made in one way, off the drawing thread if they are long.

use crate::app::{App, VIEWS, View};
use crate::later::{FEW, Later, Made, Work};
use crate::query::{Field, Query};
use crate::session::Session;
use crate::tables::Request;
use crate::{columns, diff, tensors};
use std::sync::Arc;

/// What is to be shown of each list, and what is.
#[derive(Debug, Default)]
pub(crate) struct Lists([List; VIEWS.len()]);

/// A list. What is wanted of the events, and which of them are shown, is in the
/// state, as it is more than a filter.
#[derive(Debug, Default)]
struct List {
    /// The filter that was typed.
    wanted: String,
    /// That which the rows match.
    shown: String,
    /// Rows that are kept; `None` is all.
    rows: Option<Vec<u32>>,
    /// The rows that will be shown.
    making: Option<Later<Rows>>,
    /// Whether the user asked for them, and the selection goes with the cursor.
    is_asked: bool,
    /// The row to select in them.
    aim: Option<u32>,
}

/// What was made for a list.
#[derive(Debug)]
struct Rows {
    kept: Option<Vec<u32>>,
    /// Of events: their ticks together.
    ticks: u64,
}

/// Names of what a filter can ask of findings.
const FINDING_FIELDS: [&str; 4] = ["code", "severity", "at", "operator"];

/// Names of what a filter can ask of instructions.
const INSTRUCTION_FIELDS: [&str; 5] = ["op", "at", "tensor", "source", "time"];

/// The view whose list a view shows.
pub(crate) fn owner(view: View) -> View {
    match view {
        View::Overview => View::Findings,
        View::Memory | View::Timeline => View::Program,
        view => view,
    }
}

/// Names of what a filter of a view can ask.
pub(crate) fn fields(view: View) -> &'static [&'static str] {
    match owner(view) {
        View::Events => &columns::FIELDS,
        View::Tensors => &tensors::FIELDS,
        View::Diff => &diff::FIELDS,
        View::Findings => &FINDING_FIELDS,
        _ => &INSTRUCTION_FIELDS,
    }
}

/// Rows of a list without a filter.
fn all(view: View, session: &Session) -> usize {
    match owner(view) {
        View::Findings => session.findings.len(),
        View::Tensors => session.tensors.rows.len(),
        View::Diff => session.diff.as_ref().map_or(0, |diff| diff.rows.len()),
        View::Program => session.instructions.len(),
        _ => 0,
    }
}

impl Lists {
    fn of(&self, view: View) -> &List {
        &self.0[owner(view).index()]
    }

    fn of_mut(&mut self, view: View) -> &mut List {
        &mut self.0[owner(view).index()]
    }

    /// Number of rows that are kept.
    pub fn len(&self, view: View, session: &Session) -> usize {
        self.rows(view).map_or_else(|| all(view, session), <[u32]>::len)
    }

    /// Rows that are kept, in the order of their numbers; `None` is all.
    pub fn rows(&self, view: View) -> Option<&[u32]> {
        self.of(view).rows.as_deref()
    }

    /// Which row stands at `place`.
    pub fn row(&self, view: View, place: usize, session: &Session) -> Option<usize> {
        match self.rows(view) {
            Some(rows) => rows.get(place).map(|row| *row as usize),
            None => (place < all(view, session)).then_some(place),
        }
    }

    /// Where a row stands, unless it is left out.
    pub fn place_of(&self, view: View, row: usize) -> Option<usize> {
        match self.rows(view) {
            Some(rows) => rows.binary_search(&u32::try_from(row).ok()?).ok(),
            None => Some(row),
        }
    }

    /// What is being made for the list of a view.
    pub fn making(&self, view: View) -> Option<&Later<impl Sized>> {
        self.of(view).making.as_ref()
    }

    /// Whether anything is being made for any of them.
    pub fn is_busy(&self) -> bool {
        self.0.iter().any(|list| list.making.is_some())
    }

    /// A row that is to be selected when what is being made is there.
    pub fn aim(&mut self, view: View, row: u32) {
        let list = self.of_mut(view);
        list.aim = list.making.is_some().then_some(row);
    }

    /// The rows belong to another program.
    pub fn clear_rows(&mut self) {
        for list in &mut self.0 {
            (list.rows, list.making, list.aim) = (None, None, None);
            list.shown.clear();
        }
    }
}

impl App {
    /// The filter of the view, as it was typed.
    pub fn filter(&self) -> &str {
        match self.view {
            View::Events => &self.wanted.filter,
            view => &self.lists.of(view).wanted,
        }
    }

    /// The filter that the rows match which are shown.
    pub(crate) fn shown_filter(&self) -> &str {
        match self.view {
            View::Events => &self.shown.filter,
            view => &self.lists.of(view).shown,
        }
    }

    /// Keeps rows that match `filter` only.
    pub(crate) fn set_filter(&mut self, filter: String) {
        match self.view {
            View::Events => self.wanted.filter = filter,
            view => self.lists.of_mut(view).wanted = filter,
        }
        self.ask(self.view);
    }

    /// Makes the list of a view anew, as the user wants it.
    pub(crate) fn ask(&mut self, view: View) {
        self.lists.of_mut(view).is_asked = true;
        self.list(view);
    }

    /// Makes the list of a view anew.
    pub(crate) fn list(&mut self, view: View) {
        let view = owner(view);
        self.lists.of_mut(view).making = None;
        let made = match view {
            View::Events => {
                let request = Request {
                    events: Arc::clone(&self.session.events),
                    groups: Arc::clone(&self.session.groups),
                    order: self.wanted.order,
                    grouping: self.wanted.grouping,
                    filter: self.wanted.filter.clone(),
                    clock: self.clock(),
                };
                Made::of(request.len(), FEW, move |work| {
                    let (rows, ticks) = request.rows(work);
                    Rows { kept: Some(rows), ticks }
                })
            }
            _ => {
                let filter = &self.lists.of(view).wanted;
                let query = Query::parse(filter, fields(view), self.clock());
                let count = if query.is_empty() { 0 } else { all(view, &self.session) };
                let session = Arc::clone(&self.session);
                Made::of(count, FEW, move |work| Rows {
                    kept: kept(&query, view, &session, work),
                    ticks: 0,
                })
            }
        };
        match made {
            Made::Now(rows) => self.take_rows(view, rows),
            Made::Later(later) => self.lists.of_mut(view).making = Some(later),
        }
    }

    /// Takes the lists that other threads have made; whether there are any.
    pub(crate) fn poll_lists(&mut self) -> bool {
        let mut any = false;
        for view in VIEWS.into_iter().filter(|view| owner(*view) == *view) {
            let list = self.lists.of_mut(view);
            let Some(made) = list.making.as_ref().and_then(Later::take) else { continue };
            list.making = None;
            any = true;
            match made {
                Some(rows) => self.take_rows(view, rows),
                None => self.want_what_is_shown(view, "that broke off; the list is as it was"),
            }
        }
        any
    }

    /// Ends what is being made for the view, if anything is.
    pub(crate) fn cancel_list(&mut self) -> bool {
        let is_made = self.lists.of_mut(self.view).making.take().is_some();
        if is_made {
            self.want_what_is_shown(self.view, "the list is as it was");
        }
        is_made
    }

    fn want_what_is_shown(&mut self, view: View, message: &str) {
        let list = self.lists.of_mut(view);
        list.aim = None;
        list.wanted.clone_from(&list.shown);
        if view == View::Events {
            self.wanted = self.shown.clone();
        }
        self.message = Some(message.into());
    }

    /// Shows what was made for a list. The row that was selected stays so if it is
    /// there; in an order that is chosen, the place does.
    fn take_rows(&mut self, view: View, rows: Rows) {
        let list = self.lists.of_mut(view);
        list.shown.clone_from(&list.wanted);
        let (aim, is_asked) = (list.aim.take(), std::mem::take(&mut list.is_asked));
        let cursor = self.cursors[view.index()];
        let place = match view {
            View::Events => {
                let is_ordered = self.shown.order != self.wanted.order
                    || self.shown.grouping != self.wanted.grouping;
                let row = aim.or(self.table.get(cursor).copied().filter(|_| !is_ordered));
                self.table = rows.kept.unwrap_or_default();
                self.table_sum = rows.ticks;
                self.shown = self.wanted.clone();
                let same = row.and_then(|row| self.table.iter().position(|own| *own == row));
                same.unwrap_or(cursor).min(self.table.len().saturating_sub(1))
            }
            View::Program => {
                list.rows = rows.kept;
                self.layout_program();
                self.tree.cursor
            }
            _ => {
                let row = aim.map(|row| row as usize);
                let row = row.or(self.lists.row(view, cursor, &self.session));
                self.lists.of_mut(view).rows = rows.kept;
                row.and_then(|row| self.lists.place_of(view, row)).unwrap_or(0)
            }
        };
        self.cursors[view.index()] = place;
        if is_asked
            && owner(self.view) == view
            && !matches!(self.view, View::Memory | View::Timeline)
        {
            self.select(place);
        }
    }

    /// Makes the lines of the program anew.
    pub(crate) fn layout_program(&mut self) {
        self.tree.layout(&self.session, self.lists.rows(View::Program));
    }

    /// The cursor of the program goes to the selected instruction.
    pub(crate) fn tree_to_step(&mut self) {
        if self.tree.go_to(&self.session, self.step) {
            self.layout_program();
            self.tree.go_to(&self.session, self.step);
        }
    }
}

/// The rows that a query keeps; `None` is all.
fn kept(query: &Query, view: View, session: &Session, work: &Work) -> Option<Vec<u32>> {
    if query.is_empty() {
        return None;
    }
    let count = all(view, session);
    let rows = (0..count as u32).take_while(|row| work.goes_on(*row as usize, count));
    Some(rows.filter(|row| keeps(query, view, session, *row as usize)).collect())
}

fn keeps(query: &Query, view: View, session: &Session, row: usize) -> bool {
    match view {
        View::Tensors => {
            let Some(tensor) = session.tensors.rows.get(row) else { return false };
            let text = crate::view::tensors::line(tensor);
            query.keeps(&text, &|name| tensor.field(name))
        }
        View::Program => keeps_instruction(query, session, row),
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
