//! One file per family of operations.

pub(crate) mod binary;
pub(crate) mod convert;
pub(crate) mod convolution;
pub(crate) mod depthwise;
pub(crate) mod linear;
pub(crate) mod movement;
pub(crate) mod pooling;
pub(crate) mod resize;
pub(crate) mod softmax;
pub(crate) mod sums;
pub(crate) mod unary;
