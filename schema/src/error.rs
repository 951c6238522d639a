//! The one error type of all readers: which format, where, what was expected,
//! what was found. The file's name is added by the program that opened it.

use alloc::string::String;
use core::fmt;

/// Result of a reader.
pub type Result<T> = core::result::Result<T, ReadError>;

/// File formats of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ExecuTorch program, `.pte`.
    Program,
    /// Tensor data file, `.ptd`.
    FlatTensor,
    /// Trace, `.etdp`.
    EtDump,
    /// Bundled program, `.bpte`.
    BundledProgram,
    /// ETRecord, what the exporter knows of a program, `.etrecord` or `.bin`.
    EtRecord,
    /// XNNPACK delegate payload, inside a program.
    Xnnpack,
    /// Ethos-U delegate payload, inside a program.
    EthosU,
}

impl Format {
    /// FlatBuffers' file identifier; for an ETRecord and an Ethos-U payload how they
    /// begin.
    pub const fn identifier(self) -> &'static [u8; 4] {
        match self {
            Format::Program => b"ET12",
            Format::FlatTensor => b"FT01",
            Format::EtDump => b"ED00",
            Format::BundledProgram => b"BP08",
            Format::EtRecord => b"PK\x03\x04",
            Format::Xnnpack => b"XN01",
            Format::EthosU => b"vela",
        }
    }

    /// The format whose identifier `bytes` carry, if it is one of ours. ETDumps
    /// may carry it after a size prefix of 4 bytes; any zip archive may be an
    /// ETRecord.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        use Format::{BundledProgram, EtDump, EtRecord, EthosU, FlatTensor, Program, Xnnpack};
        let carries = |at: usize, id: &[u8; 4]| bytes.get(at..at + 4).is_some_and(|it| it == id);
        let flatbuffers = [Program, FlatTensor, EtDump, BundledProgram, Xnnpack];
        if let Some(format) = flatbuffers.into_iter().find(|it| carries(4, it.identifier())) {
            return Some(format);
        }
        if let Some(format) = [EtRecord, EthosU].into_iter().find(|it| carries(0, it.identifier()))
        {
            return Some(format);
        }
        // With a header of constants before the graph, and of the version before.
        if carries(4, b"XH00") || carries(4, b"XN00") {
            return Some(Xnnpack);
        }
        Some(EtDump).filter(|_| carries(8, EtDump.identifier()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Program => "ExecuTorch program (.pte)",
            Format::FlatTensor => "tensor data file (.ptd)",
            Format::EtDump => "ETDump trace (.etdp)",
            Format::BundledProgram => "bundled program (.bpte)",
            Format::EtRecord => "ETRecord (.etrecord)",
            Format::Xnnpack => "XNNPACK payload",
            Format::EthosU => "Ethos-U payload",
        })
    }
}

/// Where in the file something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Byte offset from the start of the file.
    Offset(u64),
    /// A field, as a path such as `execution_plan[0].values[3]`.
    Field(String),
    /// Byte offset from the start of the file, and the field that refers to it.
    FieldAt(String, u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Offset(offset) => write!(f, "byte {offset}"),
            Place::Field(path) => write!(f, "field {path}"),
            Place::FieldAt(path, offset) => write!(f, "byte {offset} (field {path})"),
        }
    }
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a readable {format}: at {place}: expected {expected}, found {found}")]
pub struct ReadError {
    /// The format that the bytes were read as.
    pub format: Format,
    /// Where the fault is.
    pub place: Place,
    /// What a valid file has there.
    pub expected: String,
    /// What this file has there.
    pub found: String,
}

impl ReadError {
    /// A fault at a byte offset.
    pub fn at(
        format: Format,
        offset: u64,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        ReadError {
            format,
            place: Place::Offset(offset),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// A fault at a byte offset that the field `path` leads to. The path may
    /// be empty if it is not known.
    pub fn at_field(
        format: Format,
        offset: u64,
        path: String,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let place =
            if path.is_empty() { Place::Offset(offset) } else { Place::FieldAt(path, offset) };
        ReadError { format, place, expected: expected.into(), found: found.into() }
    }

    /// A fault in a field.
    pub fn field(
        format: Format,
        path: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        ReadError {
            format,
            place: Place::Field(path.into()),
            expected: expected.into(),
            found: found.into(),
        }
    }
}
