//! The files that were given, told apart by what is in them.

use crate::dump;
use crate::failure::Failure;
use crate::input::{self, Input};
use et_inspector::log::{Log, Stage};
use et_inspector::restore;
use et_inspector::target::Target;
use et_schema::bundled::File as Bundle;
use et_schema::etdump::{File as Trace, Truncation};
use et_schema::etrecord::File as Record;
use et_schema::pte::File;
use et_schema::{Format, ReadError};
use et_tui::{Bytes, Clock, Inputs, Progress, Session, Stream};
use etdump::Contents as TraceContents;
use etdump::journal::{Snapshot, replay};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// The files, the journal of a run, and what is listened to.
#[derive(Clone, Default)]
pub struct Files {
    /// Files that were named.
    pub paths: Vec<PathBuf>,
    /// Files of a run, which may not be there yet.
    pub later: Vec<PathBuf>,
    /// What is listened to.
    pub stream: Option<Stream>,
    /// The debug buffer, else it may lie beside the trace.
    pub debug_buffer: Option<PathBuf>,
    /// The method.
    pub method: Option<String>,
    /// The board.
    pub target: Option<Arc<Target>>,
    /// What the ticks of traces are.
    pub clock: Clock,
    /// Whether they are followed, and what has no meaning yet may get one.
    pub grows: bool,
}

/// A file that is open.
struct Opened {
    path: PathBuf,
    bytes: Bytes,
}

struct Owned(Input);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Opened {
    fn new(path: &Path) -> Result<Self, Failure> {
        let bytes = Bytes::new(Owned(input::open(path)?));
        Ok(Opened { path: path.to_owned(), bytes })
    }

    fn format(&self) -> Option<Format> {
        Format::detect(self.bytes.as_slice())
    }

    fn failure(&self, error: impl std::fmt::Display) -> Failure {
        Failure::input(&self.path, error)
    }

    /// The trace, as far as it was written.
    fn trace(&self) -> Result<Trace<'_>, Failure> {
        Trace::recover(self.bytes.as_slice()).map_err(|e| self.failure(e))
    }

    /// The program, also one inside of a bundle.
    fn program(&self) -> Result<&[u8], Failure> {
        match self.format() {
            Some(Format::BundledProgram) => {
                let bundle = Bundle::parse(self.bytes.as_slice()).map_err(|e| self.failure(e))?;
                Ok(bundle.program())
            }
            _ => Ok(self.bytes.as_slice()),
        }
    }
}

/// A trace that was made of a journal.
struct Replayed {
    bytes: Vec<u8>,
    clock: Clock,
}

impl Replayed {
    /// Times become nanoseconds, if the journal says what its ticks are.
    fn of(journal: &Snapshot, clock: Clock) -> Self {
        let per_second = journal.ticks_per_second;
        let mut journal = journal.clone();
        if per_second > 0 && per_second != 1_000_000_000 {
            for record in &mut journal.records {
                let ns = u128::from(record.ticks) * 1_000_000_000 / u128::from(per_second);
                record.ticks = u64::try_from(ns).unwrap_or(u64::MAX);
            }
        }
        let clock = if per_second > 0 { Clock::default() } else { clock };
        Replayed { bytes: replay(&journal, TraceContents::Full).trace.bytes, clock }
    }
}

/// What says how far a run came.
#[derive(Default)]
struct Evidence {
    journal: Option<Snapshot>,
    log: Option<Log>,
}

impl Files {
    /// Name and size of what is there.
    pub fn size(&self) -> (String, u64) {
        let size = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
        let largest = self.paths.iter().max_by_key(|path| size(path));
        let name = largest.map_or(String::new(), |path| path.to_string_lossy().into_owned());
        (name, self.paths.iter().map(size).fold(0, u64::saturating_add))
    }

    /// What tells one state of the files from another: size and a stamp of
    /// each, and how much was received.
    pub fn state(&self) -> Vec<(u64, u64)> {
        let paths = self.paths.iter().chain(&self.later);
        let received = self.stream.iter().map(|stream| (stream.clock().0, 0));
        paths.map(|path| stamp(path)).chain(received).collect()
    }

    /// What there is to see now.
    ///
    /// # Errors
    /// A file that is nothing of what can be shown, or damaged.
    pub fn session(&self, progress: Option<&Progress>) -> Result<Session, Failure> {
        // A file that is followed may have nothing in it yet.
        let is_begun = |path: &&PathBuf| {
            let is_empty = |path: &Path| path.metadata().is_ok_and(|m| m.is_file() && m.len() == 0);
            !(self.grows && is_empty(path))
        };
        let mut files = self
            .paths
            .iter()
            .filter(is_begun)
            .map(|path| Opened::new(path))
            .collect::<Result<Vec<_>, _>>()?;
        // The journal of a run that has just begun may not be there yet, and its
        // trace is not before the end.
        let later = self.later.iter().filter(|path| path.exists());
        files.extend(later.filter_map(|path| Opened::new(path).ok()));
        let of = |wanted: &[Format]| -> Vec<&Opened> {
            files.iter().filter(|f| f.format().is_some_and(|f| wanted.contains(&f))).collect()
        };
        let programs = of(&[Format::Program, Format::BundledProgram]);
        let traces = of(&[Format::EtDump]);
        let (base_program, program) = pair(&programs, "programs")?;
        let (base_trace, trace) = pair(&traces, "traces")?;
        let program_bytes = program.map(Opened::program).transpose()?;
        let evidence = self.evidence(&files, program_bytes.unwrap_or(&[]))?;
        let file =
            parsed(program, |file| File::parse(file.program()?).map_err(|e| file.failure(e)))?;
        let base_file =
            parsed(base_program, |file| File::parse(file.program()?).map_err(|e| file.failure(e)))?;
        let own_trace = parsed(trace, Opened::trace)?;
        let base = parsed(base_trace, Opened::trace)?;
        let record = of(&[Format::EtRecord]).first().copied();
        let record = parsed(record, |file| {
            Record::parse(file.bytes.as_slice()).map_err(|e: ReadError| file.failure(e))
        })?;
        let mut buffer = self.debug_buffer(trace)?;
        let restored = own_trace.as_ref().zip(file.as_ref()).zip(buffer.as_ref());
        let restored = restored.and_then(|((trace, program), buffer)| {
            restore::by_program(trace, program, self.method.as_deref(), buffer.as_slice())?.ok()
        });
        let whole = match restored {
            Some(restored) => {
                buffer = Some(Bytes::new(restored.debug_buffer));
                restored.trace
            }
            None => Vec::new(),
        };
        let whole = Trace::parse(&whole).ok();
        let journal = evidence.journal.as_ref().filter(|_| trace.is_none());
        let replayed = journal.map(|journal| Replayed::of(journal, self.clock));
        let (replayed, clock) = match &replayed {
            Some(replayed) => (Trace::parse(&replayed.bytes).ok(), replayed.clock),
            None => (None, self.clock),
        };
        let mut title = self.title();
        if let Some(cut) = own_trace.as_ref().and_then(Trace::truncation) {
            let Truncation { events, runs, listed_runs, .. } = cut;
            title += &format!(" (cut off: {events} events of {runs} of {listed_runs} runs)");
        }
        if let Some(damage) = own_trace.as_ref().and_then(Trace::damage) {
            title += &format!(" (damaged: {} events were found)", damage.events);
        }
        let inputs = Inputs {
            title: &title,
            program: file.as_ref(),
            method: self.method.as_deref(),
            trace: whole.as_ref().or(own_trace.as_ref()),
            replayed: replayed.as_ref(),
            record: record.as_ref(),
            journal: evidence.journal.as_ref(),
            log: evidence.log.as_ref(),
            target: self.target.as_deref(),
            program_bytes: program.map(|file| &file.bytes),
            debug_buffer: buffer.as_ref(),
            base_trace: base.as_ref(),
            base_program: base_file.as_ref(),
            clock,
            progress,
        };
        Session::new(inputs).map_err(|e| Failure::input(Path::new(&self.first()), e))
    }

    /// Name of what is followed: the last of the files, without its folder.
    pub fn followed(&self) -> String {
        let name = self.paths.last().and_then(|path| path.file_name());
        name.map_or(String::new(), |name| name.to_string_lossy().into_owned())
    }

    /// Name of what is looked at: the first file, and the names of the others. Two of
    /// one name are told apart by their folders.
    pub fn title(&self) -> String {
        let mut title = self.first();
        let first = self.paths.first().and_then(|path| path.file_name());
        for path in self.paths.iter().skip(1) {
            let name = path.file_name().unwrap_or(path.as_os_str());
            let folder = path.parent().and_then(Path::file_name);
            title += match folder.filter(|_| first == Some(name)) {
                Some(folder) => format!(" + {}/", folder.to_string_lossy()),
                None => " + ".to_owned(),
            }
            .as_str();
            title += &name.to_string_lossy();
        }
        title
    }

    /// The first of what was named.
    fn first(&self) -> String {
        let first = self.paths.first().map(|path| path.to_string_lossy().into_owned());
        first.or_else(|| self.stream.as_ref().map(|stream| stream.name.clone())).unwrap_or_default()
    }

    fn debug_buffer(&self, trace: Option<&Opened>) -> Result<Option<Bytes>, Failure> {
        if let Some(path) = &self.debug_buffer {
            return Ok(Some(Opened::new(path)?.bytes));
        }
        let beside = trace.map(|trace| trace.path.with_extension("debug.bin"));
        let there = beside.filter(|path| path.is_file());
        Ok(there.and_then(|path| Opened::new(&path).ok()).map(|file| file.bytes))
    }

    fn evidence(&self, files: &[Opened], program: &[u8]) -> Result<Evidence, Failure> {
        let mut evidence = Evidence::default();
        let is_known = |file: &&Opened| {
            use Format::{BundledProgram, EtDump, EtRecord, Program};
            matches!(file.format(), Some(Program | BundledProgram | EtDump | EtRecord))
        };
        for file in files.iter().filter(|file| !is_known(file)) {
            if !evidence.take(file.bytes.as_slice(), program) && !self.grows {
                let message = "is no program, trace, ETRecord, journal or dump with a journal, \
                               and has no line of an ExecuTorch runner; `etinspect recover` \
                               looks closer at dumps, `--debug-buffer` names a debug buffer";
                return Err(file.failure(message));
            }
        }
        if let Some(stream) = &self.stream {
            // What has no meaning yet may get one with what follows.
            evidence.take(&stream.state().bytes, program);
        }
        Ok(evidence)
    }
}

impl Evidence {
    /// Whether `bytes` are a journal, have one in them, or are a log.
    fn take(&mut self, bytes: &[u8], program: &[u8]) -> bool {
        if let Ok(journal) = Snapshot::parse(bytes) {
            self.journal = Some(journal);
            return true;
        }
        if let Some(found) = dump::read(bytes).best_journal(program) {
            self.journal = Some(found.snapshot.clone());
            return true;
        }
        let log = Log::parse(bytes);
        let says_something = log.runs.iter().any(|run| run.stage > Stage::Started);
        if says_something {
            self.log = Some(log);
        }
        says_something
    }
}

/// Size, and a sum of the bytes of a small file: a journal that a run maps
/// changes without a new time of change. Of a large one that time is all.
fn stamp(path: &Path) -> (u64, u64) {
    const SMALL: u64 = 4 << 20;
    let Ok(metadata) = path.metadata() else { return (0, 0) };
    let size = metadata.len();
    if metadata.is_file() && size <= SMALL {
        let bytes = input::open(path).map(Owned);
        let bytes = bytes.as_ref().map_or(&[][..], |bytes| bytes.as_ref());
        let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
        return (size, sum);
    }
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    (size, since.map_or(0, |since| since.as_nanos() as u64))
}

/// The base, if there are two, and what is looked at.
fn pair<'f>(
    files: &[&'f Opened],
    what: &str,
) -> Result<(Option<&'f Opened>, Option<&'f Opened>), Failure> {
    match files {
        [] => Ok((None, None)),
        [own] => Ok((None, Some(own))),
        [base, own] => Ok((Some(base), Some(own))),
        _ => Err(Failure::Usage(format!("two {what} can be compared, not {}", files.len()))),
    }
}

fn parsed<'f, T>(
    file: Option<&'f Opened>,
    parse: impl Fn(&'f Opened) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    file.map(parse).transpose()
}
