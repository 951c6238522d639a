//! Fourier transforms between real and complex tensors, `_fft_r2c` and
//! `_fft_c2r`: spectra of sound, for the most part.
//!
//! Computed in float64 whatever the elements are, so that results are the
//! nearest numbers of their type but for the last digit.

use super::scratch::Scratch;
use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{Complex, Element, TensorMeta, with_dtype};
use alloc::format;
use core::f64::consts::TAU;
use et_schema::ScalarType;
use num_traits::Float;
use smallvec::SmallVec;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::_fft_r2c.out", real_to_complex),
    ("aten::_fft_c2r.out", complex_to_real),
    ("aten::view_as_real_copy.out", super::complex::parts),
];

/// Real and imaginary part.
type Number = [f64; 2];

fn add([a, b]: Number, [c, d]: Number) -> Number {
    [a + c, b + d]
}

fn multiply([a, b]: Number, [c, d]: Number) -> Number {
    [a * c - b * d, a * d + b * c]
}

/// The transforms of one length in one direction.
struct Transform {
    length: usize,
    /// Powers of the first root of unity.
    roots: Scratch<Number>,
}

/// The sign of the exponent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

impl Transform {
    fn new(length: usize, direction: Direction) -> Self {
        let sign = if direction == Direction::Forward { -1.0 } else { 1.0 };
        let angle = |k: usize| sign * TAU * k as f64 / length as f64;
        let mut roots = Scratch::new(length);
        for (k, root) in roots.iter_mut().enumerate() {
            *root = [Float::cos(angle(k)), Float::sin(angle(k))];
        }
        Transform { length, roots }
    }

    /// Writes the transform of `input` to `out`.
    fn run(&self, input: &[Number], out: &mut [Number]) {
        let mut column = Scratch::new(self.length);
        self.part(input, 1, out, &mut column);
    }

    /// The transform of every `step`th number: that of `out.len()` numbers,
    /// put together from as many shorter ones as its least prime factor says
    /// (Cooley and Tukey, Mathematics of Computation 19, 1965).
    fn part(&self, input: &[Number], step: usize, out: &mut [Number], column: &mut [Number]) {
        let length = out.len();
        if length <= 1 {
            out.copy_from_slice(&input[..length]);
            return;
        }
        let radix = (2..).find(|p| length.is_multiple_of(*p) || p * p > length).unwrap_or(length);
        let radix = if length.is_multiple_of(radix) { radix } else { length };
        let size = length / radix;
        for (first, out) in out.chunks_mut(size).enumerate() {
            self.part(&input[first * step..], step * radix, out, column);
        }
        let column = &mut column[..radix];
        for k in 0..size {
            for (first, term) in column.iter_mut().enumerate() {
                *term = out[first * size + k];
            }
            for block in 0..radix {
                let at = block * size + k;
                let terms = column.iter().enumerate();
                out[at] = terms.fold([0.0; 2], |sum, (first, term)| {
                    let root = self.roots[(first * at % length) * step];
                    add(sum, multiply(root, *term))
                });
            }
        }
    }
}

/// What both operators are asked for.
struct Call {
    dims: SmallVec<[usize; 4]>,
    /// What each result is multiplied by.
    scale: f64,
}

impl Call {
    /// `extents` are those of the real tensor along the dimensions of the transform.
    fn of(args: &Args<'_>, tensor: &TensorMeta, extents: &[usize]) -> KernelResult<Self> {
        let dims: SmallVec<[usize; 4]> = Self::dims(args, tensor)?;
        let count: f64 = extents.iter().map(|extent| *extent as f64).product();
        let scale = match args.int(2)? {
            0 => 1.0,
            1 => 1.0 / Float::sqrt(count),
            2 => 1.0 / count,
            other => return Err(KernelError::argument(format!("normalization {other}"))),
        };
        Ok(Call { dims, scale })
    }

    fn dims(args: &Args<'_>, tensor: &TensorMeta) -> KernelResult<SmallVec<[usize; 4]>> {
        let dims = args.ints(1)?;
        ensure!(!dims.is_empty(), "a transform along no dimension");
        let mut checked = SmallVec::new();
        for dim in dims {
            let dim = super::reduce::normalised_dim(*dim, tensor)?;
            ensure!(!checked.contains(&dim), "dimension {dim} appears twice in {dims:?}");
            checked.push(dim);
        }
        Ok(checked)
    }
}

/// A tensor's numbers in the order of its indices.
struct Grid {
    sizes: SmallVec<[usize; 8]>,
    numbers: Scratch<Number>,
}

impl Grid {
    fn of<T: Element>(tensor: &TensorMeta, data: &[T], number: impl Fn(T) -> Number) -> Self {
        let mut numbers = Scratch::new(tensor.numel());
        numbers.iter_mut().zip(data).for_each(|(own, x)| *own = number(*x));
        Grid { sizes: sizes(tensor), numbers }
    }

    /// Replaces each line along `dim` by the first `length` numbers of the transform
    /// of what `whole` makes of it.
    fn map_lines(
        &mut self,
        dim: usize,
        transform: &Transform,
        length: usize,
        whole: impl Fn(&[Number], &mut [Number]),
    ) {
        let before = self.sizes[dim];
        let inner: usize = self.sizes[dim + 1..].iter().product();
        let outer: usize = self.sizes[..dim].iter().product();
        let mut numbers = Scratch::new(outer * length * inner);
        let mut line = Scratch::new(before);
        let (mut input, mut out) = (Scratch::new(transform.length), Scratch::new(transform.length));
        for (i, j) in (0..outer).flat_map(|i| (0..inner).map(move |j| (i, j))) {
            for (k, number) in line.iter_mut().enumerate() {
                *number = self.numbers[(i * before + k) * inner + j];
            }
            whole(&line, &mut input);
            transform.run(&input, &mut out);
            for (k, number) in out[..length].iter().enumerate() {
                numbers[(i * length + k) * inner + j] = *number;
            }
        }
        self.numbers = numbers;
        self.sizes[dim] = length;
    }
}

fn sizes(tensor: &TensorMeta) -> SmallVec<[usize; 8]> {
    tensor.sizes().iter().map(|size| *size as usize).collect()
}

fn contiguous(tensors: [&TensorMeta; 2]) -> KernelResult {
    for tensor in tensors {
        ensure!(tensor.is_contiguous(), "a transform in dim order {:?}", tensor.dim_order());
    }
    Ok(())
}

/// The first half of the spectrum along the last of the dimensions: the other
/// half is its mirror image.
fn real_to_complex(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    let (from, to) = (input.scalar_type(), out.scalar_type());
    ensure!(to.part() == Some(from), "a spectrum of {from} as {to}");
    ensure!(matches!(from, ScalarType::Float | ScalarType::Double), "a spectrum of {from}");
    ensure!(args.bool(3)?, "spectra with both sides (onesided=False) are not supported");
    contiguous([&input, out])?;
    let mut sizes = sizes(&input);
    let dims = Call::dims(args, &input)?;
    let extents: SmallVec<[usize; 4]> = dims.iter().map(|dim| sizes[*dim]).collect();
    let call = Call::of(args, &input, &extents)?;
    let last = call.dims[call.dims.len() - 1];
    sizes[last] = sizes[last] / 2 + 1;
    let shape: SmallVec<[i32; 8]> = sizes.iter().map(|size| *size as i32).collect();
    out.resize(&shape)?;
    if input.numel() == 0 {
        return Ok(());
    }
    with_dtype!(from, float, T => {
        let mut grid = Grid::of(&input, input.data::<T>()?, |x| [x.to_f64(), 0.0]);
        for dim in call.dims.iter().rev() {
            let transform = Transform::new(grid.sizes[*dim], Direction::Forward);
            let length = if *dim == last { sizes[last] } else { transform.length };
            grid.map_lines(*dim, &transform, length, |line, whole| whole.copy_from_slice(line));
        }
        with_dtype!(to, complex, C => {
            write(&grid, call.scale, out.data_mut::<C>()?);
            Ok(())
        }, else Err(KernelError::argument(format!("a spectrum as {to}"))))
    }, else Err(KernelError::argument(format!("a spectrum of {from}"))))
}

fn write<C: Complex>(grid: &Grid, scale: f64, out: &mut [C]) {
    for (out, number) in out.iter_mut().zip(grid.numbers.iter()) {
        *out = C::of(number.map(|part| (part * scale).cast()));
    }
}

/// The signal of a spectrum of which the first half is given along the last of
/// the dimensions; the imaginary parts that a real signal cannot have are ignored.
fn complex_to_real(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, out) = (args.tensor(0)?, &mut outs[0]);
    let (from, to) = (input.scalar_type(), out.scalar_type());
    ensure!(from.part() == Some(to), "a signal of {from} as {to}");
    ensure!(matches!(to, ScalarType::Float | ScalarType::Double), "a signal as {to}");
    contiguous([&input, out])?;
    let dims = Call::dims(args, &input)?;
    let last = dims[dims.len() - 1];
    let length = args.int(3)?;
    let length = usize::try_from(length).ok().filter(|length| *length >= 1);
    let Some(length) = length.filter(|length| length / 2 < input.size(last)) else {
        return Err(KernelError::argument(format!(
            "a signal of {} numbers from {} of its spectrum",
            args.int(3)?,
            input.size(last)
        )));
    };
    let mut shape: SmallVec<[i32; 8]> = input.sizes().into();
    shape[last] = length as i32;
    out.resize(&shape)?;
    let extents: SmallVec<[usize; 4]> = dims.iter().map(|dim| shape[*dim] as usize).collect();
    let call = Call::of(args, &input, &extents)?;
    if input.numel() == 0 {
        return Ok(());
    }
    with_dtype!(from, complex, C => {
        let number = |x: C| x.parts().map(Element::to_f64);
        let mut grid = Grid::of(&input, input.data::<C>()?, number);
        for dim in &call.dims[..call.dims.len() - 1] {
            let transform = Transform::new(grid.sizes[*dim], Direction::Backward);
            grid.map_lines(*dim, &transform, transform.length, |line, whole| {
                whole.copy_from_slice(line);
            });
        }
        let transform = Transform::new(length, Direction::Backward);
        grid.map_lines(last, &transform, length, mirror);
        with_dtype!(to, float, T => {
            for (out, [re, _]) in out.data_mut::<T>()?.iter_mut().zip(grid.numbers.iter()) {
                *out = (re * call.scale).cast();
            }
            Ok(())
        }, else Err(KernelError::argument(format!("a signal as {to}"))))
    }, else Err(KernelError::argument(format!("a signal of {from}"))))
}

/// The whole spectrum of a real signal, of which `half` are the first numbers.
fn mirror(half: &[Number], whole: &mut [Number]) {
    let length = whole.len();
    for (k, number) in whole.iter_mut().enumerate() {
        *number = match half[k.min(length - k)] {
            [re, _] if k == 0 || 2 * k == length => [re, 0.0],
            number if 2 * k < length => number,
            [re, im] => [re, -im],
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};

    #[test]
    fn every_length_is_transformed_as_the_definition_says() {
        for length in 1..=40 {
            let input: Vec<Number> =
                (0..length).map(|k| [(k * k % 7) as f64 - 2.0, (k * 5 % 11) as f64]).collect();
            let transform = Transform::new(length, Direction::Forward);
            let mut spectrum = vec![[0.0; 2]; length];
            transform.run(&input, &mut spectrum);
            for (n, found) in spectrum.iter().enumerate() {
                let expected = input.iter().enumerate().fold([0.0; 2], |sum, (k, x)| {
                    add(sum, multiply(transform.roots[n * k % length], *x))
                });
                let gap = (found[0] - expected[0]).abs().max((found[1] - expected[1]).abs());
                assert!(gap < 1e-11, "{length}, {n}: {found:?}, {expected:?}");
            }
            let mut back = vec![[0.0; 2]; length];
            Transform::new(length, Direction::Backward).run(&spectrum, &mut back);
            for (found, x) in back.iter().zip(&input) {
                assert!((found[0] / length as f64 - x[0]).abs() < 1e-12, "{length}");
            }
        }
    }
}
