//! What a journal says of the board itself: its clock, its restarts, and an
//! allocator that grows.

use super::Case;
use super::pace::{elapsed, same_end};
use crate::findings::{Code, Finding};
use etdump::journal::{AllocatorKind, Event, Life, Snapshot};
use std::collections::BTreeMap;

/// Records that must agree before a clock counts as standing.
const ENOUGH: usize = 8;

/// Marks a reset reason as a set of the bits below, which are those of
/// Zephyr's hwinfo; anything else is the raw register of some chip. As in
/// `etinspect_journal.h`.
const RESET_MARK: u32 = 0x5253_0000;

const RESETS: [(u32, &str); 9] = [
    (1, "the reset pin"),
    (1 << 1, "the software"),
    (1 << 2, "a brown-out of the supply"),
    (1 << 3, "power-on"),
    (1 << 4, "the watchdog"),
    (1 << 5, "a debugger"),
    (1 << 6, "a security check"),
    (1 << 7, "waking from low power"),
    (1 << 8, "a lock-up of the core"),
];

/// The findings about the board.
pub(super) fn findings(case: &Case<'_>, journal: &Snapshot) -> Vec<Finding> {
    [clock_stands(journal), clock_wrapped(journal), growth(case, journal)]
        .into_iter()
        .flatten()
        .collect()
}

fn clock_stands(journal: &Snapshot) -> Option<Finding> {
    let records = &journal.records;
    let first = records.first()?.ticks;
    let stands = records.len() >= ENOUGH && records.iter().all(|record| record.ticks == first);
    stands.then(|| {
        Finding::new(
            Code::ClockStands,
            format!("all {} records of the journal are of tick {first}", records.len()),
            "start the cycle counter before the run, or define etj_ticks with a timer of the board: \
             the one that is linked in by default stands still",
        )
        .with("records", records.len())
        .with("tick", first)
    })
}

fn clock_wrapped(journal: &Snapshot) -> Option<Finding> {
    let pairs = journal.records.windows(2).filter(|pair| {
        let boot = matches!(pair[1].event, Some(Event::Boot { .. }));
        // Records of interrupts may lie a little before those that they interrupt.
        let back = pair[0].ticks.saturating_sub(pair[1].ticks) > 1 << 31;
        !boot && back && pair[0].ticks <= u32::MAX.into()
    });
    let (count, first) = pairs.fold((0, None), |(n, first), pair| (n + 1, first.or(Some(pair))));
    let pair = first?;
    let seconds = u64::from(u32::MAX).checked_div(journal.ticks_per_second.into());
    Some(
        Finding::new(
            Code::ClockWrapped,
            format!(
                "the journal's clock has 32 bits and started again from 0 after record {}",
                pair[0].sequence
            ),
            "let etj_ticks count 64 bits: add 2^32 in the timer's overflow interrupt",
        )
        .with("wraps", count)
        .with("record", pair[0].sequence)
        .with("ticks_between", elapsed(pair[0].ticks, pair[1].ticks))
        .with_some("seconds_of_a_round", seconds),
    )
}

/// Memory of the method allocator that each execution takes.
fn growth(case: &Case<'_>, journal: &Snapshot) -> Option<Finding> {
    let mut taken: BTreeMap<u32, u64> = BTreeMap::new();
    let mut current = None;
    for record in &journal.records {
        match record.event {
            Some(Event::Run { execution, .. }) => {
                current = (execution > 0).then_some(execution);
                if let Some(execution) = current {
                    taken.entry(execution).or_default();
                }
            }
            Some(Event::Boot { .. }) => current = None,
            Some(Event::Allocation { kind: AllocatorKind::Method, size, status: 0, .. }) => {
                let entry = current.and_then(|execution| taken.get_mut(&execution));
                entry.into_iter().for_each(|sum| *sum += u64::from(size));
            }
            _ => {}
        }
    }
    // The one that is in flight may not have come to it yet.
    let open = journal.lives().last().is_some_and(|life| !life.open.is_empty());
    if open {
        taken.pop_last();
    }
    let grows = taken.len() > 1 && taken.values().all(|bytes| *bytes > 0);
    let bytes: u64 = taken.values().sum();
    let state = journal.allocators.iter().flatten().find(|a| a.kind == AllocatorKind::Method);
    grows.then(|| {
        let step = bytes / taken.len() as u64;
        let left = state.filter(|state| state.capacity != u32::MAX);
        let left = left.map(|s| u64::from(s.capacity.saturating_sub(s.used)) / step.max(1));
        let temp = case.memory.loading.temp_required;
        Finding::new(
            Code::Growth,
            format!("each execution takes about {step} bytes of the method allocator for good"),
            "give the MemoryManager a temp allocator, and look for allocations that a backend makes \
             in each call",
        )
        .with("allocator", "method")
        .with("executions", taken.len())
        .with("bytes", bytes)
        .with("temp_bytes_needed", temp)
        .with_some("executions_until_it_is_full", left)
    })
}

/// A restart after `life`, or before it after one that did not end.
pub(super) fn restarted(journal: &Snapshot, life: &Life) -> Option<Finding> {
    let lives = journal.lives();
    let broken = |pair: &&[Life]| !pair[0].open.is_empty() && pair[1].reason.is_some();
    let pair = lives.windows(2).rfind(broken)?;
    let reason = pair[1].reason?;
    let after = if pair[0].first == life.first { "after that" } else { "before it came there" };
    let known: Vec<&str> = known_reasons(reason).collect();
    let watchdog = reason & !0xffff == RESET_MARK && reason & (1 << 4) != 0;
    let title = if known.is_empty() {
        format!("the board started again {after}, with reset reason {reason:#x}")
    } else {
        format!("{} reset the board {after}", known.join(" and "))
    };
    let remedy = if watchdog {
        "find what the instruction in flight waits for; if it is only slow, feed the watchdog from \
         a timer or lengthen its period"
    } else if known.is_empty() {
        "look the reason up in the manual of the chip's reset controller, or pass it as \
         ETJ_RESET(...), which is read here"
    } else {
        "look at what the board did at that moment"
    };
    let same = same_end(journal, life).filter(|(_, all)| *all > 1);
    Some(
        Finding::new(Code::Reset, title, remedy)
            .with("reset_reason", format!("{reason:#x}"))
            .with("starts", journal.boots)
            .with_some(
                "ended_in_the_same_instruction",
                same.map(|(n, all)| format!("{n} of {all}")),
            ),
    )
}

fn known_reasons(reason: u32) -> impl Iterator<Item = &'static str> {
    let marked = reason & !0xffff == RESET_MARK;
    RESETS.iter().filter(move |(bit, _)| marked && reason & bit != 0).map(|(_, name)| *name)
}
