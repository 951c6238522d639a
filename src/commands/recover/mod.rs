//! `etinspect recover`: journals and traces out of a memory dump.

mod json;
mod text;

use crate::cli::Global;
use crate::dump::{self, Contents, FoundJournal};
use crate::failure::{Failure, Status};
use crate::input;
use crate::output::OutputFile;
use clap::{Args, ValueEnum};
use etdump::Contents as TraceContents;
use etdump::journal::replay;
use std::path::{Path, PathBuf};

/// Find journals and traces in a memory dump, and write them as files
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  From the RAM of a dead board, as a debug probe saved it:
    etinspect recover ram.bin

  From a core file, Intel HEX, S-records or UF2, into a folder:
    etinspect recover board.hex --output-dir recovered

  From a capture of the console, with the base64 lines of the Arm runner:
    etinspect recover uart.txt

  Only say what is in it:
    etinspect recover ram.bin --list --format json")]
pub struct RecoverArgs {
    /// The dump; `-` for standard input
    #[arg(value_name = "RAM.bin")]
    dump: PathBuf,

    /// Folder of the files that are written [default: the current one]
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,

    /// Write no files
    #[arg(long)]
    list: bool,

    /// Leave out of traces what ExecuTorch's own Inspector cannot read
    #[arg(long)]
    inspector_compatible: bool,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.recover/1`
    Json,
}

/// What is printed, for every form.
struct Report<'a> {
    dump: &'a Path,
    contents: Contents<'a>,
    /// Files of each journal: the journal and its trace.
    journals: Vec<Written>,
    /// File of each trace.
    traces: Vec<Option<PathBuf>>,
}

/// What became of a journal.
struct Written {
    journal: Option<PathBuf>,
    trace: Option<PathBuf>,
    events: usize,
    unfinished: usize,
    without_beginning: usize,
}

/// Runs the command.
pub fn run(args: &RecoverArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.dump)?;
    let contents = dump::read(&bytes);
    let mut report =
        Report { dump: &args.dump, contents, journals: Vec::new(), traces: Vec::new() };
    if let Some(dir) = args.output_dir.as_deref().filter(|_| !args.list) {
        std::fs::create_dir_all(dir).map_err(|e| Failure::output(Some(dir), e))?;
    }
    for (index, found) in report.contents.journals.iter().enumerate() {
        report.journals.push(write_journal(args, index, found)?);
    }
    for (index, found) in report.contents.traces.iter().enumerate() {
        let path = path(args, report.contents.journals.len() + index, "etdp");
        report.traces.push(write(args, path, &found.bytes)?);
    }
    let mut output = global.open_output()?;
    match args.format {
        Format::Json => output.text(&json::document(&report))?,
        Format::Text => output.text(&text::page(&report))?,
    }
    output.finish()?;
    let nothing = report.contents.journals.is_empty() && report.contents.traces.is_empty();
    Ok(if nothing { Status::NotMet } else { Status::Done })
}

fn write_journal(
    args: &RecoverArgs,
    index: usize,
    found: &FoundJournal,
) -> Result<Written, Failure> {
    let contents = if args.inspector_compatible {
        TraceContents::InspectorCompatible
    } else {
        TraceContents::Full
    };
    let replayed = replay(&found.snapshot, contents);
    let trace = if replayed.events > 0 {
        write(args, path(args, index, "etdp"), &replayed.trace.bytes)?
    } else {
        None
    };
    Ok(Written {
        journal: write(args, path(args, index, "etj"), &found.bytes)?,
        trace,
        events: replayed.events,
        unfinished: replayed.unfinished,
        without_beginning: replayed.without_beginning,
    })
}

/// `ram.etj`, `ram-1.etj` in the output folder.
fn path(args: &RecoverArgs, index: usize, extension: &str) -> PathBuf {
    let stem = args.dump.file_stem().filter(|stem| *stem != "-");
    let stem = stem.map_or_else(|| "recovered".into(), |stem| stem.to_string_lossy().into_owned());
    let number = if index == 0 { String::new() } else { format!("-{index}") };
    let name = format!("{stem}{number}.{extension}");
    args.output_dir.as_deref().unwrap_or(Path::new("")).join(name)
}

fn write(args: &RecoverArgs, path: PathBuf, bytes: &[u8]) -> Result<Option<PathBuf>, Failure> {
    if args.list {
        return Ok(None);
    }
    // A journal that is recovered from itself stays as it is.
    if same_file(&path, &args.dump) {
        return Ok(None);
    }
    OutputFile::write_all(&path, bytes)?;
    Ok(Some(path))
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
