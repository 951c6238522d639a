//! The three kinds of events.

use super::value::Value;
use crate::generated::etdump_generated::etdump as fb;

/// An event of a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Something that took time.
    Profile(ProfileEvent<'a>),
    /// An allocation.
    Allocation(AllocationEvent),
    /// A value that was logged.
    Debug(DebugEvent<'a>),
    /// An entry without any of them.
    Empty,
}

/// How a delegate names its own operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DelegateId<'a> {
    /// By number.
    Int(i32),
    /// By name.
    Name(&'a str),
}

impl<'a> DelegateId<'a> {
    /// -1 and no or an empty text mean that the event is no delegate's.
    fn new(int: i32, name: Option<&'a str>) -> Option<Self> {
        match name {
            Some(name) if !name.is_empty() => Some(DelegateId::Name(name)),
            _ => (int != -1).then_some(DelegateId::Int(int)),
        }
    }
}

/// Something that took time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileEvent<'a> {
    /// Name, such as `native_call_add.out`; empty where the file has none.
    pub name: &'a str,
    /// Chain, -1 outside of chains.
    pub chain_index: i32,
    /// Instruction in the chain; 0 outside of chains, -1 if unset.
    pub instruction_id: i32,
    /// The delegate's own operation, if it is one.
    pub delegate_id: Option<DelegateId<'a>>,
    /// The delegate's own data about it.
    pub delegate_metadata: &'a [u8],
    /// Begin, in ticks of the runtime's clock.
    pub start_time: u64,
    /// End.
    pub end_time: u64,
}

/// An allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationEvent {
    /// Allocator, counted from 1 in [`super::Run::allocators`].
    pub allocator_id: i32,
    /// Bytes.
    pub size: u64,
}

/// A value that was logged.
#[derive(Clone, Copy, Debug)]
pub struct DebugEvent<'a> {
    /// Name; empty in traces of the C++ runtime.
    pub name: &'a str,
    /// Chain; `u64::MAX` outside of chains.
    pub chain_index: u64,
    /// Instruction in the chain, -1 if unset.
    pub instruction_id: i32,
    /// The delegate's own operation, if it is one.
    pub delegate_id: Option<DelegateId<'a>>,
    /// The value, `None` if the file has none.
    pub value: Option<Value<'a>>,
    /// Whether it is an output of the method.
    pub is_output: bool,
}

impl<'a> Event<'a> {
    pub(super) fn new(event: fb::Event<'a>) -> Self {
        if let Some(profile) = event.profile_event() {
            Event::Profile(ProfileEvent::new(profile))
        } else if let Some(allocation) = event.allocation_event() {
            Event::Allocation(AllocationEvent {
                allocator_id: allocation.allocator_id(),
                size: allocation.allocation_size(),
            })
        } else if let Some(debug) = event.debug_event() {
            Event::Debug(DebugEvent::new(debug))
        } else {
            Event::Empty
        }
    }
}

impl<'a> ProfileEvent<'a> {
    fn new(event: fb::ProfileEvent<'a>) -> Self {
        let int = event.delegate_debug_id_int();
        ProfileEvent {
            name: event.name().unwrap_or_default(),
            chain_index: event.chain_index(),
            instruction_id: event.instruction_id(),
            delegate_id: DelegateId::new(int, event.delegate_debug_id_str()),
            delegate_metadata: event.delegate_debug_metadata().unwrap_or_default().bytes(),
            start_time: event.start_time(),
            end_time: event.end_time(),
        }
    }
}

impl<'a> DebugEvent<'a> {
    fn new(event: fb::DebugEvent<'a>) -> Self {
        let int = event.delegate_debug_id_int();
        let entry = event.debug_entry();
        DebugEvent {
            name: event.name().unwrap_or_default(),
            chain_index: event.chain_index(),
            instruction_id: event.instruction_id(),
            delegate_id: DelegateId::new(int, event.delegate_debug_id_str()),
            value: entry.map(Value::new),
            is_output: entry.and_then(|e| e.output()).is_some_and(|output| output.bool_val()),
        }
    }
}
