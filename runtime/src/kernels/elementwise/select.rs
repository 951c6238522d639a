//! Operators that choose between elements: `where`, `masked_fill`,
//! `native_dropout`, and `glu`, which lets one half of a tensor gate the other.

use super::checks::{resize, resize_broadcast, same_dim_order, same_dtype};
use super::copy::copy_bytes;
use super::map::{map2, map3, run_streams};
use super::math::Real;
use super::number::{Number, with_compute};
use super::promote::{compute_type, promote, rounded};
use super::random::Random;
use super::stream::Source;
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Bool, MAX_RANK};
use et_schema::ScalarType;
use smallvec::SmallVec;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::where.self_out", select),
    ("aten::masked_fill.Scalar_out", masked_fill),
    ("aten::native_dropout.out", dropout),
    ("aten::glu.out", glu),
];

fn select(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (condition, a, b) = (args.tensor(0)?, args.tensor(1)?, args.tensor(2)?);
    let out = &mut outs[0];
    let common = promote(a.scalar_type(), b.scalar_type());
    ensure!(common == out.scalar_type(), "the result is {common}, not {}", out.scalar_type());
    ensure!(
        matches!(condition.scalar_type(), ScalarType::Bool | ScalarType::Byte),
        "the condition must be bool or uint8, it is {}",
        condition.scalar_type()
    );
    same_dim_order(&[&a, &b, &condition, out])?;
    resize_broadcast(out, &[&a, &b, &condition])?;
    with_compute!(compute_type(common), C => {
        let zero = C::default();
        map3([&condition, &a, &b], out, |condition, a: C, b| if condition == zero { b } else { a })
    })
}

fn masked_fill(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, mask, value) = (args.tensor(0)?, args.tensor(1)?, args.scalar(2)?);
    let out = &mut outs[0];
    same_dtype(&input, out)?;
    let scalar_type = input.scalar_type();
    ensure!(mask.scalar_type() == ScalarType::Bool, "the mask is {}", mask.scalar_type());
    same_dim_order(&[&input, &mask, out])?;
    resize_broadcast(out, &[&input, &mask])?;
    with_compute!(compute_type(scalar_type), C => {
        let (value, zero) = (C::from_scalar(value), C::default());
        map2(&input, &mask, out, |x: C, mask| if mask == zero { x } else { value })
    })
}

fn dropout(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, p) = (args.tensor(0)?, args.double(1)?);
    let train = args.is_none(2) || args.bool(2)?;
    let [out, mask] = &mut outs[..] else {
        return Err(crate::KernelError::argument("expected two outputs"));
    };
    same_dtype(&input, out)?;
    same_dim_order(&[&input, out, mask])?;
    resize(out, input.sizes())?;
    resize(mask, input.sizes())?;
    ensure!((0.0..=1.0).contains(&p), "probability {p} is not between 0 and 1");
    let kept = mask.data_mut::<Bool>()?;
    if !train || p == 0.0 {
        kept.fill(true.into());
        return copy_bytes(&input, out);
    }
    let mut random = Random::new(args.seed());
    kept.iter_mut().for_each(|kept| *kept = (random.uniform() >= p).into());
    with_compute!(input.scalar_type(), float, C => {
        map2(&input, &mask.as_ref(), out, |x: C, kept| if kept == 0.0 { 0.0 } else { x })
    })
}

fn glu(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, dim, out) = (args.tensor(0)?, args.int(1)?, &mut outs[0]);
    let rank = input.rank();
    let from_front = if dim < 0 { dim + rank as i64 } else { dim };
    let Some(dim) = usize::try_from(from_front).ok().filter(|dim| *dim < rank) else {
        return Err(crate::KernelError::argument(alloc::format!("dimension {dim} of {rank}")));
    };
    ensure!(input.size(dim) % 2 == 0, "dimension {dim} has the odd size {}", input.size(dim));
    let mut half: SmallVec<[i32; MAX_RANK]> = input.sizes().into();
    half[dim] /= 2;
    resize(out, &half)?;
    same_dim_order(&[&input, out])?;
    for scalar_type in [input.scalar_type(), out.scalar_type()] {
        ensure!(scalar_type.is_floating(), "not supported for {scalar_type}");
    }
    if out.numel() == 0 {
        return Ok(());
    }
    let second = half[dim] as usize * input.strides()[dim] as usize;
    let scalar_type = input.scalar_type();
    with_compute!(scalar_type, float, C => {
        let parts = [Source::part(&input, &half, 0)?, Source::part(&input, &half, second)?];
        // 16-bit floats are rounded after every step, as ExecuTorch's kernel does.
        run_streams::<C, C, 2>(parts, out, &|[a, gate], out| {
            let round = |x: C| rounded(x, scalar_type);
            for (out, (a, gate)) in out.iter_mut().zip(a.iter().zip(gate)) {
                let open = round(1.0 / round(1.0 + round(Real::exp(-gate))));
                *out = round(a * open);
            }
        })
    })
}
