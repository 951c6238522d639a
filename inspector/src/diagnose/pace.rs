//! Slow or hung: the time since an instruction began against the time that it
//! took before, or that it may take by what it computes.

use super::Case;
use super::work::multiply_accumulates_of;
use et_schema::ids::{ChainId, InstructionId};
use etdump::journal::{Event, Life, Snapshot};

/// Cycles that a multiply-accumulate takes at most in a kernel that is not
/// optimized, its loads and index arithmetic included.
const CYCLES: u64 = 100;

/// How many times longer than ever before counts as hung.
const HUNG: u64 = 10;

/// What the time since an instruction began says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Pace {
    /// Too little is known.
    #[default]
    Unknown,
    /// Far longer than it takes: at most so many ticks before, or by what it computes.
    Hung {
        /// The most ticks that it took or may take.
        usual: u64,
        /// Whether it was measured, and not estimated.
        measured: bool,
    },
    /// Not yet longer than it takes: up to so many ticks.
    Slow {
        /// The most ticks that it took or may take.
        usual: u64,
        /// Whether it was measured, and not estimated.
        measured: bool,
    },
}

impl Pace {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Pace::Unknown => "unknown",
            Pace::Hung { .. } => "hung",
            Pace::Slow { .. } => "slow",
        }
    }

    /// From the ticks `since` it began and those that it usually takes.
    fn of(since: u64, usual: u64, measured: bool) -> Self {
        if since > usual.saturating_mul(HUNG) {
            Pace::Hung { usual, measured }
        } else if since <= usual {
            Pace::Slow { usual, measured }
        } else {
            Pace::Unknown
        }
    }
}

/// Ticks from one reading of the clock to a later one, across one wrap of a
/// clock of 32 bits.
pub(super) fn elapsed(from: u64, to: u64) -> u64 {
    match to.checked_sub(from) {
        Some(ticks) => ticks,
        None if from <= u32::MAX.into() => (to + (1 << 32)) - from,
        None => 0,
    }
}

/// The pace of the instruction at `place`, which began `since` ticks before the
/// journal ends.
pub(super) fn of(
    case: &Case<'_>,
    journal: &Snapshot,
    place: (ChainId, InstructionId),
    since: u64,
) -> Pace {
    if since == 0 {
        return Pace::Unknown;
    }
    if let Some(usual) = longest(journal, place).filter(|ticks| *ticks > 0) {
        return Pace::of(since, usual, true);
    }
    let work = multiply_accumulates_of(&case.evidence.method, place).max(1000);
    let clock = case.evidence.target.and_then(|target| target.clock_mhz).map(u64::from);
    match clock.filter(|mhz| *mhz > 0 && journal.ticks_per_second > 0) {
        // A unit's work is not the core's.
        Some(mhz) if !is_delegate(case, place) => {
            let cycles = u128::from(work.saturating_mul(CYCLES));
            let ticks =
                cycles * u128::from(journal.ticks_per_second) / (u128::from(mhz) * 1_000_000);
            Pace::of(since, u64::try_from(ticks).unwrap_or(u64::MAX).max(1), false)
        }
        _ => Pace::Unknown,
    }
}

fn is_delegate(case: &Case<'_>, (chain, instruction): (ChainId, InstructionId)) -> bool {
    let found = case.evidence.method.chain(chain).ok().and_then(|c| c.instruction(instruction));
    matches!(found, Some(et_schema::pte::Instruction::DelegateCall { .. }))
}

/// The most ticks between a beginning and an end of the instruction.
fn longest(journal: &Snapshot, (chain, instruction): (ChainId, InstructionId)) -> Option<u64> {
    let here = |c: Option<u16>, i: u32| c.map(u32::from) == Some(chain.0) && i == instruction.0;
    let mut began = None;
    let mut longest = None;
    for record in &journal.records {
        match record.event {
            Some(Event::Begin { scope, chain, instruction, .. })
                if scope.is_instruction() && here(chain, instruction) =>
            {
                began = Some(record.ticks);
            }
            Some(Event::End { scope, chain, instruction, .. })
                if scope.is_instruction() && here(chain, instruction) =>
            {
                let ticks = began.take().map(|began| elapsed(began, record.ticks));
                longest = longest.max(ticks);
            }
            Some(Event::Boot { .. }) => began = None,
            _ => {}
        }
    }
    longest
}

/// Lives of the board that ended in the instruction that `life` ended in, out
/// of those that ended in one.
pub(super) fn same_end(journal: &Snapshot, life: &Life) -> Option<(usize, usize)> {
    let end = |life: &Life| {
        let open = life.open.iter().rfind(|open| open.scope.is_instruction())?;
        Some((open.chain, open.instruction))
    };
    let wanted = end(life)?;
    let ends: Vec<_> = journal.lives().iter().filter_map(end).collect();
    Some((ends.iter().filter(|end| **end == wanted).count(), ends.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_across_a_wrap_of_32_bits() {
        assert_eq!(elapsed(5, 9), 4);
        assert_eq!(elapsed(0xffff_fff0, 0x10), 0x20);
        assert_eq!(elapsed(1 << 40, 3), 0);
    }

    #[test]
    fn slow_and_hung_lie_apart() {
        assert_eq!(Pace::of(90, 100, true).name(), "slow");
        assert_eq!(Pace::of(500, 100, true).name(), "unknown");
        assert_eq!(Pace::of(1001, 100, true).name(), "hung");
    }
}
