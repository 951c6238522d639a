//! Fully connected layers and products of batches of matrices.

use super::sums::{ByGroup, ByRow, Floats, Integers, Requantization};
use crate::error::{Error, Result, ensure};
use crate::product::{Packed, Product, Sums, vectors};
use crate::tensor::{Data, Scale, Tensor, count};

/// Weights of a layer, packed, with their bias.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    pub packed: Vec<Packed>,
    pub bias: Bias,
    /// Of the weights, if they are quantized.
    pub scale: Scale,
}

/// A number per output channel.
#[derive(Clone, Debug)]
pub(crate) enum Bias {
    None,
    Floats(Vec<f32>),
    Integers(Vec<i32>),
}

impl Bias {
    pub fn floats(&self) -> Result<&[f32]> {
        match self {
            Bias::None => Ok(&[]),
            Bias::Floats(bias) => Ok(bias),
            Bias::Integers(_) => Err(Error::new("an integer bias for float32 outputs")),
        }
    }

    pub fn integers(&self) -> Result<&[i32]> {
        match self {
            Bias::None => Ok(&[]),
            Bias::Integers(bias) => Ok(bias),
            Bias::Floats(_) => Err(Error::new("a float32 bias for integer outputs")),
        }
    }
}

/// Scales of weights, one per column or one for all.
pub(crate) fn channel_scales(scale: &Scale, columns: usize) -> Result<&[f32]> {
    match scale {
        Scale::Tensor { scale, .. } => Ok(std::slice::from_ref(scale)),
        Scale::Channels(scales) => {
            let found = scales.len();
            ensure!(found == columns || found == 1, "{found} scales for {columns} channels");
            Ok(scales)
        }
        _ => Err(Error::new("weights without a scale")),
    }
}

/// How sums of `input` with weights of `scale` become numbers of `out`.
pub(crate) fn requantization(
    input: &Tensor,
    scale: &Scale,
    columns: usize,
    out: &Tensor,
    clamp: (f32, f32),
) -> Result<Requantization> {
    let (input, quantized) = (input.quantized()?, out.quantized()?);
    let scales = channel_scales(scale, columns)?;
    let of = |column: usize| scales[if scales.len() == 1 { 0 } else { column }];
    let scales = (0..columns).map(|column| input.scale * of(column) / quantized.scale).collect();
    let range = super::convert::clamped(quantized, crate::tensor::range(out.data_type), clamp);
    Ok(Requantization { scales, zero: quantized.zero, range })
}

/// 8-bit integers less their zero points, as float32.
pub(crate) fn centered(input: &Tensor, into: &mut Vec<f32>) -> Result {
    let data = input.data.small()?;
    into.clear();
    into.reserve(data.len());
    match &input.scale {
        Scale::Rows { .. } => {
            let rows = input.rows.len();
            ensure!(rows > 0 && data.len() % rows == 0, "{} numbers in {rows} rows", data.len());
            let row = (data.len() / rows).max(1);
            for (line, quantization) in data.chunks(row).zip(&input.rows) {
                into.extend(line.iter().map(|q| (i32::from(*q) - quantization.zero) as f32));
            }
        }
        _ => {
            let zero = input.quantized()?.zero;
            vectors(
                #[inline(always)]
                || into.extend(data.iter().map(|q| (i32::from(*q) - zero) as f32)),
            );
        }
    }
    Ok(())
}

/// Rows of `place` with packed columns, in the types of input and output.
pub(crate) struct Layer<'a> {
    pub input: &'a Tensor,
    pub weights: &'a Weights,
    pub clamp: (f32, f32),
    pub rows: usize,
    /// Adds where the taps of row `.1` lie for group `.0`; see [`crate::product::Place`].
    pub place: &'a (dyn Fn(usize, usize, &mut Vec<usize>) + Sync),
    /// Taps in a line of the kernel.
    pub line: usize,
    pub threads: usize,
}

impl Layer<'_> {
    /// Runs all groups into `out`, whose channels lie one group after the other.
    pub fn run(&self, out: &mut Tensor, scratch: &mut Vec<f32>) -> Result {
        let columns = self.columns();
        let size = count(&[self.rows, columns])?;
        match (&self.input.data, &mut out.data) {
            (Data::F32(input), Data::F32(data)) => {
                let bias = self.weights.bias.floats()?;
                data.set_len(size);
                self.groups(input, columns, data, |first, count| Floats {
                    bias: part(bias, first, count),
                    clamp: self.clamp,
                });
                Ok(())
            }
            (Data::Small(_), Data::F32(_)) => {
                centered(self.input, scratch)?;
                self.by_row(scratch, columns, size, out)
            }
            (Data::Small(_), Data::Small(_)) => {
                let requantization =
                    requantization(self.input, &self.weights.scale, columns, out, self.clamp)?;
                let bias = self.weights.bias.integers()?;
                let Data::Small(data) = &mut out.data else { return Ok(()) };
                centered(self.input, scratch)?;
                data.set_len(size);
                let parts = self.parts(&requantization, columns);
                self.groups(scratch, columns, data, |first, count| Integers {
                    bias: part(bias, first, count),
                    requantization: &parts[first / count.max(1)],
                });
                Ok(())
            }
            _ => Err(Error::new("a mix of float32 and integers")),
        }
    }

    /// Inputs that were quantized by row, to float32.
    fn by_row(&self, input: &[f32], columns: usize, size: usize, out: &mut Tensor) -> Result {
        let Data::F32(data) = &mut out.data else { return Ok(()) };
        let (rows, bias) = (&self.input.rows[..], self.weights.bias.floats()?);
        let found = rows.len();
        ensure!(
            found > 0 && self.rows.is_multiple_of(found),
            "{found} scales for {} rows",
            self.rows
        );
        data.set_len(size);
        if let Scale::Groups { scales, size } = &self.weights.scale {
            let depth = self.weights.packed.first().map_or(0, |packed| packed.depth);
            let groups = depth.div_ceil((*size).max(1));
            ensure!(
                *size > 0 && scales.len() >= columns * groups && rows.len() >= self.rows,
                "{} scales for {columns} channels of {groups} groups",
                scales.len()
            );
            let clamp = self.clamp;
            self.groups(input, columns, data, |_, _| ByGroup {
                rows,
                scales,
                groups,
                size: *size,
                bias,
                clamp,
            });
            return Ok(());
        }
        let scales = channel_scales(&self.weights.scale, columns)?;
        let share = (self.rows / rows.len()).max(1);
        self.groups(input, columns, data, |first, count| ByRow {
            rows,
            share,
            scales: if scales.len() == 1 { scales } else { &scales[first..first + count] },
            bias: part(bias, first, count),
            clamp: self.clamp,
        });
        Ok(())
    }

    fn columns(&self) -> usize {
        self.weights.packed.iter().map(|packed| packed.columns).sum()
    }

    /// The requantization of each group's columns.
    fn parts(&self, all: &Requantization, columns: usize) -> Vec<Requantization> {
        let groups = self.weights.packed.len().max(1);
        let count = columns / groups;
        (0..groups)
            .map(|group| Requantization {
                scales: all.scales[group * count..][..count].to_vec(),
                ..all.clone()
            })
            .collect()
    }

    fn groups<S: Sums>(
        &self,
        input: &[f32],
        columns: usize,
        out: &mut [S::Out],
        sums: impl Fn(usize, usize) -> S,
    ) {
        let mut first = 0;
        for (group, packed) in self.weights.packed.iter().enumerate() {
            let product = Product {
                packed,
                input,
                rows: self.rows,
                place: &|row, places| (self.place)(group, row, places),
                line: self.line,
                sums: &sums(first, packed.columns),
                stride: columns,
                first_column: first,
            };
            product.run(out, self.threads);
            first += packed.columns;
        }
    }
}

fn part<T>(all: &[T], first: usize, count: usize) -> &[T] {
    all.get(first..first + count).unwrap_or_default()
}

/// `input × weights + bias` over the last dimension of the input.
pub(crate) fn fully_connected(
    input: &Tensor,
    weights: &Weights,
    clamp: (f32, f32),
    out: &mut Tensor,
    (scratch, threads): (&mut Vec<f32>, usize),
) -> Result {
    let packed = weights.packed.first().ok_or_else(|| Error::new("no weights"))?;
    let (depth, columns) = (packed.depth, packed.columns);
    let total = count(&input.dims)?;
    ensure!(
        depth > 0 && total % depth == 0,
        "an input of {:?} for weights of {columns}x{depth}",
        input.dims
    );
    out.dims.clone_from(&input.dims);
    match input.dims.last() {
        Some(last) if *last == depth => {
            out.dims.pop();
        }
        // The input is taken as a matrix whose rows are as long as the filter.
        _ => out.dims = vec![total / depth],
    }
    out.dims.push(columns);
    let layer = Layer {
        input,
        weights,
        clamp,
        rows: total / depth,
        place: &|_, row, places| places.push(row * depth),
        line: 1,
        threads,
    };
    layer.run(out, scratch)
}

/// As [`fully_connected`], with a filter and a bias that earlier nodes made or
/// the caller gave. Only float numbers have this, as in XNNPACK.
pub(crate) fn dynamic_fully_connected(
    [input, filter]: [&Tensor; 2],
    bias: Option<&Tensor>,
    transposed: bool,
    clamp: (f32, f32),
    out: &mut Tensor,
    means: (&mut Vec<f32>, usize),
) -> Result {
    let &[rows, columns] = &filter.dims[..] else {
        return Err(Error::new(format!("a filter of {:?}", filter.dims)));
    };
    let numbers = filter.data.floats()?;
    ensure!(
        numbers.len() == count(&filter.dims)?,
        "a filter of {:?} with {} numbers",
        filter.dims,
        numbers.len()
    );
    let (outputs, depth) = if transposed { (columns, rows) } else { (rows, columns) };
    let packed = Packed::new(outputs, (1, depth), |column, _, k| {
        numbers[if transposed { k * columns + column } else { column * columns + k }]
    });
    let bias = match bias {
        None => Bias::None,
        Some(bias) => Bias::Floats(bias.data.floats()?.to_vec()),
    };
    if let Bias::Floats(bias) = &bias {
        ensure!(bias.len() == outputs, "a bias of {} numbers for {outputs} channels", bias.len());
    }
    let weights = Weights { packed: vec![packed], bias, scale: Scale::None };
    fully_connected(input, &weights, clamp, out, means)
}

/// Products of the matrices of `a` and `b`, either of them transposed.
pub(crate) fn batch_product(
    a: &Tensor,
    b: &Tensor,
    (transpose_a, transpose_b): (bool, bool),
    clamp: (f32, f32),
    out: &mut Tensor,
    (scratch, threads): (&mut Vec<f32>, usize),
) -> Result {
    let (rank_a, rank_b) = (a.dims.len(), b.dims.len());
    ensure!(rank_a >= 2 && rank_a == rank_b, "matrices of {:?} and {:?}", a.dims, b.dims);
    let matrix = |dims: &[usize], transposed: bool| {
        let (rows, columns) = (dims[dims.len() - 2], dims[dims.len() - 1]);
        if transposed { (columns, rows) } else { (rows, columns) }
    };
    let (m, k) = matrix(&a.dims, transpose_a);
    let (k_b, n) = matrix(&b.dims, transpose_b);
    ensure!(k == k_b, "matrices of {:?} and {:?}", a.dims, b.dims);
    let mut batches = Vec::with_capacity(rank_a - 2);
    for (x, y) in a.dims[..rank_a - 2].iter().zip(&b.dims) {
        ensure!(x == y || *x == 1 || *y == 1, "batches of {:?} and {:?}", a.dims, b.dims);
        batches.push(if *x == 1 { *y } else { *x });
    }
    let number = count(&batches)?;
    out.dims.clone_from(&batches);
    out.dims.extend([m, n]);
    let size = count(&out.dims)?;
    let (left, right) = (a.data.floats()?, b.data.floats()?);
    let Data::F32(data) = &mut out.data else {
        return Err(Error::new("products of matrices to integers"));
    };
    data.set_len(size);
    if size == 0 {
        return Ok(());
    }
    let mut packed: Option<Packed> = None;
    for batch in 0..number {
        let left = &left[matrix_index(&a.dims, &batches, batch) * m * k..][..m * k];
        let right = &right[matrix_index(&b.dims, &batches, batch) * k * n..][..k * n];
        let element = |column: usize, _: usize, line: usize| {
            right[if transpose_b { column * k + line } else { line * n + column }]
        };
        match &mut packed {
            Some(packed) => packed.refill(element),
            None => packed = Some(Packed::new(n, (1, k), element)),
        }
        let Some(packed) = &packed else { continue };
        let rows = if transpose_a {
            scratch.clear();
            scratch.extend((0..m * k).map(|i| left[(i % k.max(1)) * m + i / k.max(1)]));
            &scratch[..]
        } else {
            left
        };
        let product = Product {
            packed,
            input: rows,
            rows: m,
            place: &|row, places| places.push(row * k),
            line: 1,
            sums: &Floats { bias: &[], clamp },
            stride: n,
            first_column: 0,
        };
        product.run(&mut data[batch * m * n..][..m * n], threads);
    }
    Ok(())
}

/// Which matrix of a tensor of `dims` belongs to `batch` of `batches`.
fn matrix_index(dims: &[usize], batches: &[usize], batch: usize) -> usize {
    let (mut rest, mut index, mut stride) = (batch, 0, 1);
    for (size, own) in batches.iter().zip(dims).rev() {
        let place = rest % size;
        rest /= size;
        index += if *own == 1 { 0 } else { place * stride };
        stride *= own;
    }
    index
}
