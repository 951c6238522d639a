//! Comparisons, logic, and the larger and the smaller of two tensors.

use super::checks::{like, resize_broadcast, same_dim_order};
use super::map::{map1, map2};
use super::number::{Number, with_compute};
use super::promote::{can_cast, compute_type, promote, promote_scalar};
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::Bool;
use et_schema::ScalarType;

/// The two entries of a comparison: with a tensor, with a number.
macro_rules! comparison {
    ($tensor:literal, $scalar:literal, $operator:tt) => {
        [
            ($tensor, |args, outs| {
                let (a, b, common) = tensors(args, outs)?;
                with_compute!(common, C => {
                    map2(&a, &b, &mut outs[0], |a: C, b: C| Bool::from(a $operator b))
                })
            }),
            ($scalar, |args, outs| {
                let (a, number) = (args.tensor(0)?, args.scalar(1)?);
                like(&a, &mut outs[0])?;
                let common = promote_scalar(a.scalar_type(), number);
                with_compute!(compute_type(common), C => {
                    let b = C::from_scalar(number);
                    map1(&a, &mut outs[0], |a: C| Bool::from(a $operator b))
                })
            }),
        ]
    };
}

type Entry = (&'static str, Kernel);

const EQ: [Entry; 2] = comparison!("aten::eq.Tensor_out", "aten::eq.Scalar_out", ==);
const NE: [Entry; 2] = comparison!("aten::ne.Tensor_out", "aten::ne.Scalar_out", !=);
const LT: [Entry; 2] = comparison!("aten::lt.Tensor_out", "aten::lt.Scalar_out", <);
const LE: [Entry; 2] = comparison!("aten::le.Tensor_out", "aten::le.Scalar_out", <=);
const GT: [Entry; 2] = comparison!("aten::gt.Tensor_out", "aten::gt.Scalar_out", >);
const GE: [Entry; 2] = comparison!("aten::ge.Tensor_out", "aten::ge.Scalar_out", >=);

pub(in crate::kernels) const KERNELS: &[Entry] = &[
    EQ[0],
    EQ[1],
    NE[0],
    NE[1],
    LT[0],
    LT[1],
    LE[0],
    LE[1],
    GT[0],
    GT[1],
    GE[0],
    GE[1],
    ("aten::logical_and.out", |args, outs| logical(args, outs, |a, b| a & b)),
    ("aten::logical_or.out", |args, outs| logical(args, outs, |a, b| a | b)),
    ("aten::logical_xor.out", |args, outs| logical(args, outs, |a, b| a ^ b)),
    ("aten::maximum.out", |args, outs| {
        let (a, b, common) = selected(args, outs)?;
        with_compute!(common, C => map2(&a, &b, &mut outs[0], C::larger))
    }),
    ("aten::minimum.out", |args, outs| {
        let (a, b, common) = selected(args, outs)?;
        with_compute!(common, C => map2(&a, &b, &mut outs[0], C::smaller))
    }),
];

type Operands<'a> = (crate::tensor::TensorRef<'a>, crate::tensor::TensorRef<'a>, ScalarType);

/// Two tensors to compare and the type to do it in; the output is shaped.
/// Floats are compared as float32 unless both are float64.
fn tensors<'a>(args: &Args<'a>, outs: &mut Outs<'_>) -> KernelResult<Operands<'a>> {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    same_dim_order(&[&a, &b, out])?;
    resize_broadcast(out, &[&a, &b])?;
    let common = promote(a.scalar_type(), b.scalar_type());
    let mixed = common.is_floating() && a.scalar_type() != b.scalar_type();
    Ok((a, b, if mixed { ScalarType::Float } else { compute_type(common) }))
}

fn logical(args: &Args<'_>, outs: &mut Outs<'_>, f: fn(bool, bool) -> bool) -> KernelResult {
    let (a, b, _) = tensors(args, outs)?;
    map2(&a, &b, &mut outs[0], |a: Bool, b: Bool| Bool::from(f(a.get(), b.get())))
}

/// Two tensors to choose elements of, and the type to compare them in; the
/// output is shaped.
fn selected<'a>(args: &Args<'a>, outs: &mut Outs<'_>) -> KernelResult<Operands<'a>> {
    let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    let common = promote(a.scalar_type(), b.scalar_type());
    ensure!(
        can_cast(common, out.scalar_type()),
        "results of type {common} are not stored as {}",
        out.scalar_type()
    );
    same_dim_order(&[&a, &b, out])?;
    resize_broadcast(out, &[&a, &b])?;
    Ok((a, b, compute_type(common)))
}
