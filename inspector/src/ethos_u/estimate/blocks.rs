//! The blocks that the unit works on: of the output, as the stream says, and
//! of the input, as they follow from it.

use crate::ethos_u::operation::{Block, Work};
use et_schema::ethos_u::{Configuration, Product};

/// Elements of the window that are taken at once.
pub(crate) const WINDOW: u32 = 8;

pub(super) fn product(sizes: [u32; 3]) -> u64 {
    sizes.iter().fold(1_u64, |product, size| product.saturating_mul(u64::from(*size)))
}

pub(super) fn smaller(a: [u32; 3], b: [u32; 3]) -> [u32; 3] {
    std::array::from_fn(|at| a[at].min(b[at]))
}

pub(super) fn quotients(a: [u32; 3], b: [u32; 3]) -> [u32; 3] {
    std::array::from_fn(|at| a[at].div_ceil(b[at].max(1)))
}

/// Whether sums run over the channels of the input.
pub(super) fn sums_channels(block: &Block) -> bool {
    matches!(block.work, Work::Convolution { .. } | Work::Pooling("REDUCE_SUM"))
}

/// Height, width and depth of the outputs that are made at once.
pub(super) fn microblock(block: &Block, unit: Configuration) -> [u32; 3] {
    match (unit.product(), unit.macs()) {
        (Some(Product::U85), macs) => {
            let [height, width] = block.schedule.microblock.map(|size| size.max(1));
            [height, width, (macs / 8 / (height * width)).max(1)]
        }
        (_, 32) => [1, 1, 4],
        (_, 64) => [1, 1, 8],
        (_, 128) => [1, 2, 8],
        // Lines of outputs are made of neighbours.
        _ if matches!(block.work, Work::Convolution { .. })
            && block.output[0] == 1
            && block.output[1].is_multiple_of(2)
            && block.kernel.size[0] == 1 =>
        {
            [1, 4, 8]
        }
        _ => [2, 2, 8],
    }
}

/// Rows and columns of the input that `size` of the output need, along an axis.
pub(crate) fn needed(block: &Block, axis: usize, size: u32, most: u32) -> u32 {
    let kernel = &block.kernel;
    let window = kernel.size[axis].saturating_sub(1).saturating_mul(kernel.dilation[axis]) + 1;
    let steps = size.saturating_sub(1).saturating_mul(kernel.stride[axis]);
    steps.saturating_add(window.min(most))
}

/// Channels of the input that are taken at once.
pub(crate) fn input_depth(block: &Block, unit: Configuration) -> u32 {
    if !sums_channels(block) {
        return block.block[2];
    }
    let (bytes, depth) = (block.ifm.element, block.ifm.shape[2]);
    let is_kernel_first = block.schedule.is_kernel_first;
    if unit.product() == Some(Product::U85) {
        let [height, width] = block.schedule.microblock;
        let is_deep = matches!(unit.macs(), 128 | 256) && unit.macs() / 8 == 16 * height * width;
        return match (is_kernel_first, block.is_sparse && bytes == 1) {
            (true, _) => 16,
            (_, true) => 128,
            _ if bytes == 4 || (is_deep && !block.is_sparse) => 32,
            _ => 64,
        };
    }
    match bytes {
        2 => depth.min(16).next_multiple_of(4),
        _ => depth.min(if is_kernel_first { 16 } else { 32 }).next_multiple_of(8),
    }
}

/// Height, width and depth of the input that a block of the output needs.
pub(super) fn input_block(block: &Block, unit: Configuration) -> [u32; 3] {
    if matches!(block.work, Work::Elementwise(_) | Work::Resize(_)) {
        return block.block;
    }
    let micro = microblock(block, unit);
    let size = |axis: usize| {
        let needed = needed(block, axis, block.block[axis], WINDOW);
        needed.div_ceil(block.schedule.upscale).next_multiple_of(micro[axis])
    };
    [size(0), size(1), input_depth(block, unit)]
}
