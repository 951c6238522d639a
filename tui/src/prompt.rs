//! What is typed: a search, which goes to the best line or filters the events,
//! and commands by their names.

use crate::app::{App, Prompt, View};
use crate::keys::KEYS;
use crate::search;
use crate::view;
use ratatui::crossterm::event::{KeyCode, KeyEvent};

impl App {
    /// Handles a key of what is being typed.
    pub(crate) fn type_key(&mut self, event: KeyEvent) {
        let Some(prompt) = &mut self.prompt else { return };
        let (Prompt::Search(typed) | Prompt::Palette(typed)) = prompt;
        match event.code {
            KeyCode::Esc => {
                if matches!(prompt, Prompt::Search(_)) {
                    self.filter.clear();
                    self.refresh();
                }
                self.prompt = None;
                return;
            }
            KeyCode::Enter => return self.submit(),
            KeyCode::Backspace => {
                typed.pop();
            }
            KeyCode::Char(c) => typed.push(c),
            _ => return,
        }
        if let Prompt::Search(typed) = prompt {
            self.filter = typed.clone();
            self.refresh();
            self.find();
        }
    }

    /// The cursor goes to the line that matches best, in a view that shows all.
    fn find(&mut self) {
        if self.view == View::Events || self.filter.is_empty() {
            return;
        }
        let pattern = &self.filter;
        let of = |texts: &mut dyn Iterator<Item = &String>| {
            let scores = texts.enumerate();
            let scored =
                scores.filter_map(|(index, text)| Some((search::score(pattern, text)?, index)));
            scored.max_by_key(|(score, index)| (*score, std::cmp::Reverse(*index))).map(|(_, i)| i)
        };
        let found = match self.view {
            View::Overview | View::Findings => {
                of(&mut self.session.findings.iter().map(|finding| &finding.title))
            }
            View::Tensors => {
                let lines: Vec<String> =
                    self.session.tensors.rows.iter().map(view::tensors::line).collect();
                of(&mut lines.iter())
            }
            View::Diff => {
                let rows = self.session.diff.iter().flat_map(|diff| &diff.rows);
                of(&mut rows.map(|row| &row.name))
            }
            _ => of(&mut self.session.instructions.iter().map(|row| &row.name)),
        };
        match found {
            Some(row) => self.select(row),
            None => self.message = Some(format!("nothing matches {pattern:?}")),
        }
    }

    fn submit(&mut self) {
        match self.prompt.take() {
            Some(Prompt::Palette(typed)) => match commands(&typed).first() {
                Some(index) => self.act(KEYS[*index].action),
                None => self.message = Some(format!("no command matches {typed:?}")),
            },
            Some(Prompt::Search(_)) | None => {}
        }
    }
}

/// Commands that match what was typed, the best first.
pub fn commands(typed: &str) -> Vec<usize> {
    let mut found: Vec<(i64, usize)> = KEYS
        .iter()
        .enumerate()
        .filter_map(|(index, key)| Some((search::score(typed, key.command)?, index)))
        .collect();
    found.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
    found.into_iter().map(|(_, index)| index).collect()
}
