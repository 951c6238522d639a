//! The unit's registers: what a command sets stays until it is set again.

use et_schema::ethos_u::{Command, Product};

/// Codes take 10 bits.
const CODES: usize = 1 << 10;

/// Codes of commands without payload.
pub(super) mod short {
    pub const PAD_TOP: u16 = 0x100;
    pub const PAD_LEFT: u16 = 0x101;
    pub const PAD_RIGHT: u16 = 0x102;
    pub const PAD_BOTTOM: u16 = 0x103;
    pub const IFM_DEPTH: u16 = 0x104;
    pub const IFM_PRECISION: u16 = 0x105;
    pub const IFM_UPSCALE: u16 = 0x107;
    pub const IFM_BROADCAST: u16 = 0x108;
    pub const IFM_WIDTH0: u16 = 0x10A;
    pub const IFM_HEIGHT0: u16 = 0x10B;
    pub const IFM_HEIGHT1: u16 = 0x10C;
    pub const IFM_REGION: u16 = 0x10F;
    pub const OFM_WIDTH: u16 = 0x111;
    pub const OFM_HEIGHT: u16 = 0x112;
    pub const OFM_DEPTH: u16 = 0x113;
    pub const OFM_PRECISION: u16 = 0x114;
    pub const OFM_BLOCK_WIDTH: u16 = 0x115;
    pub const OFM_BLOCK_HEIGHT: u16 = 0x116;
    pub const OFM_BLOCK_DEPTH: u16 = 0x117;
    pub const OFM_WIDTH0: u16 = 0x11A;
    pub const OFM_HEIGHT0: u16 = 0x11B;
    pub const OFM_HEIGHT1: u16 = 0x11C;
    pub const OFM_REGION: u16 = 0x11F;
    pub const KERNEL_WIDTH: u16 = 0x120;
    pub const KERNEL_HEIGHT: u16 = 0x121;
    pub const KERNEL_STRIDE: u16 = 0x122;
    pub const ACC_FORMAT: u16 = 0x124;
    pub const ACTIVATION: u16 = 0x125;
    pub const WEIGHT_REGION: u16 = 0x128;
    pub const SCALE_REGION: u16 = 0x129;
    pub const WEIGHT_FORMAT: u16 = 0x12E;
    pub const BLOCKDEP: u16 = 0x12F;
    pub const DMA_SOURCE_REGION: u16 = 0x130;
    pub const DMA_DESTINATION_REGION: u16 = 0x131;
    pub const DMA_SIZE0: u16 = 0x132;
    pub const DMA_SIZE1: u16 = 0x133;
    pub const IFM2_BROADCAST: u16 = 0x180;
    pub const IFM2_PRECISION: u16 = 0x185;
    pub const IFM2_WIDTH0: u16 = 0x18A;
    pub const IFM2_HEIGHT0: u16 = 0x18B;
    pub const IFM2_HEIGHT1: u16 = 0x18C;
    pub const IFM2_REGION: u16 = 0x18F;
}

/// Codes of commands with payload.
pub(super) mod long {
    pub const IFM_BASE0: u16 = 0x4000;
    pub const IFM_STRIDE_X: u16 = 0x4004;
    pub const OFM_BASE0: u16 = 0x4010;
    pub const OFM_STRIDE_X: u16 = 0x4014;
    pub const WEIGHT_BASE: u16 = 0x4020;
    pub const SCALE_BASE: u16 = 0x4022;
    pub const DMA_SOURCE: u16 = 0x4030;
    pub const DMA_DESTINATION: u16 = 0x4031;
    pub const DMA_LENGTH: u16 = 0x4032;
    pub const DMA_STRIDE0: u16 = 0x4033;
    pub const DMA_STRIDE1: u16 = 0x4034;
    pub const DMA_DESTINATION_STRIDE0: u16 = 0x4035;
    pub const DMA_DESTINATION_STRIDE1: u16 = 0x4036;
    pub const IFM2_BASE0: u16 = 0x4080;
    pub const IFM2_STRIDE_X: u16 = 0x4084;
    /// Bases and lengths of further cores: three pairs of weights on
    /// Ethos-U85, one of weights and one of scales on Ethos-U65.
    pub const WEIGHT1_BASE: u16 = 0x4090;
}

/// Every register.
pub(super) struct State {
    pub product: Product,
    short: Box<[u16]>,
    long: Box<[u64]>,
}

impl State {
    /// All zero, as the unit begins.
    pub fn new(product: Product) -> Self {
        State { product, short: vec![0; CODES].into(), long: vec![0; CODES].into() }
    }

    /// Carries out a command that sets a register.
    pub fn set(&mut self, command: &Command) {
        let at = usize::from(command.code) % CODES;
        match command.payload {
            None => self.short[at] = command.parameter,
            Some(_) => self.long[at] = command.address(),
        }
    }

    /// A register without payload.
    pub fn short(&self, code: u16) -> u32 {
        self.short[usize::from(code) % CODES].into()
    }

    /// A register that holds its value less one.
    pub fn size(&self, code: u16) -> u32 {
        self.short(code) + 1
    }

    /// An address, a stride or a length.
    pub fn long(&self, code: u16) -> u64 {
        self.long[usize::from(code) % CODES]
    }

    /// Bits of a register without payload.
    pub fn bits(&self, code: u16, shift: u32, count: u32) -> u32 {
        self.short(code) >> shift & ((1 << count) - 1)
    }

    /// Whether it is the newest generation, with its own commands.
    pub fn is_u85(&self) -> bool {
        self.product == Product::U85
    }
}
