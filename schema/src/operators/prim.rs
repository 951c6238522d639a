//! Operators of namespace `executorch_prim`: arithmetic on values rather than
//! tensors, one slice of a map loop's result, and the view that moves no data.
//! Numbers may be Int, Double or Bool, so their kind is `Any`.

use super::{Signature, signatures};

/// Sorted by name, byte by byte.
pub(super) const TABLE: &[Signature] = signatures! {
    "executorch_prim::add.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::ceil.Scalar"(a: Any, out: &mut Any);
    "executorch_prim::eq.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::et_copy_index.tensor"(copy_to: &mut Tensor, copy_from: Tensor, index: Int);
    "executorch_prim::et_view.default"(self: Tensor, size: IntList, out: &mut Tensor);
    "executorch_prim::floordiv.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::floordiv.int"(a: Int, b: Int, out: &mut Any);
    "executorch_prim::ge.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::gt.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::le.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::lt.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::mod.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::mod.int"(a: Int, b: Int, out: &mut Any);
    "executorch_prim::mul.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::neg.Scalar"(a: Any, out: &mut Any);
    "executorch_prim::round.Scalar"(a: Any, out: &mut Any);
    "executorch_prim::sub.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::sym_float.Scalar"(a: Any, out: &mut Any);
    "executorch_prim::sym_int.Scalar"(a: Any, out: &mut Any);
    "executorch_prim::sym_ite.Scalar"(condition: Any, a: Any, b: Any, out: &mut Any);
    "executorch_prim::sym_max.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::sym_min.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::sym_not.Scalar"(a: Any, out: &mut Any);
    "executorch_prim::truediv.Scalar"(a: Any, b: Any, out: &mut Any);
    "executorch_prim::trunc.Scalar"(a: Any, out: &mut Any);
};
