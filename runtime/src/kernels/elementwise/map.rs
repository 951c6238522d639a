//! Applies a function to every element of one, two or three tensors.
//!
//! `C` is the type that the operator computes in and `R` the type of its
//! results; tensors of other types are converted. The loops over chunks are
//! the only code made for each operator and type.

use super::stream::{CHUNK, Pairing, Sink, Source, pairs_by_memory};
use crate::error::{KernelError, KernelResult};
use crate::tensor::{Element, TensorMut, TensorRef};
use smallvec::SmallVec;

/// `out[i] = f(a[i])`, by position in memory.
///
/// # Errors
/// As [`map2`].
pub(in crate::kernels) fn map1<C: Element, R: Element>(
    a: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    f: impl Fn(C) -> R,
) -> KernelResult {
    run([a], out, Pairing::Memory, &|[a], out| {
        out.iter_mut().zip(a).for_each(|(out, a)| *out = f(*a));
    })
}

/// `out[i] = f(a[i], b[i])`, broadcast to the shape that `out` has.
///
/// # Errors
/// A tensor has a type that no element-wise operator takes or has no data, or
/// shapes do not go together.
pub(in crate::kernels) fn map2<C: Element, R: Element>(
    a: &TensorRef<'_>,
    b: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    f: impl Fn(C, C) -> R,
) -> KernelResult {
    let pairing = Pairing::of(&[a, b], out);
    map2_paired(a, b, out, pairing, f)
}

/// As [`map2`], with another pairing of elements.
///
/// # Errors
/// As [`map2`].
pub(in crate::kernels) fn map2_paired<C: Element, R: Element>(
    a: &TensorRef<'_>,
    b: &TensorRef<'_>,
    out: &mut TensorMut<'_>,
    pairing: Pairing,
    f: impl Fn(C, C) -> R,
) -> KernelResult {
    run([a, b], out, pairing, &|[a, b], out| {
        out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (a, b))| *out = f(*a, *b));
    })
}

/// `out[i] = f(a[i], b[i], c[i])`, broadcast to the shape that `out` has.
///
/// # Errors
/// As [`map2`].
pub(super) fn map3<C: Element, R: Element>(
    inputs: [&TensorRef<'_>; 3],
    out: &mut TensorMut<'_>,
    f: impl Fn(C, C, C) -> R,
) -> KernelResult {
    let pairing = Pairing::of(&inputs, out);
    run(inputs, out, pairing, &|[a, b, c], out| {
        let values = a.iter().zip(b).zip(c);
        out.iter_mut().zip(values).for_each(|(out, ((a, b), c))| *out = f(*a, *b, *c));
    })
}

/// Writes a chunk of results from the same chunks of `N` operands.
pub(super) type Loop<'f, C, R, const N: usize> = &'f dyn Fn([&[C]; N], &mut [R]);

/// Has `f` write every chunk of `out` from the same chunks of `inputs`.
pub(super) fn run<C: Element, R: Element, const N: usize>(
    inputs: [&TensorRef<'_>; N],
    out: &mut TensorMut<'_>,
    pairing: Pairing,
    f: Loop<'_, C, R, N>,
) -> KernelResult {
    let numel = out.numel();
    if numel == 0 {
        return Ok(());
    }
    if is_direct::<C, R>(&inputs, out, pairing) {
        let mut chunks: [&[C]; N] = [&[]; N];
        for (chunk, input) in chunks.iter_mut().zip(inputs) {
            *chunk = input.data()?;
        }
        f(chunks, out.data_mut()?);
        return Ok(());
    }
    let sources: SmallVec<[Source<'_, C>; N]> = inputs
        .iter()
        .map(|tensor| Source::new(tensor, out.meta(), pairing))
        .collect::<KernelResult<_>>()?;
    let Ok(sources) = sources.into_inner() else {
        return Err(KernelError::argument("operands are missing"));
    };
    run_streams(sources, out, f)
}

/// Whether all elements are where they are wanted, in the type that is computed
/// in: no streams are needed then. Most calls are so.
fn is_direct<C: Element, R: Element>(
    inputs: &[&TensorRef<'_>],
    out: &TensorMut<'_>,
    pairing: Pairing,
) -> bool {
    out.scalar_type() == R::DTYPE
        && inputs
            .iter()
            .all(|i| i.scalar_type() == C::DTYPE && pairs_by_memory(i, out.meta(), pairing))
}

/// As [`run`], for operands that are streams already.
pub(super) fn run_streams<C: Element, R: Element, const N: usize>(
    mut sources: [Source<'_, C>; N],
    out: &mut TensorMut<'_>,
    f: Loop<'_, C, R, N>,
) -> KernelResult {
    let numel = out.numel();
    if numel == 0 {
        return Ok(());
    }
    let mut sink = Sink::new(out)?;
    let buffered = sink.is_buffered() || sources.iter().any(Source::is_buffered);
    let step = if buffered { CHUNK } else { numel };
    for at in (0..numel).step_by(step) {
        let len = step.min(numel - at);
        let chunks = sources.each_mut().map(|source| source.chunk(at, len));
        sink.fill(at, len, |out| f(chunks, out));
    }
    Ok(())
}
