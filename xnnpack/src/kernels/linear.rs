//! Fully connected layers and products of batches of matrices.

use super::sums::{ByGroup, ByRow, Requantization, Shared};
use crate::dot;
use crate::error::{Error, Result, ensure};
use crate::product::{Floats, Lines, Packed, Product};
use crate::tensor::{Data, RANGE, Scale, Tensor, count};
use std::sync::OnceLock;

/// Weights of a layer, packed, with their bias.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    pub columns: Columns,
    pub bias: Bias,
    /// Of the weights, if they are quantized; those of groups one group after the other.
    pub scale: Scale,
    /// Of each group of the layer, made by its first run.
    pub requantization: OnceLock<Vec<Requantization>>,
}

/// Packed columns, one matrix per group of the layer.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    Floats(Vec<Packed>),
    Bytes(Vec<dot::Packed>),
}

impl Weights {
    pub fn new(columns: Columns, bias: Bias, scale: Scale) -> Self {
        Weights { columns, bias, scale, requantization: OnceLock::new() }
    }

    /// Depth and columns of the first group.
    fn size(&self) -> Option<(usize, usize)> {
        match &self.columns {
            Columns::Floats(packed) => packed.first().map(|it| (it.depth, it.columns)),
            Columns::Bytes(packed) => packed.first().map(|it| (it.depth, it.columns)),
        }
    }

    /// Columns of all groups.
    fn count(&self) -> usize {
        match &self.columns {
            Columns::Floats(packed) => packed.iter().map(|it| it.columns).sum(),
            Columns::Bytes(packed) => packed.iter().map(|it| it.columns).sum(),
        }
    }
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

/// How sums of `input` with weights of `scale` become numbers of `out`, for
/// columns from `first` on: as many as `totals`, what each of them adds up to.
/// Some of them may only fill a panel.
pub(crate) fn requantization(
    (input, out): (&Tensor, &Tensor),
    (scale, bias): (&Scale, &[i32]),
    (first, columns): (usize, usize),
    totals: &[i32],
    clamp: (f32, f32),
) -> Result<Requantization> {
    let (input, quantized) = (input.quantized()?, out.quantized()?);
    let scales = channel_scales(scale, columns)?;
    let of = |column: usize| match scales {
        [one] => *one,
        all => all.get(column).copied().unwrap_or(0.0),
    };
    let scales = (first..first + totals.len())
        .map(|column| input.scale * of(column) / quantized.scale)
        .collect();
    let bias = totals.iter().enumerate().map(|(index, total)| {
        let bias = bias.get(first + index).copied().unwrap_or(0);
        bias.wrapping_sub(total.wrapping_mul(input.zero))
    });
    let range = super::convert::clamped(quantized, RANGE, clamp);
    let (bias, zero) = (bias.collect(), quantized.zero);
    Ok(Requantization { scales, bias, input: input.zero, zero, range })
}

/// Rows of `place` with packed columns, in the types of input and output.
pub(crate) struct Layer<'a> {
    pub input: &'a Tensor,
    pub weights: &'a Weights,
    pub clamp: (f32, f32),
    pub rows: usize,
    /// Adds where the taps of row `.1` lie for group `.0`; see [`crate::product::Place`].
    pub place: &'a (dyn Fn(usize, usize, &mut Vec<usize>) + Sync),
    /// Rows whose lines of taps are neighbours in memory, in a layer of one group.
    pub lines: Option<Lines<'a>>,
    /// Distance of rows of one tap that lie one behind the other, in a layer of one group.
    pub dense: Option<usize>,
    pub threads: usize,
}

impl Layer<'_> {
    /// Runs all groups into `out`, whose channels lie one group after the other.
    pub fn run(&self, out: &mut Tensor) -> Result {
        let columns = self.weights.count();
        let size = count(&[self.rows, columns])?;
        match (&self.weights.columns, &self.input.data) {
            (Columns::Floats(packed), Data::F32(input)) => {
                let Data::F32(data) = &mut out.data else { return Err(mixed()) };
                let bias = self.weights.bias.floats()?;
                data.set_len(size);
                let mut first = 0;
                for (group, packed) in packed.iter().enumerate() {
                    let product = Product {
                        packed,
                        input,
                        rows: self.rows,
                        place: &|row, places| (self.place)(group, row, places),
                        dense: self.dense,
                        lines: self.lines,
                        sums: Floats { bias: part(bias, first, packed.columns), clamp: self.clamp },
                        stride: columns,
                        first_column: first,
                    };
                    product.run(data, self.threads);
                    first += packed.columns;
                }
                Ok(())
            }
            (Columns::Bytes(packed), Data::Small(input)) => match out.data {
                Data::F32(_) => self.by_row(packed, input, (columns, size), out),
                Data::Small(_) => self.integers(packed, input, (columns, size), out),
                Data::I32(_) => Err(mixed()),
            },
            _ => Err(mixed()),
        }
    }

    /// Integers of the whole tensor's scale.
    fn integers(
        &self,
        packed: &[dot::Packed],
        input: &[u8],
        (columns, size): (usize, usize),
        out: &mut Tensor,
    ) -> Result {
        let Weights { scale, bias, requantization: made, .. } = self.weights;
        let requantization = match made.get() {
            Some(made) => made,
            None => {
                let (mut groups, mut first) = (Vec::with_capacity(packed.len()), 0);
                for packed in packed {
                    groups.push(requantization(
                        (self.input, out),
                        (scale, bias.integers()?),
                        (first, columns),
                        packed.totals(),
                        self.clamp,
                    )?);
                    first += packed.columns;
                }
                made.get_or_init(|| groups)
            }
        };
        let Data::Small(data) = &mut out.data else { return Err(mixed()) };
        data.set_len(size);
        let out = dot::Out::Bytes(data);
        self.groups(packed, input, (out, columns), |group, _| Shared(&requantization[group]));
        Ok(())
    }

    /// Inputs that were quantized by row, to float32.
    fn by_row(
        &self,
        packed: &[dot::Packed],
        input: &[u8],
        (columns, size): (usize, usize),
        out: &mut Tensor,
    ) -> Result {
        let Data::F32(data) = &mut out.data else { return Err(mixed()) };
        let (rows, bias) = (&self.input.rows[..], self.weights.bias.floats()?);
        let found = rows.len();
        ensure!(
            found > 0 && self.rows.is_multiple_of(found),
            "{found} scales for {} rows",
            self.rows
        );
        data.set_len(size);
        let stored = |first, count| Floats { bias: part(bias, first, count), clamp: self.clamp };
        if let Scale::Groups { scales, size } = &self.weights.scale {
            let depth = packed.first().map_or(0, |packed| packed.depth);
            let groups = depth.div_ceil((*size).max(1));
            ensure!(
                size.is_multiple_of(4) && scales.len() >= columns * groups,
                "{} scales for {columns} channels of {groups} groups of {size}",
                scales.len()
            );
            ensure!(
                packed.len() == 1 && found == self.rows,
                "{found} scales for {} rows",
                self.rows
            );
            self.groups(packed, input, (dot::Out::Floats(data), columns), |group, _| ByGroup {
                rows,
                scales,
                columns,
                totals: packed[group].totals(),
                stored: stored(0, columns),
            });
            return Ok(());
        }
        let scales = channel_scales(&self.weights.scale, columns)?;
        let share = (self.rows / rows.len()).max(1);
        self.groups(packed, input, (dot::Out::Floats(data), columns), |group, first| {
            let count = packed[group].columns;
            ByRow {
                rows,
                share,
                packed: &packed[group],
                scales: if scales.len() == 1 { scales } else { &scales[first..first + count] },
                stored: stored(first, count),
            }
        });
        Ok(())
    }

    /// All groups, of which `finish` is given the number and the first column.
    fn groups<F: dot::Finish>(
        &self,
        all: &[dot::Packed],
        input: &[u8],
        (mut out, stride): (dot::Out<'_>, usize),
        finish: impl Fn(usize, usize) -> F,
    ) {
        let mut first = 0;
        for (group, packed) in all.iter().enumerate() {
            let product = dot::Product {
                packed,
                input,
                rows: self.rows,
                place: &|row, places| (self.place)(group, row, places),
                dense: self.dense,
                finish: &finish(group, first),
                stride,
                first_column: first,
            };
            product.run(out.again(), self.threads);
            first += packed.columns;
        }
    }
}

fn mixed() -> Error {
    Error::new("a mix of float32 and integers")
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
    threads: usize,
) -> Result {
    let (depth, columns) = weights.size().ok_or_else(|| Error::new("no weights"))?;
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
        lines: None,
        dense: Some(depth),
        threads,
    };
    layer.run(out)
}

/// As [`fully_connected`], with a filter and a bias that earlier nodes made or
/// the caller gave. Only float numbers have this, as in XNNPACK.
pub(crate) fn dynamic_fully_connected(
    [input, filter]: [&Tensor; 2],
    bias: Option<&Tensor>,
    transposed: bool,
    clamp: (f32, f32),
    out: &mut Tensor,
    threads: usize,
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
    let weights = Weights::new(Columns::Floats(vec![packed]), bias, Scale::None);
    fully_connected(input, &weights, clamp, out, threads)
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
            dense: Some(k),
            lines: None,
            sums: Floats { bias: &[], clamp },
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
