//! The state: which view, what is selected in it, and what was typed.
//!
//! There is one selection, an instruction. A view with rows of another kind
//! keeps its own cursor and takes the selection along.

use crate::clock::Clock;
use crate::columns::{Chosen, Order};
use crate::digest::{self, Digest};
use crate::events::RowRef;
use crate::finder::{Entry, Picker, Target};
use crate::groups::GroupTable;
use crate::keys::Keymap;
use crate::later::{Made, discard};
use crate::layout::Layout;
use crate::lists::{self, Lists};
use crate::live::{Live, Loading};
use crate::map;
use crate::mouse::Zone;
use crate::session::Session;
use crate::tables;
use crate::theme::Theme;
use crate::tree::Tree;
use crate::view;
use et_inspector::correlate::Site;
use et_inspector::events::GroupBy;
use ratatui::Frame;
use ratatui::layout::Rect;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Verdict, totals, memories, findings.
    Overview,
    /// Table of events.
    Events,
    /// Events over time.
    Timeline,
    /// Planned memory over instructions.
    Memory,
    /// Instructions with their tensors.
    Program,
    /// Findings with evidence and remedy.
    Findings,
    /// Tensors and their elements.
    Tensors,
    /// Two traces or programs side by side.
    Diff,
}

/// All views, in the order of their keys.
pub const VIEWS: [View; 8] = [
    View::Overview,
    View::Events,
    View::Timeline,
    View::Memory,
    View::Program,
    View::Findings,
    View::Tensors,
    View::Diff,
];

impl View {
    /// Name on its tab.
    pub fn name(self) -> &'static str {
        match self {
            View::Overview => "Overview",
            View::Events => "Events",
            View::Timeline => "Timeline",
            View::Memory => "Memory",
            View::Program => "Program",
            View::Findings => "Findings",
            View::Tensors => "Tensors",
            View::Diff => "Diff",
        }
    }

    /// Its place among all.
    pub(crate) fn index(self) -> usize {
        VIEWS.iter().position(|view| *view == self).unwrap_or(0)
    }
}

/// A place to come back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub view: View,
    pub step: usize,
    pub cursor: usize,
}

/// What the event table shows, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What it is grouped by.
    pub grouping: Option<GroupBy>,
    /// Its order.
    pub order: Order,
    /// Rows must match this.
    pub filter: String,
}

/// A tensor's row and a sample, and what its elements are like, or why nobody knows.
type Looked = ((usize, usize), Made<Result<Digest, String>>);

/// The state.
pub struct App {
    /// What is looked at.
    pub session: Arc<Session>,
    /// What keys do.
    pub keys: Keymap,
    /// How it is drawn.
    pub theme: Theme,
    /// What is shown.
    pub view: View,
    /// Selected instruction, as index of its row.
    pub step: usize,
    /// Cursors of the views' own rows.
    pub(crate) cursors: [usize; VIEWS.len()],
    /// The lines of the program.
    pub(crate) tree: Tree,
    /// Rows of lists that are shown.
    pub(crate) lists: Lists,
    /// Earlier places, to go back to.
    pub(crate) history: Vec<Place>,
    /// Places that one came back from.
    pub(crate) future: Vec<Place>,
    /// Instructions that the user marked.
    pub marks: BTreeSet<Site>,
    /// Which elements of the selected tensor are shown.
    pub sample: usize,
    /// What they are like, with the tensor's row and the sample.
    pub(crate) digest: Option<Looked>,
    /// The map of memory, as it was drawn last.
    pub(crate) map: map::Drawn,
    /// The filter that is being typed.
    pub typing: bool,
    /// A list to choose from, over the view.
    pub(crate) picker: Option<Picker>,
    /// Everything that can be searched, once somebody searched.
    pub(crate) corpus: Option<Arc<Vec<Entry>>>,
    /// What was found last, and which of it is shown.
    pub(crate) found: (Vec<Target>, usize),
    /// What the event table is to show.
    pub wanted: Wanted,
    /// Columns that the user wants.
    pub columns: Chosen,
    /// The time that the timeline shows.
    pub window: (u64, u64),
    /// Ticks between which the mouse is drawn.
    pub(crate) drag: Option<(u64, u64)>,
    /// Whether the help lies over the view, and its first line.
    pub help: Option<usize>,
    /// Whether to leave.
    pub done: bool,
    /// Said in the status line until the next key.
    pub message: Option<String>,
    /// How the file was looked at last, until it is read.
    pub(crate) remembered: Option<Layout>,
    /// Files that are being read.
    pub loading: Option<Loading>,
    /// The source that is listened to.
    pub live: Option<Live>,
    /// Whether to stop reading.
    pub cancel: bool,
    /// Whether to stop until the shell goes on.
    pub suspend: bool,
    /// Whether the mouse is taken from the terminal.
    pub mouse: bool,
    /// The method that the user wants to see.
    pub method: Option<String>,
    /// What is to be copied to the clipboard.
    pub clipboard: Option<String>,
    /// What is to be written to a file.
    pub export: Option<crate::export::Kind>,
    /// Columns of the screen.
    pub width: u16,
    /// Rows of the view that were visible, for pages.
    pub page: usize,
    /// The first row that each view shows.
    pub(crate) firsts: Cell<[usize; VIEWS.len()]>,
    /// What is where on the screen.
    pub(crate) zones: RefCell<Vec<(Rect, Zone)>>,
    /// What the rows that are shown were made for.
    pub(crate) shown: Wanted,
    /// Rows of the event table as they are shown, by their numbers.
    pub(crate) table: Vec<u32>,
    /// Ticks of them together.
    pub(crate) table_sum: u64,
}

impl App {
    /// Shows `session`, beginning with the overview. What is in flight, or the
    /// peak of memory, is selected.
    pub fn new(session: Session, theme: Theme) -> Self {
        let window = session.spans.range;
        let step = first_step(&session);
        let mut app = App {
            session: Arc::new(session),
            keys: Keymap::default(),
            theme,
            view: View::Overview,
            step,
            cursors: [0; VIEWS.len()],
            tree: Tree::default(),
            lists: Lists::default(),
            history: Vec::new(),
            future: Vec::new(),
            marks: BTreeSet::new(),
            sample: 0,
            digest: None,
            map: map::Drawn::default(),
            typing: false,
            picker: None,
            corpus: None,
            found: (Vec::new(), 0),
            wanted: Wanted::default(),
            columns: Chosen::default(),
            window,
            drag: None,
            help: None,
            done: false,
            message: None,
            remembered: None,
            loading: None,
            live: None,
            cancel: false,
            suspend: false,
            mouse: true,
            method: None,
            clipboard: None,
            export: None,
            width: 80,
            page: 10,
            firsts: Cell::default(),
            zones: RefCell::default(),
            shown: Wanted::default(),
            table: Vec::new(),
            table_sum: 0,
        };
        app.list_all();
        app
    }

    /// Takes another session, such as a longer trace, and keeps the place.
    pub fn replace(&mut self, session: Session) {
        let at = self.session.instructions.get(self.step).map(|row| row.site);
        let in_flight = session.in_flight();
        // The whole time was shown, and is again; else what is shown stays.
        let range = session.spans.range;
        let (from, to) = self.window;
        if self.window == self.session.spans.range || from < range.0 || to > range.1 {
            self.window = range;
        }
        let is_other =
            self.session.instructions.is_empty() || session.method != self.session.method;
        let before = std::mem::replace(&mut self.session, Arc::new(session));
        discard((before, self.corpus.take()));
        (self.digest, self.map) = (None, map::Drawn::default());
        self.picker = None;
        self.found = (Vec::new(), 0);
        if is_other {
            self.step = first_step(&self.session);
            self.tree.clear();
            (self.history, self.future) = (Vec::new(), Vec::new());
        }
        self.step = self.step.min(self.session.instructions.len().saturating_sub(1));
        let kept = in_flight.or(at.filter(|_| !is_other));
        if let Some(step) = kept.and_then(|site| self.session.step(site)) {
            self.step = step;
        }
        if is_other {
            self.lists.clear_rows();
        }
        self.list_all();
        if let Some(layout) = self.remembered.take() {
            layout.apply_to_file(self);
        }
    }

    /// Makes all lists anew. What they show stays meanwhile.
    fn list_all(&mut self) {
        self.layout_program();
        for view in VIEWS.into_iter().filter(|view| lists::owner(*view) == *view) {
            self.list(view);
        }
    }

    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        self.zones.borrow_mut().clear();
        view::draw(self, frame);
    }

    /// What the ticks of the trace are.
    pub(crate) fn clock(&self) -> Clock {
        self.session.clock
    }

    /// A time in ticks, as text.
    pub(crate) fn ticks(&self, ticks: u64) -> String {
        self.session.clock.ticks(ticks)
    }

    /// The cursor of the view's rows.
    pub(crate) fn cursor(&self) -> usize {
        match self.view {
            View::Overview => self.cursors[View::Findings.index()],
            view => self.cursors[view.index()],
        }
    }

    pub(crate) fn set_cursor(&mut self, row: usize) {
        let view = if self.view == View::Overview { View::Findings } else { self.view };
        self.cursors[view.index()] = row;
    }

    /// Looks at the elements of the selected tensor, unless it was looked at: on
    /// another thread if they are many.
    pub(crate) fn look(&mut self) {
        let Some(row) = self.row() else { return };
        let key = (row, self.sample);
        if self.digest.as_ref().is_some_and(|(known, _)| *known == key) {
            return;
        }
        let tensors = &self.session.tensors;
        let Some(data) = tensors.rows.get(key.0).and_then(|row| row.data.get(key.1)) else {
            self.digest = None;
            return;
        };
        let session = Arc::clone(&self.session);
        let made = Made::of(Digest::elements(data), digest::FEW, move |work| {
            let tensors = &session.tensors;
            let data = tensors.rows.get(key.0).and_then(|row| row.data.get(key.1));
            let data = data.ok_or_else(|| "the tensor is gone".to_owned())?;
            tensors.bytes(data).map(|bytes| Digest::of(data, bytes, work))
        });
        self.digest = Some((key, made));
    }

    /// What the elements of the selected tensor are like, once they were looked at.
    pub(crate) fn digest(&self) -> Option<&Result<Digest, String>> {
        match &self.digest {
            Some((_, Made::Now(digest))) => Some(digest),
            _ => None,
        }
    }

    fn poll_digest(&mut self) -> bool {
        let Some((_, Made::Later(later))) = &self.digest else { return false };
        let Some(made) = later.take() else { return false };
        let made = made.unwrap_or_else(|| Err("looking at them broke off".into()));
        self.digest = self.digest.take().map(|(key, _)| (key, Made::Now(made)));
        true
    }

    /// Whether elements are being looked at.
    pub(crate) fn is_looking(&self) -> bool {
        matches!(self.digest, Some((_, Made::Later(_))))
    }

    /// Site of the selected instruction.
    pub fn site(&self) -> Option<Site> {
        self.session.instructions.get(self.step).map(|row| row.site)
    }

    /// The groups that the table shows, if it does.
    pub(crate) fn groups(&self) -> Option<&GroupTable> {
        self.shown.grouping.and_then(|kind| self.session.groups.get(kind))
    }

    /// A row of the event table.
    pub(crate) fn event(&self, row: usize) -> Option<RowRef<'_>> {
        tables::row(&self.session.events, self.groups(), *self.table.get(row)?)
    }

    /// Rows of the event table, as they are shown.
    pub fn shown_rows(&self) -> impl Iterator<Item = RowRef<'_>> {
        (0..self.table.len()).filter_map(|row| self.event(row))
    }

    /// Writes the table of the view into a new CSV file in `folder`.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn write_table(&mut self, folder: &Path) -> io::Result<PathBuf> {
        crate::export::write(self, crate::export::Kind::Table, folder)
    }

    /// Number of rows that the view has.
    pub fn len(&self) -> usize {
        match self.view {
            View::Events => self.table.len(),
            View::Program => self.tree.lines().len(),
            View::Memory | View::Timeline => self.session.instructions.len(),
            view => self.lists.len(view, &self.session),
        }
    }

    /// Whether there is nothing to select.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The selected row of the view.
    pub fn selected(&self) -> usize {
        match self.view {
            View::Memory | View::Timeline => self.step,
            View::Program => self.tree.cursor,
            _ => self.cursor(),
        }
    }

    /// What the selected row of a list stands for: a tensor, a finding, or a difference.
    pub(crate) fn row(&self) -> Option<usize> {
        self.lists.row(self.view, self.cursor(), &self.session)
    }

    /// Moves the cursor, and the selected instruction with it.
    pub(crate) fn select(&mut self, row: usize) {
        let row = row.min(self.len().saturating_sub(1));
        match self.view {
            View::Memory | View::Timeline => {
                self.step = row;
                if self.view == View::Timeline {
                    self.reveal();
                }
            }
            View::Program => {
                self.tree.cursor = row;
                self.step = self.tree.selected().and_then(|line| line.step()).unwrap_or(self.step);
            }
            _ => {
                self.set_cursor(row);
                self.sample = 0;
                self.step_to(self.site_of_row());
            }
        }
    }

    /// The instruction that the selected row is about.
    pub(crate) fn site_of_row(&self) -> Option<Site> {
        match self.view {
            View::Events => self.event(self.cursor()).and_then(|row| row.site),
            View::Tensors => self.session.tensors.rows.get(self.row()?)?.site(),
            View::Diff => self.session.diff.as_ref()?.rows.get(self.row()?)?.site,
            View::Overview | View::Findings => {
                let (chain, instruction) = self.session.findings.get(self.row()?)?.at?;
                Some(Site { chain, instruction })
            }
            View::Program | View::Memory | View::Timeline => self.site(),
        }
    }

    fn step_to(&mut self, site: Option<Site>) {
        if let Some(step) = site.and_then(|site| self.session.step(site)) {
            self.step = step;
        }
    }

    /// Where the cursor is.
    pub(crate) fn place(&self) -> Place {
        Place { view: self.view, step: self.step, cursor: self.selected() }
    }

    /// Remembers where the cursor is, to come back.
    pub(crate) fn remember(&mut self) {
        let place = self.place();
        if self.history.last() != Some(&place) {
            self.history.push(place);
        }
        self.future.clear();
    }

    /// Shows a place again.
    pub(crate) fn return_to(&mut self, place: Place) {
        self.step = place.step.min(self.session.instructions.len().saturating_sub(1));
        self.show(place.view);
        if !matches!(place.view, View::Memory | View::Timeline) {
            self.select(place.cursor);
        }
    }

    /// Goes to an instruction in `view`, and remembers where it was.
    pub(crate) fn jump(&mut self, view: View, site: Option<Site>) {
        let Some(step) = site.and_then(|site| self.session.step(site)) else {
            self.message = Some("there is no such instruction here".into());
            return;
        };
        self.remember();
        self.step = step;
        self.show(view);
        if view == View::Program {
            self.tree_to_step();
        }
    }

    /// Shows a view with the selected instruction in it.
    pub(crate) fn show(&mut self, view: View) {
        self.view = view;
        match view {
            View::Program => self.tree_to_step(),
            View::Timeline => self.reveal(),
            // What is selected there already may be about the instruction.
            _ if self.site_of_row() == self.site() => {}
            View::Events => {
                if let Some(row) = self.site().and_then(|site| self.event_of(site)) {
                    self.set_cursor(row);
                }
            }
            View::Tensors => {
                let row = self.site().and_then(|site| self.session.tensor_of(site));
                if let Some(row) = row.and_then(|row| self.lists.place_of(view, row)) {
                    self.set_cursor(row);
                    self.sample = 0;
                }
            }
            View::Diff => {
                let site = self.site();
                let rows = self.session.diff.as_ref().map_or(&[][..], |diff| &diff.rows);
                let row = rows.iter().position(|row| row.site.is_some() && row.site == site);
                if let Some(row) = row.and_then(|row| self.lists.place_of(view, row)) {
                    self.set_cursor(row);
                }
            }
            View::Overview | View::Findings | View::Memory => {}
        }
    }

    /// The first row of the event table that is about an instruction.
    fn event_of(&self, site: Site) -> Option<usize> {
        match self.groups() {
            Some(_) => (0..self.table.len())
                .find(|row| self.event(*row).is_some_and(|shown| shown.site == Some(site))),
            None => {
                let own = self.session.events.rows_of(site);
                self.table.iter().position(|row| own.contains(row))
            }
        }
    }

    /// Makes the event table anew, on another thread if it is long.
    pub fn refresh(&mut self) {
        self.list(View::Events);
    }

    /// Takes what other threads have made; whether there is anything new.
    pub fn poll(&mut self) -> bool {
        let mut any = self.picker.as_mut().is_some_and(Picker::poll);
        if any && self.corpus.is_none() {
            self.corpus = self.picker.as_ref().and_then(Picker::corpus);
        }
        any |= self.poll_digest() | self.poll_map();
        any | self.poll_lists()
    }
}

/// What is in flight, or the peak of memory.
fn first_step(session: &Session) -> usize {
    let in_flight = session.in_flight().and_then(|site| session.step(site));
    let peak = session.memory.as_ref().map_or(0, |memory| memory.peak);
    in_flight.unwrap_or(peak).min(session.instructions.len().saturating_sub(1))
}
