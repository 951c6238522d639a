//! The `--fail-on` option.

use crate::failure::Status;
use clap::ValueEnum;
use et_inspector::findings::{Finding, Severity};

/// From which severity on a finding fails the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any finding
    Info,
    /// Warnings and errors
    Warning,
    /// Errors
    Error,
    /// None
    Never,
}

impl FailOn {
    /// The exit status for `findings`.
    pub fn status(self, findings: &[Finding]) -> Status {
        let limit = match self {
            FailOn::Info => Severity::Info,
            FailOn::Warning => Severity::Warning,
            FailOn::Error => Severity::Error,
            FailOn::Never => return Status::Done,
        };
        let fails = findings.iter().any(|finding| finding.code.page().severity >= limit);
        if fails { Status::NotMet } else { Status::Done }
    }
}
