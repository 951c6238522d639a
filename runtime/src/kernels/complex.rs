//! Operators of complex tensors, for the calls that ExecuTorch's kernels take:
//! fewer than of real ones, as most of them require equal types and shapes.
//!
//! Types are refused as the kernels of release 1.5.1 refuse them. Quotients of
//! different shapes, where those kernels read past the end of the smaller
//! tensor, are refused as well.

use super::elementwise::checks::{alike, like};
use super::elementwise::map::{map1, map2_paired};
use super::elementwise::stream::Pairing;
use super::reduce::Plan;
use super::{Args, Outs};
use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{Complex, Element, TensorMut, TensorRef, with_dtype};
use crate::value::Scalar;
use alloc::format;
use num_traits::{Float, NumCast, Zero};

/// Whether an operator, by its full name, takes complex tensors at all.
pub(crate) fn takes(operator: &str) -> bool {
    match operator.split_once("::") {
        Some(("aten", operator)) => TAKING.contains(&operator),
        Some(("dim_order_ops" | "et_copy", _)) => true,
        _ => false,
    }
}

/// In the namespace `aten`, each seen to answer (`scripts/references/cases/complex.py`);
/// `empty`, which looks at no element; and `topk`, which refuses them with an error of
/// its own.
const TAKING: &[&str] = &[
    "_conj_physical.out",
    "_fft_c2r.out",
    "_fft_r2c.out",
    "abs.out",
    "add.out",
    "alias_copy.out",
    "as_strided_copy.out",
    "bmm.out",
    "cat.out",
    "clone.out",
    "copy.out",
    "copy_",
    "detach_copy.out",
    "diagonal_copy.out",
    "div.out",
    "div.out_mode",
    "embedding.out",
    "empty.out",
    "expand_copy.out",
    "full_like.out",
    "index.Tensor_out",
    "index_put_",
    "index_select.out",
    "lift_fresh_copy.out",
    "mul.out",
    "narrow_copy.out",
    "native_dropout.out",
    "permute_copy.out",
    "pixel_shuffle.out",
    "pixel_unshuffle.out",
    "reflection_pad1d.out",
    "reflection_pad2d.out",
    "reflection_pad3d.out",
    "repeat.out",
    "replication_pad1d.out",
    "replication_pad2d.out",
    "replication_pad3d.out",
    "select_copy.int_out",
    "slice_copy.Tensor_out",
    "squeeze_copy.dim_out",
    "squeeze_copy.dims_out",
    "sub.out",
    "sum.IntList_out",
    "t_copy.out",
    "topk.values",
    "transpose_copy.int_out",
    "unsqueeze_copy.out",
    "view_as_real_copy.out",
    "view_copy.out",
];

/// The kernel of an operator that does not, in a call with complex tensors.
pub(crate) fn refused(_: &Args<'_>, _: &mut Outs<'_>) -> KernelResult {
    Err(KernelError::argument("the operator takes no complex tensors"))
}

/// Whether an operator of these tensors is one of complex numbers.
pub(super) fn any(tensors: &[&TensorRef<'_>]) -> bool {
    tensors.iter().any(|tensor| tensor.scalar_type().is_complex())
}

fn same_type(a: &TensorRef<'_>, b: &TensorRef<'_>, out: &TensorMut<'_>) -> KernelResult {
    let [a, b, out] = [a.scalar_type(), b.scalar_type(), out.scalar_type()];
    ensure!(a == b && a == out, "complex numbers of one type, found {a} and {b} to {out}");
    Ok(())
}

fn refuse(out: &TensorMut<'_>) -> KernelError {
    KernelError::argument(format!("results as {}", out.scalar_type()))
}

/// `alpha` as a number that a complex one can be multiplied by.
fn wide<W: Float>(number: Scalar) -> KernelResult<W> {
    NumCast::from(number.to_f64()).ok_or_else(|| KernelError::argument("a number out of range"))
}

/// `a + alpha * b`, of tensors of one shape or, for a sum, with a single number;
/// `out` has its shape.
pub(super) fn add(
    a: &TensorRef<'_>,
    b: &TensorRef<'_>,
    alpha: Scalar,
    out: &mut TensorMut<'_>,
    pairing: Pairing,
) -> KernelResult {
    same_type(a, b, out)?;
    with_dtype!(out.scalar_type(), complex, C => {
        let alpha = wide::<<C as Complex>::Wide>(alpha)?;
        map2_paired(a, b, out, pairing, |a: C, b: C| {
            let ([a, b], [c, d]) = (a.parts(), b.parts());
            C::of([a + alpha * c, b + alpha * d])
        })
    }, else Err(refuse(out)))
}

/// `a * b`; `out` has its shape.
pub(super) fn multiply(
    a: &TensorRef<'_>,
    b: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    pairing: Pairing,
) -> KernelResult {
    same_type(a, b, out)?;
    with_dtype!(out.scalar_type(), complex, C => {
        map2_paired(a, b, out, pairing, |a: C, b: C| C::of(product(a.parts(), b.parts())))
    }, else Err(refuse(out)))
}

fn product<W: Float>([a, b]: [W; 2], [c, d]: [W; 2]) -> [W; 2] {
    [a * c - b * d, a * d + b * c]
}

/// `a / b`; `out` has its shape.
pub(super) fn divide(
    a: &TensorRef<'_>,
    b: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
) -> KernelResult {
    same_type(a, b, out)?;
    ensure!(a.sizes() == b.sizes(), "quotients of {:?} and {:?}", a.sizes(), b.sizes());
    ensure!(out.scalar_type().size() > 4, "results as {}", out.scalar_type());
    with_dtype!(out.scalar_type(), complex, C => {
        map2_paired(a, b, out, Pairing::Memory, |a: C, b: C| C::of(quotient(a.parts(), b.parts())))
    }, else Err(refuse(out)))
}

/// Scaled by the larger part of the divisor, so that nothing overflows on the
/// way (R. L. Smith, Algorithm 116, Communications of the ACM 5, 1962).
fn quotient<W: Float>([a, b]: [W; 2], [c, d]: [W; 2]) -> [W; 2] {
    if c.abs() >= d.abs() {
        if c.is_zero() && d.is_zero() {
            return [a / c.abs(), b / d.abs()];
        }
        let ratio = d / c;
        let scale = W::one() / (c + d * ratio);
        [(a + b * ratio) * scale, (b - a * ratio) * scale]
    } else {
        let ratio = c / d;
        let scale = W::one() / (c * ratio + d);
        [(a * ratio + b) * scale, (b * ratio - a) * scale]
    }
}

/// Distances from zero, as real numbers.
pub(super) fn absolute(input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    like(input, out)?;
    with_dtype!(input.scalar_type(), complex, C => {
        // Each step is rounded to the type of the parts, the root to that of the result.
        let round = |x: <C as Complex>::Wide| x.cast::<<C as Complex>::Part>().cast();
        let length = |x: C| {
            let [re, im] = x.parts();
            let square: <C as Complex>::Wide = round(round(re * re) + round(im * im));
            square.to_f64().sqrt()
        };
        with_dtype!(out.scalar_type(), float, R => {
            map1(input, out, |x: C| R::from_f64(length(x)))
        }, else Err(refuse(out)))
    }, else Err(refuse(out)))
}

/// `_conj_physical`: the numbers with the opposite imaginary parts.
pub(super) fn conjugate(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    alike(&input, out)?;
    with_dtype!(input.scalar_type(), complex, C => map1(&input, out, |x: C| {
        let [re, im] = x.parts();
        C::of([re, -im])
    }), else Err(refuse(out)))
}

/// `view_as_real_copy`: real and imaginary parts along one more dimension.
pub(super) fn parts(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    let found = input.scalar_type();
    ensure!(found.is_complex(), "a complex input, found {found}");
    let sizes: smallvec::SmallVec<[i32; 8]> = input.sizes().iter().copied().chain([2]).collect();
    out.resize(&sizes)?;
    with_dtype!(found, complex, C => {
        let source = input.data::<C>()?;
        with_dtype!(out.scalar_type(), float, R => {
            let target = out.data_mut::<R>()?.as_chunks_mut::<2>().0;
            for (target, number) in target.iter_mut().zip(source) {
                *target = number.parts().map(Element::cast);
            }
            Ok(())
        }, else Err(refuse(out)))
    }, else Err(refuse(out)))
}

/// Sums of the elements that `plan` reduces to one; `out` has its shape.
pub(super) fn sum(plan: &Plan, input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    let [from, to] = [input.scalar_type(), out.scalar_type()];
    ensure!(from == to, "a sum of {from} as {to}");
    with_dtype!(from, complex, C => {
        let source = input.data::<C>()?;
        for (out, first) in out.data_mut::<C>()?.iter_mut().zip(plan.outputs()) {
            // Each step is rounded.
            let mut sum = C::default();
            plan.for_each(source, first, |x: C| {
                let ([a, b], [c, d]) = (sum.parts(), x.parts());
                sum = C::of([a + c, b + d]);
            });
            *out = sum;
        }
        Ok(())
    }, else Err(refuse(out)))
}

/// The product of two row-major matrices of `rows` times `depth` and `depth`
/// times `columns` elements.
pub(super) fn product_of_matrices<C: Complex>(
    [rows, depth, columns]: [usize; 3],
    left: &[C],
    right: &[C],
    out: &mut [C],
) {
    for row in 0..rows {
        for column in 0..columns {
            let sum = (0..depth).fold([C::Wide::zero(); 2], |[re, im], k| {
                let [a, b] =
                    product(left[row * depth + k].parts(), right[k * columns + column].parts());
                [re + a, im + b]
            });
            out[row * columns + column] = C::of(sum);
        }
    }
}
