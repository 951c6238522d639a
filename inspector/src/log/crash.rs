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
    ("sp", Register::Sp),
    ("r15", Register::Pc),
    ("r14", Register::Lr),
    ("r13", Register::Sp),
];

/// Words of fault handlers, and what they mean.
const KINDS: &[(&str, &str)] = &[
    ("stack overflow", "stack overflow"),
    ("stacking error", "fault while stacking"),
    ("usagefault", "UsageFault"),
    ("usage fault", "UsageFault"),
    ("busfault", "BusFault"),
    ("bus fault", "BusFault"),
    ("memmanage", "MemManage fault"),
    ("mpu fault", "MemManage fault"),
    ("securefault", "SecureFault"),
    ("secure fault", "SecureFault"),
    ("hard fault", "HardFault"),
    ("hardfault", "HardFault"),
    ("guru meditation error", "panic"),
    ("sigsegv", "SIGSEGV"),
    ("sigbus", "SIGBUS"),
    ("segmentation fault", "SIGSEGV"),
];

/// A fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crash {
    /// Kinds that the handler named, in order.
    pub kinds: Vec<&'static str>,
    /// Registers, the first print of each.
    pub registers: BTreeMap<Register, u64>,
    /// First line of it.
    pub line: usize,
}

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
                break;
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
