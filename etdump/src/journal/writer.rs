//! Writing a journal: no allocation, no lock, no floating point.

use super::layout::{
    ALLOCATOR_WORDS, CHECKED_WORDS, Config, HEADER_WORDS, Layout, MAGIC, VERSION, word,
};
use super::record::{
    AllocatorKind, Body, CHECK_SEED, Event, HEARTBEAT, NameId, RECORD_BYTES, WORDS, check,
    check_step,
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
    /// The memory's first words.
    header: &'m [AtomicU32; HEADER_WORDS],
    /// Slots of records; at least one.
    ring: &'m [[AtomicU32; WORDS]],
}

impl<'m> Journal<'m> {
    /// An empty journal in `memory`, whatever lay there.
    ///
    /// # Errors
    /// The memory is too small.
    pub fn create(memory: &'m [AtomicU32], config: Config) -> Result<Self, TooSmall> {
        let journal = Self::laid_out(memory, &config)?;
        journal.clear(&config);
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
        journal.boot(&config, reason, ticks);
        Ok(journal)
    }

    /// Goes on with what lies in the memory, if it is of the same layout.
    #[inline(never)]
    fn boot(&self, config: &Config, reason: u32, ticks: u64) {
        let count = self.get(word::BOOTS).wrapping_add(1);
        // Of this layout, for this program and clock.
        let before = self.checked_words(config, count.wrapping_sub(1));
        let mut words = before.iter().zip(self.header);
        let same = words.all(|(word, place)| load(place) == *word);
        if !same || self.get(word::CHECK) != check_of(&before) {
            return self.clear(config);
        }
        // What the counter lost in the reset, the records know.
        let mut newest = self.get(word::NEXT).wrapping_sub(1);
        for (slot, words) in self.ring.iter().enumerate() {
            newest = newest.max(self.sequence_in(slot as u32, words));
        }
        self.set(word::NEXT, newest.wrapping_add(1));
        self.seal(&self.checked_words(config, count));
        self.record_seldom(ticks, Event::Boot { reason, count }.body());
    }

    /// Makes it an empty journal, whatever lay there.
    #[inline(never)]
    fn clear(&self, config: &Config) {
        for word in self.memory {
            store(word, 0);
        }
        self.set(word::NEXT, 1);
        // The magic comes last: a reset in between leaves no half of a journal.
        self.seal(&self.checked_words(config, 1));
    }

    /// A journal in `memory`, whatever lies there.
    #[inline(never)]
    fn laid_out(memory: &'m [AtomicU32], config: &Config) -> Result<Self, TooSmall> {
        let parts = || {
            let layout = Layout::new(memory.len(), config)?;
            let ring = memory.get(layout.ring_start..)?.as_chunks().0;
            let ring = ring.get(..layout.capacity.get() as usize)?;
            Some(Journal { memory, layout, header: memory.first_chunk()?, ring })
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
        let sequence = fetch_add(&self.header[word::NEXT]);
        let Some(slot) = (sequence as usize).checked_rem(self.ring.len()) else { return sequence };
        let [w0, w1, w2, w3, w4, w5, w6, w7] = &self.ring[slot];
        // First: a record that has its number but not its check value is torn.
        store(w0, sequence);
        let mut sum = CHECK_SEED;
        let mut put = |place: &AtomicU32, word| {
            store(place, word);
            sum = check_step(sum, word);
        };
        put(w1, ticks as u32);
        put(w2, (ticks >> 32) as u32);
        put(w3, head);
        put(w4, a);
        put(w5, b);
        put(w6, c);
        store(w7, check_step(sum, sequence));
        // Nothing that follows may be moved before the record is there.
        compiler_fence(Ordering::SeqCst);
        sequence
    }

    /// The id of `name`, which is added to the table if there is room. To be
    /// called while a method loads, from one thread.
    pub fn intern(&self, name: &str) -> NameId {
        self.interned(name).0
    }

    /// The id of `name`, and the word of the table at which its entry begins.
    #[inline(never)]
    pub(super) fn interned(&self, name: &str) -> (NameId, usize) {
        let text = &name.as_bytes()[..name.len().min(usize::from(u8::MAX))];
        let (mut at, mut id) = (0usize, 1u16);
        if text.is_empty() {
            return (NameId::NONE, at);
        }
        while let Some(head) = self.names(at).first().map(load) {
            if head == 0 && self.append_name(at, text).is_none() {
                break;
            }
            if head == 0 || self.name_is(at, text) {
                return (NameId(id), at);
            }
            at += 1 + ((head & 0xff) as usize).div_ceil(4);
            id = id.saturating_add(1);
        }
        (NameId::LOST, at)
    }

    /// Whether the entry that begins at word `at` of the table is `name`.
    #[inline(never)]
    pub(super) fn name_is(&self, at: usize, name: &[u8]) -> bool {
        let chunks = name.chunks(4);
        let Some((head, places)) = self.names(at).split_first() else { return false };
        (load(head) & 0xff) as usize == name.len()
            && places.len() >= chunks.len()
            && chunks.zip(places).all(|(chunk, place)| load(place) == packed(chunk))
    }

    /// Sets up entry `index` of the allocator table.
    #[inline(never)]
    pub fn set_allocator(&self, index: u16, kind: AllocatorKind, number: u8, capacity: u64) {
        let head = kind as u32 | u32::from(number) << 8;
        if let Some(words) = self.allocator(index) {
            Self::write_allocator(words, &[head, saturated(capacity), 0, 0]);
        }
    }

    /// Takes note of an allocation: its record, and use and peak of its allocator.
    #[inline(never)]
    pub fn allocation(&self, ticks: u64, index: u16, size: u64, offset: u64, status: u32) {
        let Some(words) = self.allocator(index) else { return };
        let [head, capacity, used, peak, _] = loaded(words);
        let end = saturated(offset.saturating_add(size));
        let entry = if status == 0 {
            [head, capacity, end, peak.max(end)]
        } else {
            // Failures stop at the largest number that there is room for.
            [if head >> 16 == 0xffff { head } else { head + 0x1_0000 }, capacity, used, peak]
        };
        Self::write_allocator(words, &entry);
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

    /// Says that the firmware is alive; a probe can watch the counter. A heartbeat right
    /// after another takes its place: they must not push out what a board hangs in.
    pub fn heartbeat(&self, ticks: u64, stack_pointer: u32) {
        let count = self.count(word::HEARTBEATS);
        let lowest = self.get(word::STACK);
        if stack_pointer != 0 && (lowest == 0 || stack_pointer < lowest) {
            self.set(word::STACK, stack_pointer);
        }
        self.give_back_heartbeat();
        self.record_seldom(ticks, Event::Heartbeat { count, stack_pointer }.body());
    }

    /// Has the newest record's slot written again, if that is a heartbeat and nobody
    /// wrote another in between.
    fn give_back_heartbeat(&self) {
        let next = self.get(word::NEXT);
        let last = next.wrapping_sub(1);
        let Some(slot) = (last as usize).checked_rem(self.ring.len()) else { return };
        let [sequence, _, _, head, ..] = &self.ring[slot];
        if load(sequence) == last && load(head) as u8 == HEARTBEAT {
            exchange(&self.header[word::NEXT], next, last);
        }
    }

    /// Records that the ring holds.
    pub fn capacity(&self) -> u32 {
        self.layout.capacity.get()
    }

    /// Adds 1 to a word and returns what it is then.
    fn count(&self, at: usize) -> u32 {
        fetch_add(&self.header[at]).wrapping_add(1)
    }

    #[inline(always)]
    fn get(&self, at: usize) -> u32 {
        load(&self.header[at])
    }

    #[inline(always)]
    fn set(&self, at: usize, value: u32) {
        store(&self.header[at], value);
    }

    /// The header's first words, which have a check value.
    #[inline(never)]
    fn checked_words(&self, config: &Config, boots: u32) -> [u32; CHECKED_WORDS] {
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
        self.set(word::CHECK, check_of(header));
        for (place, word) in self.header.iter().zip(header).rev() {
            store(place, *word);
        }
    }

    /// The sequence number of an intact record in its slot; 0 if there is none.
    fn sequence_in(&self, slot: u32, words: &[AtomicU32; WORDS]) -> u32 {
        let [sequence, content @ .., sum] = loaded(words);
        let intact = sum == check_step(check_of(&content), sequence);
        if intact && sequence % self.layout.capacity == slot { sequence } else { 0 }
    }

    /// The words of the name table from `at`.
    #[inline(never)]
    fn names(&self, at: usize) -> &'m [AtomicU32] {
        let Layout { names_start, names_words, .. } = self.layout;
        self.memory.get(names_start + at..names_start + names_words).unwrap_or(&[])
    }

    fn append_name(&self, at: usize, text: &[u8]) -> Option<()> {
        let chunks = text.chunks(4);
        // One word stays 0 behind the last entry, unless the table ends there.
        let (head, places) = self.names(at).split_first()?;
        let places = places.get(..chunks.len())?;
        let mut sum = u32::from(text.len() as u8);
        for (chunk, place) in chunks.zip(places) {
            let word = packed(chunk);
            store(place, word);
            sum = check_of(&[sum, word]);
        }
        store(head, text.len() as u32 | sum & 0xffff_0000);
        Some(())
    }

    /// Entry `index` of the allocator table, if it has so many.
    #[inline(never)]
    fn allocator(&self, index: u16) -> Option<&'m [AtomicU32; ALLOCATOR_WORDS]> {
        if usize::from(index) >= self.layout.allocators {
            return None;
        }
        let start = self.layout.allocator(usize::from(index));
        self.memory.get(start..)?.first_chunk()
    }

    #[inline(never)]
    fn write_allocator(
        [places @ .., sum]: &[AtomicU32; ALLOCATOR_WORDS],
        entry: &[u32; ALLOCATOR_WORDS - 1],
    ) {
        for (place, value) in places.iter().zip(entry) {
            store(place, *value);
        }
        store(sum, check_of(entry));
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

/// Sets a word to `new` if it is `old`.
#[inline(always)]
fn exchange(word: &AtomicU32, old: u32, new: u32) {
    #[cfg(target_has_atomic = "32")]
    // Where somebody else was first there is nothing to be done.
    let _ = word.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed);
    #[cfg(not(target_has_atomic = "32"))]
    if word.load(Ordering::Relaxed) == old {
        word.store(new, Ordering::Relaxed);
    }
}

#[inline(always)]
fn store(word: &AtomicU32, value: u32) {
    word.store(value, Ordering::Relaxed);
}

#[inline(always)]
fn load(word: &AtomicU32) -> u32 {
    word.load(Ordering::Relaxed)
}

/// What the words hold.
#[inline(always)]
fn loaded<const N: usize>(words: &[AtomicU32; N]) -> [u32; N] {
    let mut values = [0; N];
    for (value, word) in values.iter_mut().zip(words) {
        *value = load(word);
    }
    values
}

/// The check value of `words`: one copy of the code, and no unrolled loop.
#[inline(never)]
fn check_of(words: &[u32]) -> u32 {
    check(words)
}

fn packed(chunk: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes[..chunk.len()].copy_from_slice(chunk);
    u32::from_le_bytes(bytes)
}

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
