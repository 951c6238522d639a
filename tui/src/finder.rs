//! A list over the view to choose from as one types: everything that there is
//! in the files, the commands, the columns, the marks.

use crate::app::{App, View};
use crate::columns::{COLUMNS, Column, Order};
use crate::config::distance;
use crate::events::site_text;
use crate::groups::{self, KINDS};
use crate::keys::Action;
use crate::later::{FEW, Later, Made, Work};
use crate::line::{self, Typed};
use crate::search;
use crate::session::Session;
use crate::theme::Palette;
use et_inspector::correlate::Site;
use et_inspector::events::GroupBy;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use std::sync::Arc;

/// Where an entry leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    Act(Action),
    Step(usize),
    Tensor(usize),
    Event(u32),
    Finding(usize),
    Difference(usize),
    Sort(Column),
    Group(Option<GroupBy>),
    Toggle(Column),
    Method(String),
    Colors(&'static str),
}

/// Something to choose.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub kind: &'static str,
    pub text: String,
    pub target: Target,
}

/// The title of the search over everything.
pub(crate) const SEARCH: &str = "search";

/// The title of the list of all commands.
const COMMANDS: &str = "commands";

/// Entries that are kept of those that match.
const KEPT: usize = 500;

/// Found entries with their numbers, the best first, and how many there are.
pub(crate) struct Found {
    pub best: Vec<u32>,
    pub count: usize,
}

/// The list.
pub(crate) struct Picker {
    pub title: &'static str,
    pub typed: String,
    /// Which of the found is selected.
    pub cursor: usize,
    /// Entries, once they are there.
    entries: Option<Arc<Vec<Entry>>>,
    gathering: Option<Later<Vec<Entry>>>,
    searching: Option<Later<Found>>,
    pub found: Found,
    /// Whether it stays open when something was chosen.
    pub stays: bool,
    /// Whether nothing matches, and what was found is what may be meant.
    pub guesses: bool,
}

impl Picker {
    fn new(title: &'static str, entries: Vec<Entry>) -> Self {
        Picker::of(title, Arc::new(entries))
    }

    fn of(title: &'static str, entries: Arc<Vec<Entry>>) -> Self {
        let mut picker = Picker {
            title,
            typed: String::new(),
            cursor: 0,
            entries: Some(entries),
            gathering: None,
            searching: None,
            found: Found { best: Vec::new(), count: 0 },
            stays: false,
            guesses: false,
        };
        picker.search();
        picker
    }

    /// Everything that is in the files.
    pub fn everything(app: &App) -> Self {
        if let Some(corpus) = &app.corpus {
            return Picker::of(SEARCH, Arc::clone(corpus));
        }
        let session = Arc::clone(&app.session);
        match Made::of(size(&session), FEW, move |work| gather(&session, work)) {
            Made::Now(entries) => Picker::new(SEARCH, entries),
            Made::Later(gathering) => {
                let none = Picker::new(SEARCH, Vec::new());
                Picker { entries: None, gathering: Some(gathering), ..none }
            }
        }
    }

    /// All that can be done.
    pub fn commands(app: &App) -> Self {
        let entry = |text: String, target| Entry { kind: "", text, target };
        let mut entries: Vec<Entry> = app
            .keys
            .bound()
            .iter()
            .map(|bound| entry(bound.command.to_owned(), Target::Act(bound.action)))
            .collect();
        let sorts =
            COLUMNS.into_iter().map(|column| (format!("sort by {}", column.name()), column));
        entries.extend(sorts.map(|(text, column)| entry(text, Target::Sort(column))));
        let known = KINDS.into_iter().filter(|kind| app.session.groups.get(*kind).is_some());
        entries.extend(known.map(|kind| {
            entry(format!("group by {}", groups::name(kind)), Target::Group(Some(kind)))
        }));
        entries.push(entry("group by nothing".into(), Target::Group(None)));
        entries.extend(
            Palette::NAMES
                .into_iter()
                .map(|name| entry(format!("colours: {name}"), Target::Colors(name))),
        );
        let methods = app.session.facts.iter().flat_map(|facts| &facts.methods);
        entries.extend(methods.map(|m| entry(format!("method {m}"), Target::Method(m.clone()))));
        Picker::new(COMMANDS, entries)
    }

    /// The columns of the event table.
    pub fn columns(app: &App) -> Self {
        let entries = COLUMNS.into_iter().filter(|column| *column != Column::Event).map(|column| {
            let kind = if app.columns.has(column) { "shown" } else { "-" };
            Entry { kind, text: column.name().to_owned(), target: Target::Toggle(column) }
        });
        Picker { stays: true, ..Picker::new("columns", entries.collect()) }
    }

    /// Instructions that the user marked.
    pub fn marks(app: &App) -> Self {
        let sites: Vec<Site> = app.marks.iter().copied().collect();
        Picker::sites(app, "marks", &sites)
    }

    /// Some instructions.
    pub fn sites(app: &App, title: &'static str, sites: &[Site]) -> Self {
        let steps = sites.iter().filter_map(|site| app.session.step(*site));
        Picker::new(title, steps.map(|step| of_step(&app.session, step)).collect())
    }

    /// The methods of the program.
    pub fn methods(app: &App) -> Self {
        let methods = app.session.facts.iter().flat_map(|facts| &facts.methods);
        let entries = methods.map(|name| Entry {
            kind: if *name == app.session.method { "shown" } else { "" },
            text: name.clone(),
            target: Target::Method(name.clone()),
        });
        Picker::new("methods", entries.collect())
    }

    /// Everything, to be searched again.
    pub fn corpus(&self) -> Option<Arc<Vec<Entry>>> {
        self.entries.clone().filter(|_| self.title == SEARCH)
    }

    /// A found entry.
    pub fn entry(&self, place: usize) -> Option<&Entry> {
        self.entries.as_ref()?.get(*self.found.best.get(place)? as usize)
    }

    /// Whether it still looks.
    pub fn is_busy(&self) -> bool {
        self.gathering.is_some() || self.searching.is_some()
    }

    /// Takes what another thread has made; whether there is anything new.
    pub fn poll(&mut self) -> bool {
        if let Some(made) = self.gathering.as_ref().and_then(Later::take) {
            self.gathering = None;
            self.entries = Some(Arc::new(made.unwrap_or_default()));
            self.search();
            return true;
        }
        if let Some(made) = self.searching.as_ref().and_then(Later::take) {
            self.searching = None;
            self.found = made.unwrap_or(Found { best: Vec::new(), count: 0 });
            self.cursor = 0;
            return true;
        }
        false
    }

    /// Looks for what was typed, on a thread of its own if there is much.
    fn search(&mut self) {
        self.searching = None;
        let Some(entries) = &self.entries else { return };
        let (entries, typed) = (Arc::clone(entries), self.typed.clone());
        self.guesses = false;
        if self.title == COMMANDS {
            self.found = find(&entries, &typed, &Work::default());
            self.cursor = 0;
            if self.found.best.is_empty() {
                self.found = guess(&entries, &typed);
                self.guesses = !self.found.best.is_empty();
            }
            return;
        }
        match Made::of(entries.len(), FEW, move |work| find(&entries, &typed, work)) {
            Made::Now(found) => (self.found, self.cursor) = (found, 0),
            Made::Later(searching) => self.searching = Some(searching),
        }
    }

    /// Moves the selection.
    fn step(&mut self, lines: isize) {
        let last = self.found.best.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
    }
}

/// The entries that match best.
fn find(entries: &[Entry], typed: &str, work: &Work) -> Found {
    let goes_on = |(index, _): &(usize, &Entry)| work.goes_on(*index, entries.len());
    let mut found: Vec<(i64, u32)> = entries
        .iter()
        .enumerate()
        .take_while(goes_on)
        .filter_map(|(index, entry)| Some((search::score(typed, &entry.text)?, index as u32)))
        .collect();
    if typed.trim().is_empty() {
        found.iter_mut().for_each(|(score, _)| *score = 0);
    }
    let count = found.len();
    let better = |(score, index): &(i64, u32)| (std::cmp::Reverse(*score), *index);
    if found.len() > KEPT {
        found.select_nth_unstable_by_key(KEPT, better);
        found.truncate(KEPT);
    }
    found.sort_by_key(better);
    Found { best: found.into_iter().map(|(_, index)| index).collect(), count }
}

/// The commands of which a word is nearly what was typed, the nearest first.
fn guess(entries: &[Entry], typed: &str) -> Found {
    let typed = typed.trim();
    let most = typed.chars().count().div_ceil(3);
    let nearest = |entry: &Entry| {
        let words = entry.text.split([' ', ':', ',']).chain([entry.text.as_str()]);
        words.map(|word| distance(typed, word)).min()
    };
    let near = entries.iter().enumerate().filter_map(|(index, entry)| {
        let far = nearest(entry).filter(|far| *far <= most)?;
        Some((far, index as u32))
    });
    let mut near: Vec<(usize, u32)> = near.collect();
    near.sort_unstable();
    Found { count: near.len(), best: near.into_iter().map(|(_, index)| index).collect() }
}

fn of_step(session: &Session, step: usize) -> Entry {
    let row = &session.instructions[step];
    let text = format!("{} {}", site_text(row.site), row.name);
    Entry { kind: "instruction", text, target: Target::Step(step) }
}

/// How many things there are.
fn size(session: &Session) -> usize {
    let differences = session.diff.as_ref().map_or(0, |diff| diff.rows.len());
    session.instructions.len()
        + session.tensors.rows.len()
        + session.events.rows.len()
        + session.findings.len()
        + differences
}

/// All things, as entries; those of a search that was cancelled are not complete.
fn gather(session: &Session, work: &Work) -> Vec<Entry> {
    let size = size(session);
    let goes_on = |index: usize| work.goes_on(index, size);
    let mut entries: Vec<Entry> = Vec::with_capacity(size);
    entries.extend(session.findings.iter().enumerate().map(|(index, finding)| {
        let text = format!("{} {}", finding.code.page().code, crate::text::escape(&finding.title));
        Entry { kind: "finding", text, target: Target::Finding(index) }
    }));
    let steps = (0..session.instructions.len()).take_while(|step| goes_on(*step));
    entries.extend(steps.map(|step| of_step(session, step)));
    let rows = session.events.rows.iter().enumerate().take_while(|(index, _)| goes_on(*index));
    entries.extend(rows.map(|(index, row)| {
        let row = row.shown();
        let mut text = row.name.to_owned();
        for more in [row.at().as_str(), row.module] {
            if !more.is_empty() {
                text = format!("{text} {more}");
            }
        }
        Entry { kind: "event", text, target: Target::Event(index as u32) }
    }));
    entries.extend(session.tensors.rows.iter().enumerate().map(|(index, row)| Entry {
        kind: "tensor",
        text: crate::view::tensors::line(row),
        target: Target::Tensor(index),
    }));
    let differences = session.diff.iter().flat_map(|diff| &diff.rows).enumerate();
    entries.extend(differences.map(|(index, row)| Entry {
        kind: "difference",
        text: crate::view::diff::line(row),
        target: Target::Difference(index),
    }));
    entries
}

impl App {
    /// Handles a key while a list lies over the view.
    pub(crate) fn pick_key(&mut self, event: KeyEvent) {
        let Some(picker) = &mut self.picker else { return };
        match event.code {
            KeyCode::Char(' ') if picker.stays => return self.choose(),
            KeyCode::Tab => return picker.step(1),
            KeyCode::BackTab => return picker.step(-1),
            KeyCode::PageDown => return picker.step(10),
            KeyCode::PageUp => return picker.step(-10),
            _ => {}
        }
        match line::edit(&mut picker.typed, event) {
            Typed::Changed => picker.search(),
            Typed::Moved(lines) => picker.step(lines),
            Typed::Entered => self.choose(),
            Typed::Left => self.picker = None,
            Typed::Nothing => {}
        }
    }

    /// Takes the selected entry.
    pub(crate) fn choose(&mut self) {
        let Some(picker) = &self.picker else { return };
        let Some(entry) = picker.entry(picker.cursor) else {
            let typed = crate::text::escape(&picker.typed);
            if !picker.is_busy() {
                self.message = Some(format!("nothing matches {typed:?}"));
                self.picker = None;
            }
            return;
        };
        let target = entry.target.clone();
        if picker.stays {
            let cursor = picker.cursor;
            self.go_to(&target);
            let mut again = Picker::columns(self);
            again.cursor = cursor;
            self.picker = Some(again);
            return;
        }
        if picker.title == SEARCH {
            let all = (0..picker.found.best.len()).filter_map(|place| picker.entry(place));
            self.found = (all.map(|entry| entry.target.clone()).collect(), picker.cursor);
        }
        self.picker = None;
        self.go_to(&target);
    }

    /// Goes where an entry leads, or does what it says.
    pub(crate) fn go_to(&mut self, target: &Target) {
        match target {
            Target::Act(action) => {
                if let Some(view) = action.home() {
                    self.go_to_view(view);
                }
                self.act(*action);
            }
            Target::Step(step) => {
                let site = self.session.instructions.get(*step).map(|row| row.site);
                let view = match self.view {
                    View::Memory | View::Timeline => self.view,
                    _ => View::Program,
                };
                self.jump(view, site);
            }
            Target::Tensor(row) => self.go_to_row(View::Tensors, *row),
            Target::Finding(row) => self.go_to_row(View::Findings, *row),
            Target::Difference(row) => self.go_to_row(View::Diff, *row),
            Target::Event(row) => self.go_to_event(*row),
            Target::Sort(column) => {
                self.go_to_view(View::Events);
                self.sort(Order::by(*column));
            }
            Target::Group(kind) => {
                self.go_to_view(View::Events);
                self.group(*kind);
            }
            Target::Toggle(column) => self.columns.toggle(*column),
            Target::Method(name) => self.method = Some(name.clone()),
            Target::Colors(name) => {
                if let Some(palette) = Palette::named(name) {
                    self.theme.palette = palette.for_depth(self.theme.depth);
                }
            }
        }
    }

    fn go_to_row(&mut self, view: View, row: usize) {
        self.remember();
        self.view = view;
        // What a filter that is being made will leave out is not known yet.
        if self.lists.place_of(view, row).is_none() || self.lists.making(view).is_some() {
            self.set_filter(String::new());
        }
        let place = self.lists.place_of(view, row).unwrap_or(row);
        self.select(place);
    }

    fn go_to_event(&mut self, row: u32) {
        self.remember();
        self.view = View::Events;
        let is_shown = self.shown.grouping.is_none() && self.table.contains(&row);
        if !is_shown || self.lists.making(self.view).is_some() {
            self.wanted.grouping = None;
            self.wanted.filter.clear();
            self.refresh();
            self.lists.aim(View::Events, row);
        }
        let at = |table: &[u32]| table.iter().position(|shown| *shown == row);
        if let Some(place) = at(&self.table).filter(|_| self.shown.grouping.is_none()) {
            self.select(place);
        } else if let Some(site) = self.session.events.rows.get(row as usize).and_then(|r| r.site) {
            // The row is there a moment later.
            self.step = self.session.step(site).unwrap_or(self.step);
        }
    }
}
