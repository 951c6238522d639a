//! All that is known of a program in one report, for people and for CI.
//!
//! ```text
//! program.rs   the parts of the program file, its weights, its delegates' share
//! trace.rs     times of operators and runs, with their spread
//! baseline.rs  figures to keep, and what changed since
//! made.rs      what the report was made of
//! limits.rs    limits of memories of the board, calls, findings and times
//! words.rs     sizes and times for people
//! html/        a page that needs no other file
//! spread.rs    chart: operators by time
//! flame.rs     chart: modules by time
//! sparkline.rs chart: peaks of earlier runs
//! index.rs     many programs at once, and their history
//! json.rs      `etinspect.report/1`
//! markdown.rs  for pull requests
//! junit.rs     a test case for each limit
//! sarif.rs     findings for code scanning
//! github.rs    annotations of a workflow
//! gitlab.rs    findings for merge requests
//! badge.rs     the verdict as a small picture
//! ```
//!
//! Every form prints the same [`Report`].

mod badge;
mod baseline;
mod flame;
mod github;
mod gitlab;
mod html;
mod index;
mod json;
mod junit;
mod limits;
mod made;
mod markdown;
mod program;
mod sarif;
mod sparkline;
mod spread;
mod trace;
mod words;

pub use badge::badge;
pub use baseline::{Baseline, BaselineError, Change, Changes, Spread, Verdict};
pub use github::github;
pub use gitlab::gitlab;
pub use html::page as html;
pub use index::{Entry, History, Row, index};
pub use json::json;
pub use junit::junit;
pub use made::{Input, Made};
pub use markdown::text as markdown;
pub use program::{Program, Share, Weight};
pub use sarif::sarif;
pub use trace::{OperatorTime, RunTime, TraceTimes};
pub(crate) use words::share as share_of;

use crate::memory::{Document, Page};
use et_inspector::budget::{Budget, Count, check};
use et_inspector::findings::{Finding, Severity, does_not_fit, measured_differs, over_budget};
use et_inspector::memory::MethodMemory;
use et_inspector::memory::measured::Comparison;
use et_inspector::target::{Fit, Needs, Target, settings};
use et_schema::layout::Abi;
use et_schema::pte::File;

/// What a report is made of.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The program, as the user named it.
    pub model: String,
    /// The program.
    pub file: &'a File<'a>,
    /// Its methods' memory.
    pub methods: &'a [MethodMemory<'a>],
    /// ABI whose object sizes are counted.
    pub abi: Abi,
    /// The board, if one was named.
    pub target: Option<&'a Target>,
    /// The limits, if there are any.
    pub budget: Option<&'a Budget>,
    /// What a trace measured of each method's memory.
    pub measured: &'a [Option<Comparison>],
    /// Times of a trace.
    pub trace: Option<TraceTimes>,
    /// What to compare with.
    pub baseline: Option<&'a Baseline>,
    /// Earlier runs of the program, the oldest first.
    pub history: &'a [Entry],
    /// Version, inputs and options.
    pub made: Made,
}

/// The report that every form prints.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Memory by method, limits and findings.
    pub memory: Document<'a>,
    /// Parts of the program file.
    pub program: Program,
    /// Share of delegates, by method.
    pub shares: Vec<Share>,
    /// Limits of the budget on memories of the board, calls, findings and times.
    pub counts: Vec<Count>,
    /// Times, with a trace.
    pub trace: Option<TraceTimes>,
    /// What changed, with a baseline.
    pub changes: Option<Changes>,
    /// Earlier runs of the program, the oldest first.
    pub history: &'a [Entry],
    /// What it was made of.
    pub made: Made,
}

impl<'a> Report<'a> {
    /// Draws the conclusions from `subject`.
    pub fn new(subject: Subject<'a>) -> Self {
        let program = Program::of(subject.file);
        let mut memory = document(&subject, program.bytes);
        let shares: Vec<Share> =
            subject.methods.iter().map(|memory| Share::of(&memory.method)).collect();
        memory.findings.extend(subject.trace.iter().flat_map(|trace| trace.findings.clone()));
        let counts = subject.budget.map(|budget| {
            let trace = subject.trace.as_ref();
            limits::counts(budget, &memory.methods, &shares, trace, &memory.findings)
        });
        let counts = counts.unwrap_or_default();
        memory.findings.extend(limits::findings(&counts));
        let mut report = Report {
            memory,
            program,
            shares,
            counts,
            trace: subject.trace,
            changes: None,
            history: subject.history,
            made: subject.made,
        };
        let growth = subject.budget.map(|budget| budget.growth).unwrap_or_default();
        let changes = |base: &Baseline| Changes::new(base, &report.figures(), growth);
        report.changes = subject.baseline.map(changes);
        report
    }

    /// The figures that a later report can be compared with.
    pub fn figures(&self) -> Baseline {
        Baseline::of(self)
    }

    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        &self.memory.findings
    }

    /// Number of findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().iter().filter(|f| f.code.page().severity == severity).count()
    }

    /// Whether every limit of the budget is met.
    pub fn meets_budget(&self) -> bool {
        self.exceeded().0 == 0
    }

    /// Number of limits of the budget that are exceeded, and of all that were checked.
    pub fn exceeded(&self) -> (usize, usize) {
        let checks = self.memory.methods.iter().flat_map(|page| &page.budget);
        let counts = self.counts.iter().filter(|count| count.found.is_some());
        let over = checks.map(|check| check.over()).chain(counts.map(Count::over));
        over.fold((0, 0), |(over, all), by| (over + usize::from(by > 0), all + 1))
    }

    /// Whether an error was found, a limit is exceeded, or something got worse.
    pub fn is_bad(&self) -> bool {
        let mut worse = self.changes.iter().flat_map(Changes::regressions);
        self.count(Severity::Error) > 0 || !self.meets_budget() || worse.next().is_some()
    }

    /// Whether every method fits the target; `None` without one.
    pub fn fits(&self) -> Option<bool> {
        self.memory.target?;
        Some(self.memory.methods.iter().filter_map(|page| page.fit.as_ref()).all(Fit::fits))
    }

    /// The conclusion in a sentence.
    pub fn verdict(&self) -> String {
        let fits = self.memory.target.zip(self.fits());
        let mut parts: Vec<String> = fits
            .map(|(target, fits)| {
                format!("{} {}", if fits { "fits" } else { "does NOT fit" }, target.name)
            })
            .into_iter()
            .collect();
        match self.exceeded() {
            (_, 0) => {}
            (0, all) => parts.push(format!("meets all {all} limits of its budget")),
            (over, all) => parts.push(format!("EXCEEDS {over} of {all} limits of its budget")),
        }
        if let Some(changes) = &self.changes {
            parts.push(match changes.regressions().count() {
                0 => "nothing got worse since the baseline".to_owned(),
                count => format!("{count} figures got WORSE since the baseline"),
            });
        }
        parts.push(match self.count(Severity::Error) {
            0 => "no errors were found".to_owned(),
            1 => "1 error was found".to_owned(),
            count => format!("{count} errors were found"),
        });
        let mut sentence = parts.join("; ");
        if let Some(first) = sentence.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        sentence
    }

    /// What the report does not know, as a list of sentences.
    pub fn blind_spots(&self) -> Vec<String> {
        let mut spots = vec![
            "The stack, and the heap of the firmware and of backends, are not counted.".to_owned(),
        ];
        if self.trace.is_none() {
            spots.push("Without a trace nothing is known of times.".to_owned());
        }
        let unknown: Vec<&str> = self
            .counts
            .iter()
            .filter(|count| count.found.is_none())
            .map(|count| count.name.as_str())
            .collect();
        if !unknown.is_empty() {
            spots.push(format!("Limits that nothing is known of: {}.", unknown.join(", ")));
        }
        if self.memory.methods.iter().all(|page| page.measured.is_none()) {
            spots.push(
                "Memory is predicted from the program; no allocation events were given to \
                 compare it with."
                    .to_owned(),
            );
        }
        let delegates = self.memory.methods.iter().flat_map(|page| &page.memory.delegates);
        let mut notes: Vec<String> = delegates
            .filter_map(|delegate| Some(format!("{}: {}.", delegate.id, delegate.note?)))
            .collect();
        notes.sort();
        notes.dedup();
        spots.extend(notes);
        spots
    }
}

/// The part of the report that is about memory.
fn document<'a>(subject: &Subject<'a>, program: u64) -> Document<'a> {
    let (mut findings, mut methods) = (Vec::new(), Vec::new());
    for (index, memory) in subject.methods.iter().enumerate() {
        let needs = Needs::of(memory, program);
        let fit = subject.target.map(|target| Fit::new(&needs, target));
        let measured = subject.measured.get(index).and_then(Option::as_ref);
        let mut budget =
            subject.budget.map(|budget| check(budget, memory, program)).unwrap_or_default();
        // The program is the same for every method.
        budget.retain(|check| index == 0 || check.name != "program");
        findings.extend(memory.findings.iter().cloned());
        if let Some((target, fit)) = subject.target.zip(fit.as_ref()) {
            findings.extend(does_not_fit(target, fit));
        }
        findings.extend(over_budget(memory.method.name(), &budget));
        if let Some(measured) = measured {
            findings.extend(measured_differs(memory, measured));
        }
        methods.push(Page {
            memory,
            fit,
            settings: settings(&needs, subject.target),
            needs,
            trace: None,
            budget,
            measured,
        });
    }
    Document {
        model: subject.model.clone(),
        program,
        abi: subject.abi.name(),
        target: subject.target,
        methods,
        findings,
    }
}
