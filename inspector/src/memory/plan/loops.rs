//! Loops: a `JumpFalse` to an earlier instruction.
//!
//! What is written before a loop and read in it must survive until its last
//! instruction, because the next round reads it again.

use super::steps::{Step, Steps};
use et_schema::pte::{Instruction, Method};

/// Rounds of growth after which a lifetime is taken to last until the end.
/// Only programs that jump into the middle of loops need more than a few.
const MAX_ROUNDS: usize = 64;

/// The loops of a method.
pub(super) struct Loops {
    /// First step of each, ascending.
    firsts: Vec<Step>,
    /// Largest last step over each block of loops: level `k` covers `2^k` loops.
    last_of: Vec<Vec<Step>>,
    /// Unions of loops that touch, disjoint and ascending.
    unions: Vec<(Step, Step)>,
    end: Step,
}

impl Loops {
    pub fn new(method: &Method<'_>, steps: &Steps) -> Self {
        let mut loops = Vec::new();
        for (index, chain) in method.chains().enumerate() {
            let start = steps.start(index);
            for (at, instruction) in chain.instructions().enumerate() {
                if let Instruction::JumpFalse { destination, .. } = instruction
                    && destination.index() <= at
                {
                    loops.push((start + destination.0, start + at as u32));
                }
            }
        }
        Self::from_ranges(loops, steps.count())
    }

    fn from_ranges(mut loops: Vec<(Step, Step)>, count: Step) -> Self {
        loops.sort_unstable();
        let mut unions: Vec<(Step, Step)> = Vec::new();
        for &(first, last) in &loops {
            match unions.last_mut() {
                Some(union) if first <= union.1 => union.1 = union.1.max(last),
                _ => unions.push((first, last)),
            }
        }
        let mut last_of = vec![loops.iter().map(|l| l.1).collect::<Vec<_>>()];
        let mut width = 1;
        while width * 2 <= loops.len() {
            let below = &last_of[last_of.len() - 1];
            let level = (0..=loops.len() - width * 2).map(|i| below[i].max(below[i + width]));
            let level = level.collect();
            last_of.push(level);
            width *= 2;
        }
        let firsts = loops.into_iter().map(|l| l.0).collect();
        Loops { firsts, last_of, unions, end: count.saturating_sub(1) }
    }

    /// Until when something must live that is written at `written` and read at
    /// `read`: the end of the last loop that begins in between and reaches `read`.
    pub fn survive(&self, written: Step, read: Step) -> Step {
        let mut until = read;
        for _ in 0..MAX_ROUNDS {
            let from = self.firsts.partition_point(|first| *first <= written);
            let to = self.firsts.partition_point(|first| *first <= until);
            let last = self.largest_last(from, to).filter(|last| *last > until);
            match last {
                Some(last) => until = last,
                None => return until,
            }
        }
        self.end
    }

    /// Start of the outermost loop around `step`, or `step` itself.
    pub fn outermost_start(&self, step: Step) -> Step {
        let index = self.unions.partition_point(|union| union.0 <= step);
        match index.checked_sub(1).map(|i| self.unions[i]) {
            Some((first, last)) if step <= last => first,
            _ => step,
        }
    }

    fn largest_last(&self, from: usize, to: usize) -> Option<Step> {
        let count = to.checked_sub(from).filter(|count| *count > 0)?;
        let level = count.ilog2() as usize;
        let row = &self.last_of[level];
        Some(row[from].max(row[to - (1 << level)]))
    }
}

#[cfg(test)]
mod tests {
    use super::Loops;

    #[test]
    fn what_a_loop_reads_survives_all_its_rounds() {
        let loops = Loops::from_ranges(vec![(3, 8), (5, 6), (10, 12)], 20);
        assert_eq!(loops.survive(1, 5), 8, "from outside both");
        assert_eq!(loops.survive(4, 5), 6, "from the outer loop into the inner");
        assert_eq!(loops.survive(5, 6), 6, "inside the inner");
        assert_eq!(loops.survive(1, 2), 2, "before any loop");
        assert_eq!(loops.survive(1, 9), 9, "across a loop that does not reach the read");
        assert_eq!(loops.survive(1, 11), 12);
        assert_eq!(loops.outermost_start(6), 3);
        assert_eq!(loops.outermost_start(9), 9);
    }

    #[test]
    fn loops_that_overlap_are_followed_to_the_end() {
        let loops = Loops::from_ranges((0..1000).map(|i| (i, i + 2)).collect(), 1002);
        assert_eq!(loops.survive(0, 1), 1001);
        assert_eq!(loops.survive(998, 999), 1001);
        assert_eq!(loops.outermost_start(700), 0);
    }
}
