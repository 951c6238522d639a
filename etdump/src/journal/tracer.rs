//! The tracer that writes a journal.

use super::record::{AllocatorKind, Event, NameId, Scope};
use super::writer::Journal;
use crate::clock::Clock;
use crate::tracer::{AllocationRecord, AllocatorInfo, DelegateId, Place, Ticks, Tracer};
use et_schema::ErrorCode;

/// How much is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Detail {
    /// Methods, instructions, delegates and allocations.
    Instructions,
    /// Kernels within instructions as well.
    #[default]
    Kernels,
}

/// Names whose entries are remembered, by where their text lies.
const REMEMBERED: usize = 16;

/// A name that was looked up before.
#[derive(Clone, Copy, Default)]
struct Remembered {
    text: usize,
    length: usize,
    /// Word of the name table.
    entry: usize,
    id: NameId,
}

/// Writes a journal of what a runtime does.
pub struct JournalTracer<'m, C> {
    journal: Journal<'m>,
    clock: C,
    detail: Detail,
    method: NameId,
    execution: u32,
    remembered: [Remembered; REMEMBERED],
}

impl<'m, C: Clock> JournalTracer<'m, C> {
    /// A tracer of method `method`.
    pub fn new(journal: Journal<'m>, clock: C, detail: Detail, method: &str) -> Self {
        JournalTracer {
            journal,
            clock,
            detail,
            method: journal.intern(method),
            execution: 0,
            remembered: [Remembered::default(); REMEMBERED],
        }
    }

    /// The journal.
    pub fn journal(&self) -> Journal<'m> {
        self.journal
    }

    /// The id of `name`. Names come from the same places again and again, so
    /// that where the text lies says which it probably is.
    fn id(&mut self, name: &str) -> NameId {
        let text = name.as_ptr() as usize;
        let slot = &mut self.remembered[(text >> 3 ^ name.len()) % REMEMBERED];
        if slot.text == text
            && slot.length == name.len()
            && slot.id != NameId::LOST
            && self.journal.name_is(slot.entry, name.as_bytes())
        {
            return slot.id;
        }
        let (id, entry) = self.journal.interned(name);
        if id != NameId::NONE && id != NameId::LOST {
            *slot = Remembered { text, length: name.len(), entry, id };
        }
        id
    }

    /// Scope and name of a scope of the C++ runtime; `None` if it is not written.
    fn scope(&mut self, name: &str) -> Option<(Scope, u32)> {
        let scope = match name {
            "OPERATOR_CALL" => Scope::Instruction,
            "DELEGATE_CALL" => Scope::Delegate,
            "JF_CALL" => Scope::Jump,
            "MOVE_CALL" => Scope::Move,
            "FREE_CALL" => Scope::Free,
            "Method::execute" => Scope::Execute,
            "Program::load_method" => Scope::Load,
            _ if name.starts_with("native_call_") => Scope::Kernel,
            _ => Scope::Other,
        };
        match scope {
            Scope::Execute | Scope::Load => Some((scope, self.method.0.into())),
            Scope::Kernel if self.detail == Detail::Instructions => None,
            Scope::Kernel | Scope::Other => Some((scope, self.id(name).0.into())),
            _ => Some((scope, 0)),
        }
    }

    fn delegate(&mut self, id: DelegateId<'_>) -> (Scope, u32) {
        match id {
            DelegateId::Int(int) => (Scope::DelegateInt, int as u32),
            DelegateId::Name(name) => (Scope::DelegateName, self.id(name).0.into()),
        }
    }

    fn write_end(&mut self, scope: Scope, name: u32, place: Place, status: u32) {
        let (chain, instruction) = place_of(place);
        let ticks = self.clock.now();
        self.journal.record(ticks.0, Event::End { scope, chain, instruction, name, status });
    }

    fn write_begin(&mut self, scope: Scope, name: u32, place: Place) -> Ticks {
        let (chain, instruction) = place_of(place);
        let ticks = self.clock.now();
        let execution = self.execution;
        self.journal.record(ticks.0, Event::Begin { scope, chain, instruction, name, execution });
        ticks
    }
}

fn place_of(place: Place) -> (Option<u16>, u32) {
    match place {
        Place::Method => (None, 0),
        Place::Instruction(chain, instruction) => {
            (Some(u16::try_from(chain.0).unwrap_or(u16::MAX - 1)), instruction.0)
        }
    }
}

/// Kind and number of an allocator from its name in ETDump.
fn allocator(name: &str) -> (AllocatorKind, u8) {
    match name {
        "method" => (AllocatorKind::Method, 0),
        "temp" => (AllocatorKind::Temp, 0),
        "delegate" => (AllocatorKind::Delegate, 0),
        _ => match name.strip_prefix("planned_").and_then(|number| number.parse().ok()) {
            Some(number) => (AllocatorKind::Planned, number),
            None => (AllocatorKind::Other, 0),
        },
    }
}

impl<C: Clock> Tracer for JournalTracer<'_, C> {
    fn begin_run(&mut self, name: &str, allocators: &[AllocatorInfo<'_>]) {
        self.execution = if name == "Execute" { self.journal.begin_execution() } else { 0 };
        let (ticks, id) = (self.clock.now(), self.id(name).0.into());
        self.journal
            .record_seldom(ticks.0, Event::Run { name: id, execution: self.execution }.body());
        if self.execution > 0 {
            return;
        }
        for (index, info) in allocators.iter().enumerate() {
            let (kind, number) = allocator(info.name);
            if let Ok(index) = u16::try_from(index) {
                self.journal.set_allocator(index, kind, number, info.capacity);
            }
        }
    }

    fn begin(&mut self, name: &str, place: Place) -> Ticks {
        match self.scope(name) {
            Some((scope, name)) => self.write_begin(scope, name, place),
            None => Ticks(0),
        }
    }

    fn end(&mut self, name: &str, place: Place, _begun: Ticks) {
        if let Some((scope, name)) = self.scope(name) {
            self.write_end(scope, name, place, 0);
        }
    }

    fn takes_spans(&self) -> bool {
        // What hangs must be in the journal before it runs.
        false
    }

    fn failed(&mut self, name: &str, place: Place, code: ErrorCode) {
        if let Some((scope, name)) = self.scope(name) {
            self.write_end(scope, name, place, code.code());
        }
    }

    fn begin_delegate(&mut self, id: DelegateId<'_>, place: Place) -> Ticks {
        let (scope, name) = self.delegate(id);
        self.write_begin(scope, name, place)
    }

    fn end_delegate(&mut self, id: DelegateId<'_>, place: Place, _begun: Ticks, _: &[u8]) {
        let (scope, name) = self.delegate(id);
        self.write_end(scope, name, place, 0);
    }

    fn allocation(&mut self, record: AllocationRecord) {
        let ticks = self.clock.now();
        if let Ok(index) = u16::try_from(record.allocator.0) {
            self.journal.allocation(ticks.0, index, record.size, record.offset, 0);
        }
    }
}
