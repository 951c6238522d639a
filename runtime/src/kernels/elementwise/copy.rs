//! Copies: to another element type, layout or shape, or none of these.

use super::checks::{resize, same_dim_order, same_dtype};
use super::map::run;
use super::number::with_compute;
use super::promote::compute_type;
use super::stream::Pairing;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{TensorMeta, TensorMut, TensorRef, with_dtype};
use alloc::format;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::_to_copy.out", to_copy),
    ("aten::clone.out", clone),
    ("aten::copy.out", copy),
    ("aten::copy_", copy_in_place),
    ("aten::alias_copy.out", plain_copy),
    ("aten::detach_copy.out", plain_copy),
    ("aten::lift_fresh_copy.out", plain_copy),
    ("dim_order_ops::_to_dim_order_copy.out", to_dim_order_copy),
    ("dim_order_ops::_clone_dim_order.out", clone_dim_order),
    ("et_copy::_h2d_copy.out", device_copy),
    ("et_copy::_d2h_copy.out", device_copy),
];

/// Copies the elements of `input` and converts them to the type of `out`.
pub(super) fn convert(
    input: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    pairing: Pairing,
) -> KernelResult {
    if input.scalar_type() == out.scalar_type() || out.scalar_type().is_complex() {
        return with_dtype!(out.scalar_type(), any, T => {
            run::<T, T, 1>([input], out, pairing, &|[source], target| target.copy_from_slice(source))
        }, else Err(KernelError::argument(format!("not supported for {}", out.scalar_type()))));
    }
    with_compute!(compute_type(out.scalar_type()), C => {
        run::<C, C, 1>([input], out, pairing, &|[source], target| target.copy_from_slice(source))
    })
}

/// Copies the bytes of `input`, whatever its type.
pub(super) fn copy_bytes(input: &TensorRef<'_>, out: &mut TensorMut<'_>) -> KernelResult {
    let target = out.bytes_mut()?;
    let source = input.bytes().get(..target.len());
    let Some(source) = source.filter(|_| input.nbytes() == target.len()) else {
        return Err(KernelError::argument("the input has fewer bytes than the output"));
    };
    target.copy_from_slice(source);
    Ok(())
}

fn blocking(args: &Args<'_>, index: usize) -> KernelResult {
    ensure!(!args.bool(index)?, "non_blocking copies are not supported");
    Ok(())
}

/// The memory format is None or contiguous.
fn contiguous_format(args: &Args<'_>, index: usize) -> KernelResult {
    let format = args.optional_int(index)?.unwrap_or(0);
    ensure!(format == 0, "memory format {format} is not supported, only 0 (contiguous)");
    Ok(())
}

fn to_copy(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    blocking(args, 1)?;
    contiguous_format(args, 2)?;
    resize(out, input.sizes())?;
    ensure!(
        input.is_contiguous() && out.is_contiguous(),
        "dim orders {:?} and {:?} are not both contiguous",
        input.dim_order(),
        out.dim_order()
    );
    convert(&input, out, Pairing::Memory)
}

fn clone(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    contiguous_format(args, 1)?;
    plain_copy(args, outs)
}

fn plain_copy(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    same_dtype(&input, out)?;
    resize(out, input.sizes())?;
    same_dim_order(&[&input, out])?;
    copy_bytes(&input, out)
}

fn copy(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (like, source) = (args.tensor(0)?, args.tensor(1)?);
    let out = &mut outs[0];
    blocking(args, 2)?;
    same_dtype(&like, out)?;
    resize(out, like.sizes())?;
    same_dim_order(&[&like, out])?;
    if like.scalar_type().is_complex() {
        same_dtype(&source, out)?;
        ensure!(source.sizes() == out.sizes(), "complex elements into another shape");
    }
    let pairing = Pairing::of(&[&source], out);
    convert(&source, out, pairing)
}

fn copy_in_place(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (source, out) = (args.tensor(1)?, &mut outs[0]);
    blocking(args, 2)?;
    same_dim_order(&[&source, out])?;
    let pairing = Pairing::of(&[&source], out);
    convert(&source, out, pairing)
}

fn to_dim_order_copy(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    blocking(args, 1)?;
    check_dim_order(args.optional_ints(2)?, &input, out)?;
    resize(out, input.sizes())?;
    let same = input.dim_order() == out.dim_order();
    convert(&input, out, if same { Pairing::Memory } else { Pairing::Index })
}

fn clone_dim_order(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let input = args.tensor(0)?;
    same_dtype(&input, &outs[0])?;
    let same = input.dim_order() == outs[0].dim_order();
    ensure!(same || !input.scalar_type().is_complex(), "complex elements in another dim order");
    to_dim_order_copy(args, outs)
}

/// The output has the dim order that is asked for, contiguous or channels-last,
/// or else that of the input.
fn check_dim_order(wanted: Option<&[i64]>, input: &TensorMeta, out: &TensorMeta) -> KernelResult {
    let own = out.dim_order();
    let same = match wanted {
        Some(wanted) => {
            ensure!(
                own.is_empty()
                    || out.is_contiguous()
                    || (out.rank() >= 4 && out.is_channels_last()),
                "dim order {own:?} is neither contiguous nor channels-last"
            );
            wanted.len() == input.rank()
                && wanted.iter().copied().eq(own.iter().map(|d| i64::from(*d)))
        }
        None => own == input.dim_order(),
    };
    ensure!(
        same,
        "the output has dim order {own:?}, expected {}",
        wanted.map_or_else(|| format!("{:?}", input.dim_order()), |wanted| format!("{wanted:?}"))
    );
    Ok(())
}

/// All memory is host memory here, and these copy between a host and a device.
fn device_copy(_: &Args<'_>, _: &mut Outs<'_>) -> KernelResult {
    Err(KernelError::argument("both tensors are in host memory, one must be on a device"))
}
