//! ExecuTorch programs on a bare Cortex-M55, with a journal that survives what
//! goes wrong.
//!
//! ```text
//! main.rs    start, choice of the demonstration
//! demo.rs    a program that runs, one that hangs, one that does not fit
//! journal.rs the journal in memory that a reset leaves alone
//! clock.rs   SysTick: time, and a heartbeat in the journal
//! fault.rs   HardFault: its registers go into the journal
//! uart.rs    text, in the words of ExecuTorch's Arm runner
//! ```
//!
//! `scripts/firmware.sh` builds it, runs it under QEMU (machine `mps3-an547`),
//! and has `etinspect diagnose` name the culprit from a dump of the RAM.

#![no_std]
#![no_main]

extern crate alloc;

mod clock;
mod cost;
mod demo;
mod fault;
mod journal;
mod uart;

use core::panic::PanicInfo;
use cortex_m_rt::entry;
use cortex_m_semihosting::debug;
use embedded_alloc::LlffHeap as Heap;

/// Bytes for values and tensors of the programs.
const HEAP: usize = 384 * 1024;

/// Bit of [`DEMO`]: stay on after the demonstration.
const STAY: u32 = 0x100;

#[global_allocator]
static ALLOCATOR: Heap = Heap::empty();

/// Which demonstration runs, and whether the board stays on after it, for a dump
/// of its memory; QEMU's loader writes it before the start.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".uninit.demo")]
static DEMO: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);

#[entry]
fn main() -> ! {
    #[allow(static_mut_refs)]
    {
        static mut MEMORY: [core::mem::MaybeUninit<u8>; HEAP] =
            [core::mem::MaybeUninit::uninit(); HEAP];
        // SAFETY: `main` runs once, nothing else refers to this memory, and the
        // allocator is not used before.
        unsafe { ALLOCATOR.init(MEMORY.as_ptr() as usize, HEAP) }
    }
    let journal = journal::start();
    clock::start();
    // SAFETY: a valid static; volatile, as it is written from outside the program.
    let wanted = unsafe { DEMO.as_ptr().read_volatile() };
    let done = match wanted & !STAY {
        1 => demo::hang(journal),
        2 => demo::small_pool(journal),
        3 => demo::fault(journal),
        4 => cost::measure(journal),
        _ => demo::softmax(journal),
    };
    if wanted & STAY == 0 {
        debug::exit(if done { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    }
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    uart::line(format_args!("F [executorch:main.rs:1] {info}"));
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}
