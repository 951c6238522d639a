//! Linear layers and batches of matrix products.
//!
//! The right side has its rows along the sum. Its offset is not added to its
//! elements but, times the sum of the left row, to the result.

use super::int8;
use super::products::{dot_narrow, sum, widen};
use super::requantize::{Factor, Limits, offset, sums};
use crate::error::{KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use crate::kernels::{Args, Kernel, Outs};
use crate::tensor::Sizes;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("cortex_m::quantized_batch_matmul.out", batch_matmul),
    ("cortex_m::quantized_linear.out", linear),
];

/// A product of matrices with what turns its sums into results.
struct Product {
    left_offset: i16,
    right_offset: i32,
    factor: Factor,
    limits: Limits,
}

impl Product {
    /// `out[i][j] = finish(start[j] + left[i] * right[j])`, over `depth` elements.
    fn run(&self, left: &[i8], right: &[i8], depth: usize, start: &[i32], out: &mut [i8]) {
        vectorized(
            #[inline(always)]
            || {
                let mut row = Scratch::filled(depth, 0i16);
                for (i, out) in out.chunks_exact_mut(start.len().max(1)).enumerate() {
                    widen(&left[i * depth..][..depth], self.left_offset, &mut row);
                    let common = sum(&row).wrapping_mul(self.right_offset);
                    for (j, (out, start)) in out.iter_mut().zip(start).enumerate() {
                        let product = dot_narrow(&row, &right[j * depth..][..depth]);
                        let sum = product.wrapping_add(common).wrapping_add(*start);
                        *out = self.limits.finish(self.factor.apply(sum));
                    }
                }
            },
        );
    }
}

/// With sums of the weights, made ahead of time, the input's offset and the bias are in them.
fn linear(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    let (bias, kernel_sum) = (args.optional_tensor(2)?, args.optional_tensor(3)?);
    int8(&[&input, &weight, out])?;
    ensure!(
        input.rank() >= 1 && weight.rank() == 2 && input.size(input.rank() - 1) == weight.size(1),
        "weights of {:?} for an input of {:?}",
        weight.sizes(),
        input.sizes()
    );
    let (depth, width) = (weight.size(1), weight.size(0));
    let mut sizes = Sizes::from_slice(input.sizes());
    if let Some(last) = sizes.last_mut() {
        *last = weight.sizes()[0];
    }
    out.resize(&sizes)?;
    ensure!(
        input.is_contiguous() && weight.is_contiguous() && out.is_contiguous(),
        "expected contiguous tensors"
    );
    let (multipliers, shifts) = (args.ints(7)?, args.ints(8)?);
    let (Some(multiplier), Some(shift)) = (multipliers.first(), shifts.first()) else {
        return Err(crate::KernelError::argument("no multiplier or no shift"));
    };
    let product = Product {
        left_offset: if kernel_sum.is_some() { 0 } else { offset(args, 4)? },
        right_offset: offset(args, 5)?.into(),
        factor: Factor::new(*multiplier, *shift)?,
        limits: Limits::new(args.int(6)?, args.int(10)?, args.int(9)?)?,
    };
    let start = sums(kernel_sum.or(bias).as_ref(), width)?;
    product.run(input.data()?, weight.data()?, depth, &start, out.data_mut()?);
    Ok(())
}

fn batch_matmul(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (left, right, out) = (args.tensor(0)?, args.tensor(2)?, &mut outs[0]);
    int8(&[&left, &right, out])?;
    ensure!(
        left.rank() == 3
            && right.rank() == 3
            && left.size(0) == right.size(0)
            && left.size(2) == right.size(2),
        "matrices of {:?} and, transposed, {:?}",
        left.sizes(),
        right.sizes()
    );
    out.resize(&[left.sizes()[0], left.sizes()[1], right.sizes()[1]])?;
    ensure!(
        left.is_contiguous() && right.is_contiguous() && out.is_contiguous(),
        "expected contiguous tensors"
    );
    let product = Product {
        left_offset: offset(args, 1)?,
        right_offset: offset(args, 3)?.into(),
        factor: Factor::new(args.int(5)?, args.int(6)?)?,
        limits: Limits::int8(args.int(4)?)?,
    };
    let (rows, depth, width) = (left.size(1), left.size(2), right.size(1));
    let start = Scratch::filled(width, 0);
    let (left, right) = (left.data::<i8>()?, right.data::<i8>()?);
    let out = out.data_mut::<i8>()?.chunks_exact_mut((rows * width).max(1));
    for (i, out) in out.enumerate() {
        let (left, right) = (&left[i * rows * depth..], &right[i * width * depth..]);
        product.run(left, right, depth, &start, out);
    }
    Ok(())
}
