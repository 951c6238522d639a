//! Records: what they say, and their eight words.
//!
//! | word | content |
//! | --- | --- |
//! | 0 | sequence number, from 1; after 2^32 - 1 comes 0 |
//! | 1, 2 | ticks, low and high half |
//! | 3 | kind (bits 0 to 7), detail (8 to 15), chain (16 to 31; 0xffff for none) |
//! | 4, 5, 6 | a, b, c: by kind |
//! | 7 | check value of words 1 to 6, then 0 |
//!
//! The sequence number is known last, as it comes from a counter that others write
//! to: all of the check value but its last step is computed while it is fetched.

/// Bytes of a record.
pub const RECORD_BYTES: usize = 32;

/// Words of a record.
pub(super) const WORDS: usize = RECORD_BYTES / 4;

/// Chain of what happens outside of chains.
const NO_CHAIN: u16 = u16::MAX;

/// Start value and multiplier of check values: the fractional digits of the
/// golden ratio, odd, so that every step maps words one to one.
pub(super) const CHECK_SEED: u32 = 0x9e37_79b9;
const FACTOR: u32 = 0x85eb_ca6b;

/// The check value of `words`. Each step is one to one in its word, so any
/// damage within one word changes the result.
#[inline]
pub(super) fn check(words: &[u32]) -> u32 {
    words.iter().fold(CHECK_SEED, |sum, word| check_step(sum, *word))
}

/// Takes a word into a check value.
#[inline(always)]
pub(super) fn check_step(sum: u32, word: u32) -> u32 {
    let sum = (sum ^ word).wrapping_mul(FACTOR);
    sum ^ sum >> 15
}

/// The check value of a record's words: of its content, then of its sequence number.
#[inline]
pub(super) fn check_of_record([sequence, content @ .., _]: &[u32; WORDS]) -> u32 {
    check_step(check(content), *sequence)
}

/// Index of a name in the journal's table; 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct NameId(pub u16);

impl NameId {
    /// No name.
    pub const NONE: NameId = NameId(0);
    /// A name that the table had no room for.
    pub const LOST: NameId = NameId(u16::MAX);
}

/// Work that has a beginning and an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Loading a method.
    Load = 1,
    /// Executing a method.
    Execute = 2,
    /// A kernel call instruction (`OPERATOR_CALL`).
    Instruction = 3,
    /// A delegate call instruction (`DELEGATE_CALL`).
    Delegate = 4,
    /// A jump instruction (`JF_CALL`).
    Jump = 5,
    /// A move instruction (`MOVE_CALL`).
    Move = 6,
    /// A free instruction (`FREE_CALL`).
    Free = 7,
    /// A kernel (`native_call_...`).
    Kernel = 8,
    /// A delegate's own operation, with a number.
    DelegateInt = 9,
    /// A delegate's own operation, with a name.
    DelegateName = 10,
    /// An invocation of a neural processing unit.
    Npu = 11,
    /// Anything else with a name.
    Other = 12,
}

impl Scope {
    const ALL: [Scope; 12] = [
        Scope::Load,
        Scope::Execute,
        Scope::Instruction,
        Scope::Delegate,
        Scope::Jump,
        Scope::Move,
        Scope::Free,
        Scope::Kernel,
        Scope::DelegateInt,
        Scope::DelegateName,
        Scope::Npu,
        Scope::Other,
    ];

    fn of(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// Whether it is an instruction of a chain.
    pub fn is_instruction(self) -> bool {
        matches!(
            self,
            Scope::Instruction | Scope::Delegate | Scope::Jump | Scope::Move | Scope::Free
        )
    }
}

/// An allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AllocatorKind {
    /// Method allocator.
    Method = 1,
    /// A planned buffer; its index is the memory id.
    Planned = 2,
    /// Temp allocator.
    Temp = 3,
    /// A delegate's.
    Delegate = 4,
    /// Another one.
    Other = 5,
}

impl AllocatorKind {
    /// The kind with this code.
    pub(super) fn of(code: u8) -> Self {
        match code {
            1 => AllocatorKind::Method,
            2 => AllocatorKind::Planned,
            3 => AllocatorKind::Temp,
            4 => AllocatorKind::Delegate,
            _ => AllocatorKind::Other,
        }
    }
}

/// Which registers a fault record has in a, b and c.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FaultPart {
    /// PC, LR, SP.
    Frame = 1,
    /// xPSR, CFSR, HFSR.
    Status = 2,
    /// MMFAR, BFAR, EXC_RETURN.
    Address = 3,
    /// R0, R1, R2.
    Low = 4,
    /// R3, R12, 0.
    High = 5,
}

impl FaultPart {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => FaultPart::Frame,
            2 => FaultPart::Status,
            3 => FaultPart::Address,
            4 => FaultPart::Low,
            5 => FaultPart::High,
            _ => return None,
        })
    }
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Work begins.
    Begin {
        /// What kind of work.
        scope: Scope,
        /// Chain, if it is within one.
        chain: Option<u16>,
        /// Instruction in the chain.
        instruction: u32,
        /// Name, or the number of a delegate's operation.
        name: u32,
        /// Number of the execution, from 1; 0 before the first.
        execution: u32,
    },
    /// Work is over.
    End {
        /// What kind of work.
        scope: Scope,
        /// Chain, if it is within one.
        chain: Option<u16>,
        /// Instruction in the chain.
        instruction: u32,
        /// Name, or the number of a delegate's operation.
        name: u32,
        /// ExecuTorch's error code, 0 if it went well.
        status: u32,
    },
    /// An allocation.
    Allocation {
        /// Index in the allocator table.
        allocator: u16,
        /// Kind of the allocator.
        kind: AllocatorKind,
        /// Bytes, at most `u32::MAX`.
        size: u32,
        /// Offset in the allocator's memory.
        offset: u32,
        /// ExecuTorch's error code, 0 if it was made.
        status: u32,
    },
    /// A number from the firmware.
    Mark {
        /// Which.
        number: u32,
        /// Its value.
        value: u32,
    },
    /// Registers of a fault.
    Fault {
        /// Which registers.
        part: FaultPart,
        /// They.
        registers: [u32; 3],
    },
    /// The firmware is alive.
    Heartbeat {
        /// How often it said so.
        count: u32,
        /// Stack pointer there.
        stack_pointer: u32,
    },
    /// The stack's high-water mark.
    Stack {
        /// Lowest address that was used.
        lowest: u32,
        /// End of the stack.
        limit: u32,
    },
    /// A run begins, as a block of an ETDump does.
    Run {
        /// Name of the block.
        name: u32,
        /// Number of the execution, from 1; 0 for loading.
        execution: u32,
    },
    /// The board started, with a journal from before in its memory.
    Boot {
        /// The board's reset reason register.
        reason: u32,
        /// How often it started.
        count: u32,
    },
}

const BEGIN: u8 = 1;
const END: u8 = 2;
const ALLOCATION: u8 = 3;
const MARK: u8 = 4;
const FAULT: u8 = 5;
pub(super) const HEARTBEAT: u8 = 6;
const STACK: u8 = 7;
const BOOT: u8 = 8;
const RUN: u8 = 9;

/// Words 3 to 6 of a record.
pub(super) type Body = [u32; 4];

impl Event {
    #[inline(always)]
    pub(super) fn body(self) -> Body {
        let head = |kind: u8, detail: u8, chain: u16| {
            u32::from(kind) | u32::from(detail) << 8 | u32::from(chain) << 16
        };
        let chain_of = |chain: Option<u16>| chain.unwrap_or(NO_CHAIN);
        match self {
            Event::Begin { scope, chain, instruction, name, execution } => {
                [head(BEGIN, scope as u8, chain_of(chain)), instruction, name, execution]
            }
            Event::End { scope, chain, instruction, name, status } => {
                [head(END, scope as u8, chain_of(chain)), instruction, name, status]
            }
            Event::Allocation { allocator, kind, size, offset, status } => {
                [head(ALLOCATION, kind as u8, allocator), size, offset, status]
            }
            Event::Mark { number, value } => [head(MARK, 0, NO_CHAIN), number, value, 0],
            Event::Fault { part, registers: [a, b, c] } => {
                [head(FAULT, part as u8, NO_CHAIN), a, b, c]
            }
            Event::Heartbeat { count, stack_pointer } => {
                [head(HEARTBEAT, 0, NO_CHAIN), count, stack_pointer, 0]
            }
            Event::Stack { lowest, limit } => [head(STACK, 0, NO_CHAIN), lowest, limit, 0],
            Event::Run { name, execution } => [head(RUN, 0, NO_CHAIN), name, execution, 0],
            Event::Boot { reason, count } => [head(BOOT, 0, NO_CHAIN), reason, count, 0],
        }
    }

    /// The event of a body; `None` for a kind that this version does not know.
    pub(super) fn of([head, a, b, c]: Body) -> Option<Self> {
        let [kind, detail, low, high] = head.to_le_bytes();
        let chain = u16::from_le_bytes([low, high]);
        let in_chain = (chain != NO_CHAIN).then_some(chain);
        Some(match kind {
            BEGIN => Event::Begin {
                scope: Scope::of(detail)?,
                chain: in_chain,
                instruction: a,
                name: b,
                execution: c,
            },
            END => Event::End {
                scope: Scope::of(detail)?,
                chain: in_chain,
                instruction: a,
                name: b,
                status: c,
            },
            ALLOCATION => Event::Allocation {
                allocator: chain,
                kind: AllocatorKind::of(detail),
                size: a,
                offset: b,
                status: c,
            },
            MARK => Event::Mark { number: a, value: b },
            FAULT => Event::Fault { part: FaultPart::of(detail)?, registers: [a, b, c] },
            HEARTBEAT => Event::Heartbeat { count: a, stack_pointer: b },
            STACK => Event::Stack { lowest: a, limit: b },
            RUN => Event::Run { name: a, execution: b },
            BOOT => Event::Boot { reason: a, count: b },
            _ => return None,
        })
    }
}

/// An intact record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Sequence number.
    pub sequence: u32,
    /// Time.
    pub ticks: u64,
    /// What it says; `None` for a kind of a later version.
    pub event: Option<Event>,
}

impl Record {
    /// The record of `words`, if its check value fits.
    pub(super) fn of(words: [u32; WORDS]) -> Option<Self> {
        let [sequence, low, high, head, a, b, c, found] = words;
        // A slot that was never written is all zeros, which do not check.
        let intact = check_of_record(&words) == found;
        intact.then(|| Record {
            sequence,
            ticks: u64::from(high) << 32 | u64::from(low),
            event: Event::of([head, a, b, c]),
        })
    }
}
