//! `run --timeout`: the run happens in a child process whose journal the
//! parent reads when the child hangs, crashes or is killed.

use super::report::Stopped;
use super::{RunArgs, method_name};
use crate::failure::Failure;
use et_inspector::diagnose::{InFlight, in_flight_of_journal};
use et_inspector::findings::{Code, Finding};
use et_schema::pte::File;
use etdump::journal::{Mapping, Snapshot};
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Set in the child, so that it runs instead of supervising.
const CHILD: &str = "ETINSPECT_SUPERVISED";

/// Time between two looks at the child.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);

/// How the child ended.
pub enum End {
    /// By itself, with this exit status; it has printed everything.
    Exited(u8),
    /// It did not: this is what is known.
    Stopped(Box<Stopped>),
}

/// Whether this process is the child.
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the same command line in a child process for at most `timeout`.
///
/// # Errors
/// The child cannot be started, or its journal cannot be kept.
pub fn run(args: &RunArgs, model: &Path, file: &File<'_>, timeout: f64) -> Result<End, Failure> {
    let fail = |e| Failure::output(Some(Path::new("the run's process")), e);
    let scratch = tempfile::Builder::new().prefix("etinspect-").tempdir().map_err(fail)?;
    let journal = args.journal.clone().unwrap_or_else(|| scratch.path().join("run.etj"));
    let started = Instant::now();
    let mut child = start(args, &journal).map_err(fail)?;
    let limit = Duration::try_from_secs_f64(timeout).unwrap_or(Duration::MAX);
    let (status, timed_out) = wait(&mut child, started, limit).map_err(fail)?;
    let elapsed = started.elapsed();
    if let Some(code) = status.code().filter(|_| !timed_out)
        && (0..=4).contains(&code)
    {
        return Ok(End::Exited(code as u8));
    }
    let snapshot = read(&journal);
    let name = method_name(args.method.as_deref(), model, file)?;
    let method = file.method(&name);
    let in_flight = snapshot.as_ref().zip(method).and_then(|(snapshot, method)| {
        let life = snapshot.lives().pop()?;
        let mut found = in_flight_of_journal(snapshot, &life, &method)?;
        let began = life.open.iter().rfind(|open| open.scope.is_instruction())?.ticks;
        let now = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        found.since = Some((now.saturating_sub(began), 1_000_000_000));
        Some(found)
    });
    Ok(End::Stopped(Box::new(stopped(timed_out, status, elapsed, snapshot, in_flight))))
}

fn start(args: &RunArgs, journal: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(without_timeout(std::env::args_os().skip(1)));
    if args.journal.is_none() {
        command.arg("--journal").arg(journal);
    }
    command.env(CHILD, "1").spawn()
}

/// The arguments without `--timeout` and its value.
fn without_timeout(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut skip = false;
    for arg in args {
        if std::mem::take(&mut skip) {
            continue;
        }
        if arg == "--timeout" {
            skip = true;
        } else if !arg.as_encoded_bytes().starts_with(b"--timeout=") {
            kept.push(arg);
        }
    }
    kept
}

/// Waits for the child, and kills it after `limit`.
fn wait(
    child: &mut Child,
    started: Instant,
    limit: Duration,
) -> std::io::Result<(ExitStatus, bool)> {
    let mut sleep = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        let left = limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            // It may have ended just now; then there is nothing to kill.
            let _ = child.kill();
            return Ok((child.wait()?, true));
        }
        std::thread::sleep(sleep.min(left));
        sleep = (sleep * 2).min(LONGEST_SLEEP);
    }
}

fn read(journal: &Path) -> Option<Snapshot> {
    let mapping = Mapping::open(journal).ok()?;
    Snapshot::parse(&mapping.to_vec()).ok()
}

fn stopped(
    timed_out: bool,
    status: ExitStatus,
    elapsed: Duration,
    snapshot: Option<Snapshot>,
    in_flight: Option<InFlight>,
) -> Stopped {
    let seconds = elapsed.as_secs_f64();
    let executions = snapshot.as_ref().map_or(0, |s| s.executions);
    let since = in_flight.as_ref().and_then(|f| f.since).map_or(0.0, |(ns, _)| ns as f64 / 1e9);
    // What began a moment ago is progress; what takes most of the time is a hang.
    let moving = since < seconds / 2.0;
    let place = in_flight.as_ref().map_or_else(
        || "between two instructions".to_owned(),
        |at| format!("in instruction {}, {since:.3} s after it began", at.place()),
    );
    let (name, what) = if timed_out {
        let how = if moving { "it was still making progress" } else { "it hung" };
        ("Timeout", format!("the run was stopped after {seconds:.1} s; {how}"))
    } else {
        ("Crash", format!("the run's process {} after {seconds:.1} s", ended(status)))
    };
    let message = format!("{what}, {place}");
    let finding = Finding::new(
        Code::Hang,
        message.clone(),
        if moving && timed_out {
            "give it more time (--timeout), or fewer iterations"
        } else {
            "look at that instruction's operator and tensors; `etinspect run --guard` checks what \
             each instruction does to memory"
        },
    )
    .with("seconds", format!("{seconds:.3}"))
    .with("executions", executions)
    .with("progress", moving);
    let finding = match &in_flight {
        Some(at) => finding.at((at.chain, at.instruction), at.operator.clone()),
        None => finding,
    };
    Stopped { name, timed_out, message, in_flight, allocators: allocators(snapshot), finding }
}

fn allocators(snapshot: Option<Snapshot>) -> Vec<et_runtime::PoolUsage> {
    let states = snapshot.map(|s| s.allocators).unwrap_or_default();
    states
        .iter()
        .flatten()
        .map(|state| et_runtime::PoolUsage {
            name: state.name(),
            limit: (state.capacity != u32::MAX).then_some(state.capacity.into()),
            used: state.used.into(),
            peak: state.peak.into(),
            allocations: 0,
        })
        .collect()
}

#[cfg(unix)]
fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => format!("was ended by signal {signal}"),
        None => format!("ended with status {}", status.code().unwrap_or(-1)),
    }
}

#[cfg(not(unix))]
fn ended(status: ExitStatus) -> String {
    format!("ended with status {}", status.code().unwrap_or(-1))
}

impl From<u8> for crate::failure::Status {
    fn from(code: u8) -> Self {
        use crate::failure::Status;
        match code {
            0 => Status::Done,
            1 => Status::NotMet,
            3 => Status::Hung,
            4 => Status::Runtime,
            _ => Status::Usage,
        }
    }
}
