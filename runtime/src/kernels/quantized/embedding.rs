//! Rows of a quantized table by index, as floats. A row has a scale and maybe a
//! zero point, or one for each of its groups of equal length.
//!
//! Values of 4 and 2 bits are unsigned with the middle of their range as zero.
//! Of 4 bits, the first value of a byte is in the high bits; of 2 bits, in the low.

use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::{Element, Sizes, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("quantized_decomposed::embedding_2bit.dtype_out", |args, outs| run(args, outs, 2, true)),
    ("quantized_decomposed::embedding_2bit.out", |args, outs| run(args, outs, 2, false)),
    ("quantized_decomposed::embedding_4bit.dtype_out", |args, outs| run(args, outs, 4, true)),
    ("quantized_decomposed::embedding_4bit.out", |args, outs| run(args, outs, 4, false)),
    ("quantized_decomposed::embedding_byte.dtype_out", |args, outs| run(args, outs, 8, true)),
    ("quantized_decomposed::embedding_byte.out", |args, outs| run(args, outs, 8, false)),
];

/// A table of quantized rows.
struct Table<'a> {
    bytes: &'a [u8],
    signed: bool,
    bits: usize,
    rows: usize,
    row_bytes: usize,
    /// Per row, one after the other.
    scales: Scratch<f32>,
    zero_points: Option<Scratch<f32>>,
    groups: usize,
}

fn run(args: &Args<'_>, outs: &mut Outs<'_>, bits: usize, has_dtype: bool) -> KernelResult {
    let (indices, out) = (args.tensor(5)?, &mut outs[0]);
    let to = out.scalar_type();
    let table = Table::of(args, bits, to, has_dtype)?;
    if has_dtype {
        let dtype = args.optional_scalar_type(6)?;
        ensure!(dtype.is_none_or(|d| d == to), "asked for {dtype:?}, the output is {to}");
    }
    let mut sizes = Sizes::from_slice(indices.sizes());
    let width = table.width();
    ensure!(i32::try_from(width).is_ok(), "rows of {width} elements");
    sizes.push(width as i32);
    out.resize(&sizes)?;
    ensure!(
        indices.is_contiguous() && out.is_contiguous(),
        "expected contiguous indices and output"
    );
    let indices = index_values(&indices, bits)?;
    with_dtype!(to, float, T => {
        let rows = out.data_mut::<T>()?.chunks_exact_mut(width.max(1));
        let mut values = Scratch::<f32>::filled(width, 0.0);
        for (index, out) in indices.iter().zip(rows) {
            table.row(*index, &mut values)?;
            for (out, value) in out.iter_mut().zip(values.iter()) {
                *out = T::from_f64(f64::from(*value));
            }
        }
        Ok(())
    }, else Err(KernelError::argument(format!("an output of {to}"))))
}

/// The kernel for bytes takes 64-bit indices only.
fn index_values(indices: &TensorRef<'_>, bits: usize) -> KernelResult<Scratch<i64>> {
    match indices.scalar_type() {
        ScalarType::Long => Ok(Scratch::of(indices.data::<i64>()?.iter().copied())),
        ScalarType::Int if bits < 8 => {
            Ok(Scratch::of(indices.data::<i32>()?.iter().map(|i| i64::from(*i))))
        }
        other => Err(KernelError::argument(format!("indices of {other}"))),
    }
}

fn is_parameter(scalar_type: ScalarType) -> bool {
    matches!(scalar_type, ScalarType::Float | ScalarType::Half | ScalarType::BFloat16)
}

fn floats(tensor: &TensorRef<'_>) -> KernelResult<Scratch<f32>> {
    with_dtype!(tensor.scalar_type(), float, T => {
        Ok(Scratch::of(tensor.data::<T>()?.iter().map(|v| v.to_f64() as f32)))
    }, else Err(KernelError::argument(format!("parameters of {}", tensor.scalar_type()))))
}

impl<'a> Table<'a> {
    /// Arguments 0 to 4: weight, scales, zero points, range.
    fn of(args: &Args<'a>, bits: usize, out: ScalarType, has_dtype: bool) -> KernelResult<Self> {
        let (weight, scales) = (args.tensor(0)?, args.tensor(1)?);
        let zero_points = args.optional_tensor(2)?;
        let dtype = weight.scalar_type();
        ensure!(
            weight.rank() == 2 && weight.is_contiguous(),
            "a table of {:?}, expected two dimensions",
            weight.sizes()
        );
        ensure!(
            dtype == ScalarType::Byte || (dtype == ScalarType::Char && bits == 8),
            "a table of {dtype} for values of {bits} bits"
        );
        ensure!(
            (1..=2).contains(&scales.rank()) && scales.size(0) == weight.size(0),
            "scales of {:?} for a table of {:?}",
            scales.sizes(),
            weight.sizes()
        );
        ensure!(is_parameter(out), "an output of {out}");
        ensure!(
            is_parameter(scales.scalar_type()) && (has_dtype || scales.scalar_type() == out),
            "scales of {} for an output of {out}",
            scales.scalar_type()
        );
        if let Some(points) = &zero_points {
            ensure!(
                points.sizes() == scales.sizes() && points.scalar_type() == out,
                "zero points {}{:?} for scales of {:?} and an output of {out}",
                points.scalar_type(),
                points.sizes(),
                scales.sizes()
            );
        }
        let (low, high) = (args.int(3)?, args.int(4)?);
        ensure!(low <= high, "a range from {low} to {high}");
        let table = Table {
            bytes: weight.bytes(),
            signed: dtype == ScalarType::Char,
            bits,
            rows: weight.size(0),
            row_bytes: weight.size(1),
            scales: floats(&scales)?,
            zero_points: zero_points.as_ref().map(floats).transpose()?,
            groups: if scales.rank() == 2 { scales.size(1) } else { 1 },
        };
        let width = table.width();
        ensure!(
            table.groups > 0 && width.is_multiple_of(table.groups),
            "{} groups in a row of {width}",
            table.groups
        );
        Ok(table)
    }

    /// Elements of a row.
    fn width(&self) -> usize {
        self.row_bytes * (8 / self.bits)
    }

    /// Row `index` as floats.
    fn row(&self, index: i64, out: &mut [f32]) -> KernelResult {
        let row = usize::try_from(index).ok().filter(|row| *row < self.rows);
        let row = row.ok_or_else(|| {
            KernelError::argument(format!("index {index} in a table of {} rows", self.rows))
        })?;
        let bytes = &self.bytes[row * self.row_bytes..][..self.row_bytes];
        unpack(bytes, self.bits, self.signed, out);
        let group = (out.len() / self.groups).max(1);
        for (i, values) in out.chunks_exact_mut(group).enumerate() {
            let at = row * self.groups + i;
            let scale = self.scales[at];
            let zero_point = self.zero_points.as_ref().map_or(0.0, |points| points[at]);
            values.iter_mut().for_each(|v| *v = (*v - zero_point) * scale);
        }
        Ok(())
    }
}

/// The integers packed into `bytes`.
fn unpack(bytes: &[u8], bits: usize, signed: bool, out: &mut [f32]) {
    match bits {
        8 if signed => bytes.iter().zip(out).for_each(|(b, v)| *v = f32::from(*b as i8)),
        8 => bytes.iter().zip(out).for_each(|(b, v)| *v = f32::from(*b)),
        4 => {
            for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
                pair[0] = f32::from(byte >> 4) - 8.0;
                pair[1] = f32::from(byte & 15) - 8.0;
            }
        }
        _ => {
            for (byte, four) in bytes.iter().zip(out.chunks_exact_mut(4)) {
                for (i, value) in four.iter_mut().enumerate() {
                    *value = f32::from(byte >> (2 * i) & 3) - 2.0;
                }
            }
        }
    }
}
