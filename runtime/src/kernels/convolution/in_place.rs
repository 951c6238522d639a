//! Which convolutions read images where they lie, and how.

use super::geometry::Geometry;
use super::phases::Phases;
use crate::kernels::panel::{NoColumns, Planes, READ, Right, Windows};
use crate::kernels::scratch::Scratch;

/// Where the elements lie that the taps of the output's positions meet.
pub(super) enum View {
    /// In the image: as many positions, and elements from one channel to the next.
    Pixels { count: usize, stride: usize },
    /// In its padded and split planes.
    Windows {
        /// Of each input channel and tap.
        offsets: Scratch<usize>,
        /// From one row of the output to the next.
        row: usize,
        output: [usize; 2],
    },
}

impl View {
    /// Elements behind the last position that may be read.
    pub const SPARE: usize = READ;

    /// The view of the channels of a group; `None` if panels are worth their packing.
    pub fn of(g: &Geometry, phases: &Phases) -> Option<Self> {
        if g.is_pointwise() {
            let view = View::Pixels { count: g.positions(), stride: g.in_strides[1] };
            return are_pixels_worth_it(g).then_some(view);
        }
        if !are_windows_worth_it(g) {
            return None;
        }
        let taps = &phases.taps;
        let offset = |k: usize| k / taps.len() * phases.size() + taps[k % taps.len()];
        let offsets = Scratch::of((0..g.group_in() * taps.len()).map(offset));
        Some(View::Windows { offsets, row: phases.row, output: g.output })
    }

    /// The right matrix: `data` are an image's planes, padded and split unless the
    /// kernel meets one pixel at a time.
    pub fn right<'a>(&'a self, data: &'a [f32]) -> Right<'a, NoColumns> {
        match self {
            View::Pixels { count, stride } => Right::Planes(Planes::new(data, *stride, *count)),
            View::Windows { offsets, row, output: [height, width] } => {
                let (row, height, width) = (*row, *height, *width);
                Right::Windows(Windows { data, offsets, row, height, width })
            }
        }
    }
}

/// Where there are more planes of output than of input, panels are worth their
/// packing: their lines follow each other.
fn are_pixels_worth_it(g: &Geometry) -> bool {
    g.group_out() <= g.group_in() && g.positions() >= READ
}

/// Panels end with each row of the image, so that a part of the last vector may be
/// empty. To pack them costs as much as some five rows of the product.
fn are_windows_worth_it(g: &Geometry) -> bool {
    const ROWS: usize = 5;
    const VECTOR: usize = 16;
    let width = g.output[1];
    let empty = width.next_multiple_of(VECTOR) - width;
    empty * g.group_out() <= ROWS * width
}
