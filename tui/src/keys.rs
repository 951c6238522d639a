//! The one table of keys: it handles them, and the help is made of it.

use crate::app::View;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave.
    Quit,
    /// Show a view.
    Show(View),
    /// Show the next view.
    Next,
    /// Show the view before.
    Previous,
    /// Move the cursor by lines.
    Move(isize),
    /// Move the cursor by pages.
    Page(isize),
    /// Move the cursor to the first line.
    First,
    /// Move the cursor to the last line.
    Last,
    /// Move sideways: along time, memory or runs.
    Pan(isize),
    /// See more or less of it at once.
    Zoom(isize),
    /// See all of the time.
    Whole,
    /// Go to what is selected.
    Enter,
    /// Back to where the cursor was.
    Back,
    /// Forward again.
    Forward,
    /// To the instruction at the peak of memory.
    Peak,
    /// To the instruction that takes most time.
    Slowest,
    /// To the instruction in flight.
    InFlight,
    /// To the instruction that wrote an input.
    Producer,
    /// To an instruction that reads an output.
    Consumer,
    /// Show or hide what belongs to the line.
    Fold,
    /// Show or hide what belongs to all lines.
    FoldAll,
    /// Order of the table, by the next column.
    Sort,
    /// The other end of the order first.
    Reverse,
    /// Group the table.
    Group,
    /// Choose the columns.
    Columns,
    /// Look for anything.
    Search,
    /// To the next thing that was found.
    NextFound,
    /// To the one before.
    PreviousFound,
    /// Keep some lines only.
    Filter,
    /// List of all commands.
    Palette,
    /// Mark the instruction, or no longer.
    Mark,
    /// List of the marks.
    Marks,
    /// Another method of the program.
    Methods,
    /// Copy the selected line.
    Yank,
    /// Write the view to a file.
    Export,
    /// Write the table of the view to a file.
    ExportTable,
    /// Leave the mouse to the terminal, or take it again.
    Mouse,
    /// Stop until the shell goes on with it.
    Suspend,
    /// Explain the keys.
    Help,
}

impl Action {
    /// The view in which alone it means anything.
    pub(crate) fn home(self) -> Option<View> {
        match self {
            Action::Sort | Action::Reverse | Action::Group | Action::Columns => Some(View::Events),
            Action::Zoom(_) | Action::Whole => Some(View::Timeline),
            Action::Fold | Action::FoldAll => Some(View::Program),
            _ => None,
        }
    }
}

/// A key, with Ctrl or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// The key.
    pub code: KeyCode,
    /// Whether Ctrl is held.
    pub ctrl: bool,
}

impl Stroke {
    const fn plain(code: KeyCode) -> Self {
        Stroke { code, ctrl: false }
    }

    const fn ctrl(letter: char) -> Self {
        Stroke { code: KeyCode::Char(letter), ctrl: true }
    }

    /// As a file of keys has it.
    fn name(&self) -> String {
        let name = match self.code {
            KeyCode::Char(letter) => letter.to_string(),
            KeyCode::F(number) => format!("F{number}"),
            other => {
                let named = NAMED.iter().find(|(_, code)| *code == other);
                named.map_or("?", |(name, _)| name).to_owned()
            }
        };
        if self.ctrl { format!("C-{name}") } else { name }
    }
}

/// Keys that have a name instead of a character.
pub(crate) const NAMED: [(&str, KeyCode); 14] = [
    ("Tab", KeyCode::Tab),
    ("S-Tab", KeyCode::BackTab),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
];

/// A key with its action and what the help says of it.
pub struct Key {
    /// What is shown.
    pub label: &'static str,
    strokes: &'static [Stroke],
    /// Name of the command, for the palette.
    pub command: &'static str,
    /// What it does.
    pub action: Action,
    /// In which part of the help it stands.
    pub part: Part,
}

/// Parts of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The views.
    Views,
    /// The cursor.
    Move,
    /// From one thing to another.
    Go,
    /// What is shown, and how.
    Show,
    /// Everything else.
    Else,
}

const fn key(
    label: &'static str,
    strokes: &'static [Stroke],
    action: Action,
    command: &'static str,
    part: Part,
) -> Key {
    Key { label, strokes, command, action, part }
}

use Part::{Else, Go, Move, Show, Views};

const fn c(letter: char) -> Stroke {
    Stroke::plain(KeyCode::Char(letter))
}

const fn k(code: KeyCode) -> Stroke {
    Stroke::plain(code)
}

const fn ctrl(letter: char) -> Stroke {
    Stroke::ctrl(letter)
}

/// All keys, in the order of the help.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("1 o", &[c('1'), c('o')], Action::Show(View::Overview), "overview", Views),
    key("2 e", &[c('2'), c('e')], Action::Show(View::Events), "events", Views),
    key("3 t", &[c('3'), c('t')], Action::Show(View::Timeline), "timeline", Views),
    key("4 m", &[c('4'), c('m')], Action::Show(View::Memory), "memory", Views),
    key("5 p", &[c('5'), c('p')], Action::Show(View::Program), "program", Views),
    key("6 f", &[c('6'), c('f')], Action::Show(View::Findings), "findings", Views),
    key("7 x", &[c('7'), c('x')], Action::Show(View::Tensors), "tensors", Views),
    key("8 D", &[c('8'), c('D')], Action::Show(View::Diff), "difference to a base", Views),
    key("Tab", &[k(KeyCode::Tab)], Action::Next, "next view", Views),
    key("S-Tab", &[k(KeyCode::BackTab)], Action::Previous, "previous view", Views),
    key("j ↓", &[c('j'), k(KeyCode::Down)], Action::Move(1), "down", Move),
    key("k ↑", &[c('k'), k(KeyCode::Up)], Action::Move(-1), "up", Move),
    key("PgDn", &[k(KeyCode::PageDown), c(' '), ctrl('d'), ctrl('f')], Action::Page(1), "page down", Move),
    key("PgUp", &[k(KeyCode::PageUp), ctrl('u'), ctrl('b')], Action::Page(-1), "page up", Move),
    key("g", &[c('g'), k(KeyCode::Home)], Action::First, "first line", Move),
    key("G", &[c('G'), k(KeyCode::End)], Action::Last, "last line", Move),
    key("h ←", &[c('h'), k(KeyCode::Left)], Action::Pan(-1), "left: earlier, fold", Move),
    key("l →", &[c('l'), k(KeyCode::Right)], Action::Pan(1), "right: later, unfold", Move),
    key("+", &[c('+'), c('=')], Action::Zoom(1), "zoom in", Move),
    key("-", &[c('-')], Action::Zoom(-1), "zoom out", Move),
    key("0", &[c('0')], Action::Whole, "all of the time", Move),
    key("Enter", &[k(KeyCode::Enter)], Action::Enter, "go to what is selected", Go),
    key("b", &[c('b'), k(KeyCode::Backspace), ctrl('o')], Action::Back, "back", Go),
    key("B", &[c('B')], Action::Forward, "forward", Go),
    key("P", &[c('P')], Action::Peak, "peak of memory", Go),
    key("S", &[c('S')], Action::Slowest, "slowest instruction", Go),
    key("i", &[c('i')], Action::InFlight, "instruction in flight", Go),
    key("u", &[c('u')], Action::Producer, "producer of an input", Go),
    key("d", &[c('d')], Action::Consumer, "consumer of an output", Go),
    key("M", &[c('M')], Action::Mark, "mark the instruction", Go),
    key("'", &[c('\'')], Action::Marks, "list of marks", Go),
    key("/", &[c('/')], Action::Search, "search everything", Go),
    key("n", &[c('n')], Action::NextFound, "next found", Go),
    key("N", &[c('N')], Action::PreviousFound, "previous found", Go),
    key("&", &[c('&')], Action::Filter, "filter the lines", Show),
    key("s", &[c('s')], Action::Sort, "sort by the next column", Show),
    key("r", &[c('r')], Action::Reverse, "reverse the order", Show),
    key("v", &[c('v')], Action::Group, "group by the next kind", Show),
    key("c", &[c('c')], Action::Columns, "columns", Show),
    key("z", &[c('z')], Action::Fold, "fold or unfold", Show),
    key("Z", &[c('Z')], Action::FoldAll, "fold or unfold all", Show),
    key("a", &[c('a')], Action::Methods, "another method", Show),
    key(":", &[c(':')], Action::Palette, "all commands", Else),
    key("y", &[c('y')], Action::Yank, "copy the line", Else),
    key("w", &[c('w')], Action::Export, "write the view to a file", Else),
    key("W", &[c('W')], Action::ExportTable, "write the table as CSV", Else),
    key("X", &[c('X')], Action::Mouse, "mouse on or off", Else),
    key("C-z", &[ctrl('z')], Action::Suspend, "suspend", Else),
    key("?", &[c('?'), k(KeyCode::F(1))], Action::Help, "help", Else),
    key("q", &[c('q'), ctrl('c')], Action::Quit, "quit", Else),
];

/// What keys do: as the table has it, or as the user wants it.
#[derive(Clone, Debug)]
pub struct Keymap {
    bound: Vec<Bound>,
}

/// A command with its keys.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub label: String,
    strokes: Vec<Stroke>,
    pub command: &'static str,
    pub action: Action,
    pub part: Part,
    /// Whether the user chose the keys.
    is_own: bool,
}

impl Default for Keymap {
    fn default() -> Self {
        let bound = KEYS.iter().map(|key| Bound {
            label: key.label.to_owned(),
            strokes: key.strokes.to_vec(),
            command: key.command,
            action: key.action,
            part: key.part,
            is_own: false,
        });
        Keymap { bound: bound.collect() }
    }
}

impl Keymap {
    /// What a key does.
    pub fn action(&self, event: KeyEvent) -> Option<Action> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let stroke = Stroke { code: event.code, ctrl };
        self.bound.iter().find(|key| key.strokes.contains(&stroke)).map(|key| key.action)
    }

    /// Gives a command other keys; `false` if there is no such command. A key
    /// that the user chose is taken from the command that the table gives it to.
    pub(crate) fn bind(&mut self, command: &str, strokes: Vec<Stroke>, label: String) -> bool {
        let Some(index) = self.bound.iter().position(|bound| bound.command == command) else {
            return false;
        };
        for other in self.bound.iter_mut().filter(|other| !other.is_own) {
            if other.strokes.iter().any(|stroke| strokes.contains(stroke)) {
                other.strokes.retain(|stroke| !strokes.contains(stroke));
                other.label = other.strokes.iter().map(Stroke::name).collect::<Vec<_>>().join(" ");
            }
        }
        let bound = &mut self.bound[index];
        (bound.strokes, bound.label, bound.is_own) = (strokes, label, true);
        true
    }

    /// Two commands with the same key.
    pub(crate) fn twice(&self) -> Option<(&'static str, &'static str)> {
        let shares =
            |a: &Bound, b: &Bound| a.strokes.iter().any(|stroke| b.strokes.contains(stroke));
        self.bound.iter().enumerate().find_map(|(index, first)| {
            let second = self.bound[index + 1..].iter().find(|second| shares(first, second))?;
            Some((first.command, second.command))
        })
    }

    /// Names of all commands.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static str> {
        self.bound.iter().map(|bound| bound.command)
    }

    /// All commands with their keys.
    pub(crate) fn bound(&self) -> &[Bound] {
        &self.bound
    }

    /// What the palette calls an action.
    pub(crate) fn command(&self, action: Action) -> &'static str {
        let bound = self.bound.iter().find(|bound| bound.action == action);
        bound.map_or("", |bound| bound.command)
    }

    /// The first key of a command, as it is shown.
    pub(crate) fn label(&self, action: Action) -> &str {
        let bound = self.bound.iter().find(|bound| bound.action == action);
        bound.map_or("", |bound| bound.label.split(' ').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_actions() {
        assert_eq!(Keymap::default().twice(), None);
    }

    #[test]
    fn ctrl_makes_another_key_of_a_letter() {
        let keys = Keymap::default();
        let pressed = |modifiers| keys.action(KeyEvent::new(KeyCode::Char('d'), modifiers));
        assert_eq!(pressed(KeyModifiers::NONE), Some(Action::Consumer));
        assert_eq!(pressed(KeyModifiers::CONTROL), Some(Action::Page(1)));
    }
}
