//! What a record of the journal costs, in instructions.
//!
//! Meant for an emulator that takes one nanosecond for each instruction (QEMU
//! with `-icount shift=0`): SysTick then counts instructions.

use crate::{clock, uart};
use core::hint::black_box;
use etdump::journal::{Event, Journal, Scope};

/// Pairs of records that are written.
const PAIRS: u32 = 200_000;

/// Instructions in a millisecond of such a clock.
const PER_MILLISECOND: u64 = 1_000_000;

/// Writes records, and prints what one of them took.
pub fn measure(journal: Journal<'static>) -> bool {
    // What a tracer finds in its arguments.
    let (scope, chain) = (Scope::Instruction, black_box(Some(0)));
    let (name, execution, status) = black_box((1, 1, 0));
    let empty = time(|turn| {
        black_box(turn);
    });
    let records = time(|turn| {
        let instruction = black_box(turn);
        let begin = Event::Begin { scope, chain, instruction, name, execution };
        journal.record(turn.into(), begin);
        let end = Event::End { scope, chain, instruction, name, status };
        journal.record(turn.into(), end);
    });
    let instructions = (records - empty) * PER_MILLISECOND / (2 * u64::from(PAIRS));
    uart::line(format_args!("instructions per record: {instructions}"));
    uart::line(format_args!("bytes of a handle: {}", size_of::<Journal<'static>>()));
    true
}

/// Milliseconds of [`PAIRS`] turns.
fn time(mut turn: impl FnMut(u32)) -> u64 {
    let before = clock::now().0;
    for number in 0..PAIRS {
        turn(number);
    }
    clock::now().0 - before
}
