//! SysTick: milliseconds since the start, and a heartbeat in the journal.

use crate::journal;
use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use etdump::Ticks;

/// Ticks per second.
pub const PER_SECOND: u32 = 1000;

/// Core clock of the AN547 image in Hz.
const CORE: u32 = 32_000_000;

/// Milliseconds between two heartbeats.
const HEARTBEAT: u32 = 100;

static NOW: AtomicU32 = AtomicU32::new(0);

/// Starts the clock.
pub fn start() {
    if let Some(mut peripherals) = cortex_m::Peripherals::take() {
        peripherals.SYST.set_clock_source(SystClkSource::Core);
        peripherals.SYST.set_reload(CORE / PER_SECOND - 1);
        peripherals.SYST.clear_current();
        peripherals.SYST.enable_counter();
        peripherals.SYST.enable_interrupt();
    }
}

/// The time.
pub fn now() -> Ticks {
    Ticks(NOW.load(Ordering::Relaxed).into())
}

#[exception]
fn SysTick() {
    let now = NOW.load(Ordering::Relaxed).wrapping_add(1);
    NOW.store(now, Ordering::Relaxed);
    if now.is_multiple_of(HEARTBEAT)
        && let Some(journal) = journal::current()
    {
        journal.heartbeat(now.into(), cortex_m::register::msp::read());
    }
}
