//! Reports of two builds of a program: what got worse is said, and noise is not.

#[allow(dead_code, reason = "not every test uses all of it")]
#[path = "../../inspector/tests/support/generate.rs"]
mod generate;
mod support;
#[path = "support/timed.rs"]
mod timed;

use et_reports::report::{Baseline, Change, Verdict, html, json, junit, markdown};
use support::{Given, parsed};

const INSTRUCTIONS: usize = 12;
const OPERATORS: usize = 40;
const RUNS: usize = 20;

/// Operators with a name of their own: those before are instructions of the program.
const SLOWER: usize = 30;

/// The tensor that gets larger.
const LARGER: usize = 7;

/// Nanoseconds of an operator, and their standard deviation as a share.
const TICKS: f64 = 80_000.0;
const NOISE: f64 = 0.02;

/// Numbers of a normal distribution, the same for the same seed.
fn normal(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    move || (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}

/// What is given of a build: `larger` and `slower` are by how much its tensor and its
/// operator are.
fn build(
    seed: u64,
    larger: i32,
    slower: f64,
    share: f64,
    baseline: Option<&Baseline>,
) -> Given<'_> {
    let elements =
        |tensor: usize| generate::elements(tensor) * if tensor == LARGER { larger } else { 1 };
    let mut noise = normal(seed);
    let ticks = |_: usize, operator: usize| {
        let by = if operator == SLOWER { slower } else { 1.0 };
        (TICKS * by * (1.0 + share * noise())) as u64
    };
    Given {
        name: "model.pte",
        program: generate::sized(INSTRUCTIONS, elements),
        trace_bytes: Some(timed::trace(RUNS, OPERATORS, ticks).0),
        baseline,
        ..Given::default()
    }
}

/// The figures of a build, written and read again.
fn base(seed: u64, share: f64) -> Baseline {
    let text = build(seed, 1, 1.0, share, None).with(|report| report.figures().text());
    Baseline::parse(text.as_bytes()).expect("what was written")
}

/// The figures that got worse from the base of `seed` to another build.
fn worse(seed: u64, larger: i32, slower: f64, share: f64) -> Vec<Change> {
    let base = base(seed, share);
    build(seed + 1, larger, slower, share, Some(&base)).with(|report| {
        let changes = report.changes.as_ref().expect("a comparison");
        changes.regressions().cloned().collect()
    })
}

#[test]
fn a_larger_tensor_and_a_slower_operator_are_reported() {
    let grown = u64::from(generate::elements(LARGER).unsigned_abs()) * 4;
    let base = base(1, NOISE);
    build(2, 2, 1.1, NOISE, Some(&base)).with(|report| {
        let changes = report.changes.as_ref().expect("a comparison");
        let worse: Vec<&Change> = changes.regressions().collect();
        let of = |figure: &str| {
            let found = worse.iter().find(|change| change.figure == figure);
            *found.unwrap_or_else(|| panic!("{figure} is not worse: {worse:?}"))
        };
        let planned = of("memory.planned");
        assert_eq!(planned.new, planned.base.map(|bytes| bytes + grown));
        let slower = of(&format!("operator {SLOWER}"));
        assert_eq!(slower.verdict, Verdict::Worse);
        let times: Vec<&str> =
            worse.iter().filter(|c| c.unit == "ns").map(|c| c.figure.as_str()).collect();
        assert_eq!(times, [format!("operator {SLOWER}")], "no other time is worse");
        // In every form that tells what changed.
        let row = format!("operator {SLOWER}");
        for text in [html(report), junit(report), markdown(report)] {
            assert!(text.contains(&row) && text.contains("memory.planned"), "{text}");
        }
        let regressions = parsed(&json(report))["verdict"]["regressions"].as_u64();
        assert_eq!(regressions, Some(worse.len() as u64));
        assert!(report.is_bad());
    });
}

#[test]
fn each_is_reported_whatever_the_noise() {
    for seed in 0..25u64 {
        let names: Vec<String> = worse(1_000 + 2 * seed, 2, 1.1, NOISE)
            .into_iter()
            .map(|change| change.figure)
            .collect();
        assert!(names.contains(&"memory.planned".to_owned()), "seed {seed}: {names:?}");
        assert!(names.contains(&format!("operator {SLOWER}")), "seed {seed}: {names:?}");
    }
}

#[test]
fn of_100_pairs_that_differ_by_noise_at_most_one_is_worse() {
    for share in [NOISE, 2.0 * NOISE] {
        let pair = |pair: u64| worse(10_000 + 2 * pair, 1, 1.0, share);
        let alarms = (0..100).filter(|number| !pair(*number).is_empty()).count();
        assert!(alarms <= 1, "{alarms} false alarms of a noise of {share}");
    }
}
