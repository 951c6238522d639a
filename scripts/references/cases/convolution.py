"""Convolution, forward and backward."""
import itertools

import torch

from ..corpus import Operator, Out
from .data import ALL, FLOATS, last, seed, x

F32 = torch.float32


def convolution():
    op = Operator("aten::convolution.out")
    seed(op.name)

    def conv(sizes, weight, stride, padding, dilation, transposed, extra, groups, *, dtype=F32, bias=True, hint="", **kw):
        channels = weight[1] * groups if transposed else weight[0]
        b = x(dtype, channels) if bias else None
        op(x(dtype, *sizes), x(dtype, *weight), b, stride, padding, dilation, transposed, extra, groups, hint=hint, **kw)

    # 1d
    for stride, padding, dilation, bias in itertools.product([1, 2, 3], [0, 1, 2], [1, 2], [True, False]):
        conv([2, 3, 9], [4, 3, 3], [stride], [padding], [dilation], False, [0], 1, bias=bias, hint="1d")
    for groups in (2, 4):
        conv([1, 4, 7], [8, 4 // groups, 3], [1], [1], [1], False, [0], groups, hint=f"1d_groups{groups}")
    conv([1, 3, 5], [2, 3, 1], [1], [0], [1], False, [0], 1, hint="1d_kernel1")
    conv([1, 1, 5], [1, 1, 5], [1], [4], [1], False, [0], 1, hint="1d_wide_padding")
    # 2d
    variants = [([1, 1], [0, 0], [1, 1]), ([2, 2], [1, 1], [1, 1]), ([2, 1], [1, 0], [1, 2]), ([1, 3], [2, 1], [2, 1])]
    for (stride, padding, dilation), bias, groups in itertools.product(variants, [True, False], [1, 2, 4]):
        hint = f"2d_groups{groups}"
        conv([2, 4, 7, 6], [8, 4 // groups, 3, 2], stride, padding, dilation, False, [0, 0], groups, bias=bias, hint=hint)
    conv([1, 4, 6, 6], [4, 1, 3, 3], [1, 1], [1, 1], [1, 1], False, [0, 0], 4, hint="depthwise")
    conv([1, 4, 6, 6], [8, 1, 3, 3], [2, 2], [1, 1], [1, 1], False, [0, 0], 4, hint="depthwise_multiplier2")
    conv([1, 4, 5, 5], [6, 4, 1, 1], [1, 1], [0, 0], [1, 1], False, [0, 0], 1, hint="pointwise")
    conv([1, 4, 5, 5], [6, 4, 1, 1], [2, 2], [0, 0], [1, 1], False, [0, 0], 1, hint="pointwise_stride2")
    conv([1, 2, 5, 5], [3, 2, 3, 3], [1], [1], [1], False, [0], 1, hint="one_number_for_two_dims")
    conv([1, 2, 4, 4], [3, 2, 5, 5], [1, 1], [2, 2], [1, 1], False, [0, 0], 1, hint="kernel_over_input")
    conv([1, 3, 8, 8], [5, 3, 3, 3], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, hint="bound", bound=[2, 5, 8, 8])
    # transposed
    variants = [([1, 1], [0, 0], [1, 1], [0, 0]), ([2, 2], [1, 1], [1, 1], [1, 1]), ([2, 1], [0, 1], [1, 2], [0, 0]),
                ([3, 2], [1, 0], [2, 1], [2, 1])]  # fmt: skip
    for (stride, padding, dilation, extra), bias, groups in itertools.product(variants, [True, False], [1, 2]):
        hint = f"transposed_groups{groups}"
        conv([1, 4, 4, 5], [4, 6 // groups, 3, 2], stride, padding, dilation, True, extra, groups, bias=bias, hint=hint)
    for stride, extra in ((1, 0), (2, 1), (3, 2)):
        conv([2, 3, 5], [3, 4, 3], [stride], [1], [1], True, [extra], 1, hint="transposed_1d")
    conv([1, 4, 3, 3], [4, 1, 2, 2], [2, 2], [0, 0], [1, 1], True, [0, 0], 4, hint="transposed_depthwise")
    # types
    for dtype in ALL:
        bias = x(dtype, 4)
        op(x(dtype, 1, 2, 4, 4), x(dtype, 4, 2, 3, 3), bias, [1, 1], [1, 1], [1, 1], False, [0, 0], 1,
           out=Out(dtype, [1, 4, 4, 4]), hint="2d")  # fmt: skip
    for dtype in FLOATS[1:]:
        conv([2, 3, 6], [4, 3, 3], [2], [1], [1], False, [0], 1, dtype=dtype, hint="1d")
        conv([1, 2, 3, 3], [2, 3, 3, 3], [2, 2], [1, 1], [1, 1], True, [1, 1], 1, dtype=dtype, hint="transposed")
    op(x(F32, 1, 2, 4, 4), x(torch.float16, 3, 2, 3, 3), None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
       out=Out(F32, [1, 3, 2, 2]), hint="mixed_types")  # fmt: skip
    op(x(F32, 1, 2, 4, 4), x(F32, 3, 2, 3, 3), x(torch.float64, 3), [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
       out=Out(F32, [1, 3, 2, 2]), hint="mixed_bias")  # fmt: skip
    # channels last
    for groups, stride in itertools.product([1, 2, 4], [1, 2]):
        i, w = last(x(F32, 2, 4, 6, 5)), last(x(F32, 8, 4 // groups, 3, 3))
        rest = ([stride, stride], [1, 1], [1, 1], False, [0, 0], groups)
        op(i, w, x(F32, 8), *rest, hint=f"channels_last_groups{groups}")
    i, w = last(x(F32, 1, 4, 5, 5)), x(F32, 3, 4, 3, 3)
    rest = (None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    op(i, w, *rest, out=Out(F32, [1, 3, 3, 3], (0, 2, 3, 1)), hint="channels_last_plain_weight")
    op(i, w, *rest, out=Out(F32, [1, 3, 3, 3]), hint="channels_last_in_plain_out")
    op(i.contiguous(), w, *rest, out=Out(F32, [1, 3, 3, 3], (0, 2, 3, 1)), hint="plain_in_channels_last_out")
    op(last(x(F32, 1, 4, 3, 3)), last(x(F32, 4, 2, 3, 3)), None, [2, 2], [1, 1], [1, 1], True, [1, 1], 1,
       hint="channels_last_transposed")  # fmt: skip
    # refused or odd
    conv([1, 2, 4, 4, 4], [3, 2, 3, 3, 3], [1, 1, 1], [0, 0, 0], [1, 1, 1], False, [0, 0, 0], 1, hint="3d")
    conv([2, 4, 4], [3, 2, 3, 3], [1, 1], [0, 0], [1, 1], False, [0, 0], 1, hint="no_batch")
    conv([1, 3, 4, 4], [4, 2, 3, 3], [1, 1], [0, 0], [1, 1], False, [0, 0], 1, hint="channels_differ")
    conv([1, 3, 4, 4], [4, 3, 3, 3], [0, 1], [0, 0], [1, 1], False, [0, 0], 1, hint="stride0")
    conv([1, 3, 2, 2], [4, 3, 3, 3], [1, 1], [0, 0], [1, 1], False, [0, 0], 1, hint="kernel_too_big")
    conv([1, 3, 4, 4], [4, 3, 3, 3], [1, 1], [0, 0], [0, 1], False, [0, 0], 1, hint="dilation0")
    conv([1, 3, 4, 4], [4, 3, 3, 3], [1, 1], [-1, 0], [1, 1], False, [0, 0], 1, hint="negative_padding")
    conv([1, 3, 4, 4], [4, 3, 3, 3], [1, 1], [0, 0], [1, 1], False, [0, 0], 0, hint="groups0")
    conv([0, 3, 4, 4], [4, 3, 3, 3], [1, 1], [0, 0], [1, 1], False, [0, 0], 1, hint="empty_batch")
    op(x(F32, 1, 2, 4, 4), x(F32, 3, 2, 3, 3), x(F32, 2), [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
       out=Out(F32, [1, 3, 2, 2]), hint="bias_too_short")  # fmt: skip
    op(x(F32, 1, 2, 4, 4), x(F32, 3, 2, 3, 3), None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
       out=Out(F32, [1, 3, 4, 4]), hint="wrong_out_shape")  # fmt: skip
    op(x(F32, 1, 2, 4, 4), x(F32, 3, 2, 3, 3), None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
       out=Out(torch.float64, [1, 3, 2, 2]), hint="wrong_out_type")  # fmt: skip
    return op


def convolution_backward():
    op = Operator("aten::convolution_backward.out")
    seed(op.name)

    def back(sizes, weight, stride, padding, dilation, groups, *, dtype=F32, mask=(True, True, True), order=None, hint=""):
        i, w = x(dtype, *sizes), x(dtype, *weight)
        functional = torch.nn.functional.conv2d if len(sizes) == 4 else torch.nn.functional.conv1d
        shape = functional(i.float(), w.float(), None, stride, padding, dilation, groups).shape
        grad = x(dtype, *shape)
        if order:
            i, w, grad = last(i), last(w), last(grad)
        outs = [Out(dtype, sizes), Out(dtype, weight), Out(dtype, [weight[0]])]
        if order:
            outs = [Out(dtype, sizes, order), Out(dtype, weight, order), Out(dtype, [weight[0]])]
        zeros = [0] * len(stride)
        op(grad, i, w, [weight[0]], stride, padding, dilation, False, zeros, groups, list(mask), out=outs, hint=hint)

    for dtype in ALL:
        if dtype.is_floating_point:
            back([1, 2, 5, 5], [4, 2, 3, 3], [1, 1], [1, 1], [1, 1], 1, dtype=dtype)
    back([2, 4, 6, 5], [4, 2, 3, 3], [2, 1], [1, 0], [1, 1], 2, hint="groups")
    back([1, 3, 6, 6], [3, 1, 2, 2], [1, 1], [0, 0], [2, 2], 3, hint="depthwise_dilated")
    back([2, 3, 7], [4, 3, 3], [2], [1], [1], 1, hint="1d")
    back([1, 2, 5, 5], [4, 2, 3, 3], [1, 1], [1, 1], [1, 1], 1, order=(0, 2, 3, 1), hint="channels_last")
    for mask in ((True, False, False), (False, True, False), (False, False, True), (False, False, False)):
        back([1, 2, 4, 4], [3, 2, 3, 3], [1, 1], [0, 0], [1, 1], 1, mask=mask, hint="mask")
    i, w, g = x(F32, 1, 2, 3, 3), x(F32, 2, 3, 2, 2), x(F32, 1, 3, 4, 4)
    outs = [Out(F32, [1, 2, 3, 3]), Out(F32, [2, 3, 2, 2]), Out(F32, [3])]
    op(g, i, w, [3], [1, 1], [0, 0], [1, 1], True, [0, 0], 1, [True, True, True], out=outs, hint="transposed")
    return op


OPERATORS = [convolution, convolution_backward]
