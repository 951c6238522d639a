//! Programs and traces that are too large to list: totals stay exact, pages small.

#[path = "../../inspector/tests/support/generate.rs"]
mod generate;
mod support;
#[path = "support/timed.rs"]
mod timed;

use et_reports::report::{html, json};
use std::time::Instant;
use support::{Given, parsed};

/// Debug builds are some ten times slower; the limit is for what is released.
const SECONDS: u64 = if cfg!(debug_assertions) { 100 } else { 10 };

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}

#[test]
fn a_program_of_100_000_instructions_has_a_small_page() {
    let count = 100_000;
    let start = Instant::now();
    let given = Given { name: "large.pte", program: generate::program(count), ..Given::default() };
    given.with(|report| {
        let page = html(report);
        assert!(page.len() < 5 << 20, "{} bytes", page.len());
        let plan = &report.memory.methods[0].memory.plan;
        assert!(plan.storages.len() > count);
        let text = format!("Planned tensors: {}, the first 2,000 shown", grouped(count as u64 + 1));
        assert!(page.contains(&text), "what is left out is said");
        assert!(page.contains("small tensors are not drawn"));
        // The largest and the sum of the others are all of them.
        let mut bytes: Vec<u64> = plan.storages.iter().map(|storage| storage.bytes).collect();
        bytes.sort_unstable_by_key(|bytes| std::cmp::Reverse(*bytes));
        let (shown, rest) = bytes.split_at(20);
        let sum = grouped(rest.iter().sum());
        let others = format!("{} smaller ones", grouped(rest.len() as u64));
        let row = page.lines().find(|line| line.contains(&others)).expect("the sum of the others");
        assert!(row.contains(&format!(">{sum}<")), "{sum} in {row}");
        assert!(shown.iter().all(|bytes| page.contains(&grouped(*bytes))));
        let document = parsed(&json(report));
        assert_eq!(document["methods"][0]["instructions"]["kernel_calls"], count as u64);
    });
    assert!(start.elapsed().as_secs() < SECONDS, "{:?}", start.elapsed());
}

#[test]
fn a_trace_of_1_000_000_events_keeps_its_total() {
    let ticks = |run: usize, operator: usize| 100 + ((run * 31 + operator * 17) % 50) as u64;
    let (bytes, ticks) = timed::trace(1_000, 1_000, ticks);
    let start = Instant::now();
    // It has none of these instructions: each operator keeps the name of its event.
    let program = support::model("linear");
    let given = Given { name: "long.pte", program, trace_bytes: Some(bytes), ..Given::default() };
    given.with(|report| {
        let trace = report.trace.as_ref().expect("times");
        assert_eq!(trace.total, ticks);
        let calls: usize = trace.operators.iter().map(|operator| operator.count).sum();
        let sum: u64 = trace.operators.iter().map(|operator| operator.ticks).sum();
        assert!(calls > 0 && sum + trace.unattributed == ticks);
        let page = html(report);
        assert!(page.len() < 5 << 20, "{} bytes", page.len());
        let more = trace.operators.len().saturating_sub(100);
        let text = format!("{more} more, and outside of instructions");
        assert!(more > 0 && page.contains(&text), "what is left out is said");
        assert_eq!(parsed(&json(report))["trace"]["total_ticks"], ticks);
    });
    assert!(start.elapsed().as_secs() < SECONDS, "{:?}", start.elapsed());
}
