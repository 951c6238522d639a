//! Operators of namespace `quantized_decomposed`: quantize and dequantize,
//! and the kernels over quantized weights.

use super::{Signature, signatures};

/// Sorted by name, byte by byte.
pub(super) const TABLE: &[Signature] = signatures! {
    "quantized_decomposed::add.out"(
        a: Tensor, a_scale: Double, a_zero_point: Int, a_quant_min: Int, a_quant_max: Int,
        b: Tensor, b_scale: Double, b_zero_point: Int, b_quant_min: Int, b_quant_max: Int,
        out_scale: Double, out_zero_point: Int, out_quant_min: Int, out_quant_max: Int,
        out: &mut Tensor
    );
    "quantized_decomposed::choose_qparams.Tensor_out"(
        input: Tensor, quant_min: Int, quant_max: Int, eps: Double, dtype: ScalarType,
        scale_out: &mut Tensor, zero_point_out: &mut Tensor
    );
    "quantized_decomposed::choose_qparams_per_token_asymmetric.out"(
        input: Tensor, dtype: ScalarType, scale_out: &mut Tensor,
        zero_point_out: &mut Tensor
    );
    "quantized_decomposed::dequantize_per_channel.out"(
        input: Tensor, scales: Tensor, zero_points: OptionalTensor, axis: Int,
        quant_min: Int, quant_max: Int, dtype: ScalarType, out_dtype: OptionalScalarType,
        out: &mut Tensor
    );
    "quantized_decomposed::dequantize_per_tensor.Tensor_out"(
        input: Tensor, scale: Tensor, zero_point: Tensor, quant_min: Int, quant_max: Int,
        dtype: ScalarType, out_dtype: OptionalScalarType, out: &mut Tensor
    );
    "quantized_decomposed::dequantize_per_tensor.out"(
        input: Tensor, scale: Double, zero_point: Int, quant_min: Int, quant_max: Int,
        dtype: ScalarType, out_dtype: OptionalScalarType, out: &mut Tensor
    );
    "quantized_decomposed::dequantize_per_token.out"(
        input: Tensor, scales: Tensor, zero_points: Tensor, quant_min: Int, quant_max: Int,
        dtype: ScalarType, output_dtype: ScalarType, out: &mut Tensor
    );
    "quantized_decomposed::embedding_2bit.dtype_out"(
        weight: Tensor, weight_scales: Tensor, weight_zero_points: OptionalTensor,
        weight_quant_min: Int, weight_quant_max: Int, indices: Tensor,
        dtype: OptionalScalarType, out: &mut Tensor
    );
    "quantized_decomposed::embedding_2bit.out"(
        weight: Tensor, weight_scales: Tensor, weight_zero_points: OptionalTensor,
        weight_quant_min: Int, weight_quant_max: Int, indices: Tensor, out: &mut Tensor
    );
    "quantized_decomposed::embedding_4bit.dtype_out"(
        weight: Tensor, weight_scales: Tensor, weight_zero_points: OptionalTensor,
        weight_quant_min: Int, weight_quant_max: Int, indices: Tensor,
        dtype: OptionalScalarType, out: &mut Tensor
    );
    "quantized_decomposed::embedding_4bit.out"(
        weight: Tensor, weight_scales: Tensor, weight_zero_points: OptionalTensor,
        weight_quant_min: Int, weight_quant_max: Int, indices: Tensor, out: &mut Tensor
    );
    "quantized_decomposed::embedding_byte.dtype_out"(
        weight: Tensor, weight_scales: Tensor, weight_zero_points: OptionalTensor,
        weight_quant_min: Int, weight_quant_max: Int, indices: Tensor,
        dtype: OptionalScalarType, out: &mut Tensor
    );
    "quantized_decomposed::embedding_byte.out"(
        weight: Tensor, weight_scales: Tensor, weight_zero_points: OptionalTensor,
        weight_quant_min: Int, weight_quant_max: Int, indices: Tensor, out: &mut Tensor
    );
    "quantized_decomposed::mixed_linear.out"(
        input: Tensor, weight: Tensor, weight_scales: Tensor,
        weight_zero_points: OptionalTensor, dtype: OptionalScalarType, out: &mut Tensor
    );
    "quantized_decomposed::mixed_mm.out"(
        input: Tensor, weight: Tensor, weight_scales: Tensor,
        weight_zero_points: OptionalTensor, out: &mut Tensor
    );
    "quantized_decomposed::quantize_per_channel.out"(
        input: Tensor, scales: Tensor, zero_points: Tensor, axis: Int, quant_min: Int,
        quant_max: Int, dtype: ScalarType, out: &mut Tensor
    );
    "quantized_decomposed::quantize_per_tensor.Tensor_out"(
        input: Tensor, scale: Tensor, zero_point: Tensor, quant_min: Int, quant_max: Int,
        dtype: ScalarType, out: &mut Tensor
    );
    "quantized_decomposed::quantize_per_tensor.out"(
        input: Tensor, scale: Double, zero_point: Int, quant_min: Int, quant_max: Int,
        dtype: ScalarType, out: &mut Tensor
    );
    "quantized_decomposed::quantize_per_token.out"(
        input: Tensor, scales: Tensor, zero_points: Tensor, quant_min: Int, quant_max: Int,
        dtype: ScalarType, out: &mut Tensor
    );
};
