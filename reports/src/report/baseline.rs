//! Figures of a report that a later one is compared with (`etinspect.baseline/1`).
//!
//! Sizes are exact: any difference is a change. A time changes by noise alone;
//! a difference counts from the larger of a floor and three times the spread of
//! the baseline's own runs, and from two steps of a coarse clock.

use super::Report;
use et_inspector::budget::{Growth, Percent};
use et_inspector::events::Statistics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

const SCHEMA: &str = "etinspect.baseline/1";

/// Share of the base below which a difference of times is none.
const FLOOR: f64 = 0.05;

/// Spreads of the baseline's runs from which on a difference is more than noise.
const SPREADS: f64 = 3.0;

/// Runs below which there is no telling what noise is.
const LEAST_RUNS: usize = 5;

/// Names in a note.
const NAMED: usize = 3;

/// Ratio of the standard deviation of a normal distribution to its median
/// absolute deviation.
const SCALE: f64 = 1.4826;

/// Times of runs in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Number of runs.
    pub runs: usize,
    /// Least.
    pub min: u64,
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// Most.
    pub max: u64,
    /// Median distance from the median, scaled to a standard deviation: a few
    /// disturbed runs do not change it.
    pub spread: u64,
    /// The steps in which the clock counts, where it shows: that of XNNPACK counts
    /// microseconds in a trace of nanoseconds. A step in one direction or the other is noise.
    #[serde(default)]
    pub resolution: u64,
}

impl Spread {
    /// The times `ticks` in short.
    pub fn of(ticks: &[u64]) -> Self {
        let times: Vec<f64> = ticks.iter().map(|ticks| *ticks as f64).collect();
        let Some(all) = Statistics::of(&times) else { return Spread::default() };
        let distances: Vec<f64> = times.iter().map(|time| (time - all.p50).abs()).collect();
        let spread = Statistics::of(&distances).map_or(0.0, |s| s.p50 * SCALE);
        let [min, p50, p90, max, spread] =
            [all.min, all.p50, all.p90, all.max, spread].map(|time| time.round() as u64);
        Spread { runs: ticks.len(), min, p50, p90, max, spread, resolution: resolution(ticks) }
    }
}

/// The steps of the clock that `ticks` were counted with: 1,000 if all are multiples of it.
/// Ticks that are all the same say nothing of it.
fn resolution(ticks: &[u64]) -> u64 {
    const COARSE: u64 = 1_000;
    let differ = ticks.windows(2).any(|pair| pair[0] != pair[1]);
    if differ && ticks.iter().all(|ticks| ticks.is_multiple_of(COARSE)) { COARSE } else { 1 }
}

/// Figures to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    schema: String,
    /// The program.
    pub model: String,
    /// ABI whose object sizes are counted.
    pub abi: String,
    /// Bytes of the program file.
    pub program_bytes: u64,
    /// Sizes in bytes by method, under the names of a budget.
    pub methods: BTreeMap<String, BTreeMap<String, u64>>,
    /// Numbers of instructions by method.
    pub instructions: BTreeMap<String, BTreeMap<String, u64>>,
    /// Unit of the times.
    pub unit: Option<String>,
    /// Times of runs and operators.
    pub times: BTreeMap<String, Spread>,
}

/// What is wrong with a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineError(String);

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BaselineError {}

impl Baseline {
    /// Reads what [`Baseline::text`] wrote.
    ///
    /// # Errors
    /// The place in the text, what was expected and what was found.
    pub fn parse(text: &[u8]) -> Result<Self, BaselineError> {
        let expected = "expected a baseline, as --save-baseline writes it";
        let baseline: Baseline = serde_json::from_slice(text)
            .map_err(|error| BaselineError(format!("{expected}: {error}")))?;
        if baseline.schema != SCHEMA {
            let found = &baseline.schema;
            return Err(BaselineError(format!("schema: {expected}, {SCHEMA:?}; found {found:?}")));
        }
        Ok(baseline)
    }

    /// The file.
    pub fn text(&self) -> String {
        super::words::document(self)
    }

    /// The figures of `report`.
    pub(super) fn of(report: &Report<'_>) -> Self {
        let mut baseline = Baseline {
            schema: SCHEMA.to_owned(),
            model: report.memory.model.clone(),
            abi: report.memory.abi.to_owned(),
            program_bytes: report.program.bytes,
            ..Baseline::default()
        };
        for (page, share) in report.memory.methods.iter().zip(&report.shares) {
            let name = page.memory.method.name().to_owned();
            let (needs, plan) = (&page.needs, &page.memory.plan);
            let mut sizes: BTreeMap<String, u64> = [
                ("memory.method", needs.method),
                ("memory.planned", plan.size()),
                ("memory.temp", needs.temp),
                ("memory.total", needs.method_pool(None).saturating_add(needs.temp)),
                ("memory.peak", plan.peak.bytes),
            ]
            .map(|(name, bytes)| (name.to_owned(), bytes))
            .into();
            sizes.extend(
                needs
                    .planned
                    .iter()
                    .map(|(id, size)| (format!("memory.planned_by_id.{id}"), *size)),
            );
            let counts = [
                ("delegate calls", share.delegate_calls()),
                ("kernel calls", share.kernel_calls()),
                ("other instructions", share.other),
            ];
            let counts = counts.map(|(name, count)| (name.to_owned(), count)).into();
            baseline.methods.insert(name.clone(), sizes);
            baseline.instructions.insert(name, counts);
        }
        if let Some(trace) = &report.trace {
            baseline.unit = Some(trace.unit.to_owned());
            let runs = trace.runs.iter().map(|run| (format!("run {}", run.name), run.spread));
            let operators = trace.operators.iter().map(|op| (op.name.clone(), op.spread));
            baseline.times = runs.chain(operators).collect();
        }
        baseline
    }
}

/// What is concluded of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Larger or slower.
    Worse,
    /// Smaller or faster.
    Better,
    /// Larger or slower, but by no more than the budget allows.
    Allowed,
    /// Another number, neither better nor worse.
    Different,
    /// Only in the new report.
    New,
    /// Only in the base.
    Gone,
}

impl Verdict {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Worse => "worse",
            Verdict::Better => "better",
            Verdict::Allowed => "allowed",
            Verdict::Different => "different",
            Verdict::New => "new",
            Verdict::Gone => "gone",
        }
    }
}

impl Change {
    /// The limit of `[growth]` that it is held to.
    pub fn limit_name(&self) -> &str {
        match self.unit.as_str() {
            "bytes" if self.figure.starts_with("memory.planned_by_id.") => "memory.planned",
            "bytes" | "" => &self.figure,
            _ => "time",
        }
    }
}

/// A figure that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its method, if it is of one.
    pub method: Option<String>,
    /// Name of the figure.
    pub figure: String,
    /// `bytes`, a unit of time, or nothing for a number.
    pub unit: String,
    /// In the base; the median of a time.
    pub base: Option<u64>,
    /// In the new report.
    pub new: Option<u64>,
    /// The difference from which on it is more than noise.
    pub least: u64,
    /// Conclusion.
    pub verdict: Verdict,
}

/// What changed since the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The figures that did.
    pub changes: Vec<Change>,
    /// Number of figures that were compared.
    pub compared: usize,
    /// What could not be compared, and why.
    pub notes: Vec<String>,
    /// What the budget allows.
    pub growth: Growth,
}

impl Changes {
    /// Compares `new` with `base`; `growth` is what the budget allows.
    pub fn new(base: &Baseline, new: &Baseline, growth: Growth) -> Self {
        let mut changes = Changes { growth, ..Changes::default() };
        if base.abi != new.abi {
            changes.notes.push(format!(
                "The base counts objects of {}, the new report those of {}: sizes of allocators \
                 differ for that alone.",
                base.abi, new.abi
            ));
        }
        let program = |of: &Baseline| BTreeMap::from([("program".to_owned(), of.program_bytes)]);
        changes.sizes(None, "bytes", &program(base), &program(new));
        for (of_base, of_new, unit) in
            [(&base.methods, &new.methods, "bytes"), (&base.instructions, &new.instructions, "")]
        {
            let none = BTreeMap::new();
            let mut names: Vec<&String> = of_base.keys().chain(of_new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let [base, new] = [of_base, of_new].map(|of| of.get(name).unwrap_or(&none));
                changes.sizes(Some(name), unit, base, new);
            }
        }
        changes.all_times(base, new);
        changes
    }

    /// The figures that got worse.
    pub fn regressions(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.verdict == Verdict::Worse)
    }

    fn sizes(
        &mut self,
        method: Option<&String>,
        unit: &str,
        base: &BTreeMap<String, u64>,
        new: &BTreeMap<String, u64>,
    ) {
        let mut figures: Vec<&String> = base.keys().chain(new.keys()).collect();
        figures.sort();
        figures.dedup();
        for figure in figures {
            self.compared += 1;
            let pair = (base.get(figure).copied(), new.get(figure).copied());
            let verdict = match pair {
                (Some(base), Some(new)) if base == new => continue,
                (Some(_), Some(_)) if unit.is_empty() => Verdict::Different,
                (Some(base), Some(new)) if new > base => {
                    growth_verdict(self.growth.limit(figure), base, new)
                }
                (Some(_), Some(_)) => Verdict::Better,
                (None, _) => Verdict::New,
                (_, None) => Verdict::Gone,
            };
            self.changes.push(Change {
                method: method.cloned(),
                figure: figure.clone(),
                unit: unit.to_owned(),
                base: pair.0,
                new: pair.1,
                least: 1,
                verdict,
            });
        }
    }

    fn all_times(&mut self, base: &Baseline, new: &Baseline) {
        let unit = match (&base.unit, &new.unit) {
            (Some(base), Some(new)) if base == new => new,
            (None, None) => return,
            (base, new) => {
                let name = |unit: &Option<String>| unit.clone().unwrap_or("none".into());
                let (base, new) = (name(base), name(new));
                let note = format!("Times are not compared: base in {base}, new in {new}.");
                self.notes.push(note);
                return;
            }
        };
        let mut few: Vec<&str> = Vec::new();
        let mut figures: Vec<&String> = base.times.keys().chain(new.times.keys()).collect();
        figures.sort();
        figures.dedup();
        for figure in figures {
            let pair = (base.times.get(figure), new.times.get(figure));
            let (least, verdict) = match pair {
                (Some(base), Some(new)) if base.runs.min(new.runs) < LEAST_RUNS => {
                    few.push(figure);
                    continue;
                }
                (Some(base), Some(new)) => {
                    self.compared += 1;
                    let least = least_difference(base, new);
                    if base.p50.abs_diff(new.p50) < least {
                        continue;
                    }
                    let growth = self.growth.limit("time");
                    let verdict = match new.p50 > base.p50 {
                        true => growth_verdict(growth, base.p50, new.p50),
                        false => Verdict::Better,
                    };
                    (least, verdict)
                }
                (None, _) => (0, Verdict::New),
                (_, None) => (0, Verdict::Gone),
            };
            self.changes.push(Change {
                method: None,
                figure: figure.clone(),
                unit: unit.clone(),
                base: pair.0.map(|spread| spread.p50),
                new: pair.1.map(|spread| spread.p50),
                least,
                verdict,
            });
        }
        if !few.is_empty() {
            let named = few.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            let more = few.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.notes.push(format!(
                "Not compared, as the base or the new trace has fewer than {LEAST_RUNS} runs: \
                 {named}{more}. More iterations tell a change from noise."
            ));
        }
    }
}

/// What is concluded of a figure that grew from `base` to `new`.
fn growth_verdict(limit: Option<Percent>, base: u64, new: u64) -> Verdict {
    match limit {
        Some(limit) if new - base <= limit.of(base) => Verdict::Allowed,
        _ => Verdict::Worse,
    }
}

/// The difference of medians that is more than noise, and more than the clock's steps: with
/// a coarse clock medians differ by one for no reason, and by two if they are between steps.
fn least_difference(base: &Spread, new: &Spread) -> u64 {
    let floor = base.p50 as f64 * FLOOR;
    let noise = base.spread as f64 * SPREADS;
    let steps = match base.resolution.max(new.resolution) {
        0 | 1 => 1,
        coarse => coarse.saturating_mul(2),
    };
    (floor.max(noise).ceil() as u64).max(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of `runs` runs around `center`, spread by `noise`, from a fixed seed.
    fn times(seed: u64, runs: usize, center: f64, noise: f64) -> Spread {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let ticks: Vec<u64> =
            (0..runs).map(|_| (center * (1.0 + noise * normal())) as u64).collect();
        Spread::of(&ticks)
    }

    fn baseline(of: impl Fn(usize) -> Spread) -> Baseline {
        let times = (0..60).map(|i| (format!("operator {i}"), of(i))).collect();
        Baseline { unit: Some("ns".into()), times, ..Baseline::default() }
    }

    #[test]
    fn noise_alone_raises_no_alarm() {
        let false_alarms: usize = (0..100)
            .map(|pair| {
                let side = |side: u64| {
                    baseline(move |i| {
                        times(pair * 1000 + side * 500 + i as u64, 20, 80_000.0, 0.03)
                    })
                };
                Changes::new(&side(0), &side(1), Growth::default()).changes.len()
            })
            .sum();
        assert!(false_alarms <= 1, "{false_alarms}");
    }

    #[test]
    fn an_operator_that_is_slower_by_a_tenth_is_found() {
        let base = baseline(|i| times(i as u64, 20, 80_000.0, 0.02));
        let slow = |i| if i == 7 { 88_000.0 } else { 80_000.0 };
        let new = baseline(|i| times(900 + i as u64, 20, slow(i), 0.02));
        let changes = Changes::new(&base, &new, Growth::default());
        let worse: Vec<&str> = changes.regressions().map(|c| c.figure.as_str()).collect();
        assert_eq!(worse, ["operator 7"]);
    }

    /// Real times of XNNPACK operators, which are counted in microseconds.
    #[test]
    fn a_step_of_a_coarse_clock_is_noise() {
        let of = |ticks: &[u64]| {
            let ticks: Vec<u64> = ticks.iter().map(|ticks| ticks * 1_000).collect();
            baseline(move |_| Spread::of(&ticks))
        };
        let base = of(&[3, 3, 3, 3, 3, 4, 3, 3]);
        let verdicts = |new: &[u64]| -> Vec<Verdict> {
            let changes = Changes::new(&base, &of(new), Growth::default());
            changes.changes.iter().take(1).map(|change| change.verdict).collect()
        };
        assert_eq!(verdicts(&[4, 4, 4, 3, 4, 4, 4, 4]), []);
        assert_eq!(verdicts(&[6, 6, 5, 6, 6, 6, 6, 6]), [Verdict::Worse]);
        // A clock that counts cycles, and a program that always takes as many.
        let of = |ticks| baseline(move |_| Spread::of(&[ticks; 8]));
        let changes = Changes::new(&of(10_000), &of(11_000), Growth::default());
        assert_eq!(changes.regressions().count(), 60);
    }

    #[test]
    fn growth_within_the_budget_is_allowed() {
        use et_inspector::budget::Budget;
        let of = |bytes: u64, p50: u64| {
            let times = [("add".to_owned(), Spread { runs: 9, p50, ..Spread::default() })];
            let sizes = [("memory.peak".to_owned(), bytes)];
            Baseline {
                unit: Some("ns".into()),
                times: times.into(),
                methods: [("forward".to_owned(), sizes.into())].into(),
                ..Baseline::default()
            }
        };
        let growth = Budget::parse("growth = { peak = '2%', time = '10%' }").unwrap().growth;
        let verdicts = |new: &Baseline| -> Vec<Verdict> {
            Changes::new(&of(1000, 1000), new, growth).changes.iter().map(|c| c.verdict).collect()
        };
        assert_eq!(verdicts(&of(1020, 1100)), [Verdict::Allowed; 2]);
        assert_eq!(verdicts(&of(1021, 1101)), [Verdict::Worse; 2]);
    }

    #[test]
    fn few_runs_conclude_nothing() {
        let of = |p50| baseline(move |_| Spread { runs: 3, p50, ..Spread::default() });
        let changes = Changes::new(&of(100), &of(200), Growth::default());
        assert!(changes.changes.is_empty());
        assert!(changes.notes[0].contains("fewer than 5 runs"));
    }

    #[test]
    fn other_documents_are_no_baselines() {
        let wrong = |text: &str| Baseline::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(wrong("{}").contains("expected a baseline"));
        let other = Baseline { schema: "etinspect.memory/1".into(), ..Baseline::default() };
        assert!(wrong(&other.text()).contains("found \"etinspect.memory/1\""));
    }
}
