//! Bitwise operators and shifts of integers and bools.

use super::checks::{alike, like, resize_broadcast, same_dim_order};
use super::map::{map1, map2};
use super::number::{Bits, Number, with_compute};
use super::promote::{can_cast, promote, promote_scalar};
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use et_schema::ScalarType;

/// The entry of an operator on two tensors.
macro_rules! tensor {
    ($name:literal, $function:path) => {
        ($name, |args, outs| {
            let (a, b, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
            let common = promote(a.scalar_type(), b.scalar_type());
            check(common, out.scalar_type())?;
            same_dim_order(&[&a, &b, out])?;
            resize_broadcast(out, &[&a, &b])?;
            with_compute!(common, bits, C => map2::<C, C>(&a, &b, out, $function))
        })
    };
}

/// The entry of an operator on a tensor and a number.
macro_rules! scalar {
    ($name:literal, $function:path) => {
        ($name, |args, outs| {
            let (a, number, out) = (args.tensor(0)?, args.scalar(1)?, &mut outs[0]);
            let common = promote_scalar(a.scalar_type(), number);
            check(common, out.scalar_type())?;
            like(&a, out)?;
            with_compute!(common, bits, C => {
                let b = C::from_scalar(number);
                map1(&a, out, |a: C| $function(a, b))
            })
        })
    };
}

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    tensor!("aten::bitwise_and.Tensor_out", Bits::and),
    scalar!("aten::bitwise_and.Scalar_out", Bits::and),
    tensor!("aten::bitwise_or.Tensor_out", Bits::or),
    scalar!("aten::bitwise_or.Scalar_out", Bits::or),
    tensor!("aten::bitwise_xor.Tensor_out", Bits::xor),
    scalar!("aten::bitwise_xor.Scalar_out", Bits::xor),
    tensor!("aten::bitwise_left_shift.Tensor_out", Bits::shift_left),
    scalar!("aten::bitwise_left_shift.Tensor_Scalar_out", Bits::shift_left),
    tensor!("aten::bitwise_right_shift.Tensor_out", Bits::shift_right),
    scalar!("aten::bitwise_right_shift.Tensor_Scalar_out", Bits::shift_right),
    ("aten::bitwise_not.out", not),
];

fn check(common: ScalarType, out: ScalarType) -> KernelResult {
    ensure!(can_cast(common, out), "results of type {common} are not stored as {out}");
    Ok(())
}

fn not(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    alike(&input, out)?;
    with_compute!(input.scalar_type(), bits, C => map1(&input, out, <C as Bits>::not))
}
