//! Values: tensors of the graph, constant or computed.

use crate::generated::xnnpack_generated::xnnpack_flatbuffer as fb;
use core::fmt;
use flatbuffers::Vector;

/// A tensor of the graph.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    tensor: Option<fb::Tensor<'a>>,
    quantization: Option<Quantization<'a>>,
}

/// How numbers of a quantized tensor are meant: `(q - zero point) * scale`.
#[derive(Clone, Copy, Debug)]
pub enum Quantization<'a> {
    /// One scale for all.
    PerTensor {
        /// Scale.
        scale: f32,
        /// What stands for zero.
        zero_point: i32,
    },
    /// A scale per index of a dimension.
    PerChannel {
        /// The scales.
        scales: Scales<'a>,
        /// Dimension.
        dimension: i32,
    },
    /// A scale per group of numbers along the dimension after `dimension`.
    PerChannelGroup {
        /// The scales: all groups of the first channel, then the next.
        scales: Scales<'a>,
        /// Dimension of the channels.
        dimension: i32,
        /// Numbers in a group.
        group_size: i32,
    },
    /// Made at run time, from the range of each row.
    PerToken {
        /// Dimensions at the end which make a row.
        row_dimensions: i32,
    },
}

/// Scales of a tensor.
#[derive(Clone, Copy, Debug)]
pub enum Scales<'a> {
    /// In the value.
    Inline(Vector<'a, f32>),
    /// In the value, bfloat16.
    InlineBf16(Vector<'a, u16>),
    /// Constant `index` of the payload: float32 for channels, bfloat16 for groups.
    Constant {
        /// Index of the constant.
        index: u32,
        /// How many.
        count: u32,
    },
}

/// Element type of a value: XNNPACK's `xnn_datatype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataType(i16);

impl DataType {
    /// Float32.
    pub const FP32: Self = DataType(1);
    /// Float16.
    pub const FP16: Self = DataType(2);
    /// Int8 with one scale.
    pub const QINT8: Self = DataType(3);
    /// Uint8 with one scale.
    pub const QUINT8: Self = DataType(4);
    /// Int32 with one scale: biases.
    pub const QINT32: Self = DataType(5);
    /// Int8 with a scale per channel.
    pub const QCINT8: Self = DataType(6);
    /// Int32 with a scale per channel: biases.
    pub const QCINT32: Self = DataType(7);
    /// 4-bit integers with a scale per channel, two in a byte, offset by 8.
    pub const QCINT4: Self = DataType(8);
    /// Int8, quantized at run time by the range of each row.
    pub const QDINT8: Self = DataType(9);
    /// 4-bit integers with a scale per block.
    pub const QBINT4: Self = DataType(10);
    /// As [`Self::QDINT8`], packed with the parameters.
    pub const QPINT8: Self = DataType(11);
    /// Int32.
    pub const INT32: Self = DataType(12);
    /// Packed float32.
    pub const PFP32: Self = DataType(13);
    /// Bfloat16.
    pub const BF16: Self = DataType(14);

    /// The number in the file.
    pub const fn raw(self) -> i16 {
        self.0
    }

    /// Bits of an element, 0 if the type is not known.
    pub const fn bits(self) -> u64 {
        match self.0 {
            1 | 5 | 7 | 12 | 13 => 32,
            2 | 14 => 16,
            3 | 4 | 6 | 9 | 11 => 8,
            8 | 10 => 4,
            _ => 0,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => "fp32",
            2 => "fp16",
            3 => "qint8",
            4 => "quint8",
            5 => "qint32",
            6 => "qcint8",
            7 => "qcint32",
            8 => "qcint4",
            9 => "qdint8",
            10 => "qbint4",
            11 => "qpint8",
            12 => "int32",
            13 => "pfp32",
            14 => "bf16",
            other => return write!(f, "datatype {other}"),
        };
        f.write_str(name)
    }
}

impl<'a> Value<'a> {
    pub(super) fn new(value: fb::Value<'a>) -> Self {
        if let Some(tensor) = value.xvalue_union_as_tensor() {
            return Value { tensor: Some(tensor), quantization: None };
        }
        let Some(quantized) = value.xvalue_union_as_quantized_tensor() else {
            return Value { tensor: None, quantization: None };
        };
        Value { tensor: quantized.tensor_value(), quantization: quantization(&quantized) }
    }

    /// What nodes call it.
    pub fn id(&self) -> u32 {
        self.tensor.map_or(super::NO_VALUE, |tensor| tensor.id_out())
    }

    /// Index into the delegate call's arguments, if it comes from there or goes there.
    pub fn external_id(&self) -> Option<u32> {
        let id = self.tensor?.external_id();
        (id != super::NO_VALUE).then_some(id)
    }

    /// Element type.
    pub fn data_type(&self) -> DataType {
        DataType(self.tensor.map_or(0, |tensor| tensor.datatype().0))
    }

    /// Sizes as exported, channels last where the node wants them so.
    pub fn dims(&self) -> Vector<'a, u32> {
        self.tensor.and_then(|tensor| tensor.dims()).unwrap_or_default()
    }

    /// Index of its constant, 0 if it has none.
    pub fn constant(&self) -> u32 {
        self.tensor.map_or(0, |tensor| tensor.constant_buffer_idx())
    }

    /// How its numbers are meant, if it is quantized.
    pub fn quantization(&self) -> Option<Quantization<'a>> {
        self.quantization
    }

    /// Bytes of the tensor with the exported sizes, `None` past 64 bits.
    pub fn nbytes(&self) -> Option<u64> {
        let bits = self
            .dims()
            .iter()
            .try_fold(self.data_type().bits(), |bits, dim| bits.checked_mul(u64::from(dim)))?;
        Some(bits.div_ceil(8))
    }
}

fn quantization<'a>(value: &fb::QuantizedTensor<'a>) -> Option<Quantization<'a>> {
    if let Some(it) = value.quant_params_as_per_tensor() {
        return Some(Quantization::PerTensor { scale: it.scale(), zero_point: it.zero_point() });
    }
    if let Some(it) = value.quant_params_as_per_channel() {
        let scales = scales(it.scale(), None, it.scale_buffer_idx(), it.num_scales());
        return Some(Quantization::PerChannel { scales, dimension: it.channel_dim() });
    }
    if let Some(it) = value.quant_params_as_per_channel_group() {
        let scales = scales(it.scale(), it.scale_bf16(), it.scale_buffer_idx(), it.num_scales());
        return Some(Quantization::PerChannelGroup {
            scales,
            dimension: it.channel_dim(),
            group_size: it.group_size(),
        });
    }
    let it = value.quant_params_as_per_token()?;
    Some(Quantization::PerToken { row_dimensions: it.num_nonbatch_dims() })
}

fn scales<'a>(
    inline: Option<Vector<'a, f32>>,
    bf16: Option<Vector<'a, u16>>,
    index: u32,
    count: u32,
) -> Scales<'a> {
    match (inline, bf16) {
        _ if index != 0 => Scales::Constant { index, count },
        (_, Some(bf16)) if !bf16.is_empty() => Scales::InlineBf16(bf16),
        (inline, _) => Scales::Inline(inline.unwrap_or_default()),
    }
}
