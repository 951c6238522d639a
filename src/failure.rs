//! Why a command failed, and the exit status that says so.

use crate::text::escape;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Exit status of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All went well.
    Done = 0,
    /// An expectation, budget or threshold is not met.
    NotMet = 1,
    /// Wrong usage or unreadable input.
    Usage = 2,
    /// The model hung or ran past its timeout.
    Hung = 3,
    /// The program failed on the runtime.
    Runtime = 4,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(status as u8)
    }
}

/// An error to show to the user.
#[derive(Debug)]
pub enum Failure {
    /// Something about a file: its name, and what is wrong with it.
    Input {
        /// Name as the user gave it.
        file: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// The arguments make no sense together.
    Usage(String),
    /// The program failed on the runtime.
    Runtime(String),
    /// The model hung, or ran past its timeout.
    Hung(String),
    /// The result could not be written.
    Output {
        /// File, or `standard output`.
        file: String,
        /// What the system said.
        error: io::Error,
    },
}

impl Failure {
    /// A fault of an input file.
    pub fn input(file: &Path, message: impl fmt::Display) -> Self {
        Failure::Input { file: escape(&file.to_string_lossy()), message: message.to_string() }
    }

    /// A fault of the output.
    pub fn output(file: Option<&Path>, error: io::Error) -> Self {
        let file = file.map_or("standard output".into(), |f| escape(&f.to_string_lossy()));
        Failure::Output { file, error }
    }

    /// Exit status.
    pub fn status(&self) -> Status {
        match self {
            Failure::Runtime(_) => Status::Runtime,
            Failure::Hung(_) => Status::Hung,
            _ => Status::Usage,
        }
    }

    /// The reader of our output went away, which is no fault.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Failure::Output { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input { file, message } => write!(f, "{file}: {message}"),
            Failure::Usage(message) | Failure::Runtime(message) | Failure::Hung(message) => {
                f.write_str(message)
            }
            Failure::Output { file, error } => write!(f, "cannot write {file}: {error}"),
        }
    }
}
