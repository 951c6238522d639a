//! `etinspect memory`: what a program needs of every allocator, predicted.

mod boards;
mod budget;
mod json;
mod measured;
mod target;
mod text;

use crate::abi::AbiName;
use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::severity::FailOn;
use crate::text::escape;
use crate::trace;
use clap::{Args, ValueEnum};
use et_inspector::budget::template;
use et_inspector::findings::{Finding, board_differs, does_not_fit, measured_differs, over_budget};
use et_inspector::log::{Log, Stage};
use et_inspector::memory::measured::{BoardComparison, BoardNumbers, Comparison, Replay, compare};
use et_inspector::memory::{MethodMemory, TraceMemory, TraceRequest};
use et_inspector::target::{Fit, Needs, Target, settings};
use et_reports::memory::{self, Document, Page};
use et_schema::bundled::File as Bundle;
use et_schema::etrecord;
use et_schema::layout::Abi;
use et_schema::pte::File;
use std::path::{Path, PathBuf};

/// Predict every allocator of a program: sizes, lifetimes, peak and what is live at it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What a program needs on a Cortex-M:
    etinspect memory model.pte

  Whether it fits a board, and the settings that make it run:
    etinspect memory model.pte --target stm32n6570-dk

  Which boards it fits:
    etinspect memory model.pte --all-targets

  The prediction beside what a board printed:
    etinspect memory model.pte --log uart.txt

  The prediction beside what a run measured:
    etinspect run model.pte --abi arm32 --etdump trace.etdp
    etinspect memory model.pte --trace trace.etdp

  With what recording a trace takes on the board:
    etinspect memory model.pte --with-etdump=10 --with-debug-buffer

  A build that fails when the program grows:
    etinspect memory model.pte --budget-template -o budget.toml
    etinspect memory model.pte --budget budget.toml

  A page with charts, and a comment for a pull request:
    etinspect memory model.pte --format html -o memory.html
    etinspect memory model.pte --format markdown

  Which modules of the PyTorch model the tensors at the peak come from:
    etinspect memory model.pte --etrecord model.etrecord

  Allocation by allocation, for a script:
    etinspect memory model.pte --abi arm32 --format json")]
pub struct MemoryArgs {
    /// The program (.pte or .bpte); `-` for standard input
    #[arg(value_name = "MODEL.pte")]
    model: PathBuf,

    /// Method to look at [default: all]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Board, by name (see `etinspect targets`) or as a file
    #[arg(long, value_name = "NAME|FILE.toml")]
    target: Option<String>,

    /// Say of every board that `etinspect targets` lists whether the program fits
    #[arg(long, conflicts_with = "target")]
    all_targets: bool,

    /// ABI whose object sizes the allocators count [default: the target's, or arm32]
    #[arg(long, value_enum, value_name = "ABI", conflicts_with = "target")]
    abi: Option<AbiName>,

    /// Trace with allocation events, to compare with the prediction [its ABI is the default]
    #[arg(long, value_name = "TRACE.etdp")]
    trace: Option<PathBuf>,

    /// ETRecord of the program's export: names the modules of the model that tensors come from
    #[arg(long, value_name = "FILE.etrecord")]
    etrecord: Option<PathBuf>,

    /// What a board printed, to compare its numbers with the prediction; `-` for standard input
    #[arg(long, value_name = "UART.txt")]
    log: Option<PathBuf>,

    /// Count the ETDump of so many executions as well, as firmware takes it out after them
    #[arg(long, value_name = "EXECUTIONS", num_args = 0..=1, require_equals = true,
          default_missing_value = "1")]
    with_etdump: Option<u64>,

    /// Count the ETDump with its debug buffer: the outputs of every operator and execution
    #[arg(long)]
    with_debug_buffer: bool,

    /// Limits in bytes; exits with 1 if one is exceeded
    #[arg(long, value_name = "FILE.toml")]
    budget: Option<PathBuf>,

    /// Print a budget that the program just meets, and nothing else
    #[arg(long, conflicts_with_all = ["budget", "trace", "format", "fail_on"])]
    budget_template: bool,

    /// Exit with 1 if a finding is at least so severe
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    fail_on: FailOn,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.memory/1`
    Json,
    /// A page in one file, with charts, for browsers
    Html,
    /// The charts as a picture
    Svg,
    /// For pull requests
    Markdown,
    /// Tensors by instruction and offset, for chrome://tracing and Perfetto
    Chrome,
}

/// ABIs that a trace may have, the likeliest first: those of both 64-bit ones
/// have objects of the same sizes.
const TRACE_ABIS: [Abi; 3] = [Abi::Arm32, Abi::X86_64, Abi::Aarch64];

impl MemoryArgs {
    /// What firmware records: a debug buffer comes with an ETDump.
    fn tracing(&self) -> Option<TraceRequest> {
        let debug_buffer = self.with_debug_buffer;
        let executions = self.with_etdump.or(debug_buffer.then_some(1))?;
        Some(TraceRequest { executions, debug_buffer })
    }
}

/// What was found, for every form of the result.
struct Report<'a> {
    model: &'a Path,
    abi: Abi,
    file: File<'a>,
    methods: Vec<MethodMemory<'a>>,
    target: Option<Target>,
    all_targets: bool,
    budget: Option<budget::Given<'a>>,
    /// What firmware records of a run, if it does.
    tracing: Option<TraceRequest>,
    trace: Option<&'a Path>,
    /// What the trace measured, by method.
    measured: Vec<Option<Comparison>>,
    /// What the board's log measured, by method.
    boards: Vec<Option<BoardComparison>>,
}

impl Report<'_> {
    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, (method, measured)) in self.methods.iter().zip(&self.measured).enumerate() {
            findings.extend(method.findings.iter().cloned());
            if let Some(target) = &self.target {
                findings.extend(does_not_fit(target, &self.fit(method, target)));
            }
            if let Some(budget) = &self.budget {
                let mut checks = budget.checks(method, self.program_bytes());
                // The program is the same for every method.
                checks.retain(|check| index == 0 || check.name != "program");
                findings.extend(over_budget(method.method.name(), &checks));
            }
            if let Some(board) = &self.boards[index] {
                findings.extend(board_differs(board));
            }
            if let Some(measured) = measured {
                findings.extend(measured_differs(method, measured));
            }
        }
        findings
    }

    fn tracing(&self, method: &MethodMemory<'_>) -> Option<TraceMemory> {
        Some(TraceMemory::new(&method.method, self.tracing?))
    }

    fn document(&self) -> Document<'_> {
        let methods = self.methods.iter().zip(&self.measured);
        let methods = methods.map(|(memory, measured)| {
            let needs = self.needs(memory);
            let checks = |budget: &budget::Given<'_>| budget.checks(memory, self.program_bytes());
            Page {
                memory,
                trace: self.tracing(memory),
                fit: self.target.as_ref().map(|target| Fit::new(&needs, target)),
                settings: settings(&needs, self.target.as_ref()),
                needs,
                budget: self.budget.as_ref().map(checks).unwrap_or_default(),
                measured: measured.as_ref(),
            }
        });
        Document {
            model: self.model.to_string_lossy().into_owned(),
            program: self.program_bytes(),
            abi: self.abi.name(),
            target: self.target.as_ref(),
            methods: methods.collect(),
            findings: self.findings(),
        }
    }

    fn program_bytes(&self) -> u64 {
        self.file.bytes().len() as u64
    }

    fn needs(&self, method: &MethodMemory<'_>) -> Needs {
        let needs = Needs::of(method, self.program_bytes());
        match self.tracing {
            Some(request) => needs.with_trace(method, &TraceMemory::new(&method.method, request)),
            None => needs,
        }
    }

    fn fit(&self, method: &MethodMemory<'_>, target: &Target) -> Fit {
        Fit::new(&self.needs(method), target)
    }
}

/// Runs the command.
pub fn run(args: &MemoryArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.model)?;
    let fail = |e| Failure::input(&args.model, e);
    let bundle = (bytes.get(4..8) == Some(b"BP08")).then(|| Bundle::parse(&bytes));
    let bundle = bundle.transpose().map_err(fail)?;
    let program = bundle.as_ref().map_or(&bytes[..], Bundle::program);
    let file = File::parse(program).map_err(fail)?;
    let target = args.target.as_deref().map(crate::target::open).transpose()?;
    let asked = args.abi.map(Abi::from).or(target.as_ref().map(|target| target.abi));
    let replays =
        args.trace.as_deref().map(|path| replays(path, global)).transpose()?.unwrap_or_default();
    let mut abi = asked.unwrap_or(Abi::Arm32);
    let mut methods = methods(args, &file, abi)?;
    let mut measured = compare(&file, &methods, &replays, &TRACE_ABIS).map_err(fail)?;
    // A trace knows the ABI of the device that it comes from.
    if let (None, Some(first)) = (asked, measured.iter().flatten().next())
        && first.abi != abi
    {
        abi = first.abi;
        methods = self::methods(args, &file, abi)?;
        measured = compare(&file, &methods, &replays, &TRACE_ABIS).map_err(fail)?;
    }
    let boards = boards(args, &file, &methods)?;
    let mut output = global.open_output()?;
    if args.budget_template {
        output.text(&template(&methods, file.bytes().len() as u64))?;
        output.finish()?;
        return Ok(Status::Done);
    }
    let budget = args.budget.as_deref().map(|path| budget::Given::open(path, &file));
    let budget = budget.transpose()?;
    let trace = args.trace.as_deref();
    let model = &args.model;
    let tracing = args.tracing();
    let report = Report {
        model,
        abi,
        file,
        methods,
        target,
        all_targets: args.all_targets,
        budget,
        tracing,
        trace,
        measured,
        boards,
    };
    match args.format {
        Format::Json => output.text(&json::document(&report))?,
        Format::Html => output.text(&memory::html(&report.document()))?,
        Format::Svg => output.text(&memory::svg(&report.document()))?,
        Format::Markdown => output.text(&memory::markdown(&report.document()))?,
        Format::Chrome => output.text(&memory::chrome(&report.document()))?,
        Format::Text => {
            let (colors, width) = (global.colors_output(), global.columns_output());
            output.text(&text::page(&report, colors, width))?
        }
    }
    output.finish()?;
    Ok(args.fail_on.status(&report.findings()))
}

/// The numbers of the board's log beside those of the method that it ran.
fn boards(
    args: &MemoryArgs,
    file: &File<'_>,
    methods: &[MethodMemory<'_>],
) -> Result<Vec<Option<BoardComparison>>, Failure> {
    let Some(path) = &args.log else { return Ok(methods.iter().map(|_| None).collect()) };
    let log = Log::parse(&input::open(path)?);
    let telling =
        log.runs.iter().max_by_key(|run| run.stage).filter(|run| run.stage > Stage::Started);
    let Some(run) = telling else {
        let message = "has no line of an ExecuTorch runner; give the log of the board's console";
        return Err(Failure::input(path, message));
    };
    let numbers = BoardNumbers::of(run);
    let ran = |memory: &MethodMemory<'_>| match &run.method {
        Some(name) => memory.method.name() == name,
        None => true,
    };
    let compared = methods.iter().map(|memory| {
        let comparison = ran(memory).then(|| BoardComparison::new(file, memory, &numbers));
        comparison.transpose().map_err(|e| Failure::input(&args.model, e))
    });
    compared.collect()
}

/// The methods that are asked for.
fn methods<'a>(
    args: &MemoryArgs,
    file: &File<'a>,
    abi: Abi,
) -> Result<Vec<MethodMemory<'a>>, Failure> {
    let mut methods = Vec::new();
    for method in file.methods() {
        if args.method.as_deref().is_none_or(|name| name == method.name()) {
            let memory = MethodMemory::new(file, method, abi);
            methods.push(memory.map_err(|e| Failure::input(&args.model, e))?);
        }
    }
    if let Some(path) = &args.etrecord {
        let bytes = input::open(path)?;
        let fail = |error| Failure::input(path, error);
        let record = etrecord::File::parse(&bytes).map_err(fail)?;
        for memory in &mut methods {
            memory.name_modules(&record).map_err(fail)?;
        }
    }
    if let (Some(name), true) = (&args.method, methods.is_empty()) {
        let names: Vec<String> = file.methods().map(|m| format!("{:?}", m.name())).collect();
        let message = format!("no method {name:?}; the program has {}", names.join(", "));
        return Err(Failure::input(&args.model, message));
    }
    Ok(methods)
}

/// The allocation events of a trace.
fn replays(path: &Path, global: &Global) -> Result<Vec<Replay>, Failure> {
    let bytes = input::open(path)?;
    let file = trace::open(path, &bytes, "are compared", global)?;
    let replays = Replay::all(&file);
    if replays.is_empty() && file.truncation().is_some() {
        // The prediction stands without them.
        global.warn(&format!(
            "{} has no allocation events before the cut: nothing is compared",
            escape(&path.to_string_lossy())
        ));
        return Ok(replays);
    }
    if replays.is_empty() {
        let message = "has no allocation events; `etinspect run --etdump` records them, and \
                       ExecuTorch's EventTracer::track_allocation does";
        return Err(Failure::input(path, message));
    }
    Ok(replays)
}
