//! Cycles per element of the stage that scales, activates and writes: Vela's
//! tables of each unit.

use crate::ethos_u::feature_map::Storage;
use crate::ethos_u::operation::{Block, Work};
use et_schema::ethos_u::{Configuration, Product};

/// Rates of a unit before Ethos-U85: outputs (32-bit of one input, 32-bit of
/// two, 32-bit product, product, simple sum, sum, maximum, others), lookups.
type Rates = ([f64; 8], f64);

fn rates(unit: Configuration) -> Rates {
    match (unit.product(), unit.macs()) {
        (Some(Product::U65), 512) => {
            ([0.3125, 0.5625, 0.25, 0.1875, 0.25, 0.375, 0.0625, 0.125], 0.5)
        }
        (_, 32) => ([2.0, 3.0, 3.0, 3.0, 4.0, 6.0, 1.0, 2.0], 1.0),
        (_, 64) => ([1.0, 1.5, 1.5, 1.5, 2.0, 3.0, 0.5, 1.0], 1.0),
        (_, 128) => ([0.75, 1.25, 0.75, 0.75, 1.0, 1.5, 0.25, 0.5], 1.0),
        _ => ([0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25], 1.0),
    }
}

/// Rates of an Ethos-U85: outputs (8, 16, 32 and 64 bits, 32 bits to 16 or
/// less, 32 bits to 32), activations and resizing (fast, slow).
struct Rates85 {
    output: [f64; 6],
    activation: [f64; 2],
    small: [f64; 2],
    large: [f64; 2],
}

fn rates_85(macs: u32) -> Rates85 {
    let (output, activation, small, large) = match macs {
        128 => ([0.5, 0.5, 0.5, 1.0, 1.0, 1.0], [0.5, 1.0], [0.5, 1.0], [0.5, 1.0]),
        256 => ([0.25, 0.25, 0.25, 0.5, 0.5, 0.5], [0.25, 0.5], [0.25, 0.5], [0.25, 0.5]),
        512 => ([0.125, 0.125, 0.25, 0.5, 0.25, 0.25], [0.125, 0.25], [0.125, 0.25], [0.125, 0.25]),
        1024 => (
            [0.0625, 0.125, 0.25, 0.5, 0.125, 0.25],
            [0.0625, 0.125],
            [0.125, 0.125],
            [0.0625, 0.125],
        ),
        _ => (
            [0.03125, 0.0625, 0.125, 0.25, 0.0625, 0.125],
            [0.03125, 0.0625],
            [0.0625, 0.0625],
            [0.03125, 0.0625],
        ),
    };
    Rates85 { output, activation, small, large }
}

/// Element-wise modes of one input.
fn is_unary(mode: &str) -> bool {
    matches!(mode, "ABS" | "CLZ" | "LRELU" | "NOT")
}

/// Cycles per element of the output.
pub(super) fn per_element(block: &Block, unit: Configuration) -> f64 {
    if unit.product() == Some(Product::U85) {
        return per_element_85(block, unit);
    }
    let (output, lookup) = rates(unit);
    let wide = |map: &crate::ethos_u::FeatureMap| map.element == 4;
    let at = match block.work {
        Work::Elementwise(mode) if wide(&block.ifm) => usize::from(!is_unary(mode)),
        Work::Elementwise("MUL") if wide(&block.ofm) => 2,
        Work::Elementwise("MUL") => 3,
        Work::Elementwise("ADD" | "SUB") => 5,
        Work::Pooling("MAX") => 6,
        Work::Elementwise(_) => 7,
        _ if block.schedule.has_wide_sums => 3,
        _ => 7,
    };
    if block.schedule.has_lookup { output[at].max(lookup) } else { output[at] }
}

fn per_element_85(block: &Block, unit: Configuration) -> f64 {
    let rates = rates_85(unit.macs());
    let (from, to) = (block.ifm.element, block.ofm.element);
    if let Work::Resize(_) = block.work {
        let ratio = |at: usize| {
            let from = block.ifm.shape[at].max(1);
            (block.ofm.shape[at].saturating_add(from / 2)) / from
        };
        let is_large = ratio(0).min(ratio(1)) >= unit.macs() / 512;
        let rate = if is_large { rates.large } else { rates.small };
        return rate[usize::from(from > 1)];
    }
    if block.work == Work::Elementwise("DIV") {
        return 33.0;
    }
    let is_binary = matches!(block.work, Work::Elementwise(mode) if !is_unary(mode));
    let at = match to {
        _ if block.ofm.storage == Storage::Chained && (from == 4 || to == 4) => 4,
        8 => 3,
        4 if is_binary && from == 4 => 5,
        _ if is_binary && from == 4 => 4,
        4 => 2,
        2 => 1,
        _ => 0,
    };
    let schedule = &block.schedule;
    if schedule.has_lookup || schedule.is_moved {
        return rates.output[at].max(rates.activation[usize::from(schedule.moves_lines)]);
    }
    rates.output[at]
}
