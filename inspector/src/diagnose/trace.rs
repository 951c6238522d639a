//! What a trace says about the device's clock and memory.

use crate::correlate::Correlation;
use crate::events::EventBlocks;
use crate::findings::{Code, Finding, traced_program};
use et_schema::etdump::{Event, File};
use et_schema::pte;
use std::collections::BTreeMap;

/// Events that say of which program a trace is.
const TELLING: usize = 10_000;

/// The findings about `trace`, which should be of `method` of `program`.
pub(super) fn findings(
    trace: &File<'_>,
    program: &pte::File<'_>,
    method: &pte::Method<'_>,
) -> Vec<Finding> {
    let own = [clock_stands(trace), clock_wrapped(trace), growth(trace)].into_iter().flatten();
    own.chain(of_program(trace, program, method)).collect()
}

fn of_program(trace: &File<'_>, program: &pte::File<'_>, method: &pte::Method<'_>) -> Vec<Finding> {
    let blocks = EventBlocks::of_first_runs(trace, TELLING);
    let Ok(correlation) = Correlation::new(&blocks, Some(program), None, None) else {
        return Vec::new();
    };
    let mut found = traced_program(&blocks, &correlation);
    // Of several methods that fit, another than the first was asked for by name.
    if correlation.tied_methods().first().is_some_and(|first| first != method.name()) {
        found.retain(|finding| finding.code != Code::SeveralMethods);
    }
    found
}

fn times<'a>(trace: &File<'a>) -> impl Iterator<Item = (&'a str, u64, u64)> + use<'a> {
    let events = trace.runs().flat_map(|run| run.events());
    events.filter_map(|event| match event {
        Event::Profile(event) => Some((event.name, event.start_time, event.end_time)),
        _ => None,
    })
}

/// Executions that came to their end: an event is logged at its end.
pub(super) fn executions(trace: &File<'_>) -> u32 {
    let ended = times(trace).filter(|(name, ..)| *name == "Method::execute").count();
    u32::try_from(ended).unwrap_or(u32::MAX)
}

fn clock_stands(trace: &File<'_>) -> Option<Finding> {
    let (_, first, _) = times(trace).next()?;
    let count = times(trace).count();
    (count > 1 && times(trace).all(|(_, start, end)| start == first && end == first)).then(|| {
        Finding::new(
            Code::ClockStands,
            format!("all {count} events of the trace begin and end at tick {first}"),
            "start the cycle counter before the run, or give et_pal_current_ticks a timer",
        )
        .with("events", count)
        .with("tick", first)
    })
}

fn clock_wrapped(trace: &File<'_>) -> Option<Finding> {
    let wrapped = || times(trace).filter(|(_, start, end)| end < start);
    let (name, start, end) = wrapped().next()?;
    let narrow = u32::try_from(start).is_ok();
    Some(
        Finding::new(
            Code::ClockWrapped,
            format!("{name} ends at tick {end}, before it began at {start}"),
            if narrow {
                "the clock has 32 bits: use a 64-bit timer, or add 2^32 to the end of that event"
            } else {
                "the clock ran backwards: use a clock that never does"
            },
        )
        .with("events", wrapped().count())
        .with("event", name)
        .with("start", start)
        .with("end", end),
    )
}

/// An allocator of which each execution takes more than the one before.
fn growth(trace: &File<'_>) -> Option<Finding> {
    let mut runs: Vec<BTreeMap<String, u64>> = Vec::new();
    // Of a trace that is cut off, the first run may have lost a part of its events.
    let whole = trace.runs().filter(|run| run.lost_events() == 0);
    for run in whole.filter(|run| run.name() == "Execute") {
        let names: Vec<&str> = run.allocators().collect();
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for event in run.events() {
            let Event::Allocation(event) = event else { continue };
            let index = usize::try_from(event.allocator_id).ok().and_then(|id| id.checked_sub(1));
            if let Some(name) = index.and_then(|index| names.get(index)) {
                let sum = sums.entry((*name).to_owned()).or_default();
                *sum = sum.saturating_add(event.size);
            }
        }
        runs.push(sums);
    }
    // What a method allocator gives out in an execution is never taken back.
    let method: Vec<u64> =
        runs.iter().map(|sums| sums.get("method").copied().unwrap_or(0)).collect();
    let grown: u64 = method.iter().copied().fold(0, u64::saturating_add);
    (method.len() > 1 && method.iter().all(|bytes| *bytes > 0)).then(|| {
        Finding::new(
            Code::Growth,
            format!(
                "the method allocator gives out memory in each of {} executions, {grown} bytes in \
                 all",
                method.len()
            ),
            "give the runtime a temp allocator, so that look-ups and scratch memory are taken back",
        )
        .with("allocator", "method")
        .with("executions", method.len())
        .with("bytes", grown)
    })
}
