//! Gradients of a two-dimensional convolution, by definition.
//!
//! 16-bit floats are rounded after every step, as ExecuTorch computes in them.

use super::geometry::Geometry;
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::elementwise::checks::{resize, same_dtype};
use crate::kernels::elementwise::number::Number;
use crate::kernels::{Args, Outs};
use crate::tensor::{Element, TensorMut, TensorRef, with_dtype};
use alloc::format;
use et_schema::ScalarType;
use smallvec::SmallVec;

/// `aten::convolution_backward.out`: the gradients that the mask asks for.
pub(super) fn convolution_backward(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (gradient, input, weight) = (args.tensor(0)?, args.tensor(1)?, args.tensor(2)?);
    let (bias_sizes, mask) = (args.optional_ints(3)?, args.bools(10)?);
    let ([grad_input, grad_weight, grad_bias], [of_input, of_weight, of_bias]) =
        (outs.as_mut_slice(), mask)
    else {
        return Err(KernelError::argument(format!("a mask {mask:?} for three gradients")));
    };
    ensure!(!args.bool(7)?, "the gradients of a transposed convolution");
    ensure!(weight.rank() == 4, "the gradients of a convolution with {:?}", weight.sizes());
    let geometry = Geometry::checked(args, 4, &input, &weight, None, &gradient)?;
    let [height, width] = geometry.output;
    let expected = [geometry.batch, geometry.out_channels, height, width];
    ensure!(
        (0..4).all(|dim| gradient.size(dim) == expected[dim]) && height > 0 && width > 0,
        "gradients of {:?}, expected {expected:?}",
        gradient.sizes()
    );
    if *of_input {
        same_dtype(&input, grad_input)?;
        resize(grad_input, input.sizes())?;
    }
    if *of_weight {
        same_dtype(&input, grad_weight)?;
        resize(grad_weight, weight.sizes())?;
    }
    if *of_bias {
        same_dtype(&input, grad_bias)?;
        if let Some(sizes) = bias_sizes {
            let sizes: Option<SmallVec<[i32; 4]>> =
                sizes.iter().map(|size| i32::try_from(*size).ok()).collect();
            resize(grad_bias, &sizes.unwrap_or_default())?;
        }
        ensure!(
            grad_bias.numel() == geometry.out_channels,
            "{} gradients for the bias of {} channels",
            grad_bias.numel(),
            geometry.out_channels
        );
    }
    let wanted = [
        of_input.then_some(grad_input),
        of_weight.then_some(grad_weight),
        of_bias.then_some(grad_bias),
    ];
    match input.scalar_type() {
        ScalarType::Double => run::<f64, f64>(&geometry, [&gradient, &input, &weight], wanted),
        other => with_dtype!(other, float, T => {
            run::<T, f32>(&geometry, [&gradient, &input, &weight], wanted)
        }, else Err(KernelError::argument(format!("the gradients of {other}")))),
    }
}

fn add<T: Element, A: Number>(sum: &mut T, part: A) {
    *sum = sum.cast::<A>().add(part).cast();
}

/// The product as the element type holds it.
fn product<T: Element, A: Number>(a: T, b: T) -> A {
    a.cast::<A>().mul(b.cast::<A>()).cast::<T>().cast::<A>()
}

/// Strides of dimensions in elements.
fn strides(strides: &[i32]) -> [usize; 4] {
    core::array::from_fn(|dim| strides.get(dim).map_or(0, |stride| *stride as usize))
}

/// Zeros for a gradient that is wanted, and nothing for one that is not.
fn cleared<'a, T: Element>(out: Option<&'a mut TensorMut<'_>>) -> KernelResult<&'a mut [T]> {
    let Some(out) = out else { return Ok(&mut []) };
    let data = out.data_mut::<T>()?;
    data.fill(T::default());
    Ok(data)
}

fn run<T: Element, A: Number>(
    geometry: &Geometry,
    [gradient, input, weight]: [&TensorRef<'_>; 3],
    [of_input, of_weight, of_bias]: [Option<&mut TensorMut<'_>>; 3],
) -> KernelResult {
    let from = strides(gradient.strides());
    let (input_to, weight_to) = (
        of_input.as_deref().map(|out| strides(out.strides())),
        of_weight.as_deref().map(|out| strides(out.strides())),
    );
    let (bias_wanted, gradients) = (of_bias.is_some(), gradient.data::<T>()?);
    let (inputs, weights) = (input.data::<T>()?, weight.data::<T>()?);
    let (of_input, of_weight) = (cleared::<T>(of_input)?, cleared::<T>(of_weight)?);
    let of_bias = cleared::<T>(of_bias)?;
    each_output(geometry, |batch, channel, y, x| {
        let gradient = gradients[batch * from[0] + channel * from[1] + y * from[2] + x * from[3]];
        if bias_wanted {
            add::<T, A>(&mut of_bias[channel], gradient.cast());
        }
        each_tap(geometry, channel, y, x, |own, group, kernel, place| {
            let at = |s: &[usize; 4]| batch * s[0] + own * s[1] + place[0] * s[2] + place[1] * s[3];
            let tap = |s: &[usize; 4]| {
                channel * s[0] + group * s[1] + kernel[0] * s[2] + kernel[1] * s[3]
            };
            if let Some(to) = &input_to {
                let part = product::<T, A>(gradient, weights[tap(&geometry.weight_strides)]);
                add(&mut of_input[at(to)], part);
            }
            if let Some(to) = &weight_to {
                let part = product::<T, A>(gradient, inputs[at(&geometry.in_strides)]);
                add(&mut of_weight[tap(to)], part);
            }
        });
    });
    Ok(())
}

/// Visits every output: batch, channel, row and column, channels innermost in their group.
fn each_output(geometry: &Geometry, mut visit: impl FnMut(usize, usize, usize, usize)) {
    let group_out = geometry.group_out();
    for batch in 0..geometry.batch {
        for group in 0..geometry.groups {
            for y in 0..geometry.output[0] {
                for x in 0..geometry.output[1] {
                    for channel in 0..group_out {
                        visit(batch, group * group_out + channel, y, x);
                    }
                }
            }
        }
    }
}

/// Visits the inputs of an output: input channel, the same within its group,
/// row and column of the kernel, row and column of the input.
fn each_tap(
    geometry: &Geometry,
    channel: usize,
    y: usize,
    x: usize,
    mut visit: impl FnMut(usize, usize, [usize; 2], [usize; 2]),
) {
    let group_in = geometry.group_in();
    let first = channel / geometry.group_out().max(1) * group_in;
    for own in 0..group_in {
        for row in 0..geometry.kernel[0] {
            let Some(in_y) = geometry.input_at(0, y, row) else { continue };
            for column in 0..geometry.kernel[1] {
                if let Some(in_x) = geometry.input_at(1, x, column) {
                    visit(first + own, own, [row, column], [in_y, in_x]);
                }
            }
        }
    }
}
