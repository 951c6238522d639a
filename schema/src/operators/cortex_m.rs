//! Operators of namespace `cortex_m`: the int8 kernels over CMSIS-NN that
//! ExecuTorch's Cortex-M backend lowers to.

use super::{Signature, signatures};

/// Sorted by name, byte by byte.
pub(super) const TABLE: &[Signature] = signatures! {
    "cortex_m::dequantize_per_tensor.out"(
        input: Tensor, scale: Double, zero_point: Int, quant_min: Int, quant_max: Int,
        dtype: ScalarType, out: &mut Tensor
    );
    "cortex_m::maximum.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "cortex_m::minimum.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "cortex_m::pad.out"(
        input: Tensor, pre_pad: IntList, post_pad: IntList, pad_value: Int, out: &mut Tensor
    );
    "cortex_m::quantize_per_tensor.out"(
        input: Tensor, scale: Double, zero_point: Int, quant_min: Int, quant_max: Int,
        dtype: ScalarType, out: &mut Tensor
    );
    "cortex_m::quantized_activation.out"(input: Tensor, lut: Tensor, out: &mut Tensor);
    "cortex_m::quantized_add.out"(
        self: Tensor, self_zero_point: Int, self_multiplier: Int, self_shift: Int,
        other: Tensor, other_zero_point: Int, other_multiplier: Int, other_shift: Int,
        output_zero_point: Int, output_multiplier: Int, output_shift: Int,
        activation_min: Int, activation_max: Int, out: &mut Tensor
    );
    "cortex_m::quantized_avg_pool2d.out"(
        input: Tensor, kernel_size: IntList, stride: IntList, padding: IntList,
        ceil_mode: Bool, zero_point: Int, multiplier: Int, shift: Int, scratch: Tensor,
        out: &mut Tensor
    );
    "cortex_m::quantized_avg_pool2d_nhwc.out"(
        input: Tensor, kernel_size: IntList, stride: IntList, padding: IntList,
        ceil_mode: Bool, zero_point: Int, multiplier: Int, shift: Int, scratch: Tensor,
        out: &mut Tensor
    );
    "cortex_m::quantized_batch_matmul.out"(
        lhs: Tensor, lhs_zero_point: Int, rhs_transposed: Tensor, rhs_zero_point: Int,
        output_zero_point: Int, output_multiplier: Int, output_shift: Int, scratch: Tensor,
        out: &mut Tensor
    );
    "cortex_m::quantized_conv2d.out"(
        input: Tensor, weight: Tensor, bias: OptionalTensor, stride: IntList,
        padding: IntList, dilation: IntList, input_offset: Int, output_offset: Int,
        requantize_multipliers: Tensor, requantize_shifts: Tensor, activation_min: Int,
        activation_max: Int, scratch: Tensor, out: &mut Tensor
    );
    "cortex_m::quantized_conv2d_nhwc.out"(
        input: Tensor, weight: Tensor, bias: OptionalTensor, stride: IntList,
        padding: IntList, dilation: IntList, input_offset: Int, output_offset: Int,
        requantize_multipliers: Tensor, requantize_shifts: Tensor, activation_min: Int,
        activation_max: Int, scratch: Tensor, out: &mut Tensor
    );
    "cortex_m::quantized_depthwise_conv2d.out"(
        input: Tensor, weight: Tensor, bias: OptionalTensor, stride: IntList,
        padding: IntList, dilation: IntList, depth_multiplier: Int, input_offset: Int,
        output_offset: Int, requantize_multipliers: Tensor, requantize_shifts: Tensor,
        activation_min: Int, activation_max: Int, scratch: Tensor, out: &mut Tensor
    );
    "cortex_m::quantized_depthwise_conv2d_nhwc.out"(
        input: Tensor, weight: Tensor, bias: OptionalTensor, stride: IntList,
        padding: IntList, dilation: IntList, depth_multiplier: Int, input_offset: Int,
        output_offset: Int, requantize_multipliers: Tensor, requantize_shifts: Tensor,
        activation_min: Int, activation_max: Int, scratch: Tensor, out: &mut Tensor
    );
    "cortex_m::quantized_div.out"(
        self: Tensor, self_zero_point: Int, other: Tensor, other_zero_point: Int,
        output_zero_point: Int, output_scale: Double, out: &mut Tensor
    );
    "cortex_m::quantized_linear.out"(
        input: Tensor, weights: Tensor, bias: OptionalTensor, kernel_sum: OptionalTensor,
        input_offset: Int, filter_offset: Int, output_offset: Int,
        requantize_multipliers: IntList, requantize_shifts: IntList, activation_max: Int,
        activation_min: Int, out: &mut Tensor
    );
    "cortex_m::quantized_max_pool2d.out"(
        input: Tensor, kernel_size: IntList, stride: IntList, padding: IntList,
        dilation: IntList, ceil_mode: Bool, input_zero_point: Int, output_zero_point: Int,
        activation_min: Int, activation_max: Int, out: &mut Tensor
    );
    "cortex_m::quantized_max_pool2d_nhwc.out"(
        input: Tensor, kernel_size: IntList, stride: IntList, padding: IntList,
        dilation: IntList, ceil_mode: Bool, input_zero_point: Int, output_zero_point: Int,
        activation_min: Int, activation_max: Int, out: &mut Tensor
    );
    "cortex_m::quantized_mul.out"(
        self: Tensor, self_zero_point: Int, other: Tensor, other_zero_point: Int,
        output_zero_point: Int, output_multiplier: Int, output_shift: Int, out: &mut Tensor
    );
    "cortex_m::quantized_transpose_conv2d.out"(
        input: Tensor, weight: Tensor, bias: OptionalTensor, stride: IntList,
        padding: IntList, output_padding: IntList, dilation: IntList, input_offset: Int,
        output_offset: Int, requantize_multipliers: Tensor, requantize_shifts: Tensor,
        activation_min: Int, activation_max: Int, scratch: Tensor, output_scratch: Tensor,
        out: &mut Tensor
    );
    "cortex_m::quantized_transpose_conv2d_nhwc.out"(
        input: Tensor, weight: Tensor, bias: OptionalTensor, stride: IntList,
        padding: IntList, output_padding: IntList, dilation: IntList, input_offset: Int,
        output_offset: Int, requantize_multipliers: Tensor, requantize_shifts: Tensor,
        activation_min: Int, activation_max: Int, scratch: Tensor, output_scratch: Tensor,
        out: &mut Tensor
    );
    "cortex_m::softmax.out"(
        input: Tensor, dim: Int, input_zero_point: Int, output_zero_point: Int,
        input_multiplier: Int, input_shift: Int, diff_min: Int, out: &mut Tensor
    );
    "cortex_m::transpose.out"(input: Tensor, perm: IntList, out: &mut Tensor);
};
