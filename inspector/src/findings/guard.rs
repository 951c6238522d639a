//! `ETR002` to `ETR010` and `ETN001`: what a guarded run saw.

use super::{Code, Finding};
use et_schema::ScalarType;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use std::fmt;
use std::ops::Range;

/// An instruction.
pub type Place = (ChainId, InstructionId);

/// What an instruction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Changed bytes that belong to none of its outputs.
    WriteOutside,
    /// Read a tensor that nothing had written.
    NeverWritten,
    /// Read state that has no value before the first run.
    StateWithoutValue,
    /// Read a tensor over which another was written, there.
    BytesReused(Place),
    /// Wrote over a tensor that is still to be read.
    LiveOverlap,
    /// Overwrote the tensor that was written there.
    WrittenTwice(Place),
    /// Overwrote an input of the method, or a tensor with a value from the program.
    OverwritesInput,
    /// Put out the first elements that are NaN or infinite: how many, and which is the first.
    NonFinite(usize, usize),
    /// Left an output of the method unwritten.
    OutputNeverWritten,
    /// Ran so often that the runtime gave up.
    RunsAway(u64),
}

/// A tensor and the bytes that it has in its planned buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorAt {
    /// Value.
    pub value: ValueId,
    /// Element type.
    pub scalar_type: ScalarType,
    /// Extents.
    pub sizes: Vec<i32>,
    /// Memory id, if it is planned.
    pub memory_id: Option<u32>,
    /// Its bytes there.
    pub bytes: Range<u64>,
}

impl fmt::Display for TensorAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{} {}{:?}", self.value.0, self.scalar_type, self.sizes)?;
        match self.memory_id {
            Some(id) => write!(f, " at bytes {} of buffer {id}", range(&self.bytes)),
            None => write!(f, " outside of the plan"),
        }
    }
}

fn range(bytes: &Range<u64>) -> String {
    format!("{}..{}", bytes.start, bytes.end)
}

/// The finding of a fault. `tensors` are the one at fault and the one that it
/// is at odds with, if any; `bytes` are where.
pub fn guarded(
    fault: Fault,
    at: Option<Place>,
    operator: Option<String>,
    tensors: &[TensorAt],
    bytes: &Range<u64>,
) -> Finding {
    let name = |index: usize| {
        tensors.get(index).map_or_else(|| "no tensor".into(), |t| format!("%{}", t.value.0))
    };
    let (first, second) = (name(0), name(1));
    let place = |(chain, instruction): Place| format!("{chain}:{instruction}");
    let here = at.map_or_else(|| "the method".into(), place);
    let (code, title) = match fault {
        Fault::WriteOutside => (
            Code::WriteOutside,
            format!("{here} changed bytes {} that belong to none of its outputs", range(bytes)),
        ),
        Fault::NeverWritten => {
            (Code::NeverWritten, format!("{here} reads {first}, which nothing has written"))
        }
        Fault::StateWithoutValue => (
            Code::StateWithoutValue,
            format!("{here} reads the state {first}, which has no value before the first run"),
        ),
        Fault::BytesReused(writer) => (
            Code::BytesReused,
            format!("{here} reads {first}, over which {} wrote {second}", place(writer)),
        ),
        Fault::LiveOverlap => (
            Code::LiveOverlap,
            format!("{here} writes {first} over {second}, which is still to be read"),
        ),
        Fault::WrittenTwice(writer) => (
            Code::WrittenTwice,
            format!("{here} writes {first}, which {} writes as well", place(writer)),
        ),
        Fault::OverwritesInput => (
            Code::OverwritesInput,
            format!("{here} writes {first}, which is an input or has a value of the program"),
        ),
        Fault::NonFinite(count, index) => (
            Code::NonFinite,
            format!(
                "{here} puts out the first NaN or infinity: {count} in {first}, from element \
                 {index} on"
            ),
        ),
        Fault::OutputNeverWritten => (
            Code::OutputNeverWritten,
            format!("{here} ends, and its output {first} was never written"),
        ),
        Fault::RunsAway(count) => (
            Code::RunsAway,
            format!("{here} is where the run was stopped, after {count} instructions"),
        ),
    };
    let mut evidence: Vec<(&'static str, String)> =
        ["tensor", "other_tensor"].into_iter().zip(tensors.iter().map(|t| t.to_string())).collect();
    if !tensors.is_empty() {
        evidence.push(("bytes", range(bytes)));
    }
    Finding { code, title, evidence, remedy: code.page().remedy.into(), at, operator }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_the_tensors_and_their_bytes() {
        let tensor = |value, start| TensorAt {
            value: ValueId(value),
            scalar_type: ScalarType::Float,
            sizes: vec![2, 4],
            memory_id: Some(1),
            bytes: start..start + 32,
        };
        let at = Some((ChainId(0), InstructionId(7)));
        let tensors = [tensor(5, 0), tensor(9, 16)];
        let found =
            guarded(Fault::LiveOverlap, at, Some("aten::add.out".into()), &tensors, &(16..32));
        assert_eq!(found.code, Code::LiveOverlap);
        assert_eq!(found.title, "0:7 writes %5 over %9, which is still to be read");
        assert_eq!(found.evidence[1].1, "%9 float32[2, 4] at bytes 16..48 of buffer 1");
        assert_eq!(found.evidence[2], ("bytes", "16..32".into()));
    }
}
