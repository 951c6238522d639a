//! Operations, bytes and cycles, without the unit.
//!
//! Multiplications are counted as Vela counts them. Cycles follow the published
//! performance model (Vela 5.1, `ethos_u55_performance.cpp`,
//! `ethos_u85_performance.cpp`): arithmetic goes by microblocks of the output,
//! the output stage by elements, memory by bytes per cycle, and the slowest of
//! the three decides. Latencies, bursts and the overlap of neighbouring
//! operations are left out, so a total may be off by half; compare operations
//! with each other rather than with a measured time.

use super::feature_map::Region;
use super::operation::{Access, Block, Kind, Operation, Work};
use et_schema::ethos_u::{Configuration, Product};

/// What an operation, or all of them, takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Multiplications with accumulation.
    pub macs: u64,
    /// Bytes read from memory.
    pub read: u64,
    /// Bytes written to memory.
    pub written: u64,
    /// Cycles of the unit.
    pub cycles: u64,
}

impl std::ops::AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.macs = self.macs.saturating_add(other.macs);
        self.read = self.read.saturating_add(other.read);
        self.written = self.written.saturating_add(other.written);
        self.cycles = self.cycles.saturating_add(other.cycles);
    }
}

/// Height, width and depth of the outputs that are made at once.
fn microblock(unit: Configuration) -> [u32; 3] {
    match (unit.product(), unit.macs()) {
        (Some(Product::U85), 128) => [1, 2, 8],
        (Some(Product::U85), 256) => [2, 2, 8],
        (Some(Product::U85), 512) => [2, 2, 16],
        (Some(Product::U85), 1024) => [4, 2, 16],
        (Some(Product::U85), _) => [4, 4, 16],
        (_, 32) => [1, 1, 4],
        (_, 64) => [1, 1, 8],
        (_, 128) => [1, 2, 8],
        _ => [2, 2, 8],
    }
}

/// Bytes per cycle of the memories: scratch, and where weights are. What Vela's
/// configuration file says for the system that ExecuTorch exports for by default
/// (U55 high end embedded, U65 high end, U85 with DRAM).
fn bandwidth(unit: Configuration, region: Region) -> f64 {
    let is_fast = matches!(region, Region::Scratch | Region::FastScratch | Region::Internal);
    match unit.product() {
        Some(Product::U85) => {
            if is_fast {
                32.0
            } else {
                12.0
            }
        }
        Some(Product::U65) => {
            if is_fast {
                16.0
            } else {
                3.75
            }
        }
        _ => {
            if is_fast {
                8.0
            } else {
                1.0
            }
        }
    }
}

/// What `operation` takes on `unit`.
pub fn estimate(operation: &Operation, unit: Configuration) -> Estimate {
    let mut estimate = Estimate::default();
    let mut memory_cycles = 0.0_f64;
    match &operation.kind {
        Kind::Block(block) => {
            estimate.macs = macs(block);
            estimate.cycles = arithmetic(block, unit).max(output_stage(block, unit));
            let mut by_region = [0.0; 3];
            let mut transfer = |region: Region, bytes: u64| {
                let at = match region {
                    Region::Weights => 0,
                    Region::Scratch => 1,
                    _ => 2,
                };
                by_region[at] += bytes as f64 / bandwidth(unit, region);
            };
            for map in [Some(&block.ifm), block.ifm2.as_ref()].into_iter().flatten() {
                let bytes = map.elements().saturating_mul(map.element.into());
                if map.ranges().next().is_some() {
                    estimate.read = estimate.read.saturating_add(bytes);
                    transfer(map.region, bytes);
                }
            }
            for range in block.weights.iter().chain(&block.scales) {
                let bytes = range.end - range.start;
                estimate.read = estimate.read.saturating_add(bytes);
                transfer(range.region, bytes);
            }
            if block.ofm.ranges().next().is_some() {
                estimate.written = block.ofm.elements().saturating_mul(block.ofm.element.into());
                transfer(block.ofm.region, estimate.written);
            }
            memory_cycles = by_region.into_iter().fold(0.0, f64::max);
        }
        Kind::Dma(dma) => {
            (estimate.read, estimate.written) = (dma.bytes, dma.bytes);
            for (range, access) in operation.accesses() {
                if access == Access::Read || range.region != Region::Internal {
                    let cycles = dma.bytes as f64 / bandwidth(unit, range.region);
                    memory_cycles = memory_cycles.max(cycles);
                }
            }
        }
        _ => {}
    }
    estimate.cycles = estimate.cycles.max(memory_cycles.ceil() as u64);
    estimate
}

fn product(sizes: [u32; 3]) -> u64 {
    sizes.iter().fold(1_u64, |product, size| product.saturating_mul(u64::from(*size)))
}

/// Vela's count: element-wise operations and resizing have none, nor have the
/// transpositions of Ethos-U55 and U65, which are many small poolings.
fn macs(block: &Block) -> u64 {
    let window = u64::from(block.kernel.size[0]).saturating_mul(block.kernel.size[1].into());
    let depth = u64::from(block.ifm.shape[2]);
    let each = match block.work {
        _ if block.is_transposition => 0,
        Work::Convolution { .. } | Work::Pooling("REDUCE_SUM") => window.saturating_mul(depth),
        Work::Depthwise | Work::Pooling(_) => window,
        Work::Elementwise(_) | Work::Resize(_) => 0,
    };
    let macs = product(block.output).saturating_mul(each);
    if block.is_sparse { macs / 2 } else { macs }
}

/// Cycles of the multipliers.
fn arithmetic(block: &Block, unit: Configuration) -> u64 {
    if block.is_transposition {
        // Vela takes these for copies: memory decides.
        return 0;
    }
    let micro = microblock(unit);
    let blocks = product(std::array::from_fn(|at| block.output[at].div_ceil(micro[at])));
    let window = u64::from(block.kernel.size[0]).saturating_mul(block.kernel.size[1].into());
    let (depth, bytes) = (u64::from(block.ifm.shape[2]), u64::from(block.ifm.element));
    let is_u85 = unit.product() == Some(Product::U85);
    let steps = match block.work {
        Work::Convolution { .. } | Work::Pooling("REDUCE_SUM") => {
            let granule = if is_u85 { 8 } else { 32 / bytes };
            let by_depth = depth.div_ceil(granule) * granule / 8 * bytes * window;
            let by_window = window.div_ceil(4 / bytes.min(2)) * 4 * depth.div_ceil(8);
            // The compiler takes the better order of the two.
            by_depth.min(by_window)
        }
        Work::Depthwise => window.div_ceil(4) * 4 * bytes,
        Work::Pooling(_) => window.max(4) * bytes * 4,
        Work::Elementwise(_) | Work::Resize(_) => return 0,
    };
    let cycles = blocks.saturating_mul(steps) / if block.is_sparse { 2 } else { 1 };
    match (unit.product(), unit.macs()) {
        // Two cores share the channels.
        (Some(Product::U65), 512) => cycles / 2,
        _ => cycles,
    }
}

/// Cycles of the stage that scales, activates and writes.
fn output_stage(block: &Block, unit: Configuration) -> u64 {
    if block.is_transposition {
        return 0;
    }
    let macs = f64::from(unit.macs());
    let (simple, product_of_two, sum) = match unit.product() {
        Some(Product::U85) => (64.0 / macs, 64.0 / macs, 128.0 / macs),
        _ => (64.0 / macs, 96.0 / macs, 192.0 / macs),
    };
    let wide = if block.ifm.element == 4 { 2.0 } else { 1.0 };
    let each = match block.work {
        Work::Elementwise("MUL") => product_of_two,
        Work::Elementwise("ADD" | "SUB") => sum,
        _ => simple,
    };
    (product(block.output) as f64 * each * wide).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_do_their_multiplications_per_cycle_at_best() {
        for (config, macs) in
            [(0x1807, 128), (0x3008, 256), (0x2000_0118, 256), (0x2000_011b, 2048)]
        {
            let unit = Configuration { config, id: 0 };
            let outputs: u32 = microblock(unit).iter().product();
            assert_eq!(outputs * 8, macs, "8 channels per output and cycle");
        }
    }
}
