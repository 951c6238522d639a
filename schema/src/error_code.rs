//! Error codes of ExecuTorch's runtime (`runtime/core/error.h`).

use core::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)+) => {
        /// An error of ExecuTorch's runtime. Logs print the number, often in
        /// hex (`0x21`), sometimes in decimal (`33`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum ErrorCode {
            $($(#[$doc])* $name = $code,)+
        }

        impl ErrorCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name,)+];

            /// ExecuTorch's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$name => stringify!($name),)+
                }
            }
        }
    };
}

error_codes! {
    /// No error.
    Ok = 0x00,
    /// The runtime contradicts itself.
    Internal = 0x01,
    /// The object is not in a state that allows the call.
    InvalidState = 0x02,
    /// There is no step left to execute.
    EndOfMethod = 0x03,
    /// The resource is loaded already.
    AlreadyLoaded = 0x04,
    /// The operation is not supported here.
    NotSupported = 0x10,
    /// The operation is not implemented.
    NotImplemented = 0x11,
    /// An argument is not what the callee takes.
    InvalidArgument = 0x12,
    /// A value is of another type than the callee takes.
    InvalidType = 0x13,
    /// An operator has no kernel in this build.
    OperatorMissing = 0x14,
    /// The kernel registry is full.
    RegistrationExceedingMaxKernels = 0x15,
    /// The kernel is registered already.
    RegistrationAlreadyRegistered = 0x16,
    /// A resource, such as a backend, is not there.
    NotFound = 0x20,
    /// An allocator had too little memory left.
    MemoryAllocationFailed = 0x21,
    /// A resource could not be accessed.
    AccessFailed = 0x22,
    /// The program contradicts itself.
    InvalidProgram = 0x23,
    /// The external data does not fit the program.
    InvalidExternalData = 0x24,
    /// A resource is used up.
    OutOfResources = 0x25,
    /// The backend cannot run this payload.
    DelegateInvalidCompatibility = 0x30,
    /// The backend had too little memory.
    DelegateMemoryAllocationFailed = 0x31,
    /// The backend was given a handle that it does not know.
    DelegateInvalidHandle = 0x32,
}

impl ErrorCode {
    /// The number.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The error with this number.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|e| e.code() == code)
    }

    /// The error with this name; letter case does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|e| e.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:02x})", self.name(), self.code())
    }
}
