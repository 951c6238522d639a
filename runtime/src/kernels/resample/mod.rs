//! Images at other resolutions or through a grid of coordinates.
//!
//! ```text
//! upsample.rs   nearest, bilinear, and bilinear with anti-aliasing
//! taps.rs       which pixels of a line an output pixel is made of
//! grid.rs       grid_sampler: pixels at given coordinates
//! ```

mod grid;
mod taps;
mod upsample;

pub(super) use grid::KERNELS as GRID;
pub(super) use upsample::KERNELS as UPSAMPLE;
