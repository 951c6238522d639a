//! Operations: what the registers say at the moment in which one is started.

use super::feature_map::{FeatureMap, Layout, Range, Region, Storage};
use super::state::{State, long, short};
use et_schema::ethos_u::{Command, Register};

/// An operation of the stream.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The word that starts it.
    pub word: u32,
    /// What it is.
    pub kind: Kind,
}

/// Kinds of operations.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Arithmetic.
    Block(Box<Block>),
    /// A copy.
    Dma(Dma),
    /// Waits until at most so many copies are under way.
    DmaWait(u32),
    /// Waits until at most so much arithmetic is under way.
    KernelWait(u32),
    /// Raises the interrupt.
    Interrupt,
    /// Ends the stream and raises the interrupt.
    Stop,
    /// Switches the counters of the unit.
    Counters,
    /// Goes on elsewhere: word of the target.
    Branch(u32),
}

/// What arithmetic does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Convolution; also matrix products, then with a second input as weights.
    Convolution {
        /// Whether the second input is the weights.
        weights_are_input: bool,
    },
    /// Convolution of each channel by itself.
    Depthwise,
    /// Pooling, by Arm's name of the mode.
    Pooling(&'static str),
    /// Element by element, by Arm's name of the mode.
    Elementwise(&'static str),
    /// Resizing, by Arm's name of the mode.
    Resize(&'static str),
}

impl Work {
    /// A name for people.
    pub fn name(self) -> String {
        match self {
            Work::Convolution { weights_are_input: false } => "convolution".into(),
            Work::Convolution { weights_are_input: true } => "matrix product".into(),
            Work::Depthwise => "depthwise".into(),
            Work::Pooling(mode) => format!("pooling {}", mode.to_lowercase()),
            Work::Elementwise(mode) => format!("elementwise {}", mode.to_lowercase()),
            Work::Resize(mode) => format!("resize {}", mode.to_lowercase()),
        }
    }
}

/// The window of an operation, in height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Elements.
    pub size: [u32; 2],
    /// Distance of two windows.
    pub stride: [u32; 2],
    /// Distance of two elements.
    pub dilation: [u32; 2],
    /// Rows and columns that are thought before, and after the input.
    pub padding: [[u32; 2]; 2],
}

/// Arithmetic.
#[derive(Clone, Debug)]
pub struct Block {
    /// What it does.
    pub work: Work,
    /// Its input.
    pub ifm: FeatureMap,
    /// Its second input.
    pub ifm2: Option<FeatureMap>,
    /// Its output, as it lies in memory.
    pub ofm: FeatureMap,
    /// Height, width and depth of the output before a transposition.
    pub output: [u32; 3],
    /// Its window.
    pub kernel: Kernel,
    /// Weights, by core.
    pub weights: Vec<Range>,
    /// Biases and scales, by core.
    pub scales: Vec<Range>,
    /// The table that it looks results up in.
    pub table: Option<u32>,
    /// Whether half of the weights is left out.
    pub is_sparse: bool,
    /// Height, width and depth that it works on at once.
    pub block: [u32; 3],
    /// How it goes about that.
    pub schedule: Schedule,
    /// Whether it is a pooling of single elements that only swaps rows and
    /// columns, as before Ethos-U85.
    pub is_transposition: bool,
}

/// How the unit goes about a block of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Blocks that may begin while as many of the operation before are under way.
    pub block_dependency: u32,
    /// Whether sums have more than 32 bits.
    pub has_wide_sums: bool,
    /// Whether elements of the window come first, before channels.
    pub is_kernel_first: bool,
    /// Height and width of the outputs that are made at once; of Ethos-U85,
    /// 0 before it.
    pub microblock: [u32; 2],
    /// Rows and columns that stand for one of the input.
    pub upscale: u32,
    /// Whether results are looked up: in a table, or as the unit's own curve.
    pub has_lookup: bool,
    /// Whether dimensions of the output are swapped, or it runs backwards, and
    /// whether that moves rows or columns.
    pub is_moved: bool,
    /// See [`Schedule::is_moved`].
    pub moves_lines: bool,
}

/// A copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dma {
    /// From here.
    pub source: Range,
    /// To here.
    pub destination: Range,
    /// Bytes.
    pub bytes: u64,
}

/// Whether bytes are read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read.
    Read,
    /// Written.
    Write,
}

impl Operation {
    /// The ranges that it reads and writes.
    pub fn accesses(&self) -> impl Iterator<Item = (Range, Access)> + '_ {
        let (block, dma) = match &self.kind {
            Kind::Block(block) => (Some(block), None),
            Kind::Dma(dma) => (None, Some(dma)),
            _ => (None, None),
        };
        let of_block = block.into_iter().flat_map(|block| {
            let inputs = block.ifm.ranges().chain(block.ifm2.iter().flat_map(FeatureMap::ranges));
            let constants = block.weights.iter().chain(&block.scales).copied();
            let reads = inputs.chain(constants).map(|range| (range, Access::Read));
            reads.chain(block.ofm.ranges().map(|range| (range, Access::Write)))
        });
        let of_dma = dma
            .into_iter()
            .flat_map(|dma| [(dma.source, Access::Read), (dma.destination, Access::Write)]);
        of_block.chain(of_dma)
    }
}

/// The operation that `command` starts.
pub(super) fn decode(state: &State, register: &Register, command: &Command) -> Kind {
    let mode = || {
        let field = register.fields(command).next();
        field.and_then(|field| field.value_name).unwrap_or("?")
    };
    let parameter = u32::from(command.parameter);
    match register.name {
        "NPU_OP_CONV" => {
            let weights_are_input = state.is_u85() && parameter & 1 == 1;
            block(state, Work::Convolution { weights_are_input })
        }
        "NPU_OP_DEPTHWISE" => block(state, Work::Depthwise),
        "NPU_OP_POOL" => block(state, Work::Pooling(mode())),
        "NPU_OP_ELEMENTWISE" => block(state, Work::Elementwise(mode())),
        "NPU_OP_RESIZE" => block(state, Work::Resize(mode())),
        "NPU_OP_DMA_START" => Kind::Dma(dma(state)),
        "NPU_OP_DMA_WAIT" => Kind::DmaWait(parameter & 0xF),
        "NPU_OP_KERNEL_WAIT" => Kind::KernelWait(parameter & 0x3),
        "NPU_OP_IRQ" => Kind::Interrupt,
        "NPU_OP_STOP" => Kind::Stop,
        "NPU_OP_BRANCH" => Kind::Branch(command.payload.unwrap_or(0) / 4),
        _ => Kind::Counters,
    }
}

/// Bits that say that the output is not moved from `HWC`.
const NO_TRANSPOSITION: u32 = 0;

fn block(state: &State, work: Work) -> Kind {
    let kernel = kernel(state);
    let output =
        [short::OFM_HEIGHT, short::OFM_WIDTH, short::OFM_DEPTH].map(|code| state.size(code));
    let transposition =
        if state.is_u85() { state.bits(short::OFM_PRECISION, 11, 3) } else { NO_TRANSPOSITION };
    let [height, width, depth] = output;
    let shape = match transposition {
        1 => [width, height, depth],
        2 => [height, depth, width],
        3 => [width, depth, height],
        6 => [depth, height, width],
        7 => [depth, width, height],
        _ => output,
    };
    let ofm = feature_map(state, &OFM, shape);
    let ifm = feature_map(state, &IFM, input_shape(state, work, &kernel, output));
    let ifm2 = second_input(state, work, output);
    let is_conv = matches!(work, Work::Convolution { .. } | Work::Depthwise);
    let has_weights = is_conv && work != Work::Convolution { weights_are_input: true };
    let scales_by_channel = state.bits(short::OFM_PRECISION, 8, 1) == 0;
    let is_swapped = !state.is_u85() && ofm.strides[1] > ofm.strides[0] && output[0] > 1;
    Kind::Block(Box::new(Block {
        work,
        is_transposition: is_swapped,
        ifm,
        ifm2,
        ofm,
        output,
        kernel,
        weights: if has_weights { weights(state) } else { Vec::new() },
        scales: if is_conv && scales_by_channel { scales(state) } else { Vec::new() },
        table: table(state),
        is_sparse: state.is_u85() && state.bits(short::WEIGHT_FORMAT, 4, 1) == 1,
        block: [short::OFM_BLOCK_HEIGHT, short::OFM_BLOCK_WIDTH, short::OFM_BLOCK_DEPTH]
            .map(|code| state.size(code)),
        schedule: schedule(state, transposition),
    }))
}

fn schedule(state: &State, transposition: u32) -> Schedule {
    let function = state.bits(short::ACTIVATION, 0, 5);
    let is_curve =
        if state.is_u85() { matches!(function, 10 | 11) } else { matches!(function, 3 | 4) };
    let reverse = if state.is_u85() { state.bits(short::OFM_PRECISION, 9, 2) } else { 0 };
    let microblock = match state.bits(short::ACC_FORMAT, 8, 3) {
        _ if !state.is_u85() => [0, 0],
        0 => [1, 1],
        1 => [1, 2],
        2 => [1, 4],
        3 => [2, 2],
        4 => [2, 4],
        _ => [4, 4],
    };
    Schedule {
        block_dependency: state.bits(short::BLOCKDEP, 0, if state.is_u85() { 3 } else { 2 }),
        has_wide_sums: state.bits(short::ACC_FORMAT, 0, 2) == 1,
        is_kernel_first: state.bits(short::KERNEL_STRIDE, 2, 1) == 1,
        microblock,
        upscale: if state.bits(short::IFM_UPSCALE, 0, 2) == 0 { 1 } else { 2 },
        has_lookup: is_curve || table(state).is_some(),
        is_moved: transposition != NO_TRANSPOSITION || reverse != 0,
        // Rows and columns change places, or columns run backwards.
        moves_lines: matches!(transposition, 1 | 3 | 7) || reverse == 2,
    }
}

/// Size includes dilation, which is 1 or 2.
fn kernel(state: &State) -> Kernel {
    let bit = |at| state.bits(short::KERNEL_STRIDE, at, 1);
    let dilation = [1 + bit(4), 1 + bit(3)];
    let size = |code, dilation| state.short(code) / dilation + 1;
    Kernel {
        size: [size(short::KERNEL_HEIGHT, dilation[0]), size(short::KERNEL_WIDTH, dilation[1])],
        stride: [1 + bit(1) + 2 * bit(9), 1 + bit(0) + 2 * bit(6)],
        dilation,
        padding: [
            [state.short(short::PAD_TOP), state.short(short::PAD_LEFT)],
            [state.short(short::PAD_BOTTOM), state.short(short::PAD_RIGHT)],
        ],
    }
}

/// What the windows over all of the output need of the input.
fn input_shape(state: &State, work: Work, kernel: &Kernel, output: [u32; 3]) -> [u32; 3] {
    let depth = state.size(short::IFM_DEPTH);
    let tile = [state.size(short::IFM_HEIGHT0), state.size(short::IFM_WIDTH0)];
    match work {
        Work::Resize(_) => [tile[0], tile[1], depth],
        Work::Elementwise(_) => {
            let [height, width, _] = output;
            let broadcast =
                if state.is_u85() { state.short(short::IFM_BROADCAST) & 0xF } else { 0 };
            broadcast_shape([height, width, depth], broadcast)
        }
        _ => {
            let upscale = if state.bits(short::IFM_UPSCALE, 0, 2) == 0 { 1 } else { 2 };
            let needed = |at: usize| {
                let window = (kernel.size[at] - 1) * kernel.dilation[at] + 1;
                let rows =
                    (u64::from(output[at]) - 1) * u64::from(kernel.stride[at]) + u64::from(window);
                let padding = kernel.padding[0][at] + kernel.padding[1][at];
                let rows = rows.saturating_sub(padding.into()).max(1);
                u32::try_from(rows.div_ceil(upscale)).unwrap_or(u32::MAX)
            };
            [needed(0), needed(1), depth]
        }
    }
}

/// Dimensions that are read again and again are 1: bits height, width, depth.
fn broadcast_shape(shape: [u32; 3], bits: u32) -> [u32; 3] {
    let mut shape = shape;
    for (at, size) in shape.iter_mut().enumerate() {
        if bits >> at & 1 == 1 || bits & SCALAR != 0 {
            *size = 1;
        }
    }
    shape
}

/// Ethos-U85: the operand is a number in a register.
const SCALAR: u32 = 8;

/// Element-wise modes of one input.
const UNARY: [&str; 4] = ["ABS", "CLZ", "LRELU", "NOT"];

fn second_input(state: &State, work: Work, output: [u32; 3]) -> Option<FeatureMap> {
    let bits = state.short(short::IFM2_BROADCAST);
    match work {
        Work::Convolution { weights_are_input: true } => {
            let shape = [
                state.size(short::IFM2_HEIGHT0),
                state.size(short::IFM2_WIDTH0),
                state.size(short::IFM_DEPTH),
            ];
            Some(feature_map(state, &IFM2, shape))
        }
        Work::Elementwise(mode) if !UNARY.contains(&mode) => {
            // A constant operand: bit 7 before Ethos-U85.
            let is_scalar = bits & if state.is_u85() { SCALAR } else { 0x80 } != 0;
            let shape = broadcast_shape(output, bits & 7);
            (!is_scalar).then(|| feature_map(state, &IFM2, shape))
        }
        _ => None,
    }
}

/// Registers of a feature map.
struct Registers {
    region: u16,
    precision: u16,
    /// Where the precision has the logarithm of an element's bytes.
    element_shift: u32,
    tiles: [u16; 3],
    base: u16,
    stride_x: u16,
}

const IFM: Registers = Registers {
    region: short::IFM_REGION,
    precision: short::IFM_PRECISION,
    element_shift: 2,
    tiles: [short::IFM_HEIGHT0, short::IFM_HEIGHT1, short::IFM_WIDTH0],
    base: long::IFM_BASE0,
    stride_x: long::IFM_STRIDE_X,
};

const IFM2: Registers = Registers {
    region: short::IFM2_REGION,
    precision: short::IFM2_PRECISION,
    element_shift: 2,
    tiles: [short::IFM2_HEIGHT0, short::IFM2_HEIGHT1, short::IFM2_WIDTH0],
    base: long::IFM2_BASE0,
    stride_x: long::IFM2_STRIDE_X,
};

const OFM: Registers = Registers {
    region: short::OFM_REGION,
    precision: short::OFM_PRECISION,
    element_shift: 1,
    tiles: [short::OFM_HEIGHT0, short::OFM_HEIGHT1, short::OFM_WIDTH0],
    base: long::OFM_BASE0,
    stride_x: long::OFM_STRIDE_X,
};

fn feature_map(state: &State, registers: &Registers, shape: [u32; 3]) -> FeatureMap {
    let precision = registers.precision;
    let storage = match state.bits(precision, 14, 2) {
        _ if !state.is_u85() => Storage::Tile2x2,
        0 => Storage::Tile2x2,
        1 => Storage::Tile3x1,
        2 => Storage::Chained,
        _ => Storage::None,
    };
    let stride = |at| state.long(registers.stride_x + at);
    FeatureMap {
        region: Region::new(state.bits(registers.region, 0, 3)),
        shape,
        element: 1 << state.bits(precision, registers.element_shift, 2),
        is_signed: state.bits(precision, 0, 1) == 1,
        layout: match state.bits(precision, 6, 2) {
            1 => Layout::Nhcwb16,
            _ => Layout::Nhwc,
        },
        storage,
        bases: std::array::from_fn(|tile| state.long(registers.base + tile as u16)),
        tiles: registers.tiles.map(|code| state.size(code)),
        strides: [stride(1), stride(0), stride(2)],
    }
}

/// Ranges from pairs of base and length.
fn pairs(state: &State, region: u16, bases: &[u16]) -> Vec<Range> {
    let region = Region::new(state.bits(region, 0, 3));
    let range = |base: &u16| {
        let (start, len) = (state.long(*base), state.long(base + 1) & 0xFFFF_FFFF);
        Range { region, start, end: start + len }
    };
    bases.iter().map(range).filter(|range| range.end > range.start).collect()
}

fn weights(state: &State) -> Vec<Range> {
    let more = long::WEIGHT1_BASE;
    let bases = [long::WEIGHT_BASE, more, more + 2, more + 4];
    pairs(state, short::WEIGHT_REGION, if state.is_u85() { &bases } else { &bases[..2] })
}

fn scales(state: &State) -> Vec<Range> {
    // The second core of Ethos-U65 has its own, where Ethos-U85 has weights.
    let bases = [long::SCALE_BASE, long::WEIGHT1_BASE + 2];
    pairs(state, short::SCALE_REGION, if state.is_u85() { &bases[..1] } else { &bases })
}

/// The number of the table, if the activation is one: from 16 on before
/// Ethos-U85, types 1 to 9 of it there.
fn table(state: &State) -> Option<u32> {
    let function = state.bits(short::ACTIVATION, 0, 5);
    if state.is_u85() {
        return (1..=9).contains(&function).then(|| state.bits(short::ACTIVATION, 5, 3));
    }
    (16..24).contains(&function).then(|| function - 16)
}

/// Rows of rows: strides say how far they are apart, the length is of one.
fn dma(state: &State) -> Dma {
    let len = state.long(long::DMA_LENGTH);
    let mode = state.bits(short::DMA_SOURCE_REGION, 9, 2);
    let count = |code, from: u32| if mode >= from { u64::from(state.short(code)) } else { 1 };
    let (rows, planes) = (count(short::DMA_SIZE0, 1), count(short::DMA_SIZE1, 2));
    let (first, second) = (state.long(long::DMA_STRIDE0), state.long(long::DMA_STRIDE1));
    // Ethos-U65 has gaps instead of strides, and packs the destination.
    let (source, destination) = match state.is_u85() {
        true => {
            let to = [long::DMA_DESTINATION_STRIDE0, long::DMA_DESTINATION_STRIDE1];
            ([first, second], to.map(|code| state.long(code)))
        }
        false => {
            let row = len.saturating_add(first);
            ([row, row.saturating_mul(rows).saturating_add(second)], [len, len * rows.max(1)])
        }
    };
    let span = |strides: [u64; 2]| {
        let rows = strides[0].saturating_mul(rows.saturating_sub(1));
        let planes = strides[1].saturating_mul(planes.saturating_sub(1));
        rows.saturating_add(planes).saturating_add(len)
    };
    let side = |register: u16, base: u16, strides: [u64; 2]| {
        let region = match state.bits(register, 8, 1) {
            1 => Region::Internal,
            _ => Region::new(state.bits(register, 0, 3)),
        };
        let start = state.long(base);
        Range { region, start, end: start.saturating_add(span(strides)) }
    };
    Dma {
        source: side(short::DMA_SOURCE_REGION, long::DMA_SOURCE, source),
        destination: side(short::DMA_DESTINATION_REGION, long::DMA_DESTINATION, destination),
        bytes: len.saturating_mul(rows).saturating_mul(planes),
    }
}
