//! The state: which view, what is selected in it, and what was typed.
//!
//! There is one selection, an instruction. A view with rows of another kind
//! keeps its own cursor and takes the selection along.

use crate::digest::Digest;
use crate::groups::KINDS;
use crate::keys::{Action, Keymap};
use crate::live::{Live, Loading};
use crate::session::Session;
use crate::tables::{Request, Sorting, Table};
use crate::theme::Theme;
use crate::view;
use et_inspector::correlate::Site;
use et_inspector::events::GroupBy;
use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, MouseEvent, MouseEventKind};
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
}

/// What is typed into the line at the bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A search over the lines of the view.
    Search(String),
    /// A command by its name.
    Palette(String),
}

/// Order of the event table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As in the trace.
    Time,
    /// Most time first.
    Sum,
    /// Largest median first.
    Median,
    /// Alphabetically.
    Name,
}

/// The state.
pub struct App {
    /// What is looked at.
    pub session: Session,
    /// What keys do.
    pub keys: Keymap,
    /// How it is drawn.
    pub theme: Theme,
    /// What is shown.
    pub view: View,
    /// Selected instruction, as index of its row.
    pub step: usize,
    /// Cursor of the view's own rows.
    pub cursor: usize,
    /// Earlier places, to go back to.
    history: Vec<(View, usize)>,
    /// Which elements of the selected tensor are shown.
    pub sample: usize,
    /// What they are like, with the tensor's row and the sample.
    pub(crate) digest: Option<((usize, usize), Result<Digest, String>)>,
    /// What is being typed.
    pub prompt: Option<Prompt>,
    /// Lines must match this.
    pub filter: String,
    /// Order of the event table.
    pub order: Order,
    /// What the event table is grouped by.
    pub grouping: Option<GroupBy>,
    /// The time that the timeline shows.
    pub window: (u64, u64),
    /// Whether the help lies over the view.
    pub help: bool,
    /// Whether to leave.
    pub done: bool,
    /// Said in the status line until the next key.
    pub message: Option<String>,
    /// Files that are being read.
    pub loading: Option<Loading>,
    /// The source that is listened to.
    pub live: Option<Live>,
    /// Whether to stop reading.
    pub cancel: bool,
    /// What is to be copied to the clipboard.
    pub clipboard: Option<String>,
    /// Whether the view is to be written to a file.
    pub export: bool,
    /// Columns of the screen.
    pub width: u16,
    /// Rows of the view that were visible, for pages.
    pub page: usize,
    /// The rows that will be shown.
    pub(crate) sorting: Option<Sorting>,
    /// What the rows that are shown were made for: groups, order and filter.
    pub(crate) shown: (Option<GroupBy>, Order, String),
    /// Rows of the event table as they are shown.
    pub(crate) table: Vec<view::events::Shown>,
}

impl App {
    /// Shows `session`, beginning with the overview. What is in flight, or the
    /// peak of memory, is selected.
    pub fn new(session: Session, theme: Theme) -> Self {
        let in_flight = session.in_flight().and_then(|site| session.step(site));
        let peak = session.memory.as_ref().map_or(0, |memory| memory.peak);
        let window = session.spans.range;
        let step = in_flight.unwrap_or(peak).min(session.instructions.len().saturating_sub(1));
        let mut app = App {
            session,
            keys: Keymap::default(),
            theme,
            view: View::Overview,
            step,
            cursor: 0,
            history: Vec::new(),
            sample: 0,
            digest: None,
            prompt: None,
            filter: String::new(),
            order: Order::Time,
            grouping: None,
            window,
            help: false,
            done: false,
            message: None,
            loading: None,
            live: None,
            cancel: false,
            clipboard: None,
            export: false,
            width: 80,
            page: 10,
            sorting: None,
            shown: (None, Order::Time, String::new()),
            table: Vec::new(),
        };
        app.refresh();
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
        let is_first = self.session.instructions.is_empty();
        let peak = session.memory.as_ref().map_or(0, |memory| memory.peak);
        self.session = session;
        if is_first {
            self.step = peak.min(self.session.instructions.len().saturating_sub(1));
        }
        self.digest = None;
        if let Some(step) = in_flight.or(at).and_then(|site| self.session.step(site)) {
            self.step = step;
        }
        self.refresh();
    }

    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        view::draw(self, frame);
    }

    /// Looks at the elements of the selected tensor, unless it was looked at.
    pub(crate) fn look(&mut self) {
        let key = (self.cursor, self.sample);
        if self.digest.as_ref().is_some_and(|(known, _)| *known == key) {
            return;
        }
        let tensors = &self.session.tensors;
        let data = tensors.rows.get(key.0).and_then(|row| row.data.get(key.1));
        let digest = data.map(|data| tensors.bytes(data).map(|bytes| Digest::of(data, bytes)));
        self.digest = digest.map(|digest| (key, digest));
    }

    /// Site of the selected instruction.
    pub fn site(&self) -> Option<Site> {
        self.session.instructions.get(self.step).map(|row| row.site)
    }

    /// Number of rows that the view has.
    pub fn len(&self) -> usize {
        match self.view {
            View::Overview | View::Findings => self.session.findings.len(),
            View::Events => self.table.len(),
            View::Tensors => self.session.tensors.rows.len(),
            View::Diff => self.session.diff.as_ref().map_or(0, |diff| diff.rows.len()),
            View::Program | View::Memory | View::Timeline => self.session.instructions.len(),
        }
    }

    /// Whether there is nothing to select.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The selected row of the view.
    pub fn selected(&self) -> usize {
        match self.view {
            View::Program | View::Memory | View::Timeline => self.step,
            _ => self.cursor,
        }
    }

    /// Moves the cursor, and the selected instruction with it.
    pub(crate) fn select(&mut self, row: usize) {
        let row = row.min(self.len().saturating_sub(1));
        match self.view {
            View::Program | View::Memory | View::Timeline => self.step = row,
            View::Events => {
                self.cursor = row;
                let site = self.table.get(row).and_then(|shown| shown.site);
                self.step_to(site);
            }
            View::Tensors => {
                (self.cursor, self.sample) = (row, 0);
                let row = self.session.tensors.rows.get(row);
                let uses = row.and_then(|row| row.producers.first().or(row.consumers.first()));
                self.step_to(uses.copied());
            }
            View::Diff => {
                self.cursor = row;
                let row = self.session.diff.as_ref().and_then(|diff| diff.rows.get(row));
                self.step_to(row.and_then(|row| row.site));
            }
            View::Overview | View::Findings => {
                self.cursor = row;
                let at = self.session.findings.get(row).and_then(|finding| finding.at);
                self.step_to(at.map(|(chain, instruction)| Site { chain, instruction }));
            }
        }
    }

    fn step_to(&mut self, site: Option<Site>) {
        if let Some(step) = site.and_then(|site| self.session.step(site)) {
            self.step = step;
        }
    }

    /// Goes to an instruction in `view`, and remembers where it was.
    fn jump(&mut self, view: View, site: Option<Site>) {
        let Some(step) = site.and_then(|site| self.session.step(site)) else {
            self.message = Some("there is no such instruction here".into());
            return;
        };
        self.history.push((self.view, self.step));
        self.step = step;
        self.show(view);
    }

    /// Shows a view with the selected instruction in it.
    fn show(&mut self, view: View) {
        self.view = view;
        self.cursor = 0;
        if view == View::Events {
            let site = self.site();
            let own = |shown: &view::events::Shown| shown.site.is_some() && shown.site == site;
            self.cursor = self.table.iter().position(own).unwrap_or(0);
        }
        if view == View::Tensors {
            let row = self.site().and_then(|site| self.session.tensors.row_of(site));
            (self.cursor, self.sample) = (row.unwrap_or(0), 0);
        }
    }

    /// Makes the event table anew, on another thread if it is long.
    pub fn refresh(&mut self) {
        self.sorting = None;
        let request = Request {
            events: Arc::clone(&self.session.events),
            groups: Arc::clone(&self.session.groups),
            order: self.order,
            grouping: self.grouping,
            filter: self.filter.clone(),
        };
        match Table::of(request) {
            Table::Now(rows) => self.take(rows),
            Table::Later(sorting) => self.sorting = Some(sorting),
        }
    }

    /// Takes what another thread has made; whether there is anything new.
    pub fn poll(&mut self) -> bool {
        let Some(rows) = self.sorting.as_ref().and_then(Sorting::take) else { return false };
        self.sorting = None;
        self.take(rows);
        true
    }

    fn take(&mut self, rows: Vec<view::events::Shown>) {
        self.table = rows;
        self.shown = (self.grouping, self.order, self.filter.clone());
        self.cursor = self.cursor.min(self.len().saturating_sub(1));
    }

    /// Handles a key.
    pub fn key(&mut self, event: KeyEvent) {
        self.message = None;
        if self.prompt.is_some() {
            return self.type_key(event);
        }
        if self.help {
            self.help = false;
            return;
        }
        // Escape first ends what one waits for, then what was searched for.
        if event.code == KeyCode::Esc && self.loading.is_some() {
            self.cancel = true;
            return;
        }
        if event.code == KeyCode::Esc && self.sorting.take().is_some() {
            (self.grouping, self.order, self.filter) = self.shown.clone();
            self.message = Some("the table is as it was".into());
            return;
        }
        if event.code == KeyCode::Esc && !self.filter.is_empty() {
            self.filter.clear();
            return self.refresh();
        }
        if let Some(action) = self.keys.action(event) {
            self.act(action);
        }
    }

    /// Handles the mouse: the wheel moves, a click on a tab shows it.
    pub fn mouse(&mut self, event: MouseEvent) {
        match event.kind {
            MouseEventKind::ScrollDown => self.act(Action::Move(3)),
            MouseEventKind::ScrollUp => self.act(Action::Move(-3)),
            MouseEventKind::Down(_) if event.row == 0 => {
                if let Some(view) = view::tab_at(event.column, self.width) {
                    self.act(Action::Show(view));
                }
            }
            _ => {}
        }
    }

    /// Does what a key or a command stands for.
    pub fn act(&mut self, action: Action) {
        let current = VIEWS.iter().position(|view| *view == self.view).unwrap_or(0);
        match action {
            Action::Quit => self.done = true,
            Action::Show(view) => self.show(view),
            Action::Next => self.show(VIEWS[(current + 1) % VIEWS.len()]),
            Action::Previous => self.show(VIEWS[(current + VIEWS.len() - 1) % VIEWS.len()]),
            Action::Move(lines) => self.select(self.selected().saturating_add_signed(lines)),
            Action::Page(pages) => {
                let lines = pages * self.page.max(1) as isize;
                self.select(self.selected().saturating_add_signed(lines));
            }
            Action::First => self.select(0),
            Action::Last => self.select(usize::MAX),
            Action::Pan(direction) if self.view == View::Timeline => self.pan(direction),
            Action::Pan(direction) if self.view == View::Tensors => {
                let row = self.session.tensors.rows.get(self.cursor);
                let last = row.map_or(0, |row| row.data.len().saturating_sub(1));
                self.sample = self.sample.saturating_add_signed(direction).min(last);
            }
            Action::Pan(direction) => {
                self.select(self.selected().saturating_add_signed(direction));
            }
            Action::Zoom(direction) => self.zoom(direction),
            Action::Enter => self.enter(),
            Action::Back => match self.history.pop() {
                Some((view, step)) => {
                    self.step = step;
                    self.show(view);
                }
                None => self.message = Some("nowhere to go back to".into()),
            },
            Action::Peak => {
                let peak = self.session.memory.as_ref().map(|memory| memory.peak);
                let site = peak.and_then(|peak| self.session.instructions.get(peak));
                self.jump(View::Memory, site.map(|row| row.site));
            }
            Action::InFlight => match self.session.in_flight() {
                Some(site) => self.jump(View::Program, Some(site)),
                None => self.message = Some("no instruction is known to be in flight".into()),
            },
            Action::Producer => {
                let row = self.session.instructions.get(self.step);
                self.jump(View::Program, row.and_then(|row| row.producers.first().copied()));
            }
            Action::Consumer => {
                let row = self.session.instructions.get(self.step);
                self.jump(View::Program, row.and_then(|row| row.consumers.first().copied()));
            }
            Action::Sort => {
                self.order = match self.order {
                    Order::Time => Order::Sum,
                    Order::Sum => Order::Median,
                    Order::Median => Order::Name,
                    Order::Name => Order::Time,
                };
                self.refresh();
            }
            Action::Group => {
                self.grouping = self.next_grouping();
                self.cursor = 0;
                self.refresh();
            }
            Action::Search => self.prompt = Some(Prompt::Search(self.filter.clone())),
            Action::Palette => self.prompt = Some(Prompt::Palette(String::new())),
            Action::Yank => {
                let line = view::selected_line(self);
                self.message = Some(format!("copied: {line}"));
                self.clipboard = Some(line);
            }
            Action::Export => self.export = true,
            Action::Help => self.help = true,
        }
    }

    /// The next kind of group that there is, or none after the last.
    fn next_grouping(&self) -> Option<GroupBy> {
        let next = match self.grouping {
            None => 0,
            Some(kind) => KINDS.iter().position(|other| *other == kind)? + 1,
        };
        let mut after = KINDS.into_iter().skip(next);
        after.find(|kind| self.session.groups.get(*kind).is_some_and(|t| !t.rows.is_empty()))
    }

    fn enter(&mut self) {
        match self.view {
            View::Events => {
                let site = self.table.get(self.cursor).and_then(|shown| shown.site);
                self.jump(View::Program, site);
            }
            View::Overview | View::Findings => {
                let at = self.session.findings.get(self.cursor).and_then(|finding| finding.at);
                match at {
                    Some((chain, instruction)) => {
                        self.jump(View::Program, Some(Site { chain, instruction }));
                    }
                    None => self.message = Some("this finding is about no instruction".into()),
                }
            }
            View::Tensors => {
                let row = self.session.tensors.rows.get(self.cursor);
                let uses = row.and_then(|row| row.producers.first().or(row.consumers.first()));
                self.jump(View::Program, uses.copied());
            }
            View::Diff => {
                let row = self.session.diff.as_ref().and_then(|diff| diff.rows.get(self.cursor));
                self.jump(View::Program, row.and_then(|row| row.site));
            }
            View::Program => self.jump(View::Memory, self.site()),
            View::Memory | View::Timeline => self.jump(View::Program, self.site()),
        }
    }

    fn pan(&mut self, direction: isize) {
        let (from, to) = self.window;
        let (first, last) = self.session.spans.range;
        let by = ((to - from) / 4).max(1);
        let by = if direction < 0 { by.min(from - first) } else { by.min(last - to) };
        let moved = |tick: u64| if direction < 0 { tick - by } else { tick + by };
        self.window = (moved(from), moved(to));
    }

    /// Sees half or twice as much time, around the selected instruction if it
    /// is visible. A trace without times has nothing to zoom.
    fn zoom(&mut self, direction: isize) {
        let (first, last) = self.session.spans.range;
        let (from, to) = self.window;
        // Where operators have no events of their calls, their kernels have.
        let own = self.site().and_then(|site| {
            let lanes = [1, 2].into_iter();
            lanes.filter_map(|lane| self.session.spans.first_of(lane, site, (from, to))).next()
        });
        let centre = own.map_or(from + (to - from) / 2, |span| span.start);
        let width = if direction > 0 { (to - from) / 2 } else { (to - from).saturating_mul(2) };
        let width = width.clamp((last - first).min(16), last - first);
        let start = centre.saturating_sub(width / 2).clamp(first, last - width);
        self.window = (start, start + width);
    }
}
