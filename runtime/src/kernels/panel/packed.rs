//! The right matrix, laid out in panels.

use super::cut::{Cut, Vectors, WIDTH};
use super::{Columns, Range};
use crate::kernels::scratch::Scratch;
use pulp::Simd;

/// A right matrix laid out in panels, for several products.
pub(in crate::kernels) struct Packed {
    pub(super) data: Scratch<f32>,
    pub(super) tail: Scratch<f32>,
    count: usize,
}

impl Packed {
    /// Lays out all columns.
    pub fn of<C: Columns>(columns: &C, depth: usize) -> Self {
        let cut = Vectors::of_this_processor().cut(columns.count());
        let mut data = Scratch::new(cut.panels * depth * cut.width);
        let mut tail = Scratch::new(depth * cut.tail);
        cut.pack_tail(columns, depth, &mut tail);
        pack(columns, depth, cut, 0..cut.panels, &mut data);
        Packed { data, tail, count: columns.count() }
    }

    /// How many columns.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// Lays out some panels of a line one after the other in `memory`.
pub(super) fn pack<C: Columns>(
    columns: &C,
    depth: usize,
    cut: Cut,
    panels: Range<usize>,
    memory: &mut [f32],
) {
    pulp::Arch::new().dispatch(Pack { columns, depth, cut, panels, memory });
}

struct Pack<'a, C> {
    columns: &'a C,
    depth: usize,
    cut: Cut,
    panels: Range<usize>,
    memory: &'a mut [f32],
}

impl<C: Columns> pulp::WithSimd for Pack<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let size = self.depth * WIDTH * S::F32_LANES;
        for (index, memory) in self.panels.zip(self.memory.chunks_mut(size.max(1))) {
            let panel = self.cut.panel::<S>(0, index);
            let width = panel.vectors * S::F32_LANES;
            let columns = panel.first..panel.first + panel.columns;
            self.columns.pack(columns, 0..self.depth, width, &mut memory[..self.depth * width]);
        }
    }
}
