//! The program as foldable text: the method with its inputs and outputs, its
//! chains, their instructions, and the tensors of each.

use crate::session::Session;
use std::collections::BTreeSet;

/// A line of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A chain.
    Chain(usize),
    /// An instruction, by its row.
    Instruction(usize),
    /// An argument of an instruction.
    Argument(usize, usize),
    /// Where its source is.
    Source(usize),
}

impl Line {
    /// The instruction that it belongs to.
    pub fn step(self) -> Option<usize> {
        match self {
            Line::Chain(_) => None,
            Line::Instruction(step) | Line::Argument(step, _) | Line::Source(step) => Some(step),
        }
    }
}

/// Which lines there are, and which is selected.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    lines: Vec<Line>,
    /// The first instruction of each chain.
    firsts: Vec<usize>,
    /// Chains that are folded.
    folded: BTreeSet<usize>,
    /// Instructions that are not, by their rows; those behind the end are.
    open: Vec<bool>,
    /// The selected line.
    pub cursor: usize,
}

impl Tree {
    /// The lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The selected line.
    pub fn selected(&self) -> Option<Line> {
        self.lines.get(self.cursor).copied()
    }

    /// Whether an instruction shows its tensors.
    pub fn is_open(&self, step: usize) -> bool {
        self.open.get(step).copied().unwrap_or(false)
    }

    fn set_open(&mut self, step: usize, open: bool) {
        if step >= self.open.len() {
            self.open.resize(step + 1, false);
        }
        self.open[step] = open;
    }

    /// Whether a chain shows its instructions.
    pub fn is_folded(&self, chain: usize) -> bool {
        self.folded.contains(&chain)
    }

    /// Makes the lines anew: of all instructions, or of those that a filter keeps,
    /// in their order.
    pub fn layout(&mut self, session: &Session, kept: Option<&[u32]>) {
        let selected = self.selected();
        self.lines.clear();
        self.firsts = session.chains.iter().map(|range| range.start).collect();
        for (chain, range) in session.chains.iter().enumerate() {
            self.lines.push(Line::Chain(chain));
            if self.folded.contains(&chain) {
                continue;
            }
            match kept {
                None => self.layout_steps(session, range.clone()),
                Some(kept) => {
                    let at = |step: usize| kept.partition_point(|own| (*own as usize) < step);
                    let own = kept[at(range.start)..at(range.end)].iter();
                    self.layout_steps(session, own.map(|step| *step as usize));
                }
            }
        }
        // The line that was selected, or the next instruction.
        let same = selected.and_then(|line| self.find(line).or_else(|| self.next(line)));
        self.cursor = same.unwrap_or(self.cursor).min(self.lines.len().saturating_sub(1));
    }

    fn layout_steps(&mut self, session: &Session, steps: impl Iterator<Item = usize>) {
        for step in steps {
            self.lines.push(Line::Instruction(step));
            if !self.is_open(step) {
                continue;
            }
            let row = &session.instructions[step];
            self.lines.extend((0..row.arguments.len()).map(|index| Line::Argument(step, index)));
            self.lines.extend(row.source.is_some().then_some(Line::Source(step)));
        }
    }

    /// By what lines are in order: the instruction, and what of it.
    fn key(&self, line: Line) -> (usize, u8, usize) {
        match line {
            Line::Chain(chain) => (self.firsts.get(chain).copied().unwrap_or(0), 0, chain),
            Line::Instruction(step) => (step, 1, 0),
            Line::Argument(step, index) => (step, 2, index),
            Line::Source(step) => (step, 3, 0),
        }
    }

    /// Where a line is.
    fn place(&self, line: Line) -> Option<usize> {
        self.lines.binary_search_by_key(&self.key(line), |other| self.key(*other)).ok()
    }

    /// Where a line is, or the instruction that it belongs to.
    fn find(&self, line: Line) -> Option<usize> {
        self.place(line).or_else(|| self.place(Line::Instruction(line.step()?)))
    }

    /// The first instruction behind a line that is gone.
    fn next(&self, line: Line) -> Option<usize> {
        let key = self.key(line);
        let next = self.lines.partition_point(|other| self.key(*other) < key);
        let more = self.lines.get(next..)?.iter().position(|other| other.step().is_some())?;
        Some(next + more)
    }

    /// Selects an instruction, whose chain is unfolded if need be; whether the
    /// lines have to be made anew.
    pub fn go_to(&mut self, session: &Session, step: usize) -> bool {
        if self.selected().is_some_and(|line| line.step() == Some(step)) {
            return false;
        }
        if let Some(cursor) = self.place(Line::Instruction(step)) {
            self.cursor = cursor;
            return false;
        }
        let chain = session.chains.iter().position(|range| range.contains(&step));
        chain.is_some_and(|chain| self.folded.remove(&chain))
    }

    /// Folds or unfolds what the selected line belongs to.
    pub fn toggle(&mut self) {
        match self.selected() {
            Some(Line::Chain(chain)) => toggle(&mut self.folded, chain),
            Some(line) => {
                if let Some(step) = line.step() {
                    self.set_open(step, !self.is_open(step));
                    self.select(Line::Instruction(step));
                }
            }
            None => {}
        }
    }

    /// Unfolds the selected line, or folds it, or goes to what it belongs to:
    /// as arrows do it in trees. Whether the lines have to be made anew.
    pub fn arrow(&mut self, right: bool) -> bool {
        match (self.selected(), right) {
            (Some(Line::Chain(chain)), true) => self.folded.remove(&chain),
            (Some(Line::Chain(chain)), false) => self.folded.insert(chain),
            (Some(Line::Instruction(step)), true) => {
                let was_open = self.is_open(step);
                self.set_open(step, true);
                !was_open
            }
            (Some(Line::Instruction(step)), false) => {
                if self.is_open(step) {
                    self.set_open(step, false);
                    return true;
                }
                let above = self.lines[..self.cursor].iter().rposition(|l| l.step().is_none());
                self.cursor = above.unwrap_or(self.cursor);
                false
            }
            (Some(Line::Argument(step, _) | Line::Source(step)), false) => {
                self.select(Line::Instruction(step));
                false
            }
            _ => false,
        }
    }

    /// Unfolds all, or folds all if nothing is folded.
    pub fn toggle_all(&mut self, session: &Session) {
        let count = session.instructions.len();
        let is_open = self.open.len() >= count && self.open.iter().all(|open| *open);
        self.open = vec![!(is_open && self.folded.is_empty()); count];
        self.folded.clear();
    }

    fn select(&mut self, line: Line) {
        self.cursor = self.place(line).unwrap_or(self.cursor);
    }

    /// Forgets what was folded: it was that of another program.
    pub fn clear(&mut self) {
        *self = Tree::default();
    }
}

fn toggle(set: &mut BTreeSet<usize>, item: usize) {
    if !set.remove(&item) {
        set.insert(item);
    }
}
