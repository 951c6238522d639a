//! The program as foldable text: the method with its inputs and outputs, its
//! chains, their instructions, and the tensors of each.

use crate::session::Session;
use std::collections::BTreeSet;
use std::ops::Range;

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
    /// Chains that are folded.
    folded: BTreeSet<usize>,
    /// Instructions that are not.
    open: BTreeSet<usize>,
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
        self.open.contains(&step)
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
        for (chain, range) in session.chains.iter().enumerate() {
            self.lines.push(Line::Chain(chain));
            if self.folded.contains(&chain) {
                continue;
            }
            match kept {
                None => self.layout_steps(session, range.clone(), range.clone()),
                Some(kept) => {
                    let at = |step: usize| kept.partition_point(|own| (*own as usize) < step);
                    let own = kept[at(range.start)..at(range.end)].iter();
                    self.layout_steps(session, range.clone(), own.map(|step| *step as usize));
                }
            }
        }
        // The line that was selected, or the next instruction.
        let same = selected.and_then(|line| self.find(line).or_else(|| self.next(line)));
        self.cursor = same.unwrap_or(self.cursor).min(self.lines.len().saturating_sub(1));
    }

    fn layout_steps(
        &mut self,
        session: &Session,
        range: Range<usize>,
        steps: impl Iterator<Item = usize>,
    ) {
        let mut open = self.open.range(range).copied().peekable();
        for step in steps {
            self.lines.push(Line::Instruction(step));
            while open.next_if(|other| *other < step).is_some() {}
            if open.peek() != Some(&step) {
                continue;
            }
            let row = &session.instructions[step];
            self.lines.extend((0..row.arguments.len()).map(|index| Line::Argument(step, index)));
            self.lines.extend(row.source.is_some().then_some(Line::Source(step)));
        }
    }

    /// The first line of an instruction that is not before that of a line which is gone.
    fn next(&self, line: Line) -> Option<usize> {
        let step = line.step()?;
        self.lines.iter().position(|other| other.step() >= Some(step))
    }

    /// Where a line is, or the instruction that it belongs to.
    fn find(&self, line: Line) -> Option<usize> {
        let exact = self.lines.iter().position(|other| *other == line);
        exact.or_else(|| self.lines.iter().position(|other| other.step() == line.step()))
    }

    /// Selects an instruction, whose chain is unfolded if need be; whether the
    /// lines have to be made anew.
    pub fn go_to(&mut self, session: &Session, step: usize) -> bool {
        if self.selected().is_some_and(|line| line.step() == Some(step)) {
            return false;
        }
        if let Some(cursor) = self.lines.iter().position(|l| *l == Line::Instruction(step)) {
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
                    toggle(&mut self.open, step);
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
            (Some(Line::Instruction(step)), true) => self.open.insert(step),
            (Some(Line::Instruction(step)), false) => {
                if self.open.remove(&step) {
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
        if self.folded.is_empty() && self.open.len() == count {
            self.open.clear();
        } else {
            self.folded.clear();
            self.open = (0..count).collect();
        }
    }

    fn select(&mut self, line: Line) {
        self.cursor = self.lines.iter().position(|l| *l == line).unwrap_or(self.cursor);
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
