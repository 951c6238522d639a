//! Operators of namespace `aten`: the portable kernels, those that only the
//! optimized library has (`linear.out`, `_fft_*`), the custom `allclose`, and
//! the three prim ops that live here because PyTorch names them so
//! (`_local_scalar_dense`, `sym_numel`, `sym_size.int`).

use super::{Signature, signatures};

/// Sorted by name, byte by byte.
pub(super) const TABLE: &[Signature] = signatures! {
    "aten::_adaptive_avg_pool2d.out"(self: Tensor, output_size: IntList, out: &mut Tensor);
    "aten::_cdist_forward.out"(
        x1: Tensor, x2: Tensor, p: Double, compute_mode: OptionalInt, out: &mut Tensor
    );
    "aten::_conj_physical.out"(self: Tensor, out: &mut Tensor);
    "aten::_fft_c2r.out"(
        self: Tensor, dim: IntList, normalization: Int, last_dim_size: Int, out: &mut Tensor
    );
    "aten::_fft_r2c.out"(
        self: Tensor, dim: IntList, normalization: Int, onesided: Bool, out: &mut Tensor
    );
    "aten::_local_scalar_dense"(self: Tensor, out: &mut Any);
    "aten::_log_softmax.out"(self: Tensor, dim: Int, half_to_float: Bool, out: &mut Tensor);
    "aten::_native_batch_norm_legit.no_stats_out"(
        input: Tensor, weight: OptionalTensor, bias: OptionalTensor, training: Bool,
        momentum: Double, eps: Double, out: &mut Tensor, save_mean: &mut Tensor,
        save_invstd: &mut Tensor
    );
    "aten::_native_batch_norm_legit.out"(
        input: Tensor, weight: OptionalTensor, bias: OptionalTensor,
        running_mean: &mut Tensor, running_var: &mut Tensor, training: Bool,
        momentum: Double, eps: Double, out: &mut Tensor, save_mean: &mut Tensor,
        save_invstd: &mut Tensor
    );
    "aten::_native_batch_norm_legit_no_training.out"(
        input: Tensor, weight: OptionalTensor, bias: OptionalTensor, running_mean: Tensor,
        running_var: Tensor, momentum: Double, eps: Double, out0: &mut Tensor,
        out1: &mut Tensor, out2: &mut Tensor
    );
    "aten::_pdist_forward.out"(self: Tensor, p: Double, out: &mut Tensor);
    "aten::_softmax.out"(self: Tensor, dim: Int, half_to_float: Bool, out: &mut Tensor);
    "aten::_to_copy.out"(
        self: Tensor, non_blocking: Bool, memory_format: OptionalMemoryFormat,
        out: &mut Tensor
    );
    "aten::_upsample_bilinear2d_aa.out"(
        self: Tensor, output_size: IntList, align_corners: Bool, scales_h: OptionalDouble,
        scales_w: OptionalDouble, out: &mut Tensor
    );
    "aten::abs.out"(self: Tensor, out: &mut Tensor);
    "aten::acos.out"(self: Tensor, out: &mut Tensor);
    "aten::acosh.out"(self: Tensor, out: &mut Tensor);
    "aten::add.Scalar_out"(self: Tensor, other: Scalar, alpha: Scalar, out: &mut Tensor);
    "aten::add.out"(self: Tensor, other: Tensor, alpha: Scalar, out: &mut Tensor);
    "aten::addmm.out"(
        self: Tensor, mat1: Tensor, mat2: Tensor, beta: Scalar, alpha: Scalar,
        out: &mut Tensor
    );
    "aten::alias_copy.out"(self: Tensor, out: &mut Tensor);
    "aten::allclose.Tensor"(
        self: Tensor, other: Tensor, rtol: Double, atol: Double, equal_nan: Bool,
        dummy_param: Bool, out: &mut Tensor
    );
    "aten::allclose.out"(
        self: Tensor, other: Tensor, rtol: Double, atol: Double, equal_nan: Bool,
        dummy_param: Bool, out: &mut Tensor
    );
    "aten::amax.out"(self: Tensor, dim: IntList, keepdim: Bool, out: &mut Tensor);
    "aten::amin.out"(self: Tensor, dim: IntList, keepdim: Bool, out: &mut Tensor);
    "aten::any.all_out"(self: Tensor, out: &mut Tensor);
    "aten::any.dims_out"(self: Tensor, dim: OptionalIntList, keepdim: Bool, out: &mut Tensor);
    "aten::any.out"(self: Tensor, dim: Int, keepdim: Bool, out: &mut Tensor);
    "aten::arange.out"(end: Scalar, out: &mut Tensor);
    "aten::arange.start_out"(start: Scalar, end: Scalar, step: Scalar, out: &mut Tensor);
    "aten::argmax.out"(self: Tensor, dim: OptionalInt, keepdim: Bool, out: &mut Tensor);
    "aten::argmin.out"(self: Tensor, dim: OptionalInt, keepdim: Bool, out: &mut Tensor);
    "aten::as_strided_copy.out"(
        self: Tensor, size: IntList, stride: IntList, storage_offset: OptionalInt,
        out: &mut Tensor
    );
    "aten::asin.out"(self: Tensor, out: &mut Tensor);
    "aten::asinh.out"(self: Tensor, out: &mut Tensor);
    "aten::atan.out"(self: Tensor, out: &mut Tensor);
    "aten::atan2.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::atanh.out"(self: Tensor, out: &mut Tensor);
    "aten::avg_pool2d.out"(
        self: Tensor, kernel_size: IntList, stride: IntList, padding: IntList,
        ceil_mode: Bool, count_include_pad: Bool, divisor_override: OptionalInt,
        out: &mut Tensor
    );
    "aten::bitwise_and.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::bitwise_and.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::bitwise_left_shift.Tensor_Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::bitwise_left_shift.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::bitwise_not.out"(self: Tensor, out: &mut Tensor);
    "aten::bitwise_or.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::bitwise_or.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::bitwise_right_shift.Tensor_Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::bitwise_right_shift.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::bitwise_xor.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::bitwise_xor.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::bmm.out"(self: Tensor, mat2: Tensor, out: &mut Tensor);
    "aten::cat.out"(tensors: TensorList, dim: Int, out: &mut Tensor);
    "aten::ceil.out"(self: Tensor, out: &mut Tensor);
    "aten::clamp.Tensor_out"(
        self: Tensor, min: OptionalTensor, max: OptionalTensor, out: &mut Tensor
    );
    "aten::clamp.out"(self: Tensor, min: OptionalScalar, max: OptionalScalar, out: &mut Tensor);
    "aten::clone.out"(self: Tensor, memory_format: OptionalMemoryFormat, out: &mut Tensor);
    "aten::constant_pad_nd.out"(self: Tensor, pad: IntList, value: Scalar, out: &mut Tensor);
    "aten::convolution.out"(
        input: Tensor, weight: Tensor, bias: OptionalTensor, stride: IntList,
        padding: IntList, dilation: IntList, transposed: Bool, output_padding: IntList,
        groups: Int, out: &mut Tensor
    );
    "aten::convolution_backward.out"(
        grad_output: Tensor, input: Tensor, weight: Tensor, bias_sizes: OptionalIntList,
        stride: IntList, padding: IntList, dilation: IntList, transposed: Bool,
        output_padding: IntList, groups: Int, output_mask: BoolList, out0: &mut Tensor,
        out1: &mut Tensor, out2: &mut Tensor
    );
    "aten::copy.out"(self: Tensor, src: Tensor, non_blocking: Bool, out: &mut Tensor);
    "aten::copy_"(self: &mut Tensor, src: Tensor, non_blocking: Bool);
    "aten::cos.out"(self: Tensor, out: &mut Tensor);
    "aten::cosh.out"(self: Tensor, out: &mut Tensor);
    "aten::cumsum.out"(self: Tensor, dim: Int, dtype: OptionalScalarType, out: &mut Tensor);
    "aten::detach_copy.out"(self: Tensor, out: &mut Tensor);
    "aten::diagonal_copy.out"(self: Tensor, offset: Int, dim1: Int, dim2: Int, out: &mut Tensor);
    "aten::div.Scalar_mode_out"(
        self: Tensor, other: Scalar, rounding_mode: OptionalString, out: &mut Tensor
    );
    "aten::div.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::div.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::div.out_mode"(
        self: Tensor, other: Tensor, rounding_mode: OptionalString, out: &mut Tensor
    );
    "aten::elu.out"(
        self: Tensor, alpha: Scalar, scale: Scalar, input_scale: Scalar, out: &mut Tensor
    );
    "aten::embedding.out"(
        weight: Tensor, indices: Tensor, padding_idx: Int, scale_grad_by_freq: Bool,
        sparse: Bool, out: &mut Tensor
    );
    "aten::empty.out"(size: IntList, memory_format: OptionalMemoryFormat, out: &mut Tensor);
    "aten::eq.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::eq.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::erf.out"(self: Tensor, out: &mut Tensor);
    "aten::exp.out"(self: Tensor, out: &mut Tensor);
    "aten::expand_copy.out"(self: Tensor, size: IntList, implicit: Bool, out: &mut Tensor);
    "aten::expm1.out"(self: Tensor, out: &mut Tensor);
    "aten::fill.Scalar_out"(self: Tensor, value: Scalar, out: &mut Tensor);
    "aten::fill.Tensor_out"(self: Tensor, value: Tensor, out: &mut Tensor);
    "aten::flip.out"(self: Tensor, dims: IntList, out: &mut Tensor);
    "aten::floor.out"(self: Tensor, out: &mut Tensor);
    "aten::floor_divide.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::fmod.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::fmod.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::full.out"(size: IntList, fill_value: Scalar, out: &mut Tensor);
    "aten::full_like.out"(
        self: Tensor, fill_value: Scalar, memory_format: OptionalMemoryFormat,
        out: &mut Tensor
    );
    "aten::gather.out"(self: Tensor, dim: Int, index: Tensor, sparse_grad: Bool, out: &mut Tensor);
    "aten::ge.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::ge.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::gelu.out"(self: Tensor, approximate: String, out: &mut Tensor);
    "aten::glu.out"(self: Tensor, dim: Int, out: &mut Tensor);
    "aten::grid_sampler_2d.out"(
        input: Tensor, grid: Tensor, interpolation_mode: Int, padding_mode: Int,
        align_corners: Bool, out: &mut Tensor
    );
    "aten::gt.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::gt.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::hardtanh.out"(self: Tensor, min_val: Scalar, max_val: Scalar, out: &mut Tensor);
    "aten::index.Tensor_out"(self: Tensor, indices: OptionalTensorList, out: &mut Tensor);
    "aten::index_put.out"(
        self: Tensor, indices: OptionalTensorList, values: Tensor, accumulate: Bool,
        out: &mut Tensor
    );
    "aten::index_put_"(
        self: &mut Tensor, indices: OptionalTensorList, values: Tensor, accumulate: Bool
    );
    "aten::index_select.out"(self: Tensor, dim: Int, index: Tensor, out: &mut Tensor);
    "aten::isinf.out"(self: Tensor, out: &mut Tensor);
    "aten::isnan.out"(self: Tensor, out: &mut Tensor);
    "aten::le.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::le.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::leaky_relu.out"(self: Tensor, negative_slope: Scalar, out: &mut Tensor);
    "aten::lift_fresh_copy.out"(self: Tensor, out: &mut Tensor);
    "aten::linear.out"(input: Tensor, weight: Tensor, bias: OptionalTensor, out: &mut Tensor);
    "aten::log.out"(self: Tensor, out: &mut Tensor);
    "aten::log10.out"(self: Tensor, out: &mut Tensor);
    "aten::log1p.out"(self: Tensor, out: &mut Tensor);
    "aten::log2.out"(self: Tensor, out: &mut Tensor);
    "aten::logical_and.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::logical_not.out"(self: Tensor, out: &mut Tensor);
    "aten::logical_or.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::logical_xor.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::logit.out"(self: Tensor, eps: OptionalDouble, out: &mut Tensor);
    "aten::lt.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::lt.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::masked_fill.Scalar_out"(self: Tensor, mask: Tensor, value: Scalar, out: &mut Tensor);
    "aten::masked_scatter.out"(self: Tensor, mask: Tensor, source: Tensor, out: &mut Tensor);
    "aten::masked_select.out"(self: Tensor, mask: Tensor, out: &mut Tensor);
    "aten::max.dim_max"(
        self: Tensor, dim: Int, keepdim: Bool, max: &mut Tensor, max_values: &mut Tensor
    );
    "aten::max.unary_out"(self: Tensor, out: &mut Tensor);
    "aten::max_pool2d_with_indices.out"(
        self: Tensor, kernel_size: IntList, stride: IntList, padding: IntList,
        dilation: IntList, ceil_mode: Bool, out: &mut Tensor, indices: &mut Tensor
    );
    "aten::max_pool2d_with_indices_backward.grad_input"(
        grad_output: Tensor, self: Tensor, kernel_size: IntList, stride: IntList,
        padding: IntList, dilation: IntList, ceil_mode: Bool, indices: Tensor,
        grad_input: &mut Tensor
    );
    "aten::maximum.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::mean.dtype_out"(self: Tensor, dtype: OptionalScalarType, out: &mut Tensor);
    "aten::mean.out"(
        self: Tensor, dim: OptionalIntList, keepdim: Bool, dtype: OptionalScalarType,
        out: &mut Tensor
    );
    "aten::min.dim_min"(
        self: Tensor, dim: Int, keepdim: Bool, min: &mut Tensor, min_indices: &mut Tensor
    );
    "aten::min.unary_out"(self: Tensor, out: &mut Tensor);
    "aten::minimum.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::mm.out"(self: Tensor, mat2: Tensor, out: &mut Tensor);
    "aten::mul.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::mul.out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::narrow_copy.out"(self: Tensor, dim: Int, start: Int, length: Int, out: &mut Tensor);
    "aten::native_dropout.out"(
        input: Tensor, p: Double, train: OptionalBool, out0: &mut Tensor, out1: &mut Tensor
    );
    "aten::native_group_norm.out"(
        input: Tensor, weight: OptionalTensor, bias: OptionalTensor, N: Int, C: Int,
        HxW: Int, group: Int, eps: Double, out0: &mut Tensor, out1: &mut Tensor,
        out2: &mut Tensor
    );
    "aten::native_layer_norm.out"(
        input: Tensor, normalized_shape: IntList, weight: OptionalTensor,
        bias: OptionalTensor, eps: Double, out0: &mut Tensor, out1: &mut Tensor,
        out2: &mut Tensor
    );
    "aten::ne.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::ne.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::neg.out"(self: Tensor, out: &mut Tensor);
    "aten::nonzero.out"(self: Tensor, out: &mut Tensor);
    "aten::ones.out"(size: IntList, out: &mut Tensor);
    "aten::permute_copy.out"(self: Tensor, dims: IntList, out: &mut Tensor);
    "aten::pixel_shuffle.out"(self: Tensor, upscale_factor: Int, out: &mut Tensor);
    "aten::pixel_unshuffle.out"(self: Tensor, downscale_factor: Int, out: &mut Tensor);
    "aten::pow.Scalar_out"(self: Scalar, exponent: Tensor, out: &mut Tensor);
    "aten::pow.Tensor_Scalar_out"(self: Tensor, exponent: Scalar, out: &mut Tensor);
    "aten::pow.Tensor_Tensor_out"(self: Tensor, exponent: Tensor, out: &mut Tensor);
    "aten::prod.int_out"(
        self: Tensor, dim: Int, keepdim: Bool, dtype: OptionalScalarType, out: &mut Tensor
    );
    "aten::prod.out"(self: Tensor, dtype: OptionalScalarType, out: &mut Tensor);
    "aten::rand.out"(size: IntList, out: &mut Tensor);
    "aten::randn.out"(size: IntList, out: &mut Tensor);
    "aten::reciprocal.out"(self: Tensor, out: &mut Tensor);
    "aten::reflection_pad1d.out"(self: Tensor, padding: IntList, out: &mut Tensor);
    "aten::reflection_pad2d.out"(self: Tensor, padding: IntList, out: &mut Tensor);
    "aten::reflection_pad3d.out"(self: Tensor, padding: IntList, out: &mut Tensor);
    "aten::relu.out"(self: Tensor, out: &mut Tensor);
    "aten::remainder.Scalar_out"(self: Tensor, other: Scalar, out: &mut Tensor);
    "aten::remainder.Tensor_out"(self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::repeat.out"(self: Tensor, repeats: IntList, out: &mut Tensor);
    "aten::repeat_interleave.Tensor_out"(
        repeats: Tensor, output_size: OptionalInt, out: &mut Tensor
    );
    "aten::replication_pad1d.out"(self: Tensor, padding: IntList, out: &mut Tensor);
    "aten::replication_pad2d.out"(self: Tensor, padding: IntList, out: &mut Tensor);
    "aten::replication_pad3d.out"(self: Tensor, padding: IntList, out: &mut Tensor);
    "aten::roll.out"(self: Tensor, shifts: IntList, dims: IntList, out: &mut Tensor);
    "aten::round.out"(self: Tensor, out: &mut Tensor);
    "aten::rsqrt.out"(self: Tensor, out: &mut Tensor);
    "aten::rsub.Scalar_out"(self: Tensor, other: Scalar, alpha: Scalar, out: &mut Tensor);
    "aten::scalar_tensor.out"(s: Scalar, out: &mut Tensor);
    "aten::scatter.src_out"(self: Tensor, dim: Int, index: Tensor, src: Tensor, out: &mut Tensor);
    "aten::scatter.value_out"(
        self: Tensor, dim: Int, index: Tensor, value: Scalar, out: &mut Tensor
    );
    "aten::scatter_add.out"(self: Tensor, dim: Int, index: Tensor, src: Tensor, out: &mut Tensor);
    "aten::select_copy.int_out"(self: Tensor, dim: Int, index: Int, out: &mut Tensor);
    "aten::select_scatter.out"(self: Tensor, src: Tensor, dim: Int, index: Int, out: &mut Tensor);
    "aten::sigmoid.out"(self: Tensor, out: &mut Tensor);
    "aten::sign.out"(self: Tensor, out: &mut Tensor);
    "aten::sin.out"(self: Tensor, out: &mut Tensor);
    "aten::sinh.out"(self: Tensor, out: &mut Tensor);
    "aten::slice_copy.Tensor_out"(
        self: Tensor, dim: Int, start: OptionalInt, end: OptionalInt, step: Int,
        out: &mut Tensor
    );
    "aten::slice_scatter.out"(
        self: Tensor, src: Tensor, dim: Int, start: OptionalInt, end: OptionalInt,
        step: Int, out: &mut Tensor
    );
    "aten::split_copy.Tensor_out"(self: Tensor, split_size: Int, dim: Int, out: &mut TensorList);
    "aten::split_with_sizes_copy.out"(
        self: Tensor, split_sizes: IntList, dim: Int, out: &mut TensorList
    );
    "aten::sqrt.out"(self: Tensor, out: &mut Tensor);
    "aten::squeeze_copy.dim_out"(self: Tensor, dim: Int, out: &mut Tensor);
    "aten::squeeze_copy.dims_out"(self: Tensor, dim: IntList, out: &mut Tensor);
    "aten::stack.out"(tensors: TensorList, dim: Int, out: &mut Tensor);
    "aten::sub.Scalar_out"(self: Tensor, other: Scalar, alpha: Scalar, out: &mut Tensor);
    "aten::sub.out"(self: Tensor, other: Tensor, alpha: Scalar, out: &mut Tensor);
    "aten::sum.IntList_out"(
        self: Tensor, dim: OptionalIntList, keepdim: Bool, dtype: OptionalScalarType,
        out: &mut Tensor
    );
    "aten::sym_numel"(self: Tensor, out: &mut Any);
    "aten::sym_size.int"(self: Tensor, dim: Int, out: &mut Any);
    "aten::t_copy.out"(self: Tensor, out: &mut Tensor);
    "aten::tan.out"(self: Tensor, out: &mut Tensor);
    "aten::tanh.out"(self: Tensor, out: &mut Tensor);
    "aten::topk.values"(
        self: Tensor, k: Int, dim: Int, largest: Bool, sorted: Bool, values: &mut Tensor,
        indices: &mut Tensor
    );
    "aten::transpose_copy.int_out"(self: Tensor, dim0: Int, dim1: Int, out: &mut Tensor);
    "aten::tril.out"(self: Tensor, diagonal: Int, out: &mut Tensor);
    "aten::trunc.out"(self: Tensor, out: &mut Tensor);
    "aten::unbind_copy.int_out"(self: Tensor, dim: Int, out: &mut TensorList);
    "aten::unfold_copy.out"(self: Tensor, dimension: Int, size: Int, step: Int, out: &mut Tensor);
    "aten::unsqueeze_copy.out"(self: Tensor, dim: Int, out: &mut Tensor);
    "aten::upsample_bilinear2d.vec_out"(
        input: Tensor, output_size: OptionalIntList, align_corners: Bool,
        scale_factors: OptionalDoubleList, out: &mut Tensor
    );
    "aten::upsample_nearest2d.vec_out"(
        input: Tensor, output_size: OptionalIntList, scale_factors: OptionalDoubleList,
        out: &mut Tensor
    );
    "aten::var.correction_out"(
        self: Tensor, dim: OptionalIntList, correction: OptionalScalar, keepdim: Bool,
        out: &mut Tensor
    );
    "aten::var.out"(
        self: Tensor, dim: OptionalIntList, unbiased: Bool, keepdim: Bool, out: &mut Tensor
    );
    "aten::var_mean.correction_out"(
        self: Tensor, dim: OptionalIntList, correction: OptionalScalar, keepdim: Bool,
        out0: &mut Tensor, out1: &mut Tensor
    );
    "aten::view_as_real_copy.out"(self: Tensor, out: &mut Tensor);
    "aten::view_copy.out"(self: Tensor, size: IntList, out: &mut Tensor);
    "aten::where.self_out"(condition: Tensor, self: Tensor, other: Tensor, out: &mut Tensor);
    "aten::zeros.out"(size: IntList, out: &mut Tensor);
};
