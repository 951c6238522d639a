//! The journal, in memory that neither a reset nor the startup code clears.

use crate::clock;
use core::cell::RefCell;
use core::sync::atomic::AtomicU32;
use cortex_m::interrupt::{self, Mutex};
use etdump::journal::{Config, Journal};

/// Words of the journal: 4 KiB.
const WORDS: usize = 1024;

#[unsafe(link_section = ".uninit.journal")]
static MEMORY: [AtomicU32; WORDS] = [const { AtomicU32::new(0) }; WORDS];

static CURRENT: Mutex<RefCell<Option<Journal<'static>>>> = Mutex::new(RefCell::new(None));

/// The journal of before the reset, or a new one.
pub fn start() -> Journal<'static> {
    let config = Config { ticks_per_second: clock::PER_SECOND, ..Config::for_bytes(WORDS * 4) };
    // A board would pass its reset reason register here.
    let journal = match Journal::resume(&MEMORY, config, 0, 0) {
        Ok(journal) => journal,
        Err(error) => panic!("{error}"),
    };
    interrupt::free(|section| CURRENT.borrow(section).replace(Some(journal)));
    journal
}

/// The journal, for interrupts; none before [`start`].
pub fn current() -> Option<Journal<'static>> {
    interrupt::free(|section| *CURRENT.borrow(section).borrow())
}
