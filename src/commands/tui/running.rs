//! A run in a process of its own, which ends with the inspector.

use crate::failure::Failure;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Bytes of what the run says that are looked at.
const SAID: u64 = 64 << 10;

/// The run.
pub struct Running {
    /// Its name.
    pub name: String,
    child: Child,
    folder: TempDir,
    started: Instant,
    /// How it ended, once it did.
    ended: Option<String>,
}

impl Running {
    /// Runs `model` with further arguments of `etinspect run`.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn start(model: &Path, args: &[OsString]) -> Result<Self, Failure> {
        let fail = |e| Failure::output(None, e);
        let folder = tempfile::Builder::new().prefix("etinspect-").tempdir().map_err(fail)?;
        let said = File::create(folder.path().join("said")).map_err(fail)?;
        let program = std::env::current_exe().map_err(fail)?;
        let mut command = Command::new(program);
        command.arg("run").arg(model);
        let [journal, trace, buffer] = paths(folder.path());
        command.arg("--journal").arg(journal).arg("--etdump").arg(trace);
        command.arg("--debug-buffer").arg(buffer).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let child = command.spawn().map_err(fail)?;
        let name = model.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        let name = format!("run of {name}");
        Ok(Running { name, child, folder, started: Instant::now(), ended: None })
    }

    /// Its journal, and its trace and values, which are there when it has ended.
    pub fn files(&self) -> Vec<PathBuf> {
        let [journal, trace, _] = paths(self.folder.path());
        vec![journal, trace]
    }

    /// For how long it has been running, or how it ended.
    pub fn state(&mut self) -> (Option<Duration>, Option<String>) {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            let seconds = self.started.elapsed().as_secs_f64();
            self.ended = Some(match status.code() {
                Some(0) => format!("ended after {seconds:.1} s"),
                Some(code) => format!("failed with status {code}: {}", self.said()),
                None => format!("ended by a signal after {seconds:.1} s"),
            });
        }
        let running = self.ended.is_none().then(|| self.started.elapsed());
        (running, self.ended.clone())
    }

    /// The first line that it said of an error.
    fn said(&self) -> String {
        let mut said = Vec::new();
        let file = File::open(self.folder.path().join("said"));
        let _ = file.and_then(|file| file.take(SAID).read_to_end(&mut said));
        let said = String::from_utf8_lossy(&said);
        let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
        let error = lines().find(|line| line.contains("error")).or_else(|| lines().next());
        error.unwrap_or("it said nothing").trim_start_matches("etinspect: ").to_owned()
    }
}

/// What a run writes: journal, trace, and values beside the trace.
fn paths(folder: &Path) -> [PathBuf; 3] {
    ["run.etj", "run.etdp", "run.debug.bin"].map(|name| folder.join(name))
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
