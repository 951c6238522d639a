//! Why a graph cannot be loaded or run.

use et_schema::ReadError;
use std::fmt;

/// Why a graph cannot be loaded or run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
}

/// Result with [`Error`].
pub(crate) type Result<T = ()> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Error { message: message.into() }
    }

    /// The same, with the node at fault before it.
    pub(crate) fn at(self, index: usize, kind: &str) -> Self {
        Error { message: format!("node {index} ({kind}): {}", self.message) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Error::new(error.to_string())
    }
}

/// Returns an [`Error`] with a formatted message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::error::Error::new(format!($($message)+)));
        }
    };
}
pub(crate) use ensure;
