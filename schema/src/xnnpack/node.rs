//! Nodes: operations on values.

use crate::generated::xnnpack_generated::xnnpack_flatbuffer as fb;
use flatbuffers::Vector;

/// A node of the graph.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    node: fb::Node<'a>,
}

/// Operators of one input, element by element unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum UnaryOperator {
    Abs,
    Ceiling,
    Clamp,
    /// To the element type of the output.
    Convert,
    Copy,
    Cos,
    /// With a parameter: [`Operation::Unary::parameter`].
    Elu,
    Exp,
    Floor,
    Gelu,
    /// Mean over height and width of `[n, h, w, c]`.
    GlobalAvgPooling2d,
    Hardswish,
    /// With the slope as parameter.
    LeakyRelu,
    Log,
    Negate,
    ReciprocalSquareRoot,
    Sigmoid,
    Sin,
    /// Over the last dimension.
    Softmax,
    Square,
    SquareRoot,
    Tanh,
}

/// Operators of two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOperator {
    Add,
    BatchMatrixMultiply,
    Divide,
    Maximum,
    Minimum,
    Multiply,
    /// The second input is the slope of negative numbers.
    PRelu,
    Subtract,
}

/// Which convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvolutionKind {
    /// Filter `[output channels, height, width, input channels of a group]`.
    Plain,
    /// Filter `[1, height, width, output channels]`.
    Depthwise,
    /// Filter as for the plain one; the input is spread by the stride.
    Transposed,
}

/// A convolution of `[n, h, w, c]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Which.
    pub kind: ConvolutionKind,
    /// Padding: top, right, bottom, left.
    pub padding: [u32; 4],
    /// Kernel: height, width.
    pub kernel: [u32; 2],
    /// Stride: height, width.
    pub stride: [u32; 2],
    /// Dilation: height, width.
    pub dilation: [u32; 2],
    /// Input channels of a group.
    pub group_inputs: u32,
    /// Output channels of a group.
    pub group_outputs: u32,
    /// Groups.
    pub groups: u32,
    /// What a transposed convolution adds to its output: height, width.
    pub adjustment: [u32; 2],
    /// Value id of the input.
    pub input: u32,
    /// Value id of the filter.
    pub filter: u32,
    /// Value id of the bias, or [`NO_VALUE`](super::NO_VALUE).
    pub bias: u32,
    /// Value id of the output.
    pub output: u32,
    /// [`flags`](super::flags).
    pub flags: u32,
}

/// Which pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolingKind {
    /// Mean of the elements that are not padding.
    Average,
    /// Largest.
    Max,
}

/// A pooling of `[n, h, w, c]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// Which.
    pub kind: PoolingKind,
    /// Padding: top, right, bottom, left.
    pub padding: [u32; 4],
    /// Kernel: height, width.
    pub kernel: [u32; 2],
    /// Stride: height, width.
    pub stride: [u32; 2],
    /// Dilation: height, width.
    pub dilation: [u32; 2],
    /// Value id of the input.
    pub input: u32,
    /// Value id of the output.
    pub output: u32,
    /// [`flags`](super::flags).
    pub flags: u32,
}

/// What a node does. Numbers in `input`, `output` and the like are value ids.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are XNNPACK's own parameters")]
pub enum Operation<'a> {
    Unary {
        operator: UnaryOperator,
        input: u32,
        output: u32,
        parameter: f32,
    },
    Binary {
        operator: BinaryOperator,
        inputs: [u32; 2],
        output: u32,
        flags: u32,
    },
    FullyConnected {
        input: u32,
        filter: u32,
        bias: u32,
        output: u32,
        flags: u32,
    },
    Convolution(Convolution),
    Pooling(Pooling),
    /// Along `axis`; only the first `count` inputs count.
    Concatenate {
        axis: i32,
        inputs: [u32; 5],
        count: usize,
        output: u32,
    },
    Transpose {
        permutation: Vector<'a, u32>,
        input: u32,
        output: u32,
    },
    ResizeBilinear {
        height: u32,
        width: u32,
        input: u32,
        output: u32,
        flags: u32,
    },
    Pad {
        before: Vector<'a, u32>,
        after: Vector<'a, u32>,
        value: f32,
        input: u32,
        output: u32,
    },
    /// A size of 0 is what is left over.
    Reshape {
        shape: Vector<'a, u32>,
        input: u32,
        output: u32,
    },
    Slice {
        offsets: Vector<'a, u32>,
        sizes: Vector<'a, u32>,
        input: u32,
        output: u32,
    },
    Attention {
        query: u32,
        key: u32,
        value: u32,
        scale: u32,
        mask: u32,
        output: u32,
    },
    /// Largest element and its place in the window.
    ArgMaxPooling {
        padding: [u32; 4],
        kernel: [u32; 2],
        input: u32,
        value: u32,
        index: u32,
        flags: u32,
    },
    /// Of a kind that this schema does not have.
    Unknown(u8),
}

impl<'a> Node<'a> {
    pub(super) fn new(node: fb::Node<'a>) -> Self {
        Node { node }
    }

    /// The kind as the schema calls it, such as `Conv2d`.
    pub fn kind(&self) -> &'static str {
        self.node.xnode_union_type().variant_name().unwrap_or("unknown")
    }

    /// Handle that links it to a node of the exported graph.
    pub fn debug_handle(&self) -> u32 {
        self.node.debug_handle()
    }

    /// Bounds of the output, if an activation was fused: lowest, highest.
    pub fn clamp(&self) -> Option<(f32, f32)> {
        self.node.output_min_max().map(|it| (it.output_min(), it.output_max()))
    }

    /// What it does.
    pub fn operation(&self) -> Operation<'a> {
        use fb::NodeKind as K;
        let tag = self.node.xnode_union_type();
        let known = match tag {
            K::FullyConnected => self.fully_connected(),
            K::Conv2d | K::DepthwiseConv2d | K::ConvTranspose2d => self.convolution(),
            K::AvgPooling2d | K::MaxPooling2d => self.pooling(),
            K::ArgMaxPooling2d => self.arg_max_pooling(),
            K::Concatenate2 | K::Concatenate3 | K::Concatenate4 | K::Concatenate5 => {
                self.concatenate()
            }
            K::StaticTranspose | K::StaticReshape | K::StaticSlice | K::StaticConstantPad => {
                self.movement()
            }
            K::StaticResizeBilinear2D => self.resize(),
            K::ScaledDotProductAttention => self.attention(),
            _ => self.element_wise(),
        };
        known.unwrap_or(Operation::Unknown(tag.0))
    }

    fn element_wise(&self) -> Option<Operation<'a>> {
        use BinaryOperator as B;
        use UnaryOperator as U;
        use fb::NodeKind as K;
        let node = &self.node;
        let binary = |operator, it: Option<fb::Binary<'a>>| {
            let it = it?;
            let inputs = [it.input1_id(), it.input2_id()];
            Some(Operation::Binary { operator, inputs, output: it.output_id(), flags: it.flags() })
        };
        let unary = |operator, it: Option<fb::Unary<'a>>| {
            let (input, output) = it.map(|it| (it.input_id(), it.output_id()))?;
            Some(Operation::Unary { operator, input, output, parameter: 0.0 })
        };
        match node.xnode_union_type() {
            K::Add => binary(B::Add, node.xnode_union_as_add()),
            K::Div => binary(B::Divide, node.xnode_union_as_div()),
            K::Minimum => binary(B::Minimum, node.xnode_union_as_minimum()),
            K::Multiply => binary(B::Multiply, node.xnode_union_as_multiply()),
            K::Subtract => binary(B::Subtract, node.xnode_union_as_subtract()),
            K::Maximum => binary(B::Maximum, node.xnode_union_as_maximum()),
            K::PRelu => binary(B::PRelu, node.xnode_union_as_prelu()),
            K::BatchMatrixMultiply => {
                binary(B::BatchMatrixMultiply, node.xnode_union_as_batch_matrix_multiply())
            }
            K::Elu => node.xnode_union_as_elu().map(|it| Operation::Unary {
                operator: U::Elu,
                input: it.input_id(),
                output: it.output_id(),
                parameter: it.alpha(),
            }),
            K::LeakyRelu => node.xnode_union_as_leaky_relu().map(|it| Operation::Unary {
                operator: U::LeakyRelu,
                input: it.input_id(),
                output: it.output_id(),
                parameter: it.negative_slope(),
            }),
            K::Softmax => unary(U::Softmax, node.xnode_union_as_softmax()),
            K::Sigmoid => unary(U::Sigmoid, node.xnode_union_as_sigmoid()),
            K::Clamp => unary(U::Clamp, node.xnode_union_as_clamp()),
            K::Floor => unary(U::Floor, node.xnode_union_as_floor()),
            K::Convert => unary(U::Convert, node.xnode_union_as_convert()),
            K::GlobalAvgPooling2d => {
                unary(U::GlobalAvgPooling2d, node.xnode_union_as_global_avg_pooling_2d())
            }
            K::SquareRoot => unary(U::SquareRoot, node.xnode_union_as_square_root()),
            K::Ceiling => unary(U::Ceiling, node.xnode_union_as_ceiling()),
            K::Hardswish => unary(U::Hardswish, node.xnode_union_as_hardswish()),
            K::Negate => unary(U::Negate, node.xnode_union_as_negate()),
            K::Square => unary(U::Square, node.xnode_union_as_square()),
            K::Abs => unary(U::Abs, node.xnode_union_as_abs()),
            K::ReciprocalSquareRoot => {
                unary(U::ReciprocalSquareRoot, node.xnode_union_as_reciprocal_square_root())
            }
            K::Log => unary(U::Log, node.xnode_union_as_log()),
            K::Gelu => unary(U::Gelu, node.xnode_union_as_gelu()),
            K::Tanh => unary(U::Tanh, node.xnode_union_as_tanh()),
            K::Exp => unary(U::Exp, node.xnode_union_as_exp()),
            K::Sin => unary(U::Sin, node.xnode_union_as_sin()),
            K::Copy => unary(U::Copy, node.xnode_union_as_copy()),
            K::Cos => unary(U::Cos, node.xnode_union_as_cos()),
            _ => None,
        }
    }

    fn fully_connected(&self) -> Option<Operation<'a>> {
        let it = self.node.xnode_union_as_fully_connected()?;
        Some(Operation::FullyConnected {
            input: it.input1_id(),
            filter: it.filter_id(),
            bias: it.bias_id(),
            output: it.output_id(),
            flags: it.flags(),
        })
    }

    fn convolution(&self) -> Option<Operation<'a>> {
        let node = &self.node;
        let (kind, it) = if let Some(it) = node.xnode_union_as_conv_2d() {
            (ConvolutionKind::Plain, it)
        } else if let Some(it) = node.xnode_union_as_depthwise_conv_2d() {
            (ConvolutionKind::Depthwise, it)
        } else {
            (ConvolutionKind::Transposed, node.xnode_union_as_conv_transpose_2d()?)
        };
        Some(Operation::Convolution(Convolution {
            kind,
            padding: [it.padding_top(), it.padding_right(), it.padding_bottom(), it.padding_left()],
            kernel: [it.kernel_height(), it.kernel_width()],
            stride: [it.subsampling_height(), it.subsampling_width()],
            dilation: [it.dilation_height(), it.dilation_width()],
            group_inputs: it.group_input_channels(),
            group_outputs: it.group_output_channels(),
            groups: it.groups(),
            adjustment: [it.adjustment_height(), it.adjustment_width()],
            input: it.input1_id(),
            filter: it.filter_id(),
            bias: it.bias_id(),
            output: it.output_id(),
            flags: it.flags(),
        }))
    }

    fn pooling(&self) -> Option<Operation<'a>> {
        let (kind, it) = match self.node.xnode_union_as_avg_pooling_2d() {
            Some(it) => (PoolingKind::Average, it),
            None => (PoolingKind::Max, self.node.xnode_union_as_max_pooling_2d()?),
        };
        Some(Operation::Pooling(Pooling {
            kind,
            padding: [it.padding_top(), it.padding_right(), it.padding_bottom(), it.padding_left()],
            kernel: [it.pooling_height(), it.pooling_width()],
            stride: [it.stride_height(), it.stride_width()],
            dilation: [it.dilation_height(), it.dilation_width()],
            input: it.input_id(),
            output: it.output_id(),
            flags: it.flags(),
        }))
    }

    fn arg_max_pooling(&self) -> Option<Operation<'a>> {
        let it = self.node.xnode_union_as_arg_max_pooling_2d()?;
        Some(Operation::ArgMaxPooling {
            padding: [it.padding_top(), it.padding_right(), it.padding_bottom(), it.padding_left()],
            kernel: [it.pooling_height(), it.pooling_width()],
            input: it.input_id(),
            value: it.output_value_id(),
            index: it.output_index_id(),
            flags: it.flags(),
        })
    }

    fn concatenate(&self) -> Option<Operation<'a>> {
        let node = &self.node;
        let (count, it) = if let Some(it) = node.xnode_union_as_concatenate_2() {
            (2, it)
        } else if let Some(it) = node.xnode_union_as_concatenate_3() {
            (3, it)
        } else if let Some(it) = node.xnode_union_as_concatenate_4() {
            (4, it)
        } else {
            (5, node.xnode_union_as_concatenate_5()?)
        };
        let inputs =
            [it.input1_id(), it.input2_id(), it.input3_id(), it.input4_id(), it.input5_id()];
        // Negative axes count from the end; the field has no sign.
        let axis = it.axis().cast_signed();
        Some(Operation::Concatenate { axis, inputs, count, output: it.output_id() })
    }

    fn movement(&self) -> Option<Operation<'a>> {
        let node = &self.node;
        if let Some(it) = node.xnode_union_as_static_transpose() {
            let permutation = it.perm().unwrap_or_default();
            let (input, output) = (it.input_id(), it.output_id());
            return Some(Operation::Transpose { permutation, input, output });
        }
        if let Some(it) = node.xnode_union_as_static_reshape() {
            let shape = it.new_shape().unwrap_or_default();
            let (input, output) = (it.input_id(), it.output_id());
            return Some(Operation::Reshape { shape, input, output });
        }
        if let Some(it) = node.xnode_union_as_static_slice() {
            return Some(Operation::Slice {
                offsets: it.offsets().unwrap_or_default(),
                sizes: it.sizes().unwrap_or_default(),
                input: it.input_id(),
                output: it.output_id(),
            });
        }
        let it = node.xnode_union_as_static_constant_pad()?;
        Some(Operation::Pad {
            before: it.pre_paddings().unwrap_or_default(),
            after: it.post_paddings().unwrap_or_default(),
            value: it.padding_value(),
            input: it.input_id(),
            output: it.output_id(),
        })
    }

    fn resize(&self) -> Option<Operation<'a>> {
        let it = self.node.xnode_union_as_static_resize_bilinear_2_d()?;
        Some(Operation::ResizeBilinear {
            height: it.new_height(),
            width: it.new_width(),
            input: it.input_id(),
            output: it.output_id(),
            flags: it.flags(),
        })
    }

    fn attention(&self) -> Option<Operation<'a>> {
        let it = self.node.xnode_union_as_scaled_dot_product_attention()?;
        Some(Operation::Attention {
            query: it.query_id(),
            key: it.key_id(),
            value: it.value_id(),
            scale: it.scale_id(),
            mask: it.mask_id(),
            output: it.output_id(),
        })
    }
}

impl Operation<'_> {
    /// Value ids that it reads, with [`NO_VALUE`](super::NO_VALUE) left out.
    pub fn inputs(&self) -> impl Iterator<Item = u32> {
        let none = super::NO_VALUE;
        let ids = match *self {
            Operation::Unary { input, .. }
            | Operation::Transpose { input, .. }
            | Operation::ResizeBilinear { input, .. }
            | Operation::Pad { input, .. }
            | Operation::Reshape { input, .. }
            | Operation::Slice { input, .. }
            | Operation::ArgMaxPooling { input, .. } => [input, none, none, none, none],
            Operation::Pooling(it) => [it.input, none, none, none, none],
            Operation::Binary { inputs: [a, b], .. } => [a, b, none, none, none],
            Operation::FullyConnected { input, filter, bias, .. } => {
                [input, filter, bias, none, none]
            }
            Operation::Convolution(it) => [it.input, it.filter, it.bias, none, none],
            Operation::Concatenate { mut inputs, count, .. } => {
                inputs[count..].fill(none);
                inputs
            }
            Operation::Attention { query, key, value, scale, mask, .. } => {
                [query, key, value, scale, mask]
            }
            Operation::Unknown(_) => [none; 5],
        };
        ids.into_iter().filter(move |id| *id != none)
    }

    /// Value ids that it writes.
    pub fn outputs(&self) -> impl Iterator<Item = u32> {
        let none = super::NO_VALUE;
        let ids = match *self {
            Operation::Unary { output, .. }
            | Operation::Binary { output, .. }
            | Operation::FullyConnected { output, .. }
            | Operation::Concatenate { output, .. }
            | Operation::Transpose { output, .. }
            | Operation::ResizeBilinear { output, .. }
            | Operation::Pad { output, .. }
            | Operation::Reshape { output, .. }
            | Operation::Slice { output, .. }
            | Operation::Attention { output, .. } => [output, none],
            Operation::Convolution(it) => [it.output, none],
            Operation::Pooling(it) => [it.output, none],
            Operation::ArgMaxPooling { value, index, .. } => [value, index],
            Operation::Unknown(_) => [none; 2],
        };
        ids.into_iter().filter(move |id| *id != none)
    }
}
