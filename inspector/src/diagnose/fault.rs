//! Fault status registers of Cortex-M, in words.
//!
//! Bits are those of the Armv7-M and Armv8-M architecture reference manuals:
//! CFSR holds MMFSR (bits 0 to 7), BFSR (8 to 15) and UFSR (16 to 31).

use crate::log::{Crash, Register};

/// A bit that is set, with what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultBit {
    /// Name in the manual.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

const CFSR: &[(u32, &str, &str)] = &[
    (0, "IACCVIOL", "an instruction was fetched from where the MPU forbids it"),
    (1, "DACCVIOL", "data was accessed where the MPU forbids it"),
    (3, "MUNSTKERR", "the MPU refused the stack on return from an exception"),
    (4, "MSTKERR", "the MPU refused the stack on entry to an exception"),
    (5, "MLSPERR", "the MPU refused the stack while floating point state was saved"),
    (7, "MMARVALID", "MMFAR holds the address"),
    (8, "IBUSERR", "an instruction was fetched from where there is no memory"),
    (9, "PRECISERR", "data was accessed where there is no memory, at the PC of the frame"),
    (10, "IMPRECISERR", "a buffered write failed; the PC of the frame is a later one"),
    (11, "UNSTKERR", "the stack could not be read on return from an exception"),
    (12, "STKERR", "the stack could not be written on entry to an exception"),
    (13, "LSPERR", "the stack could not be written while floating point state was saved"),
    (15, "BFARVALID", "BFAR holds the address"),
    (16, "UNDEFINSTR", "the instruction is none that this core has"),
    (17, "INVSTATE", "a jump to an address without the Thumb bit, as of a null function pointer"),
    (18, "INVPC", "an exception returned with a value that is none"),
    (19, "NOCP", "a floating point or vector instruction while that unit is switched off"),
    (20, "STKOF", "the stack pointer went below the stack limit"),
    (24, "UNALIGNED", "an unaligned access where none is allowed"),
    (25, "DIVBYZERO", "a division by zero"),
];

const HFSR: &[(u32, &str, &str)] = &[
    (1, "VECTTBL", "the vector table could not be read"),
    (30, "FORCED", "another fault became a HardFault, as its own handler is off"),
    (31, "DEBUGEVT", "a breakpoint without a debugger, as semihosting without one"),
];

/// The bits that are set in CFSR and HFSR.
pub fn fault_bits(cfsr: Option<u64>, hfsr: Option<u64>) -> Vec<FaultBit> {
    let set = |value: Option<u64>, table: &'static [(u32, &'static str, &'static str)]| {
        let value = value.unwrap_or(0);
        table.iter().filter(move |(bit, ..)| value >> bit & 1 == 1)
    };
    set(cfsr, CFSR)
        .chain(set(hfsr, HFSR))
        .map(|(_, name, meaning)| FaultBit { name, meaning })
        .collect()
}

/// Why the processor faulted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// In one clause.
    pub cause: String,
    /// What to do.
    pub remedy: &'static str,
    /// Whether it is the stack.
    pub stack: bool,
    /// The faulting address, if it counts.
    pub address: Option<u64>,
}

/// Addresses below this are offsets from a null pointer, or calls through one.
const NULL_PAGE: u64 = 0x1000;

/// Reads the registers of `crash`.
pub(super) fn read(crash: &Crash) -> Reading {
    let register = |r| crash.registers.get(&r).copied();
    let cfsr = register(Register::Cfsr);
    let has = |bit: u32| cfsr.is_some_and(|value| value >> bit & 1 == 1);
    // Without CFSR, a handler that prints the register means it.
    let always = cfsr.is_none() || crash.in_words;
    let bfar = register(Register::Bfar).filter(|_| always || has(15));
    let mmfar = register(Register::Mmfar).filter(|_| always || has(7));
    let address = bfar.or(mmfar).or(register(Register::FaultAddress));
    let pc = register(Register::Pc);
    let debug = register(Register::Hfsr).is_some_and(|value| value >> 31 & 1 == 1);
    let is = |word: &str| crash.kinds.iter().any(|kind| kind.contains(word));
    let stack_kind = is("stack");
    let (cause, remedy, stack) = if has(20) || stack_kind {
        ("the stack overflowed", "give the thread that runs the model a larger stack", true)
    } else if has(4) || has(12) {
        (
            "the stack could not be written when the exception was taken",
            "give the thread that runs the model a larger stack",
            true,
        )
    } else if has(19) {
        (
            "a floating point or vector (MVE) instruction ran while the unit is switched off",
            "enable CP10 and CP11 in CPACR before main, as CMSIS's SystemInit does",
            false,
        )
    } else if debug {
        (
            "a breakpoint was hit without a debugger, as a semihosting call does",
            "build without semihosting, or run with a debugger attached",
            false,
        )
    } else if has(17) || pc.is_some_and(|pc| pc < 2) || is("jump to") {
        (
            "a jump through a null or odd function pointer",
            "check that static constructors ran and that .data, .data.rel.ro and .got are \
             initialised by the startup code and the linker script",
            false,
        )
    } else if has(16) || is("illegal instruction") {
        (
            "an instruction that this core does not have",
            "build for the board's core (-mcpu, -mfpu), and check that the PC is in code",
            false,
        )
    } else if has(24) || is("unaligned") {
        (
            "an unaligned access",
            "align the program and the pools to 16 bytes, and clear UNALIGN_TRP in CCR",
            false,
        )
    } else if has(25) || is("division") {
        ("a division by zero", "look at the arguments of the kernel at that PC", false)
    } else if address.is_some_and(|address| address < NULL_PAGE) {
        (
            "an access through a null pointer",
            "look for an allocation that failed before; see the pools",
            false,
        )
    } else if has(10) {
        (
            "a write to an address without memory, somewhat before the PC",
            "disable write buffering (DISDEFWBUF in ACTLR) to see the exact place",
            false,
        )
    } else if has(0) || has(8) {
        (
            "code was fetched from an address that holds none",
            "look at the return address (LR) and at function pointers: the stack or a table was \
             overwritten",
            false,
        )
    } else if address.is_some() || has(9) || has(1) || is("forbidden") {
        (
            "an access to an address that it may not touch",
            "look at what the address belongs to, and at the tensors of the instruction",
            false,
        )
    } else {
        ("a fault", "print CFSR, HFSR, BFAR, MMFAR and the stacked PC in the fault handler", false)
    };
    Reading { cause: cause.to_owned(), remedy, stack, address }
}
