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
    /// Move sideways: along time or memory.
    Pan(isize),
    /// See more or less of it at once.
    Zoom(isize),
    /// Go to what is selected.
    Enter,
    /// Back to where the cursor was.
    Back,
    /// To the instruction at the peak of memory.
    Peak,
    /// To the instruction in flight.
    InFlight,
    /// To the instruction that wrote an input.
    Producer,
    /// To an instruction that reads an output.
    Consumer,
    /// Order of the table.
    Sort,
    /// Group the table.
    Group,
    /// Search.
    Search,
    /// List of all commands.
    Palette,
    /// Copy the selected line.
    Yank,
    /// Write the view to a file.
    Export,
    /// Explain the keys.
    Help,
}

/// A key with its action and what the help says of it.
pub struct Key {
    /// What is shown.
    pub label: &'static str,
    codes: &'static [KeyCode],
    /// Name of the command, for the palette.
    pub command: &'static str,
    /// What it does.
    pub action: Action,
}

const fn key(
    label: &'static str,
    codes: &'static [KeyCode],
    action: Action,
    command: &'static str,
) -> Key {
    Key { label, codes, command, action }
}

use KeyCode::Char;

/// All keys, in the order of the help.
pub const KEYS: &[Key] = &[
    key("1 o", &[Char('1'), Char('o')], Action::Show(View::Overview), "overview"),
    key("2 e", &[Char('2'), Char('e')], Action::Show(View::Events), "events"),
    key("3 t", &[Char('3'), Char('t')], Action::Show(View::Timeline), "timeline"),
    key("4 m", &[Char('4'), Char('m')], Action::Show(View::Memory), "memory"),
    key("5 p", &[Char('5'), Char('p')], Action::Show(View::Program), "program"),
    key("6 f", &[Char('6'), Char('f')], Action::Show(View::Findings), "findings"),
    key("7 x", &[Char('7'), Char('x')], Action::Show(View::Tensors), "tensors"),
    key("8 D", &[Char('8'), Char('D')], Action::Show(View::Diff), "difference to a base"),
    key("Tab", &[KeyCode::Tab], Action::Next, "next view"),
    key("S-Tab", &[KeyCode::BackTab], Action::Previous, "previous view"),
    key("j ↓", &[Char('j'), KeyCode::Down], Action::Move(1), "down"),
    key("k ↑", &[Char('k'), KeyCode::Up], Action::Move(-1), "up"),
    key("PgDn", &[KeyCode::PageDown, Char(' ')], Action::Page(1), "page down"),
    key("PgUp", &[KeyCode::PageUp], Action::Page(-1), "page up"),
    key("g", &[Char('g'), KeyCode::Home], Action::First, "first line"),
    key("G", &[Char('G'), KeyCode::End], Action::Last, "last line"),
    key("h ←", &[Char('h'), KeyCode::Left], Action::Pan(-1), "left: earlier"),
    key("l →", &[Char('l'), KeyCode::Right], Action::Pan(1), "right: later"),
    key("+", &[Char('+'), Char('=')], Action::Zoom(1), "zoom in"),
    key("-", &[Char('-')], Action::Zoom(-1), "zoom out"),
    key("Enter", &[KeyCode::Enter], Action::Enter, "go to the instruction"),
    key("b", &[Char('b'), KeyCode::Backspace], Action::Back, "back"),
    key("P", &[Char('P')], Action::Peak, "peak of memory"),
    key("i", &[Char('i')], Action::InFlight, "instruction in flight"),
    key("u", &[Char('u')], Action::Producer, "producer of an input"),
    key("d", &[Char('d')], Action::Consumer, "consumer of an output"),
    key("s", &[Char('s')], Action::Sort, "sort by the next column"),
    key("v", &[Char('v')], Action::Group, "group by the next kind"),
    key("/", &[Char('/')], Action::Search, "search"),
    key(":", &[Char(':')], Action::Palette, "all commands"),
    key("y", &[Char('y')], Action::Yank, "copy the line"),
    key("w", &[Char('w')], Action::Export, "write the view to a file"),
    key("?", &[Char('?')], Action::Help, "help"),
    key("q", &[Char('q'), KeyCode::Esc], Action::Quit, "quit"),
];

/// What keys do: as the table has it, or as the user wants it.
#[derive(Clone, Debug)]
pub struct Keymap {
    bound: Vec<Bound>,
}

/// A command with its keys.
#[derive(Clone, Debug)]
struct Bound {
    label: String,
    codes: Vec<KeyCode>,
    command: &'static str,
    action: Action,
}

impl Default for Keymap {
    fn default() -> Self {
        let bound = KEYS.iter().map(|key| Bound {
            label: key.label.to_owned(),
            codes: key.codes.to_vec(),
            command: key.command,
            action: key.action,
        });
        Keymap { bound: bound.collect() }
    }
}

impl Keymap {
    /// What a key does.
    pub fn action(&self, event: KeyEvent) -> Option<Action> {
        if event.modifiers.contains(KeyModifiers::CONTROL) {
            return match event.code {
                Char('c') => Some(Action::Quit),
                Char('d' | 'f') => Some(Action::Page(1)),
                Char('u' | 'b') => Some(Action::Page(-1)),
                _ => None,
            };
        }
        self.bound.iter().find(|key| key.codes.contains(&event.code)).map(|key| key.action)
    }

    /// Gives a command other keys; `false` if there is no such command.
    pub(crate) fn bind(&mut self, command: &str, codes: Vec<KeyCode>, label: String) -> bool {
        let Some(bound) = self.bound.iter_mut().find(|bound| bound.command == command) else {
            return false;
        };
        (bound.codes, bound.label) = (codes, label);
        true
    }

    /// Two commands with the same key.
    pub(crate) fn twice(&self) -> Option<(&'static str, &'static str)> {
        let shares = |a: &Bound, b: &Bound| a.codes.iter().any(|code| b.codes.contains(code));
        self.bound.iter().enumerate().find_map(|(index, first)| {
            let second = self.bound[index + 1..].iter().find(|second| shares(first, second))?;
            Some((first.command, second.command))
        })
    }

    /// Names of all commands.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static str> {
        self.bound.iter().map(|bound| bound.command)
    }

    /// Keys and names of all commands.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.bound.iter().map(|bound| (bound.label.as_str(), bound.command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_actions() {
        assert_eq!(Keymap::default().twice(), None);
    }
}
