//! Operators that ExecuTorch's exporter adds: `dim_order_ops`, which stand for
//! memory formats, and `et_copy`, which move tensors between devices.

use super::{Signature, signatures};

/// Sorted by name, byte by byte.
pub(super) const TABLE: &[Signature] = signatures! {
    "dim_order_ops::_clone_dim_order.out"(
        self: Tensor, non_blocking: Bool, dim_order: OptionalIntList, out: &mut Tensor
    );
    "dim_order_ops::_empty_dim_order.out"(
        size: IntList, dim_order: OptionalIntList, out: &mut Tensor
    );
    "dim_order_ops::_to_dim_order_copy.out"(
        self: Tensor, non_blocking: Bool, dim_order: OptionalIntList, out: &mut Tensor
    );
    "et_copy::_d2h_copy.out"(self: Tensor, out: &mut Tensor);
    "et_copy::_h2d_copy.out"(self: Tensor, out: &mut Tensor);
};
