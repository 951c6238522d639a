//! The built program, and the files it is tried on.

#![allow(dead_code)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A file under `tests/fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The program of a fixture model.
pub fn model(name: &str) -> PathBuf {
    fixture("models").join(name).join("model.pte")
}

/// What a run of the program left behind.
pub struct Ran {
    /// Exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }
}

/// The program, not yet started, in an environment without surprises.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etinspect"));
    command.env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// Runs the program.
pub fn etinspect<I, S>(args: I) -> Ran
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    command().args(args).output().expect("the program starts").into()
}

/// The one line that a failing command prints.
#[track_caller]
pub fn message(ran: &Ran) -> &str {
    assert_eq!(ran.stdout, "", "nothing on standard output");
    let line = ran.stderr.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n'), "more than one line: {line}");
    line.strip_prefix("etinspect: error: ").unwrap_or_else(|| panic!("no error: {line}"))
}
