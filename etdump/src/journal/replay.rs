//! An ETDump from a journal, so that every tool for traces reads it.

use super::reader::{OpenScope, Snapshot};
use super::record::{Event, Record, Scope};
use crate::clock::Clock;
use crate::tracer::{
    AllocationRecord, AllocatorIndex, AllocatorInfo, DelegateId, Place, Ticks, Tracer,
};
use crate::writer::{Contents, EtDump, EtDumpWriter};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use et_schema::ids::{ChainId, InstructionId};

/// A trace made of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The trace, without allocation events unless asked for.
    pub trace: EtDump,
    /// Finished scopes and allocations that are in it.
    pub events: usize,
    /// Scopes that never ended, which an ETDump cannot hold.
    pub unfinished: usize,
    /// Ends whose beginnings were overwritten or damaged.
    pub without_beginning: usize,
}

/// A clock that shows what it is told.
#[derive(Clone, Default)]
struct Told(Rc<Cell<u64>>);

impl Clock for Told {
    fn now(&mut self) -> Ticks {
        Ticks(self.0.get())
    }
}

/// Makes a trace of the finished scopes of `journal`.
pub fn replay(journal: &Snapshot, contents: Contents) -> Replay {
    let clock = Told::default();
    let mut replay = Replaying {
        journal,
        writer: EtDumpWriter::new(clock.clone(), contents),
        open: Vec::new(),
        in_run: false,
        events: 0,
        unfinished: 0,
        without_beginning: 0,
    };
    for record in &journal.records {
        clock.0.set(record.ticks);
        replay.take(record);
    }
    Replay {
        unfinished: replay.unfinished + replay.open.len(),
        events: replay.events,
        without_beginning: replay.without_beginning,
        trace: replay.writer.finish(),
    }
}

struct Replaying<'s> {
    journal: &'s Snapshot,
    writer: EtDumpWriter<Told>,
    open: Vec<OpenScope>,
    in_run: bool,
    events: usize,
    unfinished: usize,
    without_beginning: usize,
}

impl Replaying<'_> {
    fn take(&mut self, record: &Record) {
        match record.event {
            Some(Event::Begin { scope, chain, instruction, name, execution }) => {
                self.open.push(OpenScope {
                    scope,
                    chain,
                    instruction,
                    name,
                    execution,
                    ticks: record.ticks,
                    sequence: record.sequence,
                    certain: true,
                });
            }
            Some(Event::End { scope, chain, instruction, name, status }) => {
                self.end(scope, chain, instruction, name, status);
            }
            Some(Event::Allocation { allocator, size, offset, status: 0, .. }) => {
                self.run();
                self.writer.allocation(AllocationRecord {
                    allocator: AllocatorIndex(allocator.into()),
                    size: size.into(),
                    offset: offset.into(),
                });
                self.events += 1;
            }
            Some(Event::Run { name, .. }) => {
                self.unfinished += self.open.len();
                self.open.clear();
                let name = self.journal.name(name).unwrap_or("Execute");
                self.begin_run(name);
            }
            Some(Event::Boot { .. }) => {
                self.unfinished += self.open.len();
                self.open.clear();
                self.in_run = false;
            }
            _ => {}
        }
    }

    /// A run for events whose beginning was overwritten.
    fn run(&mut self) {
        if !self.in_run {
            self.begin_run("Execute");
        }
    }

    fn begin_run(&mut self, name: &str) {
        let names: Vec<String> =
            self.journal.allocators.iter().flatten().map(|a| a.name()).collect();
        let infos: Vec<AllocatorInfo<'_>> =
            names.iter().map(|name| AllocatorInfo { name, capacity: 0 }).collect();
        self.writer.begin_run(name, &infos);
        self.in_run = true;
    }

    fn end(&mut self, scope: Scope, chain: Option<u16>, instruction: u32, name: u32, status: u32) {
        let same = |o: &OpenScope| {
            o.scope == scope && o.chain == chain && o.instruction == instruction && o.name == name
        };
        let Some(at) = self.open.iter().rposition(same) else {
            self.without_beginning += 1;
            return;
        };
        self.unfinished += self.open.len() - at - 1;
        let begun = Ticks(self.open[at].ticks);
        self.open.truncate(at);
        // A scope that failed has no event in the C++ runtime.
        if status != 0 {
            self.unfinished += 1;
            return;
        }
        self.run();
        let place = match chain {
            Some(chain) => Place::Instruction(ChainId(chain.into()), InstructionId(instruction)),
            None => Place::Method,
        };
        let text = self.journal.name(name).unwrap_or("unknown");
        match scope {
            Scope::DelegateInt => {
                self.writer.end_delegate(DelegateId::Int(name as i32), place, begun, &[]);
            }
            Scope::DelegateName => {
                self.writer.end_delegate(DelegateId::Name(text), place, begun, &[]);
            }
            scope => self.writer.end(event_name(scope, text), place, begun),
        }
        self.events += 1;
    }
}

/// The C++ runtime's name of a scope.
fn event_name(scope: Scope, name: &str) -> &str {
    match scope {
        Scope::Load => "Program::load_method",
        Scope::Execute => "Method::execute",
        Scope::Instruction => "OPERATOR_CALL",
        Scope::Delegate => "DELEGATE_CALL",
        Scope::Jump => "JF_CALL",
        Scope::Move => "MOVE_CALL",
        Scope::Free => "FREE_CALL",
        Scope::Npu => "NPU",
        _ => name,
    }
}
