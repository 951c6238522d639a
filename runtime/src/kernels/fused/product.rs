//! The turn of a constant matrix and the product with it: exporters write every
//! linear layer so. The matrix is turned and laid out once.

use crate::kernels::panel::{self, Bias, Columns, Packed, Rows};
use crate::kernels::{Args, Means, Outs};
use crate::tensor::TensorRef;
use alloc::vec::Vec;
use core::ops::Range;
use et_schema::ScalarType;

/// Columns that are worth laying out.
const MIN_COLUMNS: usize = 8;

/// `permute_copy` of a constant, and `mm` or `addmm` of float32 with that.
pub(crate) struct Product {
    right: Packed,
    bias: Option<Vec<f32>>,
    rows: usize,
    depth: usize,
}

/// A constant matrix, one row per column of the product.
#[derive(Clone, Copy)]
pub(crate) struct Constant<'a> {
    data: &'a [f32],
    columns: usize,
    depth: usize,
}

impl<'a> Constant<'a> {
    /// What a call of `permute_copy` turns, if it is a constant matrix of float32.
    pub fn of(args: &Args<'a>, outs: &Outs<'_>) -> Option<Self> {
        let input = args.tensor(0).ok()?;
        let turned = matches!(args.ints(1).ok()?, [1 | -1, 0 | -2]);
        let constant = args.is_constant(0) && args.is_constant(1);
        let out = outs.first()?;
        let (columns, depth) = (input.size(0), input.size(1));
        let fits = out.sizes() == [depth as i32, columns as i32] && out.is_contiguous();
        // Few columns would leave most of each vector empty.
        let wide = columns >= MIN_COLUMNS;
        if !turned || !constant || input.rank() != 2 || !fits || !wide || !is_plain(&input) {
            return None;
        }
        Some(Constant { data: input.data().ok()?, columns, depth })
    }
}

fn is_plain(tensor: &TensorRef<'_>) -> bool {
    tensor.scalar_type() == ScalarType::Float && tensor.is_contiguous() && tensor.numel() > 0
}

impl Columns for Constant<'_> {
    fn count(&self) -> usize {
        self.columns
    }

    #[inline(always)]
    fn pack(&self, columns: Range<usize>, depth: Range<usize>, width: usize, panel: &mut [f32]) {
        panel.fill(0.0);
        for (at, column) in columns.enumerate() {
            let values = &self.data[column * self.depth..][depth.clone()];
            for (line, value) in panel.chunks_exact_mut(width).zip(values) {
                line[at] = *value;
            }
        }
    }
}

impl Product {
    /// The product of a call whose argument `chained` is the turned constant;
    /// and which of its arguments is the left matrix.
    pub fn of(
        constant: Constant<'_>,
        name: &str,
        chained: usize,
        args: &Args<'_>,
        outs: &Outs<'_>,
    ) -> Option<(Self, usize)> {
        let (left, bias) = match (name, chained) {
            ("aten::mm.out", 1) => (0, None),
            ("aten::addmm.out", 2) => (1, Some(bias(constant, args)?)),
            _ => return None,
        };
        let (matrix, out) = (args.tensor(left).ok()?, outs.first()?);
        let plain = matrix.rank() == 2 && is_plain(&matrix) && out.is_contiguous();
        let sizes = [matrix.size(0) as i32, constant.columns as i32];
        let fits = matrix.size(1) == constant.depth && out.sizes() == sizes;
        if !plain || !fits || out.scalar_type() != ScalarType::Float {
            return None;
        }
        let right = Packed::of(&constant, constant.depth);
        Some((Product { right, bias, rows: matrix.size(0), depth: constant.depth }, left))
    }

    /// Multiplies.
    pub fn run(&self, left: &[f32], out: &mut [f32], means: Means) {
        let (rows, depth) = (self.rows, self.depth);
        let rows = Rows { data: left, count: rows, stride: depth, depth };
        let bias = self.bias.as_deref().map_or(Bias::None, Bias::Columns);
        panel::multiply_packed(rows, &self.right, bias, out, means);
    }
}

/// The bias of `addmm`, if it is a constant row that is added as it is.
fn bias(constant: Constant<'_>, args: &Args<'_>) -> Option<Vec<f32>> {
    let bias = args.tensor(0).ok()?;
    let ones = [3, 4].iter().all(|index| args.scalar(*index).is_ok_and(|s| s.to_f64() == 1.0));
    let row = bias.sizes() == [constant.columns as i32];
    if !ones || !row || !args.is_constant(0) || !is_plain(&bias) {
        return None;
    }
    Some(bias.data().ok()?.to_vec())
}
