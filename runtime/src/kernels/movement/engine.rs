//! Copies between strided layouts.
//!
//! Every operator here is a list of loops, each with its extent and its step
//! in the source and in the target. Loops that are one run of memory in both
//! are joined, and the two innermost are walked in blocks when the source and
//! the target disagree about which is innermost, as in a transpose.

use crate::error::{KernelResult, ensure};
use crate::kernels::simd::vectorized;
use crate::tensor::TensorMut;
use bytemuck::Pod;
use smallvec::SmallVec;

/// A loop over one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loop {
    /// How often.
    pub extent: usize,
    /// Step in the source, in elements; 0 repeats, negative runs backwards.
    pub source: isize,
    /// Step in the target, in elements.
    pub target: isize,
}

/// Loops, outermost first, and where they begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Copy {
    pub loops: SmallVec<[Loop; 8]>,
    pub source_start: isize,
    pub target_start: isize,
}

/// Side of the blocks that a transpose is walked in.
const BLOCK: usize = 8;

impl Copy {
    /// The same copy in fewer loops.
    pub fn merged(&self) -> Self {
        Copy { loops: merged(&self.loops), ..*self }
    }

    /// Copies from `source` to `out`, whose elements have the same size.
    ///
    /// # Errors
    /// A loop leaves the source or the target.
    pub fn run(&self, source: &[u8], out: &mut TensorMut<'_>) -> KernelResult {
        self.merged().run_merged(source, out)
    }

    /// As [`run`](Self::run), for a copy that is [`merged`](Self::merged).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_merged(&self, source: &[u8], out: &mut TensorMut<'_>) -> KernelResult {
        let size = out.scalar_type().size();
        let target = out.bytes_mut()?;
        if self.loops.iter().any(|l| l.extent == 0) {
            return Ok(());
        }
        ensure!(
            self.stays_inside(self.source_start, source.len() / size, |l| l.source)
                && self.stays_inside(self.target_start, target.len() / size, |l| l.target),
            "a copy past the end of its tensor"
        );
        match size {
            1 => self.typed::<u8>(source, target),
            2 => self.typed::<u16>(source, target),
            4 => self.typed::<u32>(source, target),
            8 => self.typed::<u64>(source, target),
            _ => self.typed::<[u64; 2]>(source, target),
        }
    }

    fn stays_inside(&self, start: isize, len: usize, step: fn(&Loop) -> isize) -> bool {
        let (mut low, mut high) = (start, start);
        for l in &self.loops {
            let Some(reach) =
                isize::try_from(l.extent - 1).ok().and_then(|last| step(l).checked_mul(last))
            else {
                return false;
            };
            let end = if reach < 0 { &mut low } else { &mut high };
            let Some(moved) = end.checked_add(reach) else { return false };
            *end = moved;
        }
        low >= 0 && usize::try_from(high).is_ok_and(|high| high < len)
    }

    fn typed<T: Pod>(&self, source: &[u8], target: &mut [u8]) -> KernelResult {
        let (Ok(source), Ok(target)) =
            (bytemuck::try_cast_slice(source), bytemuck::try_cast_slice_mut(target))
        else {
            ensure!(false, "a tensor that is not aligned for its elements");
            return Ok(());
        };
        walk::<T>(&self.loops, source, self.source_start, target, self.target_start);
        Ok(())
    }
}

/// Without loops of one step, and with neighbours joined that are one run in both.
fn merged(loops: &[Loop]) -> SmallVec<[Loop; 8]> {
    let mut merged: SmallVec<[Loop; 8]> = SmallVec::new();
    for l in loops.iter().filter(|l| l.extent != 1) {
        match merged.last_mut() {
            Some(outer)
                if outer.source == l.source * l.extent as isize
                    && outer.target == l.target * l.extent as isize =>
            {
                *outer = Loop { extent: outer.extent * l.extent, ..*l };
            }
            _ => merged.push(*l),
        }
    }
    merged
}

/// The loops were checked to stay inside of both slices.
fn walk<T: Pod>(loops: &[Loop], source: &[T], from: isize, target: &mut [T], to: isize) {
    match loops {
        [] => target[to as usize] = source[from as usize],
        [line] => copy_line(*line, source, from, target, to),
        [outer, inner]
            if inner.source > 1 && outer.source == 1 && inner.target == 1 && outer.target > 0 =>
        {
            transpose(*outer, *inner, source, from, target, to);
        }
        [outer, rest @ ..] => {
            for i in 0..outer.extent as isize {
                walk(rest, source, from + i * outer.source, target, to + i * outer.target);
            }
        }
    }
}

fn copy_line<T: Pod>(line: Loop, source: &[T], from: isize, target: &mut [T], to: isize) {
    let (from_index, to_index) = (from as usize, to as usize);
    match (line.source, line.target) {
        (1, 1) => target[to_index..to_index + line.extent]
            .copy_from_slice(&source[from_index..from_index + line.extent]),
        (0, 1) => target[to_index..to_index + line.extent].fill(source[from_index]),
        (step, 1) if step > 0 => {
            let elements = source[from_index..].iter().step_by(step as usize);
            for (target, source) in target[to_index..].iter_mut().zip(elements).take(line.extent) {
                *target = *source;
            }
        }
        _ => {
            for i in 0..line.extent as isize {
                target[(to + i * line.target) as usize] = source[(from + i * line.source) as usize];
            }
        }
    }
}

/// Rows of the source become columns of the target: block by block, so that
/// both stay in the cache, and each block by way of a small one whose strides
/// a compiler knows.
fn transpose<T: Pod>(
    outer: Loop,
    inner: Loop,
    source: &[T],
    from: isize,
    target: &mut [T],
    to: isize,
) {
    vectorized(
        #[inline(always)]
        || {
            for inner_start in (0..inner.extent).step_by(BLOCK) {
                let rows = BLOCK.min(inner.extent - inner_start);
                for outer_start in (0..outer.extent).step_by(BLOCK) {
                    let columns = BLOCK.min(outer.extent - outer_start);
                    let from = from + inner_start as isize * inner.source + outer_start as isize;
                    let to = to + outer_start as isize * outer.target + inner_start as isize;
                    let (source, target) = (&source[from as usize..], &mut target[to as usize..]);
                    if rows == BLOCK && columns == BLOCK {
                        whole_block(source, inner.source as usize, target, outer.target as usize);
                        continue;
                    }
                    for row in 0..rows {
                        for column in 0..columns {
                            target[column * outer.target as usize + row] =
                                source[row * inner.source as usize + column];
                        }
                    }
                }
            }
        },
    );
}

/// A whole block of a transpose: rows `source_step` and `target_step` apart.
#[inline(always)]
fn whole_block<T: Pod>(source: &[T], source_step: usize, target: &mut [T], target_step: usize) {
    let mut block = [[T::zeroed(); BLOCK]; BLOCK];
    for (row, line) in block.iter_mut().enumerate() {
        line.copy_from_slice(&source[row * source_step..][..BLOCK]);
    }
    let mut turned = [[T::zeroed(); BLOCK]; BLOCK];
    for row in 0..BLOCK {
        for column in 0..BLOCK {
            turned[column][row] = block[row][column];
        }
    }
    for (column, line) in turned.iter().enumerate() {
        target[column * target_step..][..BLOCK].copy_from_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn run(
        loops: &[Loop],
        source_start: isize,
        source: &[u16],
        len: usize,
    ) -> alloc::vec::Vec<u16> {
        let mut target = vec![0; len];
        let copy = Copy { loops: loops.into(), source_start, target_start: 0 };
        assert!(copy.stays_inside(source_start, source.len(), |l| l.source));
        walk(&merged(loops), source, source_start, &mut target, 0);
        target
    }

    fn l(extent: usize, source: isize, target: isize) -> Loop {
        Loop { extent, source, target }
    }

    #[test]
    fn transpose_larger_than_a_block_is_complete() {
        let source: alloc::vec::Vec<u16> = (0..40 * 23).collect();
        let target = run(&[l(23, 1, 40), l(40, 23, 1)], 0, &source, 40 * 23);
        for row in 0..40 {
            for col in 0..23 {
                assert_eq!(target[col * 40 + row], source[row * 23 + col]);
            }
        }
    }

    #[test]
    fn steps_may_repeat_and_run_backwards() {
        assert_eq!(run(&[l(2, 0, 3), l(3, -1, 1)], 2, &[1, 2, 3], 6), [3, 2, 1, 3, 2, 1]);
    }

    #[test]
    fn runs_of_memory_are_joined() {
        assert_eq!(merged(&[l(2, 12, 12), l(3, 4, 4), l(4, 1, 1)])[..], [l(24, 1, 1)]);
    }

    #[test]
    fn copy_past_the_end_is_noticed() {
        let copy = Copy { loops: [l(4, 2, 1)][..].into(), source_start: 0, target_start: 0 };
        assert!(!copy.stays_inside(0, 6, |l| l.source));
        assert!(copy.stays_inside(0, 7, |l| l.source));
        assert!(!copy.stays_inside(-1, 7, |l| l.source));
    }
}
