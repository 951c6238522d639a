//! `etinspect report`: all that is known of a program in one file, for people and for CI.
//!
//! ```text
//! files.rs   what is given with a program: trace, record, baseline, history
//! many.rs    the programs of a folder, and their index
//! ```

mod files;
mod many;

use super::events::Scale;
use crate::abi::AbiName;
use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::output::OutputFile;
use crate::severity::FailOn;
use crate::text::{escape, thousands};
use clap::{ArgGroup, Args, ValueEnum};
use et_inspector::budget::Growth;
use et_inspector::correlate::Correlation;
use et_inspector::events::EventBlocks;
use et_inspector::memory::MethodMemory;
use et_inspector::memory::measured::{Comparison, Replay, compare};
use et_inspector::target::Target;
use et_reports::report::{self, Entry, History, Report, Subject, TraceTimes};
use et_schema::bundled::File as Bundle;
use et_schema::layout::Abi;
use et_schema::pte::File;
use et_schema::{etdump, etrecord};
use files::{Appending, Beside, Files};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Put all that is known of a program into one page, or into a form that CI reads
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("program").required(true).args(["model", "model_option"]),
    after_help = "\
Exits with 1 if a limit of the budget is exceeded, if a finding is at least as severe as
--fail-on, or if a figure got worse since the baseline.

Examples:
  One page, to open from disk:
    etinspect report model.pte --target stm32n6570-dk -o report.html

  With times by operator and module, from a trace:
    etinspect report model.pte --trace trace.etdp --etrecord model.etrecord -o report.html

  A build that fails when the program grows over its budget:
    etinspect memory model.pte --budget-template -o budget.toml
    etinspect report model.pte --budget budget.toml --format junit -o report.xml

  Keep the figures of the main branch, and say in a pull request what changed:
    etinspect report model.pte --trace trace.etdp --save-baseline base.json -o report.html
    etinspect report model.pte --trace new.etdp --baseline base.json --format markdown

  Findings for code scanning, and everything for a script:
    etinspect report model.pte --format sarif -o findings.sarif
    etinspect report model.pte --format github

  A folder of programs, with an index and the sizes of earlier runs:
    etinspect report models/ --target nucleo-h743zi --history sizes.jsonl -o pages
    etinspect report models/ --trace traces/ --baseline bases/ -o pages
    etinspect report model.pte --format json"
)]
pub struct ReportArgs {
    /// The program (.pte or .bpte); `-` for standard input. Of several, or of a folder,
    /// each gets a page in the folder of `-o`, and an index.html is made of all
    #[arg(value_name = "MODEL.pte|DIR")]
    model: Vec<PathBuf>,

    /// The same, as an option
    #[arg(long = "model", value_name = "MODEL.pte", id = "model_option")]
    model_option: Option<PathBuf>,

    /// Method to look at [default: all]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Trace of it: times, and what was allocated if it has allocation events. Of several
    /// programs a folder: DIR/a.pte goes with TRACES/a.etdp, and so for the options below
    #[arg(long, value_name = "TRACE.etdp|DIR")]
    trace: Option<PathBuf>,

    /// The exporter's record of the program: memory, and times of a trace, by module
    #[arg(long, value_name = "FILE.etrecord|DIR")]
    etrecord: Option<PathBuf>,

    /// Unit of the trace's clock
    #[arg(long, value_enum, default_value_t = Scale::Ns, value_name = "SCALE")]
    source_time_scale: Scale,

    /// Board, by name (see `etinspect targets`) or as a file
    #[arg(long, value_name = "NAME|FILE.toml")]
    target: Option<String>,

    /// ABI whose object sizes the allocators count [default: the target's, the trace's, or arm32]
    #[arg(long, value_enum, value_name = "ABI", conflicts_with = "target")]
    abi: Option<AbiName>,

    /// Limits; exits with 1 if one is exceeded
    #[arg(long, value_name = "FILE.toml")]
    budget: Option<PathBuf>,

    /// Figures to compare with, as --save-baseline wrote them; exits with 1 if one got worse
    #[arg(long, value_name = "FILE.json|DIR")]
    baseline: Option<PathBuf>,

    /// Write the figures of this report for a later --baseline
    #[arg(long, value_name = "FILE.json|DIR")]
    save_baseline: Option<PathBuf>,

    /// Append the figures of this run to FILE; pages draw those of earlier runs
    #[arg(long, value_name = "FILE.jsonl")]
    history: Option<PathBuf>,

    /// Report what got worse since the baseline, but do not fail for it
    #[arg(long, requires = "baseline")]
    allow_regressions: bool,

    /// Exit with 1 if a finding is at least so severe; `never` is for baselines as well
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    fail_on: FailOn,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page in one file, with charts, for browsers
    Html,
    /// `etinspect.report/1`
    Json,
    /// For pull requests
    Markdown,
    /// JUnit XML: a test case for each limit
    Junit,
    /// SARIF 2.1.0: findings for code scanning
    Sarif,
    /// Annotations of a GitHub workflow; adds the Markdown to $GITHUB_STEP_SUMMARY
    Github,
    /// Code quality report of GitLab
    Gitlab,
    /// The verdict as an SVG badge
    Badge,
}

/// ABIs that a trace may have, the likeliest first.
const TRACE_ABIS: [Abi; 3] = [Abi::Arm32, Abi::X86_64, Abi::Aarch64];

/// Runs the command.
pub fn run(args: &ReportArgs, global: &Global) -> Result<Status, Failure> {
    let given: Vec<PathBuf> = args.model.iter().chain(&args.model_option).cloned().collect();
    let programs = many::programs(&given)?;
    match &programs[..] {
        [] => Err(Failure::Usage("name a program: etinspect report MODEL.pte".into())),
        [program] if !given.iter().any(|path| path.is_dir()) => one(args, global, &program.path),
        programs if args.format == Format::Html => many::run(args, global, programs),
        _ => Err(Failure::Usage("--format is of one program; of several, pages are made".into())),
    }
}

/// The report on one program, in the form that was asked for.
fn one(args: &ReportArgs, global: &Global, program: &Path) -> Result<Status, Failure> {
    let beside = Beside::of_one(args, program);
    let history = files::open_history(args.history.as_deref())?;
    with_report(args, global, &beside, &history, |report| {
        // What cannot be kept is known before anything is written.
        let baseline = beside.save_baseline.as_deref().map(OutputFile::create).transpose()?;
        let history = Appending::open(args.history.as_deref())?;
        write(args, global, report)?;
        if let Some(mut baseline) = baseline {
            baseline.write(report.figures().text().as_bytes())?;
            baseline.finish()?;
        }
        history.add(&Entry::of(report).line())?;
        Ok(args.status(report))
    })
}

/// Makes the report on the program of `beside` and shows it to `look`.
fn with_report<T>(
    args: &ReportArgs,
    global: &Global,
    beside: &Beside,
    history: &History,
    look: impl FnOnce(&Report<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let files = Files::open(args, beside)?;
    let fail = |e| Failure::input(&beside.program, e);
    let bundle = (files.model.get(4..8) == Some(b"BP08")).then(|| Bundle::parse(&files.model));
    let bundle = bundle.transpose().map_err(fail)?;
    let bytes = bundle.as_ref().map_or(&files.model[..], Bundle::program);
    let file = File::parse(bytes).map_err(fail)?;
    let target = args.target.as_deref().map(crate::target::open).transpose()?;
    let budget = files.budget(args, &file)?;
    let baseline = files.baseline()?;
    if baseline.is_none() && budget.as_ref().is_some_and(|b| b.growth != Growth::default()) {
        global.warn("limits of [growth] say nothing without --baseline");
    }
    let dump = files.trace.as_deref().map(etdump::File::recover).transpose();
    let trace = beside.trace.as_deref().unwrap_or(Path::new(""));
    let dump = dump.map_err(|e| Failure::input(trace, e))?;
    let record = files.record()?;
    let mut memory = Memory::predict(args, &file, target.as_ref(), dump.as_ref(), &beside.program)?;
    if let Some(record) = &record {
        memory.name_modules(record, beside)?;
    }
    let times = dump.as_ref().map(|dump| times(args, beside, record.as_ref(), &file, dump));
    let times = times.transpose()?;
    if let Some(warning) = times.as_ref().and_then(|times| times.warning.as_ref()) {
        global.warn(&format!("{}: {warning}", escape(&trace.to_string_lossy())));
    }
    let report = Report::new(Subject {
        model: beside.program.to_string_lossy().into_owned(),
        file: &file,
        methods: &memory.methods,
        abi: memory.abi,
        target: target.as_ref(),
        budget: budget.as_ref(),
        measured: &memory.measured,
        trace: times,
        baseline: baseline.as_ref(),
        history: history.of(&beside.program.to_string_lossy()),
        made: files.made(args),
    });
    look(&report)
}

/// Writes the report, and its figures.
fn write(args: &ReportArgs, global: &Global, report: &Report<'_>) -> Result<(), Failure> {
    let text = match args.format {
        Format::Html => report::html(report),
        Format::Json => report::json(report),
        Format::Markdown => report::markdown(report),
        Format::Junit => report::junit(report),
        Format::Sarif => report::sarif(report),
        Format::Github => report::github(report),
        Format::Gitlab => report::gitlab(report),
        Format::Badge => report::badge(report),
    };
    let mut output = global.open_output()?;
    output.text(&text)?;
    output.finish()?;
    if args.format == Format::Github {
        add_step_summary(report)?;
    }
    Ok(())
}

/// Adds the report to the summary of a GitHub job, in the file that the runner names.
fn add_step_summary(report: &Report<'_>) -> Result<(), Failure> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let file = OpenOptions::new().append(true).create(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(report::markdown(report).as_bytes()));
    written.map_err(|e| Failure::input(&path, format!("cannot add the summary: {e}")))
}

impl ReportArgs {
    /// The exit status for what the report says.
    pub fn status(&self, report: &Report<'_>) -> Status {
        let is_worse = report.changes.as_ref().is_some_and(|c| c.regressions().next().is_some());
        if is_worse && !self.allow_regressions && self.fail_on != FailOn::Never {
            return Status::NotMet;
        }
        self.fail_on.status(report.findings())
    }
}

/// Memory of the methods, predicted and measured.
struct Memory<'a> {
    abi: Abi,
    methods: Vec<MethodMemory<'a>>,
    measured: Vec<Option<Comparison>>,
}

impl<'a> Memory<'a> {
    fn predict(
        args: &ReportArgs,
        file: &File<'a>,
        target: Option<&Target>,
        dump: Option<&etdump::File<'_>>,
        path: &Path,
    ) -> Result<Self, Failure> {
        let fail = |e| Failure::input(path, e);
        let asked = args.abi.map(Abi::from).or(target.map(|target| target.abi));
        let replays = dump.map(Replay::all).unwrap_or_default();
        let predict = |abi: Abi| -> Result<Self, Failure> {
            let named = |name: &str| args.method.as_deref().is_none_or(|asked| asked == name);
            let methods = file.methods().filter(|method| named(method.name()));
            let methods = methods.map(|method| MethodMemory::new(file, method, abi));
            let methods = methods.collect::<Result<Vec<_>, _>>().map_err(fail)?;
            let measured = compare(file, &methods, &replays, &TRACE_ABIS).map_err(fail)?;
            Ok(Memory { abi, methods, measured })
        };
        let memory = predict(asked.unwrap_or(Abi::Arm32))?;
        if let (Some(name), true) = (&args.method, memory.methods.is_empty()) {
            let names: Vec<String> = file.methods().map(|m| format!("{:?}", m.name())).collect();
            let message = format!("no method {name:?}; the program has {}", names.join(", "));
            return Err(Failure::input(path, message));
        }
        // A trace knows the ABI of the device that it comes from.
        match (asked, memory.measured.iter().flatten().next()) {
            (None, Some(first)) if first.abi != memory.abi => predict(first.abi),
            _ => Ok(memory),
        }
    }

    /// Takes the names of modules from the ETRecord of the program.
    fn name_modules(
        &mut self,
        record: &etrecord::File<'_>,
        beside: &Beside,
    ) -> Result<(), Failure> {
        let path = beside.etrecord.as_deref().unwrap_or(&beside.program);
        for memory in &mut self.methods {
            memory.name_modules(record).map_err(|e| Failure::input(path, e))?;
        }
        Ok(())
    }
}

/// The times of a trace.
fn times(
    args: &ReportArgs,
    beside: &Beside,
    record: Option<&etrecord::File<'_>>,
    file: &File<'_>,
    dump: &etdump::File<'_>,
) -> Result<TraceTimes, Failure> {
    let blocks = EventBlocks::of(dump);
    let path = beside.etrecord.as_deref().unwrap_or(&beside.program);
    let correlation = Correlation::new(&blocks, Some(file), record, args.method.as_deref())
        .map_err(|e| Failure::input(path, e))?;
    let warning = dump.truncation().map(|truncation| {
        format!(
            "the trace is cut off: only the {} events before the cut are shown, of {} of {} runs",
            thousands(truncation.events as u64),
            truncation.runs,
            truncation.listed_runs
        )
    });
    let warning = warning.or_else(|| {
        let events = thousands(dump.damage()?.events as u64);
        Some(format!(
            "the trace is damaged: only the {events} events that were found one by one are shown, \
             without the values of float16 and bfloat16 tensors"
        ))
    });
    Ok(TraceTimes::new(&blocks, &correlation, args.source_time_scale.into(), warning))
}
