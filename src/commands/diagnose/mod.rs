//! `etinspect diagnose`: what stopped a device, from what it left behind.

mod json;
mod markdown;
mod text;

use crate::abi::AbiName;
use crate::cli::Global;
use crate::dump;
use crate::elf::{self, DebugSections, Firmware};
use crate::failure::{Failure, Status};
use crate::input;
use crate::severity::FailOn;
use crate::text::escape;
use crate::trace;
use clap::{Args, ValueEnum};
use et_inspector::diagnose::{Diagnosis, Evidence, NoSymbols, Symbols, diagnose};
use et_inspector::log::Log;
use et_inspector::target::Target;
use et_schema::bundled::File as Bundle;
use et_schema::layout::Abi;
use et_schema::pte::{File, Method};
use etdump::journal::Snapshot;
use std::path::{Path, PathBuf};

/// Say what stopped a device, from its log, its trace and the program
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Why a board fell silent, from what it printed on its UART:
    etinspect diagnose model.pte --log uart.txt

  With the board's memories, and the firmware's symbols for addresses in a fault:
    etinspect diagnose model.pte --log uart.txt --target corstone-300 --elf firmware.elf

  Which instruction a dead board hangs in, from its RAM:
    etinspect diagnose model.pte --dump ram.bin --elf firmware.elf

  What a trace says about the device's clock and memory:
    etinspect diagnose model.pte --trace trace.etdp

  From the program alone, before anything is flashed:
    etinspect diagnose model.pte --target nucleo-h743zi

  As Markdown, for an issue:
    etinspect diagnose model.pte --log uart.txt --format markdown")]
pub struct DiagnoseArgs {
    /// The program (.pte or .bpte) that the device runs
    #[arg(value_name = "MODEL.pte")]
    model: PathBuf,

    /// Method that ran [default: the log's, forward, or the only one]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// What the device printed; `-` for standard input
    #[arg(long, value_name = "UART.txt")]
    log: Option<PathBuf>,

    /// The device's journal
    #[arg(long, value_name = "JOURNAL.etj")]
    journal: Option<PathBuf>,

    /// A dump of the device's memory with a journal in it: raw, ELF, Intel HEX, S-records, UF2, or a console capture
    #[arg(long, value_name = "RAM.bin", conflicts_with = "journal")]
    dump: Option<PathBuf>,

    /// A trace of the device (ETDump)
    #[arg(long, value_name = "TRACE.etdp")]
    trace: Option<PathBuf>,

    /// Board, by name (see `etinspect targets`) or as a file
    #[arg(long, value_name = "NAME|FILE.toml")]
    target: Option<String>,

    /// ABI of the board [default: the target's, or arm32]
    #[arg(long, value_enum, value_name = "ABI", conflicts_with = "target")]
    abi: Option<AbiName>,

    /// The firmware, to name the code and data at addresses
    #[arg(long, value_name = "FIRMWARE.elf")]
    elf: Option<PathBuf>,

    /// Severity of findings from which on the exit status is 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
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
    /// `etinspect.diagnose/1`
    Json,
    /// For an issue
    Markdown,
}

/// What is printed, for every form.
struct Report<'a> {
    model: &'a Path,
    method: &'a str,
    abi: Abi,
    target: Option<&'a Target>,
    log: Option<&'a Log>,
    diagnosis: Diagnosis,
}

/// Runs the command.
pub fn run(args: &DiagnoseArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.model)?;
    let fail = |e| Failure::input(&args.model, e);
    let bundle = (bytes.get(4..8) == Some(b"BP08")).then(|| Bundle::parse(&bytes));
    let bundle = bundle.transpose().map_err(fail)?;
    let program = bundle.as_ref().map_or(&bytes[..], Bundle::program);
    let file = File::parse(program).map_err(fail)?;
    let log = args.log.as_deref().map(input::open_empty).transpose()?;
    let log = log.map(|bytes| Log::parse(&bytes));
    let trace_bytes = args.trace.as_deref().map(input::open).transpose()?;
    let trace = match (&args.trace, &trace_bytes) {
        (Some(path), Some(bytes)) => Some(trace::open(path, bytes, "are looked at", global)?),
        _ => None,
    };
    let target = args.target.as_deref().map(crate::target::open).transpose()?;
    let abi = target.as_ref().map_or(Abi::Arm32, |target| target.abi);
    let method = method(args, &file, log.as_ref())?;
    let elf = args.elf.as_deref().map(input::open).transpose()?;
    let object = match (&args.elf, &elf) {
        (Some(path), Some(bytes)) => Some(elf::parse(path, bytes)?),
        _ => None,
    };
    let sections = object.as_ref().map(DebugSections::read);
    let firmware = object.as_ref().zip(sections.as_ref()).map(|(o, s)| Firmware::new(o, s));
    let symbols: &dyn Symbols = match &firmware {
        Some(firmware) => firmware,
        None => &NoSymbols,
    };
    let journal = journal(args, global, program)?;
    let evidence = Evidence {
        file: &file,
        method,
        abi: args.abi.map_or(abi, Abi::from),
        target: target.as_ref(),
        log: log.as_ref(),
        journal: journal.as_ref(),
        trace: trace.as_ref(),
        symbols,
    };
    let report = Report {
        model: &args.model,
        method: method.name(),
        abi: evidence.abi,
        target: target.as_ref(),
        log: log.as_ref(),
        diagnosis: diagnose(evidence).map_err(fail)?,
    };
    let mut output = global.open_output()?;
    match args.format {
        Format::Json => output.text(&json::document(&report))?,
        Format::Text => output.text(&text::page(&report))?,
        Format::Markdown => output.text(&markdown::page(&report))?,
    }
    output.finish()?;
    Ok(args.fail_on.status(&report.diagnosis.findings))
}

/// The journal of `--journal` or `--dump`.
fn journal(
    args: &DiagnoseArgs,
    global: &Global,
    program: &[u8],
) -> Result<Option<Snapshot>, Failure> {
    if let Some(path) = &args.journal {
        let bytes = input::open(path)?;
        return Snapshot::parse(&bytes).map(Some).map_err(|e| Failure::input(path, e));
    }
    let Some(path) = &args.dump else { return Ok(None) };
    let bytes = input::open(path)?;
    let contents = dump::read(&bytes);
    let found = contents.best_journal(program).map(|found| found.snapshot.clone());
    if found.is_none() && !global.quiet {
        let path = escape(&path.to_string_lossy());
        let format = contents.image.format.name();
        let why = match &contents.left_out[..] {
            [] => "docs/journal.md shows how a firmware writes one".to_owned(),
            left_out => escape(&left_out.join("; ")),
        };
        eprintln!(
            "etinspect: warning: {path}: no journal that can be read in this dump ({format}); what \
             follows is from the rest. {why}"
        );
    }
    Ok(found)
}

/// The method that ran.
fn method<'a>(
    args: &DiagnoseArgs,
    file: &File<'a>,
    log: Option<&Log>,
) -> Result<Method<'a>, Failure> {
    let logged = log.and_then(Log::last).and_then(|run| run.method.as_deref());
    let known = |name: Option<&str>| name.and_then(|name| file.method(name));
    let found = match &args.method {
        Some(name) => file.method(name),
        None => known(logged).or_else(|| known(Some("forward"))).or_else(|| file.methods().next()),
    };
    found.ok_or_else(|| {
        let names: Vec<String> = file.methods().map(|m| format!("{:?}", m.name())).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let wanted = args.method.as_deref().unwrap_or("forward");
        Failure::input(&args.model, format!("no method {wanted:?}; the program has {names}"))
    })
}
