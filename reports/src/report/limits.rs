//! Limits of a budget on memories of a board, calls, findings and times.

use super::words::figure;
use super::{Share, TraceTimes};
use crate::memory::Page;
use et_inspector::budget::{Budget, Count, Counted, Time};
use et_inspector::findings::{Code, Finding};

/// Every limit of `budget` that is not one of bytes.
pub(super) fn counts(
    budget: &Budget,
    methods: &[Page<'_>],
    shares: &[Share],
    trace: Option<&TraceTimes>,
    findings: &[Finding],
) -> Vec<Count> {
    let mut counts = Vec::new();
    for (page, share) in methods.iter().zip(shares) {
        let method = &page.memory.method;
        counts.extend(budget.memories(method.name(), page.fit.as_ref()));
        let delegates = method.delegates().count() as u64;
        counts.extend(budget.calls(method.name(), delegates, share.kernel_calls()));
    }
    counts.extend(budget.findings(|code| {
        findings.iter().filter(|finding| finding.code.page().code == code).count() as u64
    }));
    counts.extend(times(budget, trace));
    counts
}

/// Limits of times: without a trace, or in a clock that has no such unit,
/// nothing is known of them, and the limit says so instead of being met in silence.
fn times(budget: &Budget, trace: Option<&TraceTimes>) -> Vec<Count> {
    let unit = trace.map_or("ns", |trace| trace.unit);
    let nanoseconds = nanoseconds(unit);
    let limit = |name: String, of: Option<String>, found: Option<u64>, limit: Time| {
        // A text cannot be held against cycles; its own number is shown.
        let ticks = limit.ticks(nanoseconds);
        let found = found.filter(|_| ticks.is_some());
        Count {
            name,
            counted: Counted::Time(if ticks.is_some() { unit } else { "ns" }),
            of,
            found,
            limit: ticks.or_else(|| limit.ticks(Some(1))).unwrap_or(0),
        }
    };
    let mut counts = Vec::new();
    let runs = trace.map(|trace| &trace.runs[..]).unwrap_or_default();
    let operators = trace.map(|trace| &trace.operators[..]).unwrap_or_default();
    if let Some(total) = budget.time.total {
        let name = || "time.total".to_owned();
        if runs.is_empty() {
            counts.push(limit(name(), None, None, total));
        }
        counts.extend(
            runs.iter().map(|r| limit(name(), Some(r.name.clone()), Some(r.spread.p50), total)),
        );
    }
    if let Some(each) = budget.time.operator {
        // The slowest of them is the one to hold against it.
        let slowest = operators.iter().max_by_key(|operator| operator.spread.p50);
        let of = slowest.map(|operator| operator.name.clone());
        let found = slowest.map(|operator| operator.spread.p50);
        counts.push(limit("time.operator".into(), of, found, each));
    }
    for (name, most) in &budget.time.operators {
        let operator = operators.iter().find(|operator| operator.name == *name);
        // An operator that the trace does not have takes no time.
        let found = operator.map(|operator| operator.spread.p50).or(trace.map(|_| 0));
        counts.push(limit(format!("time.operators.{name}"), None, found, *most));
    }
    counts
}

/// Nanoseconds of a tick; `None` for cycles.
fn nanoseconds(unit: &str) -> Option<u64> {
    match unit {
        "ns" => Some(1),
        "us" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000),
        _ => None,
    }
}

/// What is found for the limits that are exceeded.
pub(super) fn findings(counts: &[Count]) -> impl Iterator<Item = Finding> {
    counts.iter().filter(|count| count.over() > 0).map(|count| {
        let unit = count.counted.unit();
        let [found, limit] = [count.found.unwrap_or(0), count.limit].map(|v| figure(v, unit));
        let remedy = match count.counted {
            Counted::Bytes => {
                "place a pool in another memory of the board, or save bytes (`etinspect memory` \
                 says what would)"
            }
            Counted::Calls => {
                "see `etinspect show` for what no delegate takes, and why a method is cut into \
                 parts"
            }
            Counted::Findings => "do what the findings of this code say",
            Counted::Time(_) => {
                "compare with a trace from before (`etinspect diff OLD.etdp NEW.etdp`)"
            }
        };
        Finding::new(
            Code::OverBudget,
            format!("{count} is {found}, its budget is {limit}"),
            format!("{remedy}; or raise {} to {} on purpose", count.name, count.found.unwrap_or(0)),
        )
        .with_some("of", count.of.as_ref())
        .with("budget", &count.name)
        .with("limit", count.limit)
        .with("found", count.found.unwrap_or(0))
    })
}
