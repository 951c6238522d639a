//! Arithmetic overlaps arithmetic: an operation may begin while the last blocks
//! of the one before are under way, as many as its block dependency says. Where
//! it reads what that one writes, its first blocks must not need those.

use super::Fault;
use crate::ethos_u::estimate::{input_depth, needed};
use crate::ethos_u::feature_map::{FeatureMap, Storage};
use crate::ethos_u::operation::{Block, Work};
use crate::ethos_u::{Disassembly, Kind};
use et_schema::ethos_u::{Configuration, Product};
use std::ops::Range;

/// Most blocks that the unit lets begin early.
fn most(unit: Configuration) -> u32 {
    if unit.product() == Some(Product::U85) { 7 } else { 3 }
}

pub(super) fn check(stream: &Disassembly, unit: Configuration, faults: &mut Vec<Fault>) {
    let mut before: Option<(u32, &Block)> = None;
    for operation in &stream.operations {
        match &operation.kind {
            Kind::Block(block) => {
                if let Some((of, before)) = before {
                    let set = block.schedule.block_dependency;
                    let allowed = allowed(before, block, unit);
                    if set > allowed {
                        let word = operation.word;
                        faults.push(Fault::BlockDependency { word, of, set, allowed });
                    }
                }
                before = Some((operation.word, block));
            }
            // Then nothing is under way.
            Kind::KernelWait(0) | Kind::Branch(_) => before = None,
            _ => {}
        }
    }
}

/// Blocks of `block` that may begin before all of `before` is done. What cannot
/// be known from the stream is taken to be right: pieces of rolling buffers, and
/// tensors that are read in another shape than they were written in.
fn allowed(before: &Block, block: &Block, unit: Configuration) -> u32 {
    let most = most(unit);
    if before.is_transposition || block.is_transposition || before.schedule.is_moved {
        return most;
    }
    // How much of the input a block needs then is not a matter of the window.
    if matches!(block.work, Work::Resize(_)) || block.schedule.upscale > 1 {
        return most;
    }
    let inputs = [Some(&block.ifm), block.ifm2.as_ref()].into_iter().flatten();
    let depth = match block.work {
        Work::Elementwise(_) => block.block[2],
        _ => input_depth(block, unit),
    };
    inputs
        .filter(|input| is_same_tensor(&before.ofm, input))
        .map(|input| {
            let written = jobs(before.ofm.shape, before.block, most, false);
            let size = |axis| match block.work {
                Work::Elementwise(_) => block.block[axis],
                _ => needed(block, axis, block.block[axis], u32::MAX),
            };
            let read = jobs(input.shape, [size(0), size(1), depth], most, true);
            first_clash(&written, &read).min(most)
        })
        .min()
        .unwrap_or(most)
}

fn is_same_tensor(written: &FeatureMap, read: &FeatureMap) -> bool {
    matches!(read.storage, Storage::Tile2x2 | Storage::Tile3x1)
        && written.region == read.region
        && written.bases[0] == read.bases[0]
        && written.shape == read.shape
        && written.element == read.element
        && written.layout == read.layout
        && written.strides == read.strides
        && written.storage == read.storage
}

/// Rows, columns and channels of a block.
type Job = [Range<u64>; 3];

/// The first blocks of `shape`, or the last, the very last first. Channels come
/// first, then columns.
fn jobs(shape: [u32; 3], size: [u32; 3], most: u32, from_start: bool) -> Vec<Job> {
    let (shape, size) = (shape.map(u64::from), size.map(|size| u64::from(size.max(1))));
    let counts: [u64; 3] = std::array::from_fn(|axis| shape[axis].div_ceil(size[axis]));
    let all = counts.iter().product::<u64>();
    let count = all.min(most.into());
    let job = |index: u64| {
        let at =
            [index / (counts[1] * counts[2]), index / counts[2] % counts[1], index % counts[2]];
        std::array::from_fn(|axis| {
            let start = at[axis] * size[axis];
            start..(start + size[axis]).min(shape[axis])
        })
    };
    (0..count).map(|at| job(if from_start { at } else { all - 1 - at })).collect()
}

/// The first number of blocks for which one that is read overlaps one that is
/// still being written: block `i` of the reader meets block `j` from the end.
fn first_clash(written: &[Job], read: &[Job]) -> u32 {
    let clashes = read.iter().enumerate().flat_map(|(i, read)| {
        let meets = move |written: &Job| {
            written.iter().zip(read).all(|(a, b)| a.start < b.end && b.start < a.end)
        };
        written
            .iter()
            .enumerate()
            .filter(move |(_, written)| meets(written))
            .map(move |(j, _)| i + j)
    });
    // Beyond what either has, nothing can meet.
    let known = written.len().min(read.len());
    clashes.min().map_or(u32::MAX, |first| if first < known { first as u32 } else { u32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_blocks_meet_the_last_ones_of_small_tensors_only() {
        // Four lines of blocks: the first one read is the fourth from the end.
        let written = jobs([16, 8, 8], [4, 8, 8], 3, false);
        assert_eq!(written[0], [12..16, 0..8, 0..8]);
        let read = jobs([16, 8, 8], [4, 8, 8], 3, true);
        assert_eq!(first_clash(&written, &read), u32::MAX);
        // Two: the first one read is the second from the end.
        let (written, read) =
            (jobs([8, 8, 8], [4, 8, 8], 3, false), jobs([8, 8, 8], [4, 8, 8], 3, true));
        assert_eq!(first_clash(&written, &read), 1);
        let one = jobs([4, 8, 8], [4, 8, 8], 3, false);
        assert_eq!(first_clash(&one, &jobs([4, 8, 8], [4, 8, 8], 3, true)), 0);
    }
}
