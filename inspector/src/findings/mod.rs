//! Findings: conclusions with a stable code, evidence and a remedy.
//!
//! All commands and reports show the same findings, made here. What a code
//! means in general stands in the [`catalog`]; a [`Finding`] is one case of it.

mod budget;
pub mod catalog;
mod fit;
mod guard;
mod measured;
mod missing;
mod partition;
mod plan;
mod pool;
mod traced;

pub use budget::over_budget;
pub use catalog::{Code, Severity};
pub use fit::does_not_fit;
pub use guard::{Fault, TensorAt, guarded};
pub use measured::{board_differs, describe as describe_difference, measured_differs};
pub use missing::{missing_backend, missing_operator, stubbed_backend};
pub use partition::partition_findings;
pub use plan::{plan_findings, unplanned_input};
pub use pool::{Limits, pool_exhausted};
pub use traced::traced_program;

use et_schema::ids::{ChainId, InstructionId};

/// One conclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of conclusion.
    pub code: Code,
    /// What is the case, in one sentence.
    pub title: String,
    /// The numbers and names behind it.
    pub evidence: Vec<(&'static str, String)>,
    /// What to change, with the setting and its value.
    pub remedy: String,
    /// Where in the program.
    pub at: Option<(ChainId, InstructionId)>,
    /// Operator there.
    pub operator: Option<String>,
}

impl Finding {
    /// A finding without evidence and place.
    pub fn new(code: Code, title: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding {
            code,
            title: title.into(),
            evidence: Vec::new(),
            remedy: remedy.into(),
            at: None,
            operator: None,
        }
    }

    /// Adds a piece of evidence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.evidence.push((name, value.to_string()));
        self
    }

    /// Adds a piece of evidence, if there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Says where in the program.
    #[must_use]
    pub fn at(mut self, place: (ChainId, InstructionId), operator: impl Into<String>) -> Self {
        self.at = Some(place);
        self.operator = Some(operator.into());
        self
    }
}
