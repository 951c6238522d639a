//! Image planes, padded and split so that a kernel's taps are plain offsets.
//!
//! With stride `s`, output `x` meets input `x * s + tap`. Elements whose
//! coordinates leave the same remainder by `s` are a phase; within the phase of
//! `tap`, output `x` meets element `x + tap / s`. So a whole output plane, one
//! row after the other, meets each tap at a fixed offset of one phase.

use super::geometry::Geometry;
use smallvec::SmallVec;

/// More elements than this beside those of input and output mean that a kernel
/// jumps over most of its input; that is not worth the copy.
const SPARE: usize = 1 << 16;

/// Where the elements of a padded and split plane lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phases {
    stride: [usize; 2],
    padding: [usize; 2],
    input: [usize; 2],
    /// Padded extent that the output meets.
    padded: [usize; 2],
    rows: usize,
    /// Elements of a row of a phase, which is the distance of output rows as well.
    pub row: usize,
    /// Offset of each tap, row by row of the kernel.
    pub taps: SmallVec<[usize; 32]>,
}

impl Phases {
    /// The layout for a convolution, unless it would take much memory.
    pub fn of(g: &Geometry) -> Option<Self> {
        let mut padded = [0; 2];
        for (dim, padded) in padded.iter_mut().enumerate() {
            let last_output = g.output[dim].checked_sub(1)?.checked_mul(g.stride[dim])?;
            let last_tap = g.kernel[dim].checked_sub(1)?.checked_mul(g.dilation[dim])?;
            *padded = last_output.checked_add(last_tap)?.checked_add(1)?;
        }
        let (rows, row) = (padded[0].div_ceil(g.stride[0]), padded[1].div_ceil(g.stride[1]));
        let plane = rows.checked_mul(row)?;
        let size = plane.checked_mul(g.stride[0])?.checked_mul(g.stride[1])?;
        let outside = g.input[0] * g.input[1] + g.positions();
        if size > outside.saturating_mul(4).saturating_add(SPARE) {
            return None;
        }
        let mut taps = SmallVec::new();
        for y in (0..g.kernel[0]).map(|k| k * g.dilation[0]) {
            for x in (0..g.kernel[1]).map(|k| k * g.dilation[1]) {
                let phase = y % g.stride[0] * g.stride[1] + x % g.stride[1];
                taps.push(phase * plane + y / g.stride[0] * row + x / g.stride[1]);
            }
        }
        let [stride, padding, input] = [g.stride, g.padding, g.input];
        Some(Phases { stride, padding, input, padded, rows, row, taps })
    }

    /// Elements of all phases of a plane.
    pub fn size(&self) -> usize {
        self.stride[0] * self.stride[1] * self.rows * self.row
    }

    /// Copies a plane with rows of contiguous elements into `phases`, whose
    /// padding is zero already.
    #[inline(always)]
    pub fn split(&self, plane: &[f32], row_stride: usize, phases: &mut [f32]) {
        let [stride, step] = self.stride;
        let lines = self.padded[0].saturating_sub(self.padding[0]).min(self.input[0]);
        let columns = self.padded[1].saturating_sub(self.padding[1]).min(self.input[1]);
        for line in 0..lines {
            let source = &plane[line * row_stride..][..columns];
            let at = line + self.padding[0];
            let group = (at % stride * step * self.rows + at / stride) * self.row;
            for phase in 0..step {
                // The first element of this phase that is not padding.
                let first = (phase + step - self.padding[1] % step) % step;
                let target = group + phase * self.rows * self.row;
                let target = target + (first + self.padding[1]) / step;
                if first < source.len() {
                    spread(&source[first..], step, &mut phases[target..]);
                }
            }
        }
    }
}

/// Copies every `step`-th element.
#[inline(always)]
fn spread(source: &[f32], step: usize, target: &mut [f32]) {
    match step {
        1 => target[..source.len()].copy_from_slice(source),
        2 => {
            let (pairs, rest) = source.as_chunks::<2>();
            let (whole, last) = target[..source.len().div_ceil(2)].split_at_mut(pairs.len());
            whole.iter_mut().zip(pairs).for_each(|(target, pair)| *target = pair[0]);
            last.copy_from_slice(rest);
        }
        _ => {
            let elements = source.iter().step_by(step);
            target.iter_mut().zip(elements).for_each(|(target, source)| *target = *source);
        }
    }
}
