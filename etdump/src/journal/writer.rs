//! Writing a journal: no allocation, no lock, no floating point.

use super::layout::{ALLOCATOR_WORDS, CHECKED_WORDS, Config, Layout, MAGIC, VERSION, word};
use super::record::{
    AllocatorKind, Body, CHECK_SEED, Event, NameId, RECORD_BYTES, WORDS, check, check_step,
};
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};

/// The buffer cannot hold a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// Bytes that there are.
    pub bytes: usize,
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a journal of {} bytes has no room for a record behind its tables; give it at least {} \
             bytes, or smaller tables",
            self.bytes,
            super::MINIMUM_BYTES
        )
    }
}

impl core::error::Error for TooSmall {}

/// A journal in a caller's memory.
///
/// Any number of threads and interrupt handlers may write to it at once: each
/// record has its slot from an atomic counter. Targets without atomic addition
/// (Armv6-M) must write from one priority level only.
#[derive(Clone, Copy, Debug)]
pub struct Journal<'m> {
    memory: &'m [AtomicU32],
    layout: Layout,
    /// The word of the next sequence number.
    next: &'m AtomicU32,
    /// Slots of records; at least one.
    ring: &'m [[AtomicU32; WORDS]],
}

impl<'m> Journal<'m> {
    /// An empty journal in `memory`, whatever lay there.
    ///
    /// # Errors
    /// The memory is too small.
    #[inline(never)]
    pub fn create(memory: &'m [AtomicU32], config: Config) -> Result<Self, TooSmall> {
        let journal = Self::laid_out(memory, &config)?;
        for word in memory {
            store(word, 0);
        }
        journal.set(word::NEXT, 1);
        // The magic comes last: a reset in between leaves no half of a journal.
        journal.seal(&journal.header(&config, 1));
        Ok(journal)
    }

    /// The journal that lies in `memory` since before a reset, with a record of
    /// this start; an empty one if there is none of the same layout.
    ///
    /// `reason` is the board's reset reason register.
    ///
    /// # Errors
    /// The memory is too small.
    #[inline(never)]
    pub fn resume(
        memory: &'m [AtomicU32],
        config: Config,
        reason: u32,
        ticks: u64,
    ) -> Result<Self, TooSmall> {
        let journal = Self::laid_out(memory, &config)?;
        let count = journal.get(word::BOOTS).wrapping_add(1);
        // Of this layout, for this program and clock.
        let before = journal.header(&config, count.wrapping_sub(1));
        let is_of = |(at, word): (usize, &u32)| journal.get(at) == *word;
        let same = before.iter().enumerate().all(is_of);
        if !same || journal.get(word::CHECK) != check(&before) {
            return Self::create(memory, config);
        }
        // What the counter lost in the reset, the records know.
        let mut newest = journal.get(word::NEXT).wrapping_sub(1);
        for slot in 0..journal.capacity() {
            newest = newest.max(journal.sequence_in(slot));
        }
        journal.set(word::NEXT, newest.wrapping_add(1));
        journal.seal(&journal.header(&config, count));
        journal.record_seldom(ticks, Event::Boot { reason, count }.body());
        Ok(journal)
    }

    /// A journal in `memory`, whatever lies there.
    fn laid_out(memory: &'m [AtomicU32], config: &Config) -> Result<Self, TooSmall> {
        let parts = || {
            let layout = Layout::new(memory.len(), config)?;
            let ring = memory.get(layout.ring_start..)?.as_chunks().0;
            let ring = ring.get(..layout.capacity.get() as usize)?;
            Some(Journal { memory, layout, next: memory.get(word::NEXT)?, ring })
        };
        parts().ok_or(TooSmall { bytes: memory.len() * 4 })
    }

    /// Writes a record and returns its sequence number.
    // Inlined, so that a known kind of event is packed while compiling.
    #[inline(always)]
    pub fn record(&self, ticks: u64, event: Event) -> u32 {
        let [head, a, b, c] = event.body();
        self.write(ticks, head, a, b, c)
    }

    /// Writes a record of a kind that comes seldom: one copy of the code for all.
    #[inline(never)]
    pub(super) fn record_seldom(&self, ticks: u64, [head, a, b, c]: Body) {
        self.write(ticks, head, a, b, c);
    }

    /// Writes a record's words and their check value, without a loop: that is
    /// fewer than 60 instructions on a Cortex-M, at any optimization.
    #[inline(always)]
    fn write(&self, ticks: u64, head: u32, a: u32, b: u32, c: u32) -> u32 {
        let sequence = fetch_add(self.next);
        let Some(slot) = (sequence as usize).checked_rem(self.ring.len()) else { return sequence };
        let [w0, w1, w2, w3, w4, w5, w6, w7] = &self.ring[slot];
        let mut sum = CHECK_SEED;
        let mut put = |place: &AtomicU32, word| {
            store(place, word);
            sum = check_step(sum, word);
        };
        put(w0, sequence);
        put(w1, ticks as u32);
        put(w2, (ticks >> 32) as u32);
        put(w3, head);
        put(w4, a);
        put(w5, b);
        put(w6, c);
        store(w7, sum);
        // Nothing that follows may be moved before the record is there.
        compiler_fence(Ordering::SeqCst);
        sequence
    }

    /// The id of `name`, which is added to the table if there is room. To be
    /// called while a method loads, from one thread.
    pub fn intern(&self, name: &str) -> NameId {
        let text = &name.as_bytes()[..name.len().min(usize::from(u8::MAX))];
        if text.is_empty() {
            return NameId::NONE;
        }
        let (mut at, mut id) = (0usize, 1u16);
        loop {
            let Some(head) = self.name_word(at) else { return NameId::LOST };
            if head == 0 {
                return self.append_name(at, text).map_or(NameId::LOST, |()| NameId(id));
            }
            let length = (head & 0xff) as usize;
            if length == text.len() && self.is_name(at + 1, text) {
                return NameId(id);
            }
            at += 1 + length.div_ceil(4);
            id = id.saturating_add(1);
        }
    }

    /// Whether name `id` is `name`, whose entry begins at word `at` of the table.
    pub(super) fn name_is(&self, at: usize, name: &str) -> bool {
        let Some(head) = self.name_word(at) else { return false };
        (head & 0xff) as usize == name.len() && self.is_name(at + 1, name.as_bytes())
    }

    /// Word of the table at which the entry of `id` begins.
    pub(super) fn name_entry(&self, id: NameId) -> Option<usize> {
        let mut at = 0;
        for _ in 1..id.0 {
            let head = self.name_word(at).filter(|head| *head != 0)?;
            at += 1 + ((head & 0xff) as usize).div_ceil(4);
        }
        Some(at)
    }

    /// Sets up entry `index` of the allocator table.
    #[inline(never)]
    pub fn set_allocator(&self, index: u16, kind: AllocatorKind, number: u8, capacity: u64) {
        let head = kind as u32 | u32::from(number) << 8;
        self.write_allocator(index, [head, saturated(capacity), 0, 0]);
    }

    /// Takes note of an allocation: its record, and use and peak of its allocator.
    #[inline(never)]
    pub fn allocation(&self, ticks: u64, index: u16, size: u64, offset: u64, status: u32) {
        let Some([head, capacity, used, peak]) = self.allocator(index) else { return };
        let end = saturated(offset.saturating_add(size));
        let entry = if status == 0 {
            [head, capacity, end, peak.max(end)]
        } else {
            // Failures stop at the largest number that there is room for.
            [if head >> 16 == 0xffff { head } else { head + 0x1_0000 }, capacity, used, peak]
        };
        self.write_allocator(index, entry);
        self.record_seldom(
            ticks,
            Event::Allocation {
                allocator: index,
                kind: AllocatorKind::of(head as u8),
                size: saturated(size),
                offset: saturated(offset),
                status,
            }
            .body(),
        );
    }

    /// Counts an execution that begins; its number, from 1.
    #[inline]
    pub fn begin_execution(&self) -> u32 {
        self.count(word::EXECUTIONS)
    }

    /// Says that the firmware is alive; a probe can watch the counter.
    pub fn heartbeat(&self, ticks: u64, stack_pointer: u32) {
        let count = self.count(word::HEARTBEATS);
        let lowest = self.get(word::STACK);
        if stack_pointer != 0 && (lowest == 0 || stack_pointer < lowest) {
            self.set(word::STACK, stack_pointer);
        }
        self.record_seldom(ticks, Event::Heartbeat { count, stack_pointer }.body());
    }

    /// Records that the ring holds.
    pub fn capacity(&self) -> u32 {
        self.layout.capacity.get()
    }

    /// Adds 1 to a word and returns what it is then.
    fn count(&self, at: usize) -> u32 {
        self.memory.get(at).map_or(0, fetch_add).wrapping_add(1)
    }

    fn get(&self, at: usize) -> u32 {
        self.memory.get(at).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn set(&self, at: usize, value: u32) {
        if let Some(word) = self.memory.get(at) {
            store(word, value);
        }
    }

    /// The checked words of the header.
    #[inline(never)]
    fn header(&self, config: &Config, boots: u32) -> [u32; CHECKED_WORDS] {
        let layout = &self.layout;
        [
            MAGIC[0],
            MAGIC[1],
            VERSION | (RECORD_BYTES as u32) << 16,
            u32::try_from(self.memory.len() * 4).unwrap_or(u32::MAX),
            u32::from(config.allocators) | (layout.names_words as u32) << 16,
            (layout.ring_start * 4) as u32,
            layout.capacity.get(),
            config.ticks_per_second,
            config.program_id as u32,
            (config.program_id >> 32) as u32,
            boots,
        ]
    }

    /// Writes the header, its check value before its magic.
    #[inline(never)]
    fn seal(&self, header: &[u32; CHECKED_WORDS]) {
        self.set(word::CHECK, check(header));
        for (at, word) in header.iter().enumerate().rev() {
            self.set(at, *word);
        }
    }

    /// The sequence number of an intact record in its slot; 0 if there is none.
    fn sequence_in(&self, slot: u32) -> u32 {
        let start = self.layout.slot(slot);
        let sum = (0..WORDS - 1).fold(CHECK_SEED, |sum, at| check_step(sum, self.get(start + at)));
        let sequence = self.get(start);
        let intact = self.get(start + WORDS - 1) == sum;
        if intact && sequence % self.layout.capacity == slot { sequence } else { 0 }
    }

    fn name_word(&self, at: usize) -> Option<u32> {
        (at < self.layout.names_words).then(|| self.get(self.layout.names_start + at))
    }

    fn is_name(&self, at: usize, text: &[u8]) -> bool {
        text.chunks(4).enumerate().all(|(i, chunk)| self.name_word(at + i) == Some(packed(chunk)))
    }

    fn append_name(&self, at: usize, text: &[u8]) -> Option<()> {
        let words = text.len().div_ceil(4);
        // One word stays 0 behind the last entry, unless the table ends there.
        if at + 1 + words > self.layout.names_words {
            return None;
        }
        let start = self.layout.names_start + at;
        let mut sum = u32::from(text.len() as u8);
        for (i, chunk) in text.chunks(4).enumerate() {
            let word = packed(chunk);
            self.set(start + 1 + i, word);
            sum = check(&[sum, word]);
        }
        self.set(start, text.len() as u32 | sum & 0xffff_0000);
        Some(())
    }

    fn allocator(&self, index: u16) -> Option<[u32; 4]> {
        if usize::from(index) >= self.layout.allocators {
            return None;
        }
        let start = self.layout.allocator(usize::from(index));
        Some([0, 1, 2, 3].map(|offset| self.get(start + offset)))
    }

    fn write_allocator(&self, index: u16, entry: [u32; 4]) {
        if usize::from(index) < self.layout.allocators {
            let start = self.layout.allocator(usize::from(index));
            for (offset, value) in entry.into_iter().enumerate() {
                self.set(start + offset, value);
            }
            self.set(start + ALLOCATOR_WORDS - 1, check(&entry));
        }
    }
}

/// Adds 1 to a word and returns what it was.
#[inline(always)]
fn fetch_add(word: &AtomicU32) -> u32 {
    #[cfg(target_has_atomic = "32")]
    return word.fetch_add(1, Ordering::Relaxed);
    #[cfg(not(target_has_atomic = "32"))]
    {
        let before = word.load(Ordering::Relaxed);
        word.store(before.wrapping_add(1), Ordering::Relaxed);
        before
    }
}

#[inline(always)]
fn store(word: &AtomicU32, value: u32) {
    word.store(value, Ordering::Relaxed);
}

fn packed(chunk: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes[..chunk.len()].copy_from_slice(chunk);
    u32::from_le_bytes(bytes)
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
