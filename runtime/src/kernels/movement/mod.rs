//! Data movement: operators that put the elements of a tensor elsewhere
//! without looking at them.
//!
//! ```text
//! engine.rs   copies between strided layouts, by element size
//! shape.rs    same elements in memory order under another shape
//! view.rs     permute, expand, select, slice, flip, unfold …: strided views, copied
//! join.rs     cat, stack, repeat, pad
//! ```

mod engine;
mod join;
mod shape;
mod view;

pub(super) use join::KERNELS as JOIN;
pub(super) use shape::KERNELS as SHAPE;
pub(super) use view::KERNELS as VIEW;
