//! Tensors: shape and layout ([`TensorMeta`]), element types ([`Element`]),
//! and the borrowed views that kernels work on.

mod complex;
mod element;
mod meta;
mod view;

pub(crate) use complex::{Complex, ComplexDouble, ComplexFloat, ComplexHalf};
pub use element::Element;
pub(crate) use element::{Bool, with_dtype};
pub(crate) use meta::Sizes;
pub use meta::{Dims, MAX_RANK, TensorMeta};
pub use view::{TensorMut, TensorRef};
