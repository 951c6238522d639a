//! The three kinds of events.

use super::kind::Kind;
use super::kind::field::{allocation, debug, event, profile};
use super::value::{Tensor, Value};
use super::wire::{Cache, Table, Wire};
use crate::bytes::u32_at;

/// The name of an event whose own is behind the end of a truncated file.
pub const LOST_NAME: &str = "(name lost)";

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
    /// -1 and no or an empty text mean that the event is no delegate's. No
    /// runtime sets both; the Inspector would take the number.
    fn new(int: i32, name: Option<&'a str>) -> Option<Self> {
        match name {
            _ if int != -1 => Some(DelegateId::Int(int)),
            Some(name) if !name.is_empty() => Some(DelegateId::Name(name)),
            _ => None,
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

/// Layouts of the tables that an event is made of, and names that came before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Caches<'a> {
    event: Cache,
    profile: Cache,
    allocation: Cache,
    debug: Cache,
    names: Names<'a>,
}

/// Names that were read, by a few bits of what they are. A trace has a handful
/// of them, written out anew for each event: what equals one that is known
/// need not be checked again.
#[derive(Clone, Copy, Debug)]
struct Names<'a>([&'a str; 64]);

impl Default for Names<'_> {
    fn default() -> Self {
        Names([""; 64])
    }
}

impl<'a> Names<'a> {
    /// The string at `at`; `None` if it is damaged.
    #[inline]
    fn text(&mut self, bytes: &'a [u8], at: usize) -> Option<&'a str> {
        let start = at.checked_add(4)?;
        let end = start.checked_add(u32_at(bytes, at)? as usize)?;
        // With the zero byte behind it.
        let [found @ .., 0] = bytes.get(start..=end)? else { return None };
        let middle = found.get(found.len() / 2).map_or(0, |byte| usize::from(*byte));
        let known = &mut self.0[(found.len() ^ middle) % 64];
        if known.as_bytes() != found {
            *known = core::str::from_utf8(found).ok()?;
        }
        Some(known)
    }
}

impl<'a> Event<'a> {
    /// The event at `at`; `None` if it is damaged or lost.
    #[inline]
    pub(super) fn read(wire: &Wire<'a>, at: usize, caches: &mut Caches<'a>) -> Option<Self> {
        let event = wire.table(Kind::Event, at, &mut caches.event)?;
        if event.has(event::PROFILE) {
            let at = event.target(event::PROFILE)?;
            let table = wire.table(Kind::Profile, at, &mut caches.profile)?;
            return ProfileEvent::read(wire, &table, &mut caches.names).map(Event::Profile);
        }
        if event.has(event::ALLOCATION) {
            let at = event.target(event::ALLOCATION)?;
            let table = wire.table(Kind::Allocation, at, &mut caches.allocation)?;
            return Some(Event::Allocation(AllocationEvent {
                allocator_id: table.int(allocation::ALLOCATOR, 0),
                size: table.long(allocation::SIZE),
            }));
        }
        if event.has(event::DEBUG) {
            let at = event.target(event::DEBUG)?;
            let table = wire.table(Kind::Debug, at, &mut caches.debug)?;
            return DebugEvent::read(wire, &table, &mut caches.names).map(Event::Debug);
        }
        Some(Event::Empty)
    }
}

/// A name; [`LOST_NAME`] if it lies behind the end of a truncated file.
#[inline]
fn name<'a>(
    wire: &Wire<'a>,
    table: &Table<'a>,
    field: usize,
    names: &mut Names<'a>,
) -> Option<&'a str> {
    if !table.has(field) {
        return Some("");
    }
    let name = table.target(field).and_then(|at| names.text(wire.bytes, at));
    name.or_else(|| wire.truncated.then_some(LOST_NAME))
}

#[inline]
fn delegate_id<'a>(
    wire: &Wire<'a>,
    table: &Table<'a>,
    [int, text]: [usize; 2],
    names: &mut Names<'a>,
) -> Option<Option<DelegateId<'a>>> {
    let text = name(wire, table, text, names)?;
    Some(DelegateId::new(table.int(int, -1), Some(text)))
}

impl<'a> ProfileEvent<'a> {
    #[inline]
    fn read(wire: &Wire<'a>, table: &Table<'a>, names: &mut Names<'a>) -> Option<Self> {
        let delegate = [profile::DELEGATE_INT, profile::DELEGATE_NAME];
        let metadata = match table.items(profile::METADATA, 1) {
            Some(items) => wire.bytes.get(items.start..items.start + items.count)?,
            None if wire.truncated => &[],
            None => return None,
        };
        Some(ProfileEvent {
            name: name(wire, table, profile::NAME, names)?,
            chain_index: table.int(profile::CHAIN, 0),
            instruction_id: table.int(profile::INSTRUCTION, -1),
            delegate_id: delegate_id(wire, table, delegate, names)?,
            delegate_metadata: metadata,
            start_time: table.long(profile::START),
            end_time: table.long(profile::END),
        })
    }
}

impl<'a> DebugEvent<'a> {
    fn read(wire: &Wire<'a>, table: &Table<'a>, names: &mut Names<'a>) -> Option<Self> {
        let delegate = [debug::DELEGATE_INT, debug::DELEGATE_NAME];
        let entry = match table.has(debug::ENTRY) {
            true => table.target(debug::ENTRY).and_then(|at| Value::read(wire, at)),
            false => Some((None, false)),
        };
        let (value, is_output) = entry.or_else(|| wire.truncated.then_some((None, false)))?;
        Some(DebugEvent {
            name: name(wire, table, debug::NAME, names)?,
            chain_index: table.long(debug::CHAIN),
            instruction_id: table.int(debug::INSTRUCTION, -1),
            delegate_id: delegate_id(wire, table, delegate, names)?,
            value,
            is_output,
        })
    }
}

/// Bytes of a delegate's name.
#[inline]
fn delegate(id: Option<DelegateId<'_>>) -> usize {
    match id {
        Some(DelegateId::Name(name)) => name.len(),
        _ => 0,
    }
}

impl ProfileEvent<'_> {
    /// Bytes that the event takes in the file, roughly; shared ones count each time.
    #[inline]
    pub(super) fn size_in_file(&self) -> usize {
        32 + self.name.len() + self.delegate_metadata.len() + delegate(self.delegate_id)
    }
}

impl Event<'_> {
    /// As [`ProfileEvent::size_in_file`].
    #[inline]
    pub(super) fn size_in_file(&self) -> usize {
        let tensor = |tensor: Tensor<'_>| 16 + 8 * (tensor.sizes().len() + tensor.strides().len());
        match self {
            Event::Profile(e) => e.size_in_file(),
            Event::Allocation(_) => 20,
            Event::Debug(e) => {
                let value = match e.value {
                    Some(Value::Tensor(one)) => tensor(one),
                    Some(Value::TensorList(list)) => list.iter().map(tensor).sum(),
                    _ => 0,
                };
                24 + e.name.len() + delegate(e.delegate_id) + value
            }
            Event::Empty => 8,
        }
    }
}
