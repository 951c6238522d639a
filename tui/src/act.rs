//! What keys and commands do to the state.

use crate::app::{App, Place, VIEWS, View};
use crate::columns::Order;
use crate::export::Kind;
use crate::finder::{Picker, Target};
use crate::groups::KINDS;
use crate::keys::Action;
use crate::line::{self, Typed};
use crate::tree::Line;
use crate::view;
use et_inspector::correlate::Site;
use et_inspector::events::GroupBy;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

impl App {
    /// Handles a key.
    pub fn key(&mut self, event: KeyEvent) {
        self.message = None;
        if self.picker.is_some() {
            return self.pick_key(event);
        }
        if self.typing {
            return self.type_key(event);
        }
        if let Some(first) = self.help {
            self.help = match self.keys.action(event) {
                Some(Action::Move(lines)) => Some(first.saturating_add_signed(lines)),
                Some(Action::Page(pages)) => Some(first.saturating_add_signed(pages * 8)),
                _ => None,
            };
            return;
        }
        if event.code == KeyCode::Esc {
            return self.escape();
        }
        if let Some(action) = self.keys.action(event) {
            self.act(action);
        }
    }

    /// Escape ends what one waits for first, then what was filtered.
    fn escape(&mut self) {
        if self.loading.is_some() {
            self.cancel = true;
        } else if self.cancel_list() {
        } else if !self.filter().is_empty() {
            self.set_filter(String::new());
        } else {
            let quit = self.keys.label(Action::Quit).to_owned();
            self.message = Some(format!("{quit} quits"));
        }
    }

    /// Handles a key of a filter that is typed.
    fn type_key(&mut self, event: KeyEvent) {
        let mut filter = self.filter().to_owned();
        match line::edit(&mut filter, event) {
            Typed::Changed => self.set_filter(filter),
            Typed::Moved(lines) => self.act(Action::Move(lines)),
            Typed::Entered => self.typing = false,
            Typed::Left => {
                self.typing = false;
                self.set_filter(String::new());
            }
            Typed::Nothing => {}
        }
    }

    /// Takes text from the clipboard: it is typed where something is typed, and
    /// no command elsewhere.
    pub fn paste(&mut self, text: &str) {
        if self.picker.is_none() && !self.typing {
            return;
        }
        for letter in text.chars().filter(|letter| !letter.is_control()) {
            self.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
        }
    }

    /// Whether something is made that the user waits for.
    pub fn is_busy(&self) -> bool {
        let looks = self.picker.as_ref().is_some_and(|picker| picker.is_busy());
        looks || self.is_looking() || self.maps() || self.lists.is_busy() || self.loading.is_some()
    }

    /// Does what a key or a command stands for.
    pub fn act(&mut self, action: Action) {
        let current = self.view.index();
        if let Some(view) = action.home().filter(|view| *view != self.view) {
            let key = self.keys.label(Action::Show(view));
            let command = self.keys.command(action);
            let name = view.name();
            self.message = Some(format!("only in {name}, which {key} shows: {command}"));
            return;
        }
        match action {
            Action::Quit => self.done = true,
            Action::Show(view) => self.go_to_view(view),
            Action::Next => self.go_to_view(VIEWS[(current + 1) % VIEWS.len()]),
            Action::Previous => self.go_to_view(VIEWS[(current + VIEWS.len() - 1) % VIEWS.len()]),
            Action::Move(lines) => self.select(self.selected().saturating_add_signed(lines)),
            Action::Page(pages) => {
                let lines = pages * self.page.max(1) as isize;
                self.select(self.selected().saturating_add_signed(lines));
            }
            Action::First => self.select(0),
            Action::Last => self.select(usize::MAX),
            Action::Pan(direction) => self.pan(direction),
            Action::Zoom(direction) => self.zoom(direction, None),
            Action::Whole => self.window = self.session.spans.range,
            Action::Enter => self.enter(),
            Action::Back => self.go_back(),
            Action::Forward => self.go_forward(),
            Action::Peak => {
                let peak = self.session.memory.as_ref().map(|memory| memory.peak);
                let site = peak.and_then(|peak| self.session.instructions.get(peak));
                let site = site.map(|row| row.site);
                self.jump(View::Memory, site);
            }
            Action::Slowest => self.go_to_slowest(),
            Action::InFlight => match self.session.in_flight() {
                Some(site) => self.jump(View::Program, Some(site)),
                None => self.message = Some("no instruction is known to be in flight".into()),
            },
            Action::Producer => self.follow(true),
            Action::Consumer => self.follow(false),
            Action::Fold => {
                self.tree.toggle();
                self.layout_program();
            }
            Action::FoldAll => {
                self.tree.toggle_all(&self.session);
                self.layout_program();
            }
            Action::Sort => self.sort_by_next(),
            Action::Reverse => {
                self.wanted.order.ascending ^= true;
                self.ask(View::Events);
            }
            Action::Group => self.group(self.next_grouping()),
            Action::Columns => self.picker = Some(Picker::columns(self)),
            Action::Search => self.picker = Some(Picker::everything(self)),
            Action::NextFound => self.go_to_found(1),
            Action::PreviousFound => self.go_to_found(-1),
            Action::Filter => match self.view {
                View::Memory | View::Timeline => {
                    let search = self.keys.label(Action::Search);
                    self.message = Some(format!("nothing is left out here; {search} searches"));
                }
                _ => self.typing = true,
            },
            Action::Palette => self.picker = Some(Picker::commands(self)),
            Action::Mark => self.mark(),
            Action::Marks => match self.marks.is_empty() {
                true => {
                    let key = self.keys.label(Action::Mark).to_owned();
                    self.message = Some(format!("nothing is marked; {key} marks an instruction"));
                }
                false => self.picker = Some(Picker::marks(self)),
            },
            Action::Methods => self.choose_method(),
            Action::Yank => {
                let line = view::selected_line(self);
                self.message = Some(format!("copied: {line}"));
                self.clipboard = Some(line);
            }
            Action::Export => self.export = Some(Kind::Text),
            Action::ExportTable => self.export = Some(Kind::Table),
            Action::Mouse => {
                self.mouse = !self.mouse;
                let whose = if self.mouse { "taken again" } else { "left to the terminal" };
                self.message = Some(format!("the mouse is {whose}"));
            }
            Action::Suspend => self.suspend = true,
            Action::Help => self.help = Some(0),
        }
    }

    pub(crate) fn go_to_view(&mut self, view: View) {
        if view != self.view {
            self.remember();
            self.show(view);
        }
    }

    fn go_back(&mut self) {
        let here = self.place();
        match self.history.pop() {
            Some(place) => {
                self.future.push(here);
                self.return_to(place);
            }
            None => self.message = Some("nowhere to go back to".into()),
        }
    }

    fn go_forward(&mut self) {
        let here: Place = self.place();
        match self.future.pop() {
            Some(place) => {
                self.history.push(here);
                self.return_to(place);
            }
            None => self.message = Some("nowhere to go forward to".into()),
        }
    }

    /// To the instruction with the most own time, in a view that shows it.
    fn go_to_slowest(&mut self) {
        let events = &self.session.events;
        let Some(row) = events.largest.first().map(|event| event.row) else {
            self.message = Some("no trace was given that says what is slow".into());
            return;
        };
        match self.view {
            View::Timeline | View::Memory | View::Program => {
                let site = events.rows.get(row as usize).and_then(|row| row.site);
                self.jump(self.view, site);
            }
            _ => self.go_to(&Target::Event(row)),
        }
    }

    /// Goes to the instruction that wrote what the cursor is at, or that reads it.
    fn follow(&mut self, to_producer: bool) {
        let session = &self.session;
        let argument = match (self.view, self.tree.selected()) {
            (View::Program, Some(Line::Argument(step, index))) => {
                session.instructions.get(step).and_then(|row| row.arguments.get(index))
            }
            _ => None,
        };
        let found: Vec<Site> = match (argument, session.instructions.get(self.step)) {
            (Some(argument), _) if to_producer => {
                session.definition(self.step, argument).into_iter().collect()
            }
            (Some(argument), _) => session.uses(self.step, argument),
            (None, Some(row)) if to_producer => row.producers.clone(),
            (None, Some(row)) => row.consumers.clone(),
            (None, None) => Vec::new(),
        };
        let view = match self.view {
            View::Memory | View::Timeline => self.view,
            _ => View::Program,
        };
        match found[..] {
            [] => {
                self.message = Some(match to_producer {
                    true => "its inputs are constants, or the caller's".into(),
                    false => "no instruction reads its outputs".into(),
                });
            }
            [site] => self.jump(view, Some(site)),
            _ => {
                let title = if to_producer { "producers" } else { "consumers" };
                self.picker = Some(Picker::sites(self, title, &found));
            }
        }
    }

    fn sort_by_next(&mut self) {
        let shown = view::events::columns(self, usize::from(self.width));
        let next = match self.wanted.order.column {
            None => shown.first(),
            Some(column) => {
                let at = shown.iter().position(|other| *other == column);
                at.and_then(|at| shown.get(at + 1))
            }
        };
        self.sort(next.map_or_else(Order::default, |column| Order::by(*column)));
    }

    /// Orders the event table.
    pub(crate) fn sort(&mut self, order: Order) {
        self.wanted.order = order;
        self.ask(View::Events);
    }

    /// Groups the event table.
    pub(crate) fn group(&mut self, kind: Option<GroupBy>) {
        self.wanted.grouping = kind;
        self.cursors[View::Events.index()] = 0;
        self.ask(View::Events);
    }

    /// The next kind of group that there is, or none after the last.
    fn next_grouping(&self) -> Option<GroupBy> {
        let next = match self.wanted.grouping {
            None => 0,
            Some(kind) => KINDS.iter().position(|other| *other == kind)? + 1,
        };
        let mut after = KINDS.into_iter().skip(next);
        after.find(|kind| self.session.groups.get(*kind).is_some())
    }

    fn mark(&mut self) {
        let Some(site) = self.site() else {
            self.message = Some("no instruction is selected".into());
            return;
        };
        let place = crate::events::site_text(site);
        self.message = Some(match self.marks.remove(&site) {
            true => format!("{place} is no longer marked"),
            false => {
                self.marks.insert(site);
                format!("{place} is marked; {} lists the marks", self.keys.label(Action::Marks))
            }
        });
    }

    fn choose_method(&mut self) {
        let methods = self.session.facts.as_ref().map_or(0, |facts| facts.methods.len());
        match methods {
            0 => self.message = Some("no program was given".into()),
            1 => self.message = Some("the program has no other method".into()),
            _ => self.picker = Some(Picker::methods(self)),
        }
    }

    fn enter(&mut self) {
        let session = &self.session;
        match self.view {
            View::Program => match self.tree.selected() {
                Some(Line::Argument(step, index)) => {
                    let argument = session.instructions.get(step).map(|row| &row.arguments[index]);
                    match argument.map(|argument| argument.output) {
                        Some(false) => self.follow(true),
                        _ => self.follow(false),
                    }
                }
                _ => self.act(Action::Fold),
            },
            View::Memory | View::Timeline => self.jump(View::Program, self.site()),
            _ => match self.site_of_row() {
                Some(site) => self.jump(View::Program, Some(site)),
                None => {
                    self.message = Some(match self.view {
                        View::Overview | View::Findings if !self.is_empty() => {
                            "this finding is about the method as a whole".into()
                        }
                        _ => "this row is about no single instruction".into(),
                    });
                }
            },
        }
    }

    fn pan(&mut self, direction: isize) {
        match self.view {
            View::Timeline => self.pan_time(direction),
            View::Tensors => {
                let row = self.row().and_then(|row| self.session.tensors.rows.get(row));
                let last = row.map_or(0, |row| row.data.len().saturating_sub(1));
                self.sample = self.sample.saturating_add_signed(direction).min(last);
            }
            View::Program => {
                if self.tree.arrow(direction > 0) {
                    self.layout_program();
                }
            }
            _ => self.select(self.selected().saturating_add_signed(direction)),
        }
    }

    fn pan_time(&mut self, direction: isize) {
        let (from, to) = self.window;
        let (first, last) = self.session.spans.range;
        let by = ((to - from) / 4).max(1);
        let by = if direction < 0 { by.min(from - first) } else { by.min(last - to) };
        let moved = |tick: u64| if direction < 0 { tick - by } else { tick + by };
        self.window = (moved(from), moved(to));
    }

    /// The timeline shows the selected instruction, if it has any time at all.
    pub(crate) fn reveal(&mut self) {
        let spans = &self.session.spans;
        let Some(site) = self.site() else { return };
        let (from, to) = self.window;
        let (first, last) = spans.range;
        if self.window == spans.range || spans.first_of(site, self.window).is_some() {
            return;
        }
        let near =
            spans.first_of(site, (from, last)).or_else(|| spans.first_of(site, (first, last)));
        let Some(span) = near else { return };
        let (width, start) = (to - from, span.start);
        let start =
            start.saturating_sub(width / 4).clamp(first, last.saturating_sub(width).max(first));
        self.window = (start, start + width);
    }

    /// Sees half or twice as much time, around a tick, or the selected
    /// instruction if it is visible. A trace without times has nothing to zoom.
    pub(crate) fn zoom(&mut self, direction: isize, around: Option<u64>) {
        let (first, last) = self.session.spans.range;
        let (from, to) = self.window;
        let width = if direction > 0 { (to - from) / 2 } else { (to - from).saturating_mul(2) };
        let width = width.clamp((last - first).min(16), last - first);
        let start = match around {
            // What is under the mouse stays there.
            Some(tick) => {
                let before = u128::from(tick.saturating_sub(from)) * u128::from(width);
                tick.saturating_sub((before / u128::from((to - from).max(1))) as u64)
            }
            None => {
                let own =
                    self.site().and_then(|site| self.session.spans.first_of(site, self.window));
                let centre = own.map_or(from + (to - from) / 2, |span| span.start);
                centre.saturating_sub(width / 2)
            }
        };
        let start = start.clamp(first, last - width);
        self.window = (start, start + width);
    }

    fn go_to_found(&mut self, direction: isize) {
        let (found, at) = &self.found;
        if found.is_empty() {
            let key = self.keys.label(Action::Search);
            self.message = Some(format!("nothing was searched for yet; {key} searches"));
            return;
        }
        let count = found.len();
        let next = (at + count).saturating_add_signed(direction) % count;
        let target: Target = found[next].clone();
        self.found.1 = next;
        self.go_to(&target);
        self.message = Some(format!("{} of {count} found", next + 1));
    }
}
