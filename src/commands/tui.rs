//! `etinspect tui`: the terminal inspector.

use crate::cli::{Color, Global};
use crate::dump;
use crate::failure::{Failure, Status};
use crate::input::{self, Input};
use clap::Args;
use et_inspector::log::{Log, Stage};
use et_inspector::target::Target;
use et_schema::Format;
use et_schema::bundled::File as Bundle;
use et_schema::etdump::File as Trace;
use et_schema::pte::File;
use et_tui::{App, Inputs, Session, Theme};
use etdump::journal::Snapshot;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Look through a program, a trace, a journal or what a dead board left, in the terminal
#[derive(Debug, Args)]
#[command(after_help = "\
Files are told apart by what is in them. Press ? for the keys.

Examples:
  A program and its trace:
    etinspect tui model.pte trace.etdp

  Whether it fits a board, and what fills its memory:
    etinspect tui model.pte --target corstone-300

  What a dead board did last, from its RAM or its console:
    etinspect tui model.pte ram.bin
    etinspect tui model.pte uart.txt

  A log or a journal that still grows:
    etinspect tui model.pte /tmp/uart.txt --follow

  A run as it happens:
    etinspect tui model.pte --run")]
pub struct TuiArgs {
    /// A program (.pte or .bpte), and a trace, a journal, a memory dump or a log, in any order
    #[arg(value_name = "FILE", required = true, num_args = 1..=3)]
    files: Vec<PathBuf>,

    /// Method [default: the one that the log names, forward, or the only one]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Board, by name (see `etinspect targets`) or as a file
    #[arg(long, value_name = "NAME|FILE.toml")]
    target: Option<String>,

    /// Look at the files again when they change
    #[arg(long)]
    follow: bool,

    /// Run the program, and follow its journal
    #[arg(long, conflicts_with = "follow")]
    run: bool,

    /// Draw with ASCII characters only
    #[arg(long)]
    ascii: bool,
}

/// How often files are looked at that are followed.
const LOOK: Duration = Duration::from_millis(300);

/// Runs the command.
pub fn run(args: &TuiArgs, global: &Global) -> Result<Status, Failure> {
    let target = args.target.as_deref().map(crate::target::open).transpose()?;
    let mut files = Files { args, target: target.as_ref(), more: None, seen: Vec::new() };
    let session = files.session()?;
    let interactive = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !interactive {
        let message = "tui needs a terminal; `etinspect diagnose`, `events` and `memory` print";
        return Err(Failure::Usage(message.into()));
    }
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !no_color,
    };
    let mut app = App::new(session, Theme { color, unicode: !args.ascii });
    let folder = tempfile::tempdir().map_err(|e| Failure::output(None, e))?;
    let mut child = None;
    if args.run {
        let journal = folder.path().join("run.etj");
        child = Some(Running(start(&args.files[0], &journal)?));
        files.more = Some(journal);
    }
    let mut looked = Instant::now();
    let mut fresh = || {
        if !(args.follow || args.run) || looked.elapsed() < LOOK {
            return None;
        }
        looked = Instant::now();
        // A file in the middle of a change is looked at again the next time.
        if files.changed() { files.session().ok() } else { None }
    };
    et_tui::run(&mut app, &mut fresh).map_err(|e| Failure::output(None, e))?;
    drop(child);
    Ok(Status::Done)
}

/// A run in a process of its own, which ends with the inspector.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(model: &Path, journal: &Path) -> Result<Child, Failure> {
    let program = std::env::current_exe().map_err(|e| Failure::output(None, e))?;
    let mut command = Command::new(program);
    command.arg("run").arg(model).arg("--journal").arg(journal);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|e| Failure::output(None, e))
}

/// The files that were given, and the journal of a run.
struct Files<'a> {
    args: &'a TuiArgs,
    target: Option<&'a Target>,
    more: Option<PathBuf>,
    /// What the files were like when they were read: size and a sum of the bytes.
    seen: Vec<(usize, u64)>,
}

/// A file, by what is in it.
enum Kind {
    Program,
    Bundle,
    Trace,
    Journal(Snapshot),
    Log(Log),
}

impl Files<'_> {
    fn paths(&self) -> impl Iterator<Item = &Path> {
        self.args.files.iter().chain(&self.more).map(PathBuf::as_path)
    }

    fn read(&self) -> Result<Vec<(&Path, Input)>, Failure> {
        let own = self.args.files.iter().map(|path| Ok((path.as_path(), input::open(path)?)));
        let mut files = own.collect::<Result<Vec<_>, Failure>>()?;
        // The journal of a run that has just begun may not be there yet.
        let more = self.more.as_deref().filter(|path| path.exists());
        files.extend(more.and_then(|path| Some((path, input::open(path).ok()?))));
        Ok(files)
    }

    /// Whether a file is another than it was.
    fn changed(&mut self) -> bool {
        let now: Vec<(usize, u64)> = self
            .paths()
            .map(|path| input::open(path).map_or((0, 0), |bytes| fingerprint(&bytes)))
            .collect();
        std::mem::replace(&mut self.seen, now.clone()) != now
    }

    /// What there is to see now.
    fn session(&self) -> Result<Session, Failure> {
        let files = self.read()?;
        let program = files.iter().find(|(_, bytes)| {
            matches!(Format::detect(bytes), Some(Format::Program | Format::BundledProgram))
        });
        let program_bytes = match program {
            Some((path, bytes)) => program_bytes(path, bytes)?,
            None => &[],
        };
        let file = match program {
            Some((path, _)) => {
                Some(File::parse(program_bytes).map_err(|e| Failure::input(path, e))?)
            }
            None => None,
        };
        let (mut trace, mut journal, mut log) = (None, None, None);
        for (path, bytes) in &files {
            match kind(path, bytes, program_bytes)? {
                Kind::Program | Kind::Bundle => {}
                Kind::Trace => {
                    trace = Some(Trace::recover(bytes).map_err(|e| Failure::input(path, e))?);
                }
                Kind::Journal(found) => journal = Some(found),
                Kind::Log(found) => log = Some(found),
            }
        }
        let title = self.args.files[0].to_string_lossy();
        let inputs = Inputs {
            title: &title,
            program: file.as_ref(),
            method: self.args.method.as_deref(),
            trace: trace.as_ref(),
            journal: journal.as_ref(),
            log: log.as_ref(),
            target: self.target,
        };
        Session::new(inputs).map_err(|e| Failure::input(&self.args.files[0], e))
    }
}

fn program_bytes<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b [u8], Failure> {
    if Format::detect(bytes) != Some(Format::BundledProgram) {
        return Ok(bytes);
    }
    let bundle = Bundle::parse(bytes).map_err(|e| Failure::input(path, e))?;
    Ok(bundle.program())
}

/// Size, and a sum that changes with any byte.
fn fingerprint(bytes: &[u8]) -> (usize, u64) {
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    (bytes.len(), sum)
}

fn kind(path: &Path, bytes: &[u8], program: &[u8]) -> Result<Kind, Failure> {
    match Format::detect(bytes) {
        Some(Format::Program) => return Ok(Kind::Program),
        Some(Format::BundledProgram) => return Ok(Kind::Bundle),
        Some(Format::EtDump) => return Ok(Kind::Trace),
        _ => {}
    }
    if let Ok(journal) = Snapshot::parse(bytes) {
        return Ok(Kind::Journal(journal));
    }
    if let Some(found) = dump::read(bytes).best_journal(program) {
        return Ok(Kind::Journal(found.snapshot.clone()));
    }
    let log = Log::parse(bytes);
    if log.runs.iter().any(|run| run.stage > Stage::Started) {
        return Ok(Kind::Log(log));
    }
    let message = "is no program, trace, journal or dump with a journal, and has no line of an \
                   ExecuTorch runner; `etinspect recover` looks closer at dumps";
    Err(Failure::input(path, message))
}
