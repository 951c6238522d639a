//! Every access lies in its region, at an address that the unit can use.

use super::{Fault, Regions};
use crate::ethos_u::feature_map::{FeatureMap, Layout, Range, Region, Storage};
use crate::ethos_u::{Block, Disassembly, Kind};
use et_schema::ethos_u::Payload;

/// Bricks of channels, weights and scales begin at multiples of this.
const BRICK: u64 = 16;

pub(super) fn check(
    payload: &Payload<'_>,
    stream: &Disassembly,
    regions: &Regions,
    faults: &mut Vec<Fault>,
) {
    let mut inside = |word, what: &str, range: Range| {
        if let Some(size) = regions.size(range.region).filter(|size| range.end > *size) {
            faults.push(Fault::Outside { word, what: what.to_owned(), range, size });
        }
    };
    for (name, list) in [("input", &payload.inputs), ("output", &payload.outputs)] {
        for (index, io) in list.iter().enumerate() {
            let (start, region) = (u64::from(io.offset), Region::new(io.region));
            let range = Range { region, start, end: start.saturating_add(io.bytes()) };
            inside(None, &format!("{name} {index}"), range);
        }
    }
    for operation in &stream.operations {
        let word = Some(operation.word);
        match &operation.kind {
            Kind::Block(block) => {
                for (what, map) in maps(block) {
                    map.ranges().for_each(|range| inside(word, what, range));
                }
                block.weights.iter().for_each(|range| inside(word, "weights", *range));
                block.scales.iter().for_each(|range| inside(word, "scales", *range));
            }
            Kind::Dma(dma) => {
                inside(word, "source of a copy", dma.source);
                inside(word, "destination of a copy", dma.destination);
            }
            _ => {}
        }
    }
    for operation in &stream.operations {
        if let Kind::Block(block) = &operation.kind {
            aligned(operation.word, block, faults);
        }
    }
}

/// The tensors of an operation, with what they are to it.
pub(super) fn maps(block: &Block) -> impl Iterator<Item = (&'static str, &FeatureMap)> {
    let second = block.ifm2.iter().map(|map| ("second input", map));
    [("input", &block.ifm)].into_iter().chain(second).chain([("output", &block.ofm)])
}

/// Vela's rules: bricks at multiples of 16 bytes, elements at multiples of
/// their size, weights and scales at multiples of 16.
fn aligned(word: u32, block: &Block, faults: &mut Vec<Fault>) {
    let mut need = |what: &str, address: u64, alignment: u64| {
        if !address.is_multiple_of(alignment) {
            faults.push(Fault::Misaligned { word, what: what.to_owned(), address, alignment });
        }
    };
    for (what, map) in maps(block) {
        if matches!(map.storage, Storage::Chained | Storage::None) {
            continue;
        }
        let alignment = match map.layout {
            Layout::Nhwc => u64::from(map.element),
            Layout::Nhcwb16 => BRICK,
        };
        map.ranges().for_each(|range| need(what, range.start, alignment));
    }
    block.weights.iter().for_each(|range| need("weights", range.start, BRICK));
    block.scales.iter().for_each(|range| need("scales", range.start, BRICK));
}
