//! The one interface between a runtime and whatever records its trace.
//!
//! A runtime calls [`Tracer::begin`] before work and [`Tracer::end`] after it,
//! so that both kinds of recorder fit: ETDump, which keeps one event per
//! finished scope, and a flight recorder, which must know about work that
//! never finishes. Names, order and ids are those of ExecuTorch's C++ runtime
//! (`runtime/core/event_tracer_hooks.h`).

use et_schema::ids::{ChainId, InstructionId};
use et_schema::{ErrorCode, ScalarType};

/// A point in time, in ticks of the recorder's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticks(pub u64);

/// Where in the method an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Outside any chain, such as `Method::execute`. ETDump: chain -1, instruction 0.
    Method,
    /// At an instruction.
    Instruction(ChainId, InstructionId),
}

impl Place {
    /// `chain_index` as ETDump's profile events have it.
    pub fn chain_index(self) -> i32 {
        match self {
            Place::Method => -1,
            Place::Instruction(chain, _) => chain.0 as i32,
        }
    }

    /// `instruction_id` as ETDump's events have it.
    pub fn instruction_id(self) -> i32 {
        match self {
            Place::Method => 0,
            Place::Instruction(_, instruction) => instruction.0 as i32,
        }
    }
}

/// How a delegate names one of its own operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DelegateId<'a> {
    /// By number.
    Int(i32),
    /// By name.
    Name(&'a str),
}

/// An allocator whose allocations are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocatorInfo<'a> {
    /// `method`, `planned_N` (memory id N), `temp` or `delegate`.
    pub name: &'a str,
    /// Bytes that it can give out.
    pub capacity: u64,
}

/// Index of an allocator in the list given to [`Tracer::begin_run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocatorIndex(pub u32);

/// One allocation that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationRecord {
    /// Who gave it out.
    pub allocator: AllocatorIndex,
    /// Bytes asked for, padding excluded, as in ETDump.
    pub size: u64,
    /// Byte offset in the allocator's memory.
    pub offset: u64,
}

/// How much of a method's data is logged, as `EventTracerDebugLogLevel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum DebugLevel {
    /// Nothing.
    #[default]
    None,
    /// Outputs of the method.
    ProgramOutputs,
    /// Outputs of the method and of every operator and delegate.
    IntermediateOutputs,
}

/// A tensor to log. `data` holds the elements in memory order.
#[derive(Clone, Copy, Debug)]
pub struct DebugTensor<'a> {
    /// Element type.
    pub scalar_type: ScalarType,
    /// Extents.
    pub sizes: &'a [i32],
    /// Strides in elements.
    pub strides: &'a [i32],
    /// Bytes.
    pub data: &'a [u8],
}

/// A value to log.
#[derive(Clone, Copy, Debug)]
pub enum DebugValue<'a> {
    /// Integer.
    Int(i64),
    /// Boolean.
    Bool(bool),
    /// Floating point number.
    Double(f64),
    /// Tensor.
    Tensor(DebugTensor<'a>),
    /// Tensors.
    TensorList(&'a [DebugTensor<'a>]),
}

/// Records what a runtime does.
///
/// Every method has a body that does nothing, so a recorder implements only
/// what it keeps. A recorder that fails keeps its error to itself until the
/// run is over: tracing never changes the result of a run.
pub trait Tracer {
    /// A new run begins: `Default` while a method loads, `Execute` for each
    /// execution. Allocation events that follow count allocators in this list.
    fn begin_run(&mut self, _name: &str, _allocators: &[AllocatorInfo<'_>]) {}

    /// Work begins. The result is given back to [`Tracer::end`].
    fn begin(&mut self, _name: &str, _place: Place) -> Ticks {
        Ticks(0)
    }

    /// The work of this name and place, begun at `begun`, is over.
    fn end(&mut self, _name: &str, _place: Place, _begun: Ticks) {}

    /// The work of this name and place ended with an error, in place of
    /// [`Tracer::end`]. An ETDump has no event for it, as in the C++ runtime.
    fn failed(&mut self, _name: &str, _place: Place, _code: ErrorCode) {}

    /// Whether instructions may be worked on together, each reported by
    /// [`Tracer::span`] when all are over. A recorder that must know of each
    /// instruction before it runs says no.
    fn takes_spans(&self) -> bool {
        true
    }

    /// The time now, for [`Tracer::span`]; `None` if no time is recorded.
    fn now(&mut self) -> Option<Ticks> {
        None
    }

    /// The work of this name and place was done from `begun` to `ended`, in
    /// place of [`Tracer::begin`] and [`Tracer::end`].
    fn span(&mut self, _name: &str, _place: Place, _begun: Ticks, _ended: Ticks) {}

    /// A delegate's own operation begins.
    fn begin_delegate(&mut self, _id: DelegateId<'_>, _place: Place) -> Ticks {
        Ticks(0)
    }

    /// A delegate's own operation is over; `metadata` is the delegate's own data about it.
    fn end_delegate(
        &mut self,
        _id: DelegateId<'_>,
        _place: Place,
        _begun: Ticks,
        _metadata: &[u8],
    ) {
    }

    /// An allocation was made.
    fn allocation(&mut self, _record: AllocationRecord) {}

    /// What the runtime should log with [`Tracer::value`].
    fn debug_level(&self) -> DebugLevel {
        DebugLevel::None
    }

    /// An operator's or delegate's argument after it ran, or with `output` an
    /// output of the method.
    fn value(&mut self, _place: Place, _value: DebugValue<'_>, _output: bool) {}
}

/// Records nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTracer;

impl Tracer for NoTracer {}
