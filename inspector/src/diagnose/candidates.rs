//! What may have stopped a run that fell silent, ranked by the evidence.

use crate::findings::Code;

/// How probable a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likelihood {
    /// The evidence speaks for it.
    Likely,
    /// Nothing speaks against it.
    Possible,
    /// The evidence speaks against it.
    Unlikely,
    /// The evidence excludes it.
    RuledOut,
}

impl Likelihood {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Likelihood::Likely => "likely",
            Likelihood::Possible => "possible",
            Likelihood::Unlikely => "unlikely",
            Likelihood::RuledOut => "ruled out",
        }
    }
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The finding that it would be.
    pub code: Code,
    /// What happened, if it is this one.
    pub cause: String,
    /// How probable.
    pub likelihood: Likelihood,
    /// What speaks for or against it.
    pub why: String,
    /// How to find out.
    pub check: String,
}
