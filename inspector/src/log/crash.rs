//! What a fault handler printed: the kind of fault and the registers.

use super::line::Line;
use super::pattern::hexadecimal;
use std::collections::BTreeMap;

/// A register that tells something about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Register {
    /// Program counter at the fault.
    Pc,
    /// Link register: where the function would return to.
    Lr,
    /// Stack pointer.
    Sp,
    /// Program status.
    Xpsr,
    /// Configurable Fault Status Register.
    Cfsr,
    /// HardFault Status Register.
    Hfsr,
    /// BusFault Address Register.
    Bfar,
    /// MemManage Fault Address Register.
    Mmfar,
    /// Value of LR in the handler.
    ExcReturn,
    /// `fault addr` of Android and Linux.
    FaultAddress,
}

/// Names in handlers' prints, the longest first.
const NAMES: &[(&str, Register)] = &[
    ("faulting instruction address", Register::Pc),
    ("exc_return", Register::ExcReturn),
    ("fault addr", Register::FaultAddress),
    ("excvaddr", Register::FaultAddress),
    ("mtval", Register::FaultAddress),
    ("mepc", Register::Pc),
    ("bfar address", Register::Bfar),
    ("mmfar address", Register::Mmfar),
    ("mmfar", Register::Mmfar),
    ("mmar", Register::Mmfar),
    ("bfar", Register::Bfar),
    ("cfsr", Register::Cfsr),
    ("hfsr", Register::Hfsr),
    ("xpsr", Register::Xpsr),
    ("psr", Register::Xpsr),
    ("pc", Register::Pc),
    ("lr", Register::Lr),
    ("ra", Register::Lr),
    ("sp", Register::Sp),
    ("r15", Register::Pc),
    ("r14", Register::Lr),
    ("r13", Register::Sp),
];

/// Names of the parts of CFSR, and where they lie in it.
const CFSR_PARTS: [(&str, u32); 3] = [("mmfsr", 0), ("bfsr", 8), ("ufsr", 16)];

/// Words of fault handlers, and what they mean.
const KINDS: &[(&str, &str)] = &[
    ("stack overflow", "stack overflow"),
    ("stack smashing detected", "stack overflow"),
    // FreeRTOS's hook, and the words of its examples.
    ("stackoverflowhook", "stack overflow"),
    ("overflowed its stack", "stack overflow"),
    ("stack canary watchpoint", "stack overflow"),
    ("stacking error", "fault while stacking"),
    ("usagefault", "UsageFault"),
    ("usage fault", "UsageFault"),
    ("busfault", "BusFault"),
    ("bus fault", "BusFault"),
    ("memmanage", "MemManage fault"),
    ("memory management fault", "MemManage fault"),
    ("mpu fault", "MemManage fault"),
    ("securefault", "SecureFault"),
    ("secure fault", "SecureFault"),
    ("hard fault", "HardFault"),
    ("hardfault", "HardFault"),
    ("guru meditation error", "panic"),
    ("loadprohibited", "load from a forbidden address"),
    ("storeprohibited", "store to a forbidden address"),
    ("instrfetchprohibited", "jump to a forbidden address"),
    ("load access fault", "load from a forbidden address"),
    ("store access fault", "store to a forbidden address"),
    ("instruction access fault", "jump to a forbidden address"),
    ("illegal instruction", "illegal instruction"),
    ("illegalinstruction", "illegal instruction"),
    ("loadstorealignment", "unaligned access"),
    ("address misaligned", "unaligned access"),
    ("integerdividebyzero", "division by zero"),
    ("sigsegv", "SIGSEGV"),
    ("sigbus", "SIGBUS"),
    ("sigill", "illegal instruction"),
    ("segmentation fault", "SIGSEGV"),
];

/// Sentences in which handlers put bits of CFSR (Zephyr, CmBacktrace).
const SENTENCES: &[(&str, u32)] = &[
    ("instruction access violation", 0),
    ("data access violation", 1),
    ("imprecise data bus error", 10),
    ("imprecise data access", 10),
    ("precise data bus error", 9),
    ("precise data access violation", 9),
    ("instruction bus error", 8),
    ("instruction prefetch error", 8),
    ("undefined instruction", 16),
    ("illegal use of the epsr", 17),
    ("attempts to switch to an invalid state", 17),
    ("illegal load of exc_return into pc", 18),
    ("coprocessor instruction", 19),
    ("unaligned memory access", 24),
    ("unaligned access", 24),
    ("division by zero", 25),
    ("divide by zero", 25),
];

/// A fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crash {
    /// Kinds that the handler named, in order.
    pub kinds: Vec<&'static str>,
    /// Registers, the first print of each.
    pub registers: BTreeMap<Register, u64>,
    /// Whether CFSR is not a register's value but what sentences say of it:
    /// such handlers print an address only if it is valid.
    pub in_words: bool,
    /// Functions of a backtrace, the innermost first, as they are printed.
    pub frames: Vec<String>,
    /// First line of it.
    pub line: usize,
}

/// Frames of a backtrace that are kept.
const FRAMES: usize = 64;

impl Crash {
    /// Takes what `line` says about a fault; whether it says something.
    ///
    /// Registers only count behind a word for a fault, or if the register is
    /// one of faults alone: a log may print anything named `sp`.
    pub fn read(&mut self, line: &Line) -> bool {
        let small = line.text.to_lowercase();
        let mut said = false;
        for (word, kind) in KINDS {
            if small.contains(word) {
                said = true;
                if !self.kinds.contains(kind) {
                    self.kinds.push(kind);
                }
            }
        }
        let begun = said || !self.is_empty();
        for (register, value) in registers(&small) {
            let own = !matches!(register, Register::Pc | Register::Lr | Register::Sp);
            if begun || own {
                self.registers.entry(register).or_insert(value);
                said = true;
            }
        }
        if let Some(status) = parts_of_cfsr(&small) {
            *self.registers.entry(Register::Cfsr).or_insert(0) |= status;
            said = true;
        } else if begun
            && let Some((_, bit)) = SENTENCES.iter().find(|(words, _)| small.contains(words))
        {
            self.in_words |= !self.registers.contains_key(&Register::Cfsr);
            *self.registers.entry(Register::Cfsr).or_insert(0) |= 1 << bit;
        }
        if begun
            && self.frames.len() < FRAMES
            && let Some(function) = frame(&line.text)
        {
            self.frames.push(function.to_owned());
            said = true;
        }
        if said && self.line == 0 {
            self.line = line.number;
        }
        said
    }

    /// Whether there is no fault.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.registers.is_empty()
    }
}

/// The function of `#00 pc 00012a4c0 lib.so (function(int)+120)` (Android) or
/// `#1 0x5555 in function (a=1) at file.cpp:3` (GDB and sanitizers).
fn frame(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('#')?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let function = match rest.split_once(" in ") {
        Some((_, function)) => function,
        None => rest.split_once(" (")?.1,
    };
    let function = function.rsplit_once('+').map_or(function, |(function, _)| function);
    (rest.len() < text.len() - 1 && !function.is_empty()).then_some(function)
}

/// The parts of CFSR that `text` has, where they lie in it.
fn parts_of_cfsr(text: &str) -> Option<u64> {
    let parts = CFSR_PARTS.iter().filter_map(|(name, shift)| {
        let at = text.find(name)?;
        let starts = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let value = text[at + name.len()..].trim_start().trim_start_matches([':', '=', ' ']);
        hexadecimal(value).filter(|_| starts).map(|value| value << shift)
    });
    parts.reduce(|all, part| all | part)
}

/// `NAME = 0x…`, `NAME: 0x…` and `rN/name: 0x…` in `text`.
fn registers(text: &str) -> Vec<(Register, u64)> {
    let mut found = Vec::new();
    for (name, register) in NAMES {
        for (at, _) in text.match_indices(name) {
            let starts = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let after = &text[at + name.len()..];
            if !starts || found.iter().any(|(known, _)| known == register) {
                continue;
            }
            // Zephyr names the alias as well: `(r15/pc)`.
            let after = after.trim_start();
            let after =
                after.strip_prefix('(').and_then(|a| a.split_once(')')).map_or(after, |a| a.1);
            let value = after.trim_start().trim_start_matches([':', '=', ' ']);
            let marked = value.starts_with("0x");
            let long = value.chars().take_while(char::is_ascii_hexdigit).count() >= 8;
            if (marked || long)
                && let Some(value) = hexadecimal(value)
            {
                found.push((*register, value));
            }
        }
    }
    found
}
