//! Keys and colours from a TOML file, checked word by word.
//!
//! ```toml
//! palette = "colour-blind"        # or "terminal"
//!
//! [colors]
//! heading = "#56b4e9"             # or a name, such as "light-blue"
//!
//! [keys]
//! "next view" = ["Tab", "n"]      # the names that `:` lists
//! quit = ["Q", "C-q"]             # C- is Ctrl
//! ```

use crate::keys::{Keymap, NAMED, Stroke};
use crate::theme::{Depth, Palette, Theme};
use ratatui::crossterm::event::KeyCode;
use ratatui::style::Color;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Keys and colours.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What keys do.
    pub keys: Keymap,
    /// Colours.
    pub palette: Palette,
    /// Whether the mouse is left to the terminal, which then selects text with it.
    pub no_mouse: bool,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    palette: Option<String>,
    #[serde(default)]
    mouse: Option<bool>,
    #[serde(default)]
    colors: BTreeMap<String, String>,
    #[serde(default)]
    keys: BTreeMap<String, Keys>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

impl Config {
    /// What the text of a file says.
    ///
    /// # Errors
    /// What is wrong, and what was meant perhaps.
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut config = Config { no_mouse: raw.mouse == Some(false), ..Config::default() };
        if let Some(name) = &raw.palette {
            config.palette = Palette::named(name)
                .ok_or_else(|| unknown("palette", name, Palette::NAMES.iter().copied()))?;
        }
        for (name, value) in &raw.colors {
            let color = Color::from_str(value).map_err(|_| {
                format!("colors.{name}: {value:?} is no color; write \"blue\" or \"#56b4e9\"")
            })?;
            let place = config.palette.color(name);
            *place.ok_or_else(|| unknown("color", name, Palette::COLORS.iter().copied()))? = color;
        }
        for (command, keys) in &raw.keys {
            let names: Vec<&str> = match keys {
                Keys::One(name) => vec![name],
                Keys::Several(names) => names.iter().map(String::as_str).collect(),
            };
            let strokes = names.iter().map(|name| {
                stroke(name).ok_or_else(|| {
                    let others = NAMED.iter().map(|(name, _)| *name);
                    format!("keys.{command:?}: {}", unknown("key", name, others))
                })
            });
            let strokes = strokes.collect::<Result<Vec<_>, String>>()?;
            if !config.keys.bind(command, strokes, names.join(" ")) {
                return Err(unknown("command", command, config.keys.commands()));
            }
        }
        match config.keys.twice() {
            Some((first, second)) => Err(format!(
                "{first:?} and {second:?} have the same key; bind one of them to another"
            )),
            None => Ok(config),
        }
    }

    /// A theme with these colours, as far as the terminal shows them.
    pub fn theme(&self, color: bool, unicode: bool, depth: Depth) -> Theme {
        Theme { color, unicode, palette: self.palette.for_depth(depth), depth }
    }
}

/// A key by its name, with `C-` before it if Ctrl is held.
fn stroke(name: &str) -> Option<Stroke> {
    match name.strip_prefix("C-") {
        Some(letter) => Some(Stroke { code: code(letter)?, ctrl: true }),
        None => Some(Stroke { code: code(name)?, ctrl: false }),
    }
}

fn code(name: &str) -> Option<KeyCode> {
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return (!letter.is_control()).then_some(KeyCode::Char(letter));
    }
    let number = name.strip_prefix('F').and_then(|number| number.parse().ok());
    if let Some(number @ 1..=12) = number {
        return Some(KeyCode::F(number));
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, code)| *code)
}

/// Says what is not known, and what is like it or what there is.
fn unknown<'n>(kind: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    let nearest = known.iter().map(|known| (distance(name, known), known)).min();
    let hint = match nearest {
        Some((distance, known)) if distance <= name.chars().count() / 2 => {
            format!("did you mean {known:?}?")
        }
        _ => format!("there are {}", known.join(", ")),
    };
    format!("no {kind} {name:?}; {hint}")
}

/// Letters to change, add, leave out or swap with the next to make one word of the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Action;
    use ratatui::crossterm::event::{KeyEvent, KeyModifiers};

    fn pressed(config: &Config, code: KeyCode) -> Option<Action> {
        config.keys.action(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn keys_and_colors_are_taken() {
        let text = "palette = \"colour-blind\"\nmouse = false\n[colors]\nbar = \"#102030\"\n\
                    [keys]\nquit = [\"Q\", \"C-q\"]\n\"next view\" = [\"Tab\", \"n\"]";
        let config = Config::parse(text).expect("a good file");
        assert_eq!(pressed(&config, KeyCode::Char('Q')), Some(Action::Quit));
        assert_eq!(pressed(&config, KeyCode::Char('q')), None);
        let ctrl = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::CONTROL);
        assert_eq!(config.keys.action(ctrl), Some(Action::Quit));
        assert!(config.no_mouse);
        assert_eq!(pressed(&config, KeyCode::Char('n')), Some(Action::Next));
        assert_eq!(config.palette.bar, Color::Rgb(0x10, 0x20, 0x30));
        assert_ne!(config.palette.alarm, Palette::default().alarm);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_was_meant() {
        for (text, wanted) in [
            ("palette = \"color-blind\"", "did you mean \"colour-blind\"?"),
            ("[colors]\nheadin = \"blue\"", "did you mean \"heading\"?"),
            ("[colors]\nbar = \"bluish\"", "\"bluish\" is no color"),
            ("[keys]\nquti = \"Q\"", "no command \"quti\"; did you mean \"quit\"?"),
            ("[keys]\nquit = \"Etner\"", "did you mean \"Enter\"?"),
            ("[keys]\nquit = \"j\"\ndown = \"j\"", "have the same key"),
            ("pallete = \"x\"", "unknown field"),
        ] {
            let error = Config::parse(text).expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn words_are_as_far_as_their_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("qiut", "Quit"), 1);
    }
}
