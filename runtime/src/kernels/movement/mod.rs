//! Data movement: operators that put the elements of a tensor elsewhere
//! without looking at them.
//!
//! ```text
//! engine.rs     copies between strided layouts, by element size
//! shape.rs      same elements in memory order under another shape
//! view.rs       permute, expand, select, slice, flip, unfold …: strided views, copied
//! join.rs       cat, stack, repeat, pad
//! rearrange.rs  pixel shuffles, scatters into a copy, lower triangle
//! segments.rs   roll, padding by reflection and replication
//! ```

mod engine;
mod join;
mod rearrange;
mod segments;
mod shape;
mod view;

pub(super) use join::KERNELS as JOIN;
pub(super) use rearrange::KERNELS as REARRANGE;
pub(super) use segments::KERNELS as SEGMENTS;
pub(super) use shape::KERNELS as SHAPE;
pub(super) use view::{KERNELS as VIEW, permute};
