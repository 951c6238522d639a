//! What a run found: as text, and as `etinspect.run/1`.

use super::inputs::bits_of;
use super::profile::{Profile, Timing};
use crate::failure::Failure;
use crate::findings;
use crate::tensors::{Array, Difference, Tolerance, compare};
use crate::text::{self, escape};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::diagnose::InFlight;
use et_inspector::findings::{Finding, Severity};
use et_runtime::{Error, OutputRef, PoolUsage, Program, Scalar};
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::Instruction;
use etdump::Loss;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// How the run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Done,
    /// An output is not what was expected, or a finding is an error.
    NotMet,
    /// The runtime reported this error, or the run's process crashed.
    Failed(String),
    /// The run's time was up.
    Hung(String),
}

/// A run that did not come to its end.
pub struct Stopped {
    /// `Timeout` or `Crash`.
    pub name: &'static str,
    /// Whether its time was up.
    pub timed_out: bool,
    /// How it ended, and where.
    pub message: String,
    /// The instruction that never ended.
    pub in_flight: Option<InFlight>,
    /// The allocators at that moment.
    pub allocators: Vec<PoolUsage>,
    /// The finding.
    pub finding: Finding,
}

/// Everything that a run found.
pub struct RunReport {
    model: String,
    method: String,
    iterations: u32,
    outputs: Vec<Output>,
    expect: Option<Checked>,
    operators: Vec<OperatorTime>,
    execute: Timing,
    load: Timing,
    pools: Vec<PoolUsage>,
    error: Option<Error>,
    stopped: Option<Stopped>,
    findings: Vec<Finding>,
    guarded: bool,
    trace: Vec<(PathBuf, usize)>,
    loss: Loss,
}

/// An output, copied out of the runtime.
enum Output {
    Tensor(Array),
    Other(String, Value),
}

/// Time of all calls of one operator.
#[derive(Serialize)]
struct OperatorTime {
    name: String,
    count: u64,
    total_ns: u64,
}

/// Outputs against expectations.
pub struct Checked {
    max_abs: f64,
    max_rel: f64,
    outside: usize,
    first: Option<(usize, Difference)>,
    worst: Option<(usize, Difference)>,
    tolerance: Tolerance,
}

impl Checked {
    /// Compares the outputs with `expected`, in order.
    ///
    /// # Errors
    /// More expectations than outputs, or another type or shape.
    pub fn new(
        outputs: &[OutputRef<'_>],
        expected: &[Option<Array>],
        tolerance: Tolerance,
    ) -> Result<Self, Failure> {
        if expected.len() > outputs.len() {
            return Err(Failure::Usage(format!(
                "{} expectations, the method has {} outputs",
                expected.len(),
                outputs.len()
            )));
        }
        let (mut max_abs, mut max_rel, mut outside) = (0f64, 0f64, 0);
        let (mut first, mut worst) = (None, None::<(usize, Difference)>);
        for (index, (output, expected)) in outputs.iter().zip(expected).enumerate() {
            let Some(expected) = expected else { continue };
            let OutputRef::Tensor(tensor) = output else {
                return Err(Failure::Usage(format!("output {index} is no tensor")));
            };
            let found = Array::from_tensor(tensor);
            let scalar_type = bits_of(found.scalar_type, expected.scalar_type);
            let expected = Array { scalar_type, ..expected.clone() };
            let result = compare(&found, &expected, tolerance)
                .map_err(|e| Failure::Usage(format!("output {index}: {e}")))?;
            max_abs = max_abs.max(result.max_abs);
            max_rel = max_rel.max(result.max_rel);
            outside += result.outside;
            first = first.or(result.first.map(|d| (index, d)));
            let gap = |d: &Difference| (d.found - d.expected).abs();
            if let Some(difference) = result.worst
                && worst.as_ref().is_none_or(|(_, w)| gap(&difference) > gap(w))
            {
                worst = Some((index, difference));
            }
        }
        Ok(Checked { max_abs, max_rel, outside, first, worst, tolerance })
    }
}

impl RunReport {
    /// A report of a run that has not happened yet.
    pub fn new(model: &Path, method: &str, iterations: u32) -> Self {
        RunReport {
            model: model.to_string_lossy().into_owned(),
            method: method.to_owned(),
            iterations,
            outputs: Vec::new(),
            expect: None,
            operators: Vec::new(),
            execute: Timing::default(),
            load: Timing::default(),
            pools: Vec::new(),
            error: None,
            stopped: None,
            findings: Vec::new(),
            guarded: false,
            trace: Vec::new(),
            loss: Loss::default(),
        }
    }

    /// The runtime's error, and what is concluded from it.
    pub fn fail(&mut self, error: Error, findings: Vec<Finding>) {
        self.error = Some(error);
        self.findings.extend(findings);
    }

    /// The run was stopped, or its process ended.
    pub fn stop(&mut self, stopped: Stopped) {
        self.pools.clone_from(&stopped.allocators);
        self.findings.push(stopped.finding.clone());
        self.stopped = Some(stopped);
    }

    /// What a guarded run saw.
    pub fn add_findings(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        self.guarded = true;
    }

    /// What the allocators gave out.
    pub fn set_pools(&mut self, pools: Vec<PoolUsage>) {
        self.pools = pools;
    }

    /// Files of the trace with their sizes, and what could not go into them.
    pub fn set_trace(&mut self, files: Vec<(PathBuf, usize)>, loss: Loss) {
        (self.trace, self.loss) = (files, loss);
    }

    /// Result of `--expect`.
    pub fn set_expect(&mut self, checked: Checked) {
        self.expect = Some(checked);
    }

    /// The outputs of the last run.
    pub fn set_outputs(&mut self, outputs: &[OutputRef<'_>]) {
        self.outputs = outputs.iter().map(Output::new).collect();
    }

    /// Sums up the time of the instructions by operator, longest first.
    pub fn set_operators(&mut self, program: &Program<'_>, method: &str, profile: &Profile) {
        let names = instruction_names(program, method);
        let mut by_name: BTreeMap<&str, OperatorTime> = BTreeMap::new();
        for (place, timing) in profile.instructions() {
            let name = names.get(&place).map_or("unknown", String::as_str);
            let entry = by_name.entry(name).or_insert_with(|| OperatorTime {
                name: name.to_owned(),
                count: 0,
                total_ns: 0,
            });
            entry.count += timing.count;
            entry.total_ns += timing.total_ns;
        }
        self.operators = by_name.into_values().collect();
        self.operators.sort_by_key(|o| std::cmp::Reverse(o.total_ns));
        (self.execute, self.load) = (profile.execute, profile.load);
    }

    /// How the run ended.
    pub fn outcome(&self) -> Outcome {
        if let Some(stopped) = &self.stopped {
            let message = escape(&stopped.message);
            return if stopped.timed_out {
                Outcome::Hung(message)
            } else {
                Outcome::Failed(message)
            };
        }
        match (&self.error, &self.expect) {
            (Some(error), _) => Outcome::Failed(escape(&error.to_string())),
            (None, Some(checked)) if checked.outside > 0 => Outcome::NotMet,
            _ if self.findings.iter().any(|f| f.code.page().severity == Severity::Error) => {
                Outcome::NotMet
            }
            _ => Outcome::Done,
        }
    }

    /// `etinspect.run/1`.
    pub fn json(&self) -> String {
        let mut document = json!({
            "schema": "etinspect.run/1",
            "model": self.model,
            "method": self.method,
            "iterations": self.iterations,
            "outputs": self.outputs.iter().map(Output::json).collect::<Vec<_>>(),
            "operators": self.operators,
            "allocators": self.pools.iter().map(pool_json).collect::<Vec<_>>(),
            "execute_ns": self.execute.total_ns,
            "load_ns": self.load.total_ns,
            "findings": findings::json(&self.findings),
        });
        if let Some(checked) = &self.expect {
            document["expect"] = checked.json();
        }
        if let Some(error) = &self.error {
            document["error"] = json!({
                "name": error.code.name(),
                "code": error.code.code(),
                "message": error.message,
                "chain": error.at.map(|(chain, _)| chain.0),
                "instruction": error.at.map(|(_, instruction)| instruction.0),
                "operator": error.operator,
            });
        }
        if let Some(stopped) = &self.stopped {
            let at = stopped.in_flight.as_ref();
            document["error"] = json!({
                "name": stopped.name,
                "code": null,
                "message": stopped.message,
                "chain": at.map(|at| at.chain.0),
                "instruction": at.map(|at| at.instruction.0),
                "operator": at.map(|at| &at.operator),
            });
        }
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The report for people.
    pub fn text(&self, _color: bool) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}  method {}  {} run{}",
            escape(&self.model),
            escape(&self.method),
            self.iterations,
            if self.iterations == 1 { "" } else { "s" }
        );
        if self.error.is_none() && self.stopped.is_none() {
            self.outputs_text(&mut text);
            self.operators_text(&mut text);
        }
        self.pools_text(&mut text);
        if let Some(checked) = &self.expect {
            checked.text(&mut text);
        }
        self.trace_text(&mut text);
        if !self.findings.is_empty() {
            let _ = write!(text, "\nFindings\n{}", findings::text(&self.findings));
        } else if self.guarded {
            text.push_str("\nGuard: nothing found\n");
        }
        text
    }

    fn outputs_text(&self, text: &mut String) {
        text.push_str("\nOutputs\n");
        for (index, output) in self.outputs.iter().enumerate() {
            let _ = writeln!(text, "  {index}  {}", output.text());
        }
    }

    fn operators_text(&self, text: &mut String) {
        let total: u64 = self.operators.iter().map(|o| o.total_ns).sum();
        let mut table = table(&["operator", "calls", "total", "share"]);
        for operator in &self.operators {
            table.add_row([
                escape(&operator.name),
                text::thousands(operator.count),
                text::nanoseconds(operator.total_ns),
                share(operator.total_ns, total),
            ]);
        }
        let rest = self.execute.total_ns.saturating_sub(total);
        table.add_row([
            "(between instructions)".into(),
            String::new(),
            text::nanoseconds(rest),
            String::new(),
        ]);
        let average = self.execute.total_ns / self.execute.count.max(1);
        let _ = writeln!(
            text,
            "\nTime by operator   {} per run, load {}\n{}",
            text::nanoseconds(average),
            text::nanoseconds(self.load.total_ns),
            indented(&table)
        );
    }

    fn trace_text(&self, text: &mut String) {
        for (path, size) in &self.trace {
            let path = escape(&path.to_string_lossy());
            let _ = writeln!(text, "\nWrote {path}, {}", text::bytes(*size as u64));
        }
        let Loss { values_without_space, values_of_unsupported_type } = self.loss;
        if values_of_unsupported_type > 0 {
            let _ = writeln!(
                text,
                "Left out {values_of_unsupported_type} values of types that ExecuTorch's Inspector \
                 refuses; without --inspector-compatible they are written"
            );
        }
        if values_without_space > 0 {
            let _ = writeln!(text, "Left out {values_without_space} values: debug buffer full");
        }
    }

    fn pools_text(&self, text: &mut String) {
        if self.pools.is_empty() {
            return;
        }
        let mut table = table(&["allocator", "used", "peak", "limit", "allocations"]);
        for pool in &self.pools {
            table.add_row([
                pool.name.clone(),
                text::bytes(pool.used),
                text::bytes(pool.peak),
                pool.limit.map_or("none".into(), text::bytes),
                text::thousands(pool.allocations),
            ]);
        }
        let _ = writeln!(text, "\nMemory by allocator\n{}", indented(&table));
    }
}

/// Operator or instruction kind of every instruction.
fn instruction_names(
    program: &Program<'_>,
    method: &str,
) -> BTreeMap<(ChainId, InstructionId), String> {
    let mut names = BTreeMap::new();
    let Some(method) = program.file().method(method) else { return names };
    for (chain_index, chain) in method.chains().enumerate() {
        for (index, instruction) in chain.instructions().enumerate() {
            let name = match instruction {
                Instruction::KernelCall { operator, .. } => {
                    method.operator(operator).map(|o| o.to_string()).unwrap_or_default()
                }
                Instruction::DelegateCall { delegate, .. } => method
                    .delegate(delegate)
                    .map(|d| format!("delegate {}", d.id()))
                    .unwrap_or_default(),
                Instruction::Move { .. } => "move".into(),
                Instruction::JumpFalse { .. } => "jump if false".into(),
                Instruction::Free { .. } => "free".into(),
                Instruction::Unknown(tag) => format!("unknown instruction {tag}"),
            };
            names.insert((ChainId(chain_index as u32), InstructionId(index as u32)), name);
        }
    }
    names
}

impl Output {
    fn new(output: &OutputRef<'_>) -> Self {
        match output {
            OutputRef::Tensor(tensor) => Output::Tensor(Array::from_tensor(tensor)),
            OutputRef::Scalar(Scalar::Int(v)) => Output::Other(format!("int {v}"), json!(v)),
            OutputRef::Scalar(Scalar::Double(v)) => Output::Other(format!("double {v}"), json!(v)),
            OutputRef::Scalar(Scalar::Bool(v)) => Output::Other(format!("bool {v}"), json!(v)),
            OutputRef::String(v) => Output::Other(format!("string {:?}", escape(v)), json!(v)),
            OutputRef::None => Output::Other("None".into(), Value::Null),
            OutputRef::List(kind) => Output::Other((*kind).into(), json!(kind)),
        }
    }

    fn json(&self) -> Value {
        match self {
            Output::Tensor(array) => json!({
                "dtype": array.scalar_type.name(),
                "shape": array.sizes,
            }),
            Output::Other(_, value) => json!({ "dtype": null, "shape": null, "value": value }),
        }
    }

    fn text(&self) -> String {
        match self {
            Output::Other(text, _) => text.clone(),
            Output::Tensor(array) => {
                format!("{}{:?}  {}", array.scalar_type, array.sizes, summary(array))
            }
        }
    }
}

/// Few elements are shown as they are; of many scores, the five highest.
fn summary(array: &Array) -> String {
    let count = array.numel();
    if array.scalar_type.is_complex() {
        return listed(count, |i| complex(&array.parts(), i));
    }
    let is_scores = array.sizes.iter().filter(|s| **s != 1).count() == 1;
    if count > 8 && is_scores {
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|a, b| array.number(*b).total_cmp(&array.number(*a)));
        let top: Vec<String> =
            order.iter().take(5).map(|i| format!("[{i}] {}", short(array.number(*i)))).collect();
        return format!("top 5: {}", top.join("  "));
    }
    listed(count, |i| short(array.number(i)))
}

/// The first of `count` elements.
fn listed(count: usize, element: impl Fn(usize) -> String) -> String {
    let mut shown: Vec<String> = (0..count.min(8)).map(element).collect();
    if count > 8 {
        shown.push("…".into());
    }
    shown.join("  ")
}

/// Element `index` of the complex numbers whose parts these are.
fn complex(parts: &Array, index: usize) -> String {
    let [re, im] = [2 * index, 2 * index + 1].map(|at| parts.number(at));
    let sign = if im.is_sign_negative() { '-' } else { '+' };
    format!("{}{sign}{}i", short(re), short(im.abs()))
}

fn short(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        format!("{value}")
    } else if value.abs() >= 1e-4 && value.abs() < 1e6 {
        format!("{value:.5}")
    } else {
        format!("{value:.4e}")
    }
}

impl Checked {
    fn json(&self) -> Value {
        let difference = |difference: &Option<(usize, Difference)>| match difference {
            None => Value::Null,
            Some((output, d)) => json!({
                "output": output,
                "index": d.index,
                "expected": finite(d.expected),
                "found": finite(d.found),
            }),
        };
        let mut json = Map::new();
        json.insert("ok".into(), json!(self.outside == 0));
        json.insert("max_abs".into(), finite(self.max_abs));
        json.insert("max_rel".into(), finite(self.max_rel));
        json.insert("outside".into(), json!(self.outside));
        json.insert("first_difference".into(), difference(&self.first));
        json.insert("worst_difference".into(), difference(&self.worst));
        json.insert("rtol".into(), json!(self.tolerance.rtol));
        json.insert("atol".into(), json!(self.tolerance.atol));
        json.into()
    }

    fn text(&self, text: &mut String) {
        let Tolerance { rtol, atol } = self.tolerance;
        if self.outside == 0 {
            let _ = writeln!(
                text,
                "\nExpectation met: largest difference {:.3e} (rtol {rtol}, atol {atol})",
                self.max_abs
            );
            return;
        }
        let _ = writeln!(
            text,
            "\nExpectation NOT met: {} elements outside rtol {rtol}, atol {atol}",
            text::thousands(self.outside as u64)
        );
        for (which, difference) in [("first", &self.first), ("worst", &self.worst)] {
            if let Some((output, d)) = difference {
                let _ = writeln!(
                    text,
                    "  {which}  output {output} at {:?}: expected {}, found {}",
                    d.index, d.expected, d.found
                );
            }
        }
    }
}

/// JSON has no infinities: they are written as text.
fn finite(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

fn pool_json(pool: &PoolUsage) -> Value {
    json!({
        "name": pool.name,
        // A pool on the heap is as large as what it gave out.
        "capacity_bytes": pool.limit.unwrap_or(pool.peak),
        "limited": pool.limit.is_some(),
        "used_bytes": pool.used,
        "peak_bytes": pool.peak,
        "allocations": pool.allocations,
    })
}

fn share(part: u64, total: u64) -> String {
    if total == 0 { String::new() } else { format!("{:.1} %", part as f64 * 100.0 / total as f64) }
}

/// A table without lines; every column but the first is aligned to the right.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn indented(table: &Table) -> String {
    table.lines().map(|line| format!(" {}", line.trim_end())).collect::<Vec<_>>().join("\n")
}
