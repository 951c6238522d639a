//! Strips against a plain loop, for vectors of every width.

use super::*;
use crate::kernels::panel::Limit;
use alloc::vec::Vec;

const CHANNELS: usize = 3;

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919) % 1013) as f32 / 97.0 - 5.0).collect()
}

/// One image with planes of some size.
fn geometry(input: [usize; 2], stride: usize) -> Geometry {
    let output = input.map(|size| (size - 1) / stride + 1);
    let strides =
        |[height, width]: [usize; 2]| [CHANNELS * height * width, height * width, width, 1];
    Geometry {
        batch: 1,
        groups: CHANNELS,
        in_channels: CHANNELS,
        out_channels: CHANNELS,
        input,
        output,
        kernel: [3, 3],
        stride: [stride; 2],
        padding: [1; 2],
        dilation: [1; 2],
        transposed: false,
        in_strides: strides(input),
        out_strides: strides(output),
        weight_strides: [9, 9, 3, 1],
    }
}

/// Result (`y`, `x`) of a channel, one product after the other.
fn plain(g: &Geometry, input: &[f32], kernel: &[f32], bias: f32, [y, x]: [usize; 2]) -> f32 {
    let mut sum = 0.0;
    for (tap, factor) in kernel.iter().enumerate() {
        let at = |result: usize, tap: usize| (result * g.stride[0] + tap).wrapping_sub(1);
        let [line, column] = [at(y, tap / 3), at(x, tap % 3)];
        let inside = line < g.input[0] && column < g.input[1];
        let value = if inside { input[line * g.input[1] + column] } else { 0.0 };
        sum += factor * value;
    }
    let limit = Limit(-20.0, 20.0);
    limit.number(sum + bias)
}

fn meets_a_plain_loop(g: &Geometry, run: impl Fn(Planes<'_>)) {
    assert!(suits(g));
    let (in_plane, out_plane) = (g.in_strides[1], g.positions());
    let input = numbers(CHANNELS * in_plane);
    let (weight, bias) = (numbers(CHANNELS * 9), numbers(CHANNELS));
    let mut out = alloc::vec![f32::NAN; CHANNELS * out_plane];
    run(Planes {
        g,
        input: &input,
        weight: &weight,
        bias: Some(&bias),
        after: After { norm: None, limit: Some(Limit(-20.0, 20.0)) },
        out: &mut out,
        rounding: Rounding::Twice,
    });
    for (index, found) in out.iter().enumerate() {
        let (channel, position) = (index / out_plane, index % out_plane);
        let (input, kernel) = (&input[channel * in_plane..], &weight[channel * 9..][..9]);
        let place = [position / g.output[1], position % g.output[1]];
        let expected = plain(g, input, kernel, bias[channel], place);
        assert_eq!(*found, expected, "{:?} by {:?}: {channel} {place:?}", g.input, g.stride);
    }
}

#[test]
fn results_are_those_of_a_plain_loop_to_the_last_bit() {
    let heights = [1, 2, 3, 4, 7, 14];
    let widths = [1, 2, 3, 4, 7, 8, 14, 15, 16, 17, 18, 28, 30, 32, 33, 34, 48, 56, 62, 66];
    for (height, width) in heights.iter().flat_map(|h| widths.map(|w| (*h, w))) {
        for stride in [1, 2] {
            let g = geometry([height, width], stride);
            if stride == 2 && width % 2 != 0 {
                assert!(!suits(&g));
                continue;
            }
            meets_a_plain_loop(&g, |planes| pulp::Arch::new().dispatch(planes));
            meets_a_plain_loop(&g, |planes| pulp::Scalar.vectorize(planes));
            meets_a_plain_loop(&g, |planes| pulp::Scalar128b.vectorize(planes));
            meets_a_plain_loop(&g, |planes| pulp::Scalar256b.vectorize(planes));
            meets_a_plain_loop(&g, |planes| pulp::Scalar512b.vectorize(planes));
        }
    }
}
