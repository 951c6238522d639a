//! Reports of fixtures, for the tests of every form.

#![allow(dead_code, reason = "not every test uses all of it")]

use et_inspector::budget::Budget;
use et_inspector::correlate::Correlation;
use et_inspector::events::{EventBlocks, TimeScale};
use et_inspector::memory::MethodMemory;
use et_inspector::memory::measured::{Replay, compare};
use et_inspector::target::{Target, find};
use et_reports::report::{Baseline, Entry, Input, Made, Report, Subject, TraceTimes};
use et_schema::layout::Abi;
use et_schema::pte::File;
use et_schema::{etdump, etrecord};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

pub fn read(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn model(name: &str) -> Vec<u8> {
    read(&format!("models/{name}/model.pte"))
}

/// What a report is made of.
#[derive(Default)]
pub struct Given<'a> {
    pub name: &'a str,
    pub program: Vec<u8>,
    pub target: Option<Target>,
    pub budget: &'a str,
    pub trace: Option<&'a str>,
    pub record: Option<&'a str>,
    pub baseline: Option<&'a Baseline>,
    pub history: &'a [Entry],
    pub abi: Option<Abi>,
    /// A trace that is no fixture.
    pub trace_bytes: Option<Vec<u8>>,
    /// Times that stand in no trace.
    pub times: Option<TraceTimes>,
}

impl Given<'_> {
    /// Shows the report to `look`.
    pub fn with<T>(&self, look: impl FnOnce(&Report<'_>) -> T) -> T {
        let file = File::parse(&self.program).expect("a program");
        let abi = self.abi.unwrap_or(Abi::Arm32);
        let methods = file.methods().map(|method| MethodMemory::new(&file, method, abi));
        let mut methods: Vec<MethodMemory<'_>> =
            methods.collect::<Result<_, _>>().expect("a prediction");
        let budget = (!self.budget.is_empty()).then(|| Budget::parse(self.budget).expect("TOML"));
        let trace = self.trace.map(|name| read(&format!("traces/{name}.etdp")));
        let trace = trace.or_else(|| self.trace_bytes.clone());
        let dump = trace.as_deref().map(|bytes| etdump::File::parse(bytes).expect("a trace"));
        let replays = dump.as_ref().map(Replay::all).unwrap_or_default();
        let measured = compare(&file, &methods, &replays, &[Abi::X86_64]).expect("a comparison");
        let record = self.record.map(|name| read(&format!("traces/{name}.etrecord")));
        let record = record.as_deref().map(|b| etrecord::File::parse(b).expect("a record"));
        for (memory, record) in methods.iter_mut().flat_map(|m| record.as_ref().map(|r| (m, r))) {
            memory.name_modules(record).expect("modules");
        }
        let times = dump.as_ref().map(|dump| {
            let blocks = EventBlocks::of(dump);
            let correlation =
                Correlation::new(&blocks, Some(&file), record.as_ref(), None).expect("a method");
            TraceTimes::new(&blocks, &correlation, TimeScale::Nanoseconds, None)
        });
        let report = Report::new(Subject {
            model: self.name.to_owned(),
            file: &file,
            methods: &methods,
            abi,
            target: self.target.as_ref(),
            budget: budget.as_ref(),
            measured: &measured,
            trace: times.or_else(|| self.times.clone()),
            baseline: self.baseline,
            history: self.history,
            made: Made {
                version: "0.1.0".into(),
                inputs: vec![Input::new("model", self.name, &self.program)],
                options: vec!["--format".into(), "html".into()],
                command: format!("etinspect report {}", self.name),
            },
        });
        look(&report)
    }
}

pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A program too large for its board, over its budget, with a trace.
pub fn full() -> Given<'static> {
    Given {
        name: "mv2_w010.pte",
        program: model("mv2_w010"),
        target: find("nucleo-h743zi"),
        budget: "program = '10M'\n[memory]\npeak = 1000\nplanned = '64M'\n",
        trace: Some("mv2_w010__runner_alloc"),
        ..Given::default()
    }
}

pub fn linear() -> Given<'static> {
    Given { name: "linear.pte", program: model("linear"), ..Given::default() }
}
