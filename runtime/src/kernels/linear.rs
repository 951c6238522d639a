//! Matrix products: mm, bmm, addmm, linear.

use super::in_order;
use super::matrix::{Multiply, Shape, multiply_in_steps};
use super::{Args, Kernel, Outs, complex};
use crate::error::{KernelError, KernelResult, ensure};
use crate::tensor::{Element, Sizes, TensorMut, TensorRef, with_dtype};
use crate::value::Scalar;
use et_schema::ScalarType;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::mm.out", mm),
    ("aten::bmm.out", bmm),
    ("aten::addmm.out", addmm),
    ("aten::linear.out", linear),
];

/// Runs `$body` with the type of the elements, for the types that multiply.
macro_rules! with_multiply {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            ScalarType::Float => {
                type $T = f32;
                $body
            }
            ScalarType::Double => {
                type $T = f64;
                $body
            }
            ScalarType::Half => {
                type $T = half::f16;
                $body
            }
            ScalarType::BFloat16 => {
                type $T = half::bf16;
                $body
            }
            ScalarType::Byte => {
                type $T = u8;
                $body
            }
            ScalarType::Char => {
                type $T = i8;
                $body
            }
            ScalarType::Short => {
                type $T = i16;
                $body
            }
            ScalarType::Int => {
                type $T = i32;
                $body
            }
            ScalarType::Long => {
                type $T = i64;
                $body
            }
            other => Err($crate::error::KernelError::argument(alloc::format!(
                "matrices of {other} are not supported"
            ))),
        }
    };
}

fn same_types(tensors: &[&TensorRef<'_>], out: &TensorMut<'_>) -> KernelResult {
    for tensor in tensors {
        ensure!(
            tensor.scalar_type() == out.scalar_type(),
            "{} and {} in one product",
            tensor.scalar_type(),
            out.scalar_type()
        );
    }
    Ok(())
}

/// A two-dimensional tensor as a matrix.
fn matrix(tensor: &TensorRef<'_>) -> KernelResult<Shape> {
    ensure!(tensor.rank() == 2, "{} dimensions, expected 2", tensor.rank());
    Ok(Shape {
        rows: tensor.size(0),
        cols: tensor.size(1),
        row_stride: tensor.strides()[0] as usize,
        col_stride: tensor.strides()[1] as usize,
    })
}

fn mm(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (left, right, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    same_types(&[&left, &right], out)?;
    let (l, r) = (matrix(&left)?, matrix(&right)?);
    out.resize(&[l.rows as i32, r.cols as i32])?;
    let o = matrix(&out.as_ref())?;
    with_multiply!(out.scalar_type(), T => {
        let (left, right) = ((left.data::<T>()?, l), (right.data::<T>()?, r));
        T::multiply((out.data_mut::<T>()?, o), left, right, args.means())
    })
}

fn bmm(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (left, right, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    same_types(&[&left, &right], out)?;
    for tensor in [&left, &right] {
        ensure!(
            tensor.rank() == 3 && tensor.is_contiguous(),
            "expected contiguous batches of matrices, found {:?}",
            tensor.sizes()
        );
    }
    ensure!(left.size(0) == right.size(0), "{} and {} matrices", left.size(0), right.size(0));
    out.resize(&[left.sizes()[0], left.sizes()[1], right.sizes()[2]])?;
    let (l, r) = (
        Shape::row_major(left.size(1), left.size(2)),
        Shape::row_major(right.size(1), right.size(2)),
    );
    let o = Shape::row_major(l.rows, r.cols);
    let batch = left.size(0);
    if complex::any(&[&left]) {
        return with_dtype!(out.scalar_type(), complex, T => {
            let (left, right, out) = (left.data::<T>()?, right.data::<T>()?, out.data_mut::<T>()?);
            for i in 0..batch {
                let left = &left[i * l.rows * l.cols..][..l.rows * l.cols];
                let right = &right[i * r.rows * r.cols..][..r.rows * r.cols];
                let out = &mut out[i * o.rows * o.cols..][..o.rows * o.cols];
                complex::product_of_matrices([l.rows, l.cols, r.cols], left, right, out);
            }
            Ok(())
        }, else Err(KernelError::argument("complex matrices")));
    }
    with_multiply!(out.scalar_type(), T => {
        let (left, right, out) = (left.data::<T>()?, right.data::<T>()?, out.data_mut::<T>()?);
        for i in 0..batch {
            let left = &left[i * l.rows * l.cols..][..l.rows * l.cols];
            let right = &right[i * r.rows * r.cols..][..r.rows * r.cols];
            let out = &mut out[i * o.rows * o.cols..][..o.rows * o.cols];
            T::multiply((out, o), (left, l), (right, r), args.means())?;
        }
        Ok(())
    })
}

/// `beta * bias + alpha * left * right`, the bias broadcast to the product's shape.
fn addmm(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (bias, left, right) = (args.tensor(0)?, args.tensor(1)?, args.tensor(2)?);
    let (beta, alpha, out) = (args.scalar(3)?, args.scalar(4)?, &mut outs[0]);
    same_types(&[&bias, &left, &right], out)?;
    let (l, r) = (matrix(&left)?, matrix(&right)?);
    out.resize(&[l.rows as i32, r.cols as i32])?;
    let o = matrix(&out.as_ref())?;
    let b = broadcast(&bias, o)?;
    let out_type = out.scalar_type();
    with_multiply!(out_type, T => {
        let out = out.data_mut::<T>()?;
        let (left, right) = ((left.data::<T>()?, l), (right.data::<T>()?, r));
        // ExecuTorch's kernel adds short floats up as such, unlike those of mm and bmm.
        if matches!(out_type, ScalarType::Half | ScalarType::BFloat16) {
            multiply_in_steps((&mut *out, o), left, right)?;
        } else {
            T::multiply((&mut *out, o), left, right, args.means())?;
        }
        scale_and_add(out, o, alpha, bias.data::<T>()?, b, beta);
        Ok(())
    })
}

/// The bias as a matrix of `shape`: dimensions of size 1 repeat.
fn broadcast(bias: &TensorRef<'_>, shape: Shape) -> KernelResult<Shape> {
    ensure!(bias.rank() <= 2, "a bias with {} dimensions", bias.rank());
    let dim = |from_end: usize| {
        let index = bias.rank().checked_sub(from_end)?;
        Some((bias.size(index), bias.strides()[index] as usize))
    };
    let stride = |dim: Option<(usize, usize)>, extent: usize| match dim {
        None | Some((1, _)) => Some(0),
        Some((size, stride)) if size == extent => Some(stride),
        Some(_) => None,
    };
    let row_stride = stride(dim(2), shape.rows);
    let col_stride = stride(dim(1), shape.cols);
    let (Some(row_stride), Some(col_stride)) = (row_stride, col_stride) else {
        ensure!(
            false,
            "a bias of {:?} does not broadcast to [{}, {}]",
            bias.sizes(),
            shape.rows,
            shape.cols
        );
        return Ok(shape);
    };
    Ok(Shape { row_stride, col_stride, ..shape })
}

fn scale_and_add<T: Multiply>(
    out: &mut [T],
    o: Shape,
    alpha: Scalar,
    bias: &[T],
    b: Shape,
    beta: Scalar,
) {
    let ones = alpha.to_f64() == 1.0 && beta.to_f64() == 1.0;
    if ones && T::DTYPE == ScalarType::Float && (o.col_stride, b.col_stride) == (1, 1) {
        // One sum of two float32 is the same in float64.
        let (out, bias) = (bytemuck::cast_slice_mut(out), bytemuck::cast_slice(bias));
        return add_rows(out, o, bias, b);
    }
    for row in 0..o.rows {
        for col in 0..o.cols {
            let place = &mut out[row * o.row_stride + col * o.col_stride];
            let bias = bias[row * b.row_stride + col * b.col_stride];
            *place = if T::IS_FLOAT {
                T::from_f64(alpha.to_f64() * place.to_f64() + beta.to_f64() * bias.to_f64())
            } else {
                let product = alpha.to_i64().wrapping_mul(place.to_i64());
                T::from_i64(product.wrapping_add(beta.to_i64().wrapping_mul(bias.to_i64())))
            };
        }
    }
}

/// Adds rows to rows.
fn add_rows(out: &mut [f32], o: Shape, bias: &[f32], b: Shape) {
    // Rows of no elements begin past the end.
    if o.cols == 0 {
        return;
    }
    for row in 0..o.rows {
        let out = &mut out[row * o.row_stride..][..o.cols];
        let bias = &bias[row * b.row_stride..][..o.cols];
        out.iter_mut().zip(bias).for_each(|(out, bias)| *out += *bias);
    }
}

/// `input * weight^T + bias`, over the last dimension of the input.
fn linear(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (input, weight, bias) = (args.tensor(0)?, args.tensor(1)?, args.optional_tensor(2)?);
    let out = &mut outs[0];
    same_types(&[&input, &weight], out)?;
    let w = matrix(&weight)?;
    ensure!(
        input.rank() >= 2 && input.is_contiguous() && weight.is_contiguous(),
        "expected contiguous tensors of two or more dimensions, found {:?}",
        input.sizes()
    );
    let mut sizes = Sizes::from_slice(input.sizes());
    if let Some(last) = sizes.last_mut() {
        *last = w.rows as i32;
    }
    out.resize(&sizes)?;
    let features = input.size(input.rank() - 1);
    ensure!(w.cols == features, "weights of {:?} on {features} features", weight.sizes());
    let rows = input.numel().checked_div(features).unwrap_or(0);
    let (l, o) = (Shape::row_major(rows, features), Shape::row_major(rows, w.rows));
    let b = bias.as_ref().map(|bias| broadcast(bias, o)).transpose()?;
    with_multiply!(out.scalar_type(), T => {
        let out = out.data_mut::<T>()?;
        let (left, right) = (input.data::<T>()?, weight.data::<T>()?);
        if T::DTYPE == ScalarType::Float {
            let operands = (bytemuck::cast_slice(left), bytemuck::cast_slice(right));
            let target = bytemuck::cast_slice_mut(out);
            in_order::dots(operands, (features, w.rows), target, args.means());
        } else {
            T::multiply((out, o), (left, l), (right, w.transposed()), args.means())?;
        }
        if let (Some(bias), Some(b)) = (&bias, b) {
            scale_and_add(out, o, Scalar::Int(1), bias.data::<T>()?, b, Scalar::Int(1));
        }
        Ok(())
    })
}
