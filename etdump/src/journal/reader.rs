//! Reading a journal: which of its records can be believed, and what they tell.

use super::layout::{ALLOCATOR_WORDS, CHECKED_WORDS, HEADER_WORDS, MAGIC, VERSION, word};
use super::record::{AllocatorKind, Event, NameId, RECORD_BYTES, Record, Scope, WORDS, check};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why bytes are no journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub(super) String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Invalid {}

/// How many slots of the ring are what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records that can be believed.
    pub intact: usize,
    /// Being written when the journal was taken.
    pub torn: usize,
    /// Damaged.
    pub corrupt: usize,
    /// Whole, but from before the ring's last round: the one that should have
    /// replaced it is missing.
    pub stale: usize,
    /// Never written.
    pub empty: usize,
    /// Records of which nothing is left, because newer ones lie there.
    pub overwritten: u64,
}

/// An allocator as the journal knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocatorState {
    /// Kind.
    pub kind: AllocatorKind,
    /// Memory id of a planned buffer; 0 for others.
    pub number: u8,
    /// Bytes that it can give out, `u32::MAX` for no limit.
    pub capacity: u32,
    /// Bytes in use.
    pub used: u32,
    /// Most bytes ever in use.
    pub peak: u32,
    /// Allocations that failed.
    pub failures: u16,
}

impl AllocatorState {
    /// Name as in ETDump: `method`, `planned_1`, `temp`.
    pub fn name(&self) -> String {
        match self.kind {
            AllocatorKind::Method => "method".into(),
            AllocatorKind::Planned => format!("planned_{}", self.number),
            AllocatorKind::Temp => "temp".into(),
            AllocatorKind::Delegate => "delegate".into(),
            AllocatorKind::Other => "other".into(),
        }
    }
}

/// Work that began and of which no end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenScope {
    /// What kind of work.
    pub scope: Scope,
    /// Chain, if it is within one.
    pub chain: Option<u16>,
    /// Instruction in the chain.
    pub instruction: u32,
    /// Name, or number of a delegate's operation.
    pub name: u32,
    /// Number of the execution.
    pub execution: u32,
    /// When it began.
    pub ticks: u64,
    /// Sequence number of its beginning.
    pub sequence: u32,
    /// Whether no record after it is missing, so that its end cannot be one of those.
    pub certain: bool,
}

/// The records between two starts of the board.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Life {
    /// Indices in [`Snapshot::records`].
    pub first: usize,
    /// One past the last.
    pub end: usize,
    /// Reset reason that it began with; `None` if that record is gone.
    pub reason: Option<u32>,
    /// What never ended, outermost first.
    pub open: Vec<OpenScope>,
    /// Ticks of its last record.
    pub last_ticks: u64,
}

/// A journal as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes that the journal takes.
    pub bytes: usize,
    /// Bytes of them that are missing at the end.
    pub missing_bytes: usize,
    /// Ticks per second, 0 if not known.
    pub ticks_per_second: u32,
    /// Id of the program, 0 if not known.
    pub program_id: u64,
    /// How often the board started.
    pub boots: u32,
    /// Sequence number of the next record, as the header has it.
    pub next: u32,
    /// Executions begun, heartbeats, and lowest stack pointer; not protected by a check value.
    pub executions: u32,
    /// Heartbeats counted.
    pub heartbeats: u32,
    /// Lowest stack pointer seen, 0 if none.
    pub lowest_stack: u32,
    /// Records that the ring holds.
    pub capacity: u32,
    /// Allocators by index; `None` for an entry that is not used or damaged.
    pub allocators: Vec<Option<AllocatorState>>,
    /// Entries of the allocator table that are damaged.
    pub damaged_allocators: usize,
    /// Names, the first of which is name 1.
    pub names: Vec<String>,
    /// Whether the name table is damaged, so that later names are missing.
    pub names_damaged: bool,
    /// What the slots of the ring hold.
    pub counts: Counts,
    /// The intact records, oldest first.
    pub records: Vec<Record>,
}

impl Snapshot {
    /// Reads the journal at the beginning of `bytes`. A journal that is cut off
    /// is read as far as it goes.
    ///
    /// # Errors
    /// There is no journal, or its header is damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let words = Words(bytes);
        let header = header(words)?;
        let get = |at| words.get(at).unwrap_or(0);
        let tables = get(word::TABLES);
        let (allocators, names_words) = ((tables & 0xffff) as usize, (tables >> 16) as usize);
        let names_start = HEADER_WORDS + allocators * ALLOCATOR_WORDS;
        let (allocators, damaged_allocators) = read_allocators(words, allocators);
        let (names, names_damaged) = read_names(words, names_start, names_words);
        let slots = read_ring(words, header.ring_start, header.capacity);
        let (records, counts) = sort(slots, header.capacity, get(word::NEXT));
        Ok(Snapshot {
            bytes: header.bytes,
            missing_bytes: header.bytes.saturating_sub(bytes.len()),
            ticks_per_second: get(word::CLOCK),
            program_id: u64::from(get(word::PROGRAM + 1)) << 32 | u64::from(get(word::PROGRAM)),
            boots: get(word::BOOTS),
            next: get(word::NEXT),
            executions: get(word::EXECUTIONS),
            heartbeats: get(word::HEARTBEATS),
            lowest_stack: get(word::STACK),
            capacity: header.capacity,
            allocators,
            damaged_allocators,
            names,
            names_damaged,
            counts,
            records,
        })
    }

    /// The text of a name.
    pub fn name(&self, id: u32) -> Option<&str> {
        let index = usize::try_from(id).ok()?.checked_sub(1)?;
        if id == u32::from(NameId::LOST.0) {
            return None;
        }
        self.names.get(index).map(String::as_str)
    }

    /// The starts of the board, oldest first; at least one.
    pub fn lives(&self) -> Vec<Life> {
        let mut lives = Vec::new();
        let mut life = Life::default();
        let mut before: Option<u32> = None;
        for (index, record) in self.records.iter().enumerate() {
            if before.is_some_and(|before| record.sequence.wrapping_sub(before) > 1) {
                life.open.iter_mut().for_each(|scope| scope.certain = false);
            }
            before = Some(record.sequence);
            if let Some(Event::Boot { reason, .. }) = record.event {
                if index > 0 {
                    life.end = index;
                    lives.push(core::mem::take(&mut life));
                }
                life.first = index;
                life.reason = Some(reason);
            }
            life.last_ticks = record.ticks;
            follow(&mut life.open, record);
        }
        life.end = self.records.len();
        // The newest record may be one that is damaged.
        if self.is_last_uncertain() {
            life.open.iter_mut().for_each(|scope| scope.certain = false);
        }
        lives.push(life);
        lives
    }

    /// Whether a slot that is damaged, or not in the dump, may hold a record newer than
    /// the newest intact one.
    fn is_last_uncertain(&self) -> bool {
        let newest = self.records.last().map(|record| record.sequence.wrapping_add(1));
        self.counts.corrupt > 0 || (self.missing_bytes > 0 && newest != Some(self.next))
    }

    /// Whether the newest record of an execution says that it came to its end.
    pub fn last_execution_ended(&self) -> bool {
        let newest = self.records.iter().rev().find_map(|record| match record.event? {
            Event::Begin { scope: Scope::Execute, .. } | Event::Run { execution: 1.., .. } => {
                Some(false)
            }
            Event::End { scope: Scope::Execute, .. } => Some(true),
            _ => None,
        });
        newest == Some(true) && !self.is_last_uncertain()
    }
}

/// Keeps the stack of open scopes.
fn follow(open: &mut Vec<OpenScope>, record: &Record) {
    match record.event {
        Some(Event::Begin { scope, chain, instruction, name, execution }) => {
            // A new execution or load ends whatever a failure left open.
            if matches!(scope, Scope::Execute | Scope::Load)
                && open.iter().any(|o| o.scope == scope && o.name == name)
            {
                open.clear();
            }
            open.push(OpenScope {
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
        Some(Event::End { scope, chain, instruction, .. }) => {
            // An end closes what was left open inside of it as well.
            let same = |o: &OpenScope| {
                o.scope == scope && o.chain == chain && o.instruction == instruction
            };
            if let Some(at) = open.iter().rposition(same) {
                open.truncate(at);
            }
        }
        _ => {}
    }
}

/// Bytes as words.
#[derive(Clone, Copy)]
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn get(self, at: usize) -> Option<u32> {
        let start = at.checked_mul(4)?;
        let bytes = self.0.get(start..start.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn array<const N: usize>(self, at: usize) -> Option<[u32; N]> {
        let mut words = [0; N];
        for (offset, word) in words.iter_mut().enumerate() {
            *word = self.get(at.checked_add(offset)?)?;
        }
        Some(words)
    }
}

struct Header {
    bytes: usize,
    ring_start: usize,
    capacity: u32,
}

fn header(words: Words<'_>) -> Result<Header, Invalid> {
    let fail = |message: String| Err(Invalid(message));
    let Some(head) = words.array::<HEADER_WORDS>(0) else {
        return fail(format!(
            "byte 0: expected the {} bytes of a journal's header, found {}",
            HEADER_WORDS * 4,
            words.0.len()
        ));
    };
    if head[..2] != MAGIC {
        return fail("byte 0: expected the characters ETJOURNL of a journal".into());
    }
    if check(&head[..CHECKED_WORDS]) != head[word::CHECK] {
        return fail(
            "byte 44: the header's check value does not fit; the header is damaged".into(),
        );
    }
    let (version, record_bytes) = (head[word::VERSION] & 0xffff, head[word::VERSION] >> 16);
    if version != VERSION || record_bytes != RECORD_BYTES as u32 {
        return fail(format!(
            "byte 8: expected version {VERSION} with records of {RECORD_BYTES} bytes, found version \
             {version} with {record_bytes}; {}",
            if version < VERSION {
                "an older etinspect reads it, and a firmware built with this one's etdump writes \
                 what this one reads"
            } else {
                "a newer etinspect may read it"
            }
        ));
    }
    // A header whose check value fits was written by a writer; still, no sum
    // may go beyond what its own numbers allow.
    let bytes = head[word::BYTES] as usize;
    let (ring, capacity) = (head[word::RING] as usize, head[word::CAPACITY]);
    let end = (capacity as usize).checked_mul(RECORD_BYTES).and_then(|ring_bytes| {
        let end = ring.checked_add(ring_bytes)?;
        (end <= bytes && ring.is_multiple_of(4) && capacity > 0).then_some(end)
    });
    match end {
        Some(_) => Ok(Header { bytes, ring_start: ring / 4, capacity }),
        None => fail(format!(
            "byte 20: {capacity} records from byte {ring} on do not fit into the {bytes} bytes of \
             the journal"
        )),
    }
}

fn read_allocators(words: Words<'_>, count: usize) -> (Vec<Option<AllocatorState>>, usize) {
    let (mut all, mut damaged) = (Vec::new(), 0);
    for index in 0..count {
        let entry = words.array::<ALLOCATOR_WORDS>(HEADER_WORDS + index * ALLOCATOR_WORDS);
        let Some([head, capacity, used, peak, found]) = entry else { break };
        if [head, capacity, used, peak, found] == [0; ALLOCATOR_WORDS] {
            all.push(None);
        } else if check(&[head, capacity, used, peak]) == found {
            let [kind, number, ..] = head.to_le_bytes();
            all.push(Some(AllocatorState {
                kind: AllocatorKind::of(kind),
                number,
                capacity,
                used,
                peak,
                failures: (head >> 16) as u16,
            }));
        } else {
            damaged += 1;
            all.push(None);
        }
    }
    (all, damaged)
}

/// The names, and whether the table is damaged.
fn read_names(words: Words<'_>, start: usize, count: usize) -> (Vec<String>, bool) {
    let mut names = Vec::new();
    let mut at = 0;
    while at < count {
        let Some(head) = words.get(start + at) else { return (names, true) };
        if head == 0 {
            return (names, false);
        }
        let length = (head & 0xff) as usize;
        let (mut sum, mut text) = (length as u32, Vec::with_capacity(length));
        for i in 0..length.div_ceil(4) {
            let Some(word) = words.get(start + at + 1 + i).filter(|_| at + 1 + i < count) else {
                return (names, true);
            };
            sum = check(&[sum, word]);
            text.extend_from_slice(&word.to_le_bytes());
        }
        text.truncate(length);
        if length == 0 || sum >> 16 != head >> 16 {
            return (names, true);
        }
        names.push(String::from_utf8_lossy(&text).into_owned());
        at += 1 + length.div_ceil(4);
    }
    (names, false)
}

/// A slot of the ring.
enum Slot {
    Empty,
    Whole(Record),
    Broken,
}

/// The slots that the bytes reach.
fn read_ring(words: Words<'_>, start: usize, capacity: u32) -> Vec<Slot> {
    let mut slots = Vec::new();
    for index in 0..capacity as usize {
        let Some(record) = words.array::<WORDS>(start + index * WORDS) else { break };
        slots.push(match Record::of(record) {
            Some(record) => Slot::Whole(record),
            None if record == [0; WORDS] => Slot::Empty,
            None => Slot::Broken,
        });
    }
    slots
}

/// Puts the records into order and tells torn, stale and corrupt ones apart.
fn sort(slots: Vec<Slot>, capacity: u32, next: u32) -> (Vec<Record>, Counts) {
    let at_home = |slot: usize, sequence: u32| (sequence % capacity) as usize == slot;
    let newest = newest(slots.iter().enumerate().filter_map(|(slot, held)| match held {
        Slot::Whole(record) if at_home(slot, record.sequence) => Some(record.sequence),
        _ => None,
    }));
    let mut counts = Counts::default();
    let mut records = Vec::new();
    for (slot, held) in slots.into_iter().enumerate() {
        match held {
            Slot::Empty => counts.empty += 1,
            Slot::Whole(record) => {
                let age = newest.wrapping_sub(record.sequence);
                if at_home(slot, record.sequence) && age < capacity {
                    records.push(record);
                } else {
                    counts.stale += 1;
                }
            }
            Slot::Broken if is_frontier(slot, newest, next, capacity) => counts.torn += 1,
            Slot::Broken => counts.corrupt += 1,
        }
    }
    records.sort_by_key(|record| core::cmp::Reverse(newest.wrapping_sub(record.sequence)));
    counts.intact = records.len();
    counts.overwritten = u64::from(newest.saturating_sub(capacity));
    (records, counts)
}

/// The largest sequence number, where one that wrapped around counts as larger.
fn newest(sequences: impl Iterator<Item = u32>) -> u32 {
    let later = |one: u32, other: u32| {
        if other.wrapping_sub(one) < u32::MAX / 2 { other } else { one }
    };
    sequences.reduce(later).unwrap_or(0)
}

/// Whether a slot is one that was being written: the next after the newest
/// record, or one of those that interrupts had reserved.
fn is_frontier(slot: usize, newest: u32, next: u32, capacity: u32) -> bool {
    let reserved = next.wrapping_sub(newest).wrapping_sub(1);
    let reserved = if reserved <= capacity { reserved.max(1) } else { 1 };
    let distance = (slot as u32 + capacity - newest % capacity - 1) % capacity;
    distance < reserved
}
