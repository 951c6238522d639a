//! Which pixels of a line, and how much of each, an output pixel is made of.
//!
//! Positions and weights are computed in float32 whatever the element type,
//! as ExecuTorch does: results at exact multiples depend on it.

use crate::kernels::scratch::Scratch;
use bytemuck::{Pod, Zeroable};
#[cfg(not(feature = "std"))]
use num_traits::Float;

/// A line of pixels and its output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Pixels of the input.
    pub size: usize,
    /// Pixels of the output.
    pub out: usize,
    /// Output pixels per input pixel, as the caller gave it.
    pub scale: f64,
}

impl Line {
    /// Input pixels per output pixel; 0 for a single output pixel at a corner.
    fn ratio(&self, align_corners: bool) -> f32 {
        let ratio = match (align_corners, self.out) {
            (true, 0 | 1) => 0.0,
            (true, out) => (self.size as f64 - 1.0) / (out as f64 - 1.0),
            (false, _) => 1.0 / self.scale,
        };
        ratio as f32
    }

    fn clamp(&self, index: f32) -> usize {
        (index.max(0.0) as usize).min(self.size.saturating_sub(1))
    }

    /// The pixel that each output pixel takes.
    pub fn nearest(&self) -> Scratch<u32> {
        let ratio = self.ratio(false);
        Scratch::of((0..self.out).map(|index| self.clamp((index as f32 * ratio).floor()) as u32))
    }

    /// The two neighbours of each output pixel.
    pub fn bilinear(&self, align_corners: bool) -> Scratch<Pair> {
        let ratio = self.ratio(align_corners);
        let pair = |index: usize| {
            if self.size == self.out {
                let index = index as u32;
                return Pair { first: index, second: index, weights: [1.0, 0.0] };
            }
            let place = if align_corners {
                ratio * index as f32
            } else {
                (ratio * (index as f32 + 0.5) - 0.5).max(0.0)
            };
            let first = self.clamp(place.floor());
            let second = (first + 1).min(self.size.saturating_sub(1));
            let weight = (place - first as f32).clamp(0.0, 1.0);
            let (first, second) = (first as u32, second as u32);
            Pair { first, second, weights: [1.0 - weight, weight] }
        };
        Scratch::of((0..self.out).map(pair))
    }

    /// The pixels under a tent around each output pixel.
    pub fn tents(&self, align_corners: bool) -> Scratch<Tent> {
        let ratio = self.ratio(align_corners);
        Scratch::of((0..self.out).map(|index| self.tent(index, ratio)))
    }

    fn tent(&self, index: usize, ratio: f32) -> Tent {
        let center = ratio * (index as f32 + 0.5);
        // The tent is as wide as an output pixel when that is the larger one.
        let support = if ratio >= 1.0 { ratio } else { 1.0 };
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5).max(0.0) as usize).min(self.size);
        let count = end.saturating_sub(first) as u32;
        let mut tent = Tent { first: first as u32, count, center, support, total: 0.0 };
        if tent.count == 0 {
            (tent.first, tent.count) = (self.clamp(center) as u32, 1);
        }
        tent.total = (0..tent.count).map(|j| tent.height(j)).sum();
        tent
    }
}

/// Two pixels and their weights. Sizes of tensors have 31 bits.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(super) struct Pair {
    pub first: u32,
    pub second: u32,
    pub weights: [f32; 2],
}

/// Consecutive pixels whose weights fall off on both sides of a center. The
/// weights are not kept: there may be as many as input times output pixels.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(super) struct Tent {
    pub first: u32,
    pub count: u32,
    center: f32,
    support: f32,
    total: f32,
}

impl Tent {
    fn height(&self, index: u32) -> f32 {
        let distance = index as f32 + self.first as f32 - self.center + 0.5;
        (1.0 - (distance * (1.0 / self.support)).abs()).max(0.0)
    }

    /// The weight of a pixel, counted from the first.
    pub fn weight(&self, index: u32) -> f32 {
        if self.total > 0.0 { self.height(index) / self.total } else { 1.0 / self.count as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(size: usize, out: usize) -> Line {
        Line { size, out, scale: out as f64 / size as f64 }
    }

    #[test]
    fn nearest_repeats_and_drops_pixels() {
        assert_eq!(line(2, 5).nearest()[..], [0, 0, 0, 1, 1]);
        assert_eq!(line(5, 2).nearest()[..], [0, 2]);
        // A scale that is not that of the sizes never leaves the line.
        assert_eq!(Line { size: 2, out: 4, scale: 0.7 }.nearest()[..], [0, 1, 1, 1]);
    }

    #[test]
    fn aligned_corners_are_kept() {
        let pairs = line(3, 5).bilinear(true);
        assert_eq!((pairs[0].first, pairs[0].weights), (0, [1.0, 0.0]));
        assert_eq!((pairs[1].first, pairs[1].weights), (0, [0.5, 0.5]));
        assert_eq!((pairs[4].first, pairs[4].second, pairs[4].weights), (2, 2, [1.0, 0.0]));
        assert_eq!(line(3, 1).bilinear(true)[0].first, 0);
    }

    #[test]
    fn tents_have_a_total_of_one() {
        for (size, out) in [(6, 3), (5, 2), (2, 9), (7, 1), (1, 1)] {
            for tent in line(size, out).tents(false).iter() {
                let total: f32 = (0..tent.count).map(|j| tent.weight(j)).sum();
                assert!((total - 1.0).abs() < 1e-6);
                assert!(tent.count > 0 && tent.first + tent.count <= size as u32);
            }
        }
    }
}
