//! Errors of loading and running, with ExecuTorch's codes.

use alloc::string::String;
use core::fmt;
use et_schema::ErrorCode;
use et_schema::ReadError;
use et_schema::ids::{ChainId, InstructionId};

/// Why a program failed on the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// ExecuTorch's error.
    pub code: ErrorCode,
    /// What happened, worded as ExecuTorch words it where it has words for it.
    pub message: String,
    /// The instruction, if one was at fault.
    pub at: Option<(ChainId, InstructionId)>,
    /// Its operator or delegate.
    pub operator: Option<String>,
}

impl Error {
    /// An error that belongs to no instruction.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Error { code, message: message.into(), at: None, operator: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:02x})", self.code.name(), self.code.code())?;
        if let Some((chain, instruction)) = self.at {
            write!(f, " at instruction {chain}:{instruction}")?;
        }
        if let Some(operator) = &self.operator {
            write!(f, " in {operator}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl core::error::Error for Error {}

impl From<ReadError> for Error {
    /// The container was verified, so what is left is a program that
    /// contradicts itself.
    fn from(error: ReadError) -> Self {
        Error::new(ErrorCode::InvalidProgram, alloc::format!("{error}"))
    }
}

/// Why a kernel refused its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelError {
    /// ExecuTorch's error.
    pub code: ErrorCode,
    /// Which argument, what was expected, what was found.
    pub message: String,
}

impl KernelError {
    /// An error with its reason.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        KernelError { code, message: message.into() }
    }

    /// `InvalidArgument`, which is how kernels refuse nearly everything.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }
}

/// Result of a kernel.
pub type KernelResult<T = ()> = core::result::Result<T, KernelError>;

/// Returns `InvalidArgument` with a formatted message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::error::KernelError::argument(alloc::format!($($message)+)));
        }
    };
}
pub(crate) use ensure;
