//! A line that is typed: the keys that change it are the same wherever there is one.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key does while a line is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The line is another.
    Changed,
    /// It is left, and nothing is wanted of it.
    Left,
    /// It is done.
    Entered,
    /// What is listed is gone through by so many rows.
    Moved(isize),
    /// Nothing.
    Nothing,
}

/// Does with `line` what a key says. Of Ctrl with a letter only what shells know has a
/// meaning, and the letter is never typed.
pub(crate) fn edit(line: &mut String, event: KeyEvent) -> Typed {
    // AltGr is Ctrl and Alt for some terminals, and types a character.
    let with = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    let ctrl = with == KeyModifiers::CONTROL;
    match event.code {
        KeyCode::Esc => return Typed::Left,
        KeyCode::Char('c') if ctrl => return Typed::Left,
        KeyCode::Enter => return Typed::Entered,
        KeyCode::Down => return Typed::Moved(1),
        KeyCode::Up => return Typed::Moved(-1),
        KeyCode::Char('n' | 'j') if ctrl => return Typed::Moved(1),
        KeyCode::Char('p' | 'k') if ctrl => return Typed::Moved(-1),
        KeyCode::Char('u') if ctrl => line.clear(),
        KeyCode::Char('w') if ctrl => line.truncate(last_word(line)),
        KeyCode::Char('h') if ctrl => drop(line.pop()),
        KeyCode::Char(letter) if !ctrl => line.push(letter),
        KeyCode::Backspace => drop(line.pop()),
        _ => return Typed::Nothing,
    }
    Typed::Changed
}

/// Where the last word of a line begins.
fn last_word(line: &str) -> usize {
    let words = line.trim_end();
    let blank = words.char_indices().rev().find(|(_, letter)| letter.is_whitespace());
    blank.map_or(0, |(at, letter)| at + letter.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_a_line_as_in_a_shell() {
        let (none, ctrl) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        for (line, letter, modifiers, after, typed) in [
            ("add", 'x', none, "addx", Typed::Changed),
            ("add", 'x', ctrl, "add", Typed::Nothing),
            ("add mul", 'u', ctrl, "", Typed::Changed),
            ("add mül ", 'w', ctrl, "add ", Typed::Changed),
            ("add", 'w', ctrl, "", Typed::Changed),
            ("add", 'h', ctrl, "ad", Typed::Changed),
            ("add", 'c', ctrl, "add", Typed::Left),
            ("add", 'n', ctrl, "add", Typed::Moved(1)),
            ("add", '@', ctrl | KeyModifiers::ALT, "add@", Typed::Changed),
        ] {
            let mut text = line.to_owned();
            let did = edit(&mut text, KeyEvent::new(KeyCode::Char(letter), modifiers));
            assert_eq!((text.as_str(), did), (after, typed), "{line} {letter} {modifiers:?}");
        }
    }
}
