//! What single Thumb instructions do to the stack, and which functions they call.
//!
//! Encodings are those of the Armv7-M and Armv8-M architecture reference
//! manuals; the letters in comments are theirs.

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The stack grows by so many bytes.
    Grow(u32),
    /// It shrinks.
    Shrink(u32),
    /// It grows by a register's value.
    GrowBy(u8),
    /// A register is set to a number.
    Set(u8, u32),
    /// A function at this address is called, or jumped to as the last thing.
    Call(u64),
    /// Anything else.
    Other,
}

/// The instruction at `address`, whose bytes `code` begins with: its length and
/// what it does. `None` at the end of the code.
pub(super) fn step(code: &[u8], address: u64) -> Option<(usize, Step)> {
    let half = |at: usize| Some(u16::from_le_bytes(code.get(at..at + 2)?.try_into().ok()?));
    let first = half(0)?;
    if first >> 11 < 0b11101 {
        return Some((2, narrow(first)));
    }
    Some((4, wide(first, half(2)?, address)))
}

fn narrow(half: u16) -> Step {
    let registers = u32::from(half & 0x1ff).count_ones() * 4;
    let immediate = u32::from(half & 0x7f) * 4;
    match half {
        h if h & 0xfe00 == 0xb400 => Step::Grow(registers),
        h if h & 0xfe00 == 0xbc00 => Step::Shrink(registers),
        h if h & 0xff80 == 0xb080 => Step::Grow(immediate),
        h if h & 0xff80 == 0xb000 => Step::Shrink(immediate),
        _ => Step::Other,
    }
}

fn wide(first: u16, second: u16, address: u64) -> Step {
    let registers = u32::from(second).count_ones() * 4;
    let words = u32::from(second & 0xff) * 4;
    // i:imm3:imm8, of 12 bits.
    let twelve = u32::from(first >> 10 & 1) << 11
        | u32::from(second >> 12 & 7) << 8
        | u32::from(second & 0xff);
    let to_sp = second & 0x8f00 == 0x0d00;
    match first {
        // STMDB SP!, LDM SP!, and the forms for one register.
        0xe92d => Step::Grow(registers),
        0xe8bd => Step::Shrink(registers),
        0xf84d if second & 0xfff == 0xd04 => Step::Grow(4),
        0xf85d if second & 0xfff == 0xb04 => Step::Shrink(4),
        // STRD [SP, #-n]! and LDRD [SP], #n.
        0xe96d => Step::Grow(words),
        0xe8fd => Step::Shrink(words),
        // VPUSH and VPOP.
        h if h & 0xffbf == 0xed2d && second & 0x0e00 == 0x0a00 => Step::Grow(words),
        h if h & 0xffbf == 0xecbd && second & 0x0e00 == 0x0a00 => Step::Shrink(words),
        // SUB and ADD (T3 with a modified immediate, T4 with a plain one).
        h if h & 0xfbff == 0xf1ad && to_sp => Step::Grow(expand(twelve)),
        h if h & 0xfbff == 0xf2ad && to_sp => Step::Grow(twelve),
        h if h & 0xfbff == 0xf10d && to_sp => Step::Shrink(expand(twelve)),
        h if h & 0xfbff == 0xf20d && to_sp => Step::Shrink(twelve),
        // SUB SP, SP, Rm without a shift.
        0xebad if second & 0xfff0 == 0x0d00 => Step::GrowBy((second & 0xf) as u8),
        // MOVW.
        h if h & 0xfbf0 == 0xf240 && second & 0x8000 == 0 => {
            Step::Set((second >> 8 & 0xf) as u8, u32::from(h & 0xf) << 12 | twelve)
        }
        // BL and B.W.
        h if h & 0xf800 == 0xf000 && second & 0x9000 == 0x9000 => {
            Step::Call(address.wrapping_add_signed(4 + i64::from(branch(first, second))))
        }
        _ => Step::Other,
    }
}

/// ThumbExpandImm of 12 bits.
fn expand(twelve: u32) -> u32 {
    let byte = twelve & 0xff;
    match twelve >> 8 {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        3 => byte << 24 | byte << 16 | byte << 8 | byte,
        _ => (0x80 | twelve & 0x7f).rotate_right(twelve >> 7),
    }
}

/// The offset S:I1:I2:imm10:imm11:0 of BL and B.W.
fn branch(first: u16, second: u16) -> i32 {
    let (first, second) = (u32::from(first), u32::from(second));
    let sign = first >> 10 & 1;
    let one = |j: u32| !(j ^ sign) & 1;
    let (i1, i2) = (one(second >> 13), one(second >> 11));
    let bits = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
    // 25 bits with a sign.
    (bits << 7) as i32 >> 7
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As arm-none-eabi-as encodes them.
    #[test]
    fn instructions_are_read() {
        let cases: [(&[u8], Step); 15] = [
            (&[0xf0, 0xb5], Step::Grow(20)),                  // push {r4-r7, lr}
            (&[0xf0, 0xbd], Step::Shrink(20)),                // pop {r4-r7, pc}
            (&[0x84, 0xb0], Step::Grow(16)),                  // sub sp, #16
            (&[0x04, 0xb0], Step::Shrink(16)),                // add sp, #16
            (&[0x2d, 0xe9, 0xf0, 0x47], Step::Grow(32)),      // push {r4-r10, lr}
            (&[0x2d, 0xed, 0x04, 0x8b], Step::Grow(16)),      // vpush {d8-d9}
            (&[0xad, 0xf5, 0x80, 0x5d], Step::Grow(4096)),    // sub.w sp, sp, #4096
            (&[0xad, 0xf6, 0x9c, 0x6d], Step::Grow(3740)),    // subw sp, sp, #3740
            (&[0x4d, 0xf8, 0x04, 0xbd], Step::Grow(4)),       // push {fp}
            (&[0x41, 0xf2, 0x88, 0x3c], Step::Set(12, 5000)), // movw ip, #5000
            (&[0xad, 0xeb, 0x0c, 0x0d], Step::GrowBy(12)),    // sub.w sp, sp, ip
            (&[0x00, 0xf0, 0x02, 0xf8], Step::Call(0x1008)),  // bl +8
            (&[0xff, 0xf7, 0xfe, 0xff], Step::Call(0x1000)),  // bl to itself
            (&[0x70, 0x47], Step::Other),                     // bx lr
            (&[0xff, 0xf7, 0xfe, 0xbf], Step::Call(0x1000)),  // b.w to itself
        ];
        for (code, expected) in cases {
            assert_eq!(step(code, 0x1000), Some((code.len(), expected)), "{code:02x?}");
        }
        assert_eq!(step(&[0x2d, 0xe9, 0xf0], 0), None);
    }
}
