//! Names of events, as XNNPACK's profiler gives them: the operator's name, its
//! micro-kernel if it has several, and a number that counts equal names.

use super::draft::{Draft, Drafts};
use super::value::Values;
use et_schema::xnnpack::{
    BinaryOperator, Convolution, ConvolutionKind, DataType, Operation, Pooling, PoolingKind,
    UnaryOperator,
};
use std::collections::HashMap;

/// The name of each node's event; nodes without one belong to the next that has one.
pub(super) fn names(drafts: &Drafts<'_>, values: &Values) -> Vec<Option<String>> {
    let mut counts = HashMap::new();
    let name = |draft: &Draft<'_>| {
        if draft.silent {
            return None;
        }
        let name = name(draft, values);
        let count = counts.entry(name.clone()).or_insert(0);
        *count += 1;
        Some(format!("{name} #{count}"))
    };
    drafts.nodes.iter().map(name).collect()
}

fn name(draft: &Draft<'_>, values: &Values) -> String {
    let first = draft.inputs.first().or(draft.outputs.first()).copied();
    let data_type = first.map_or(DataType::FP32, |index| values.tensors[index].data_type);
    let moved = || match data_type.bits() {
        8 => "X8",
        16 => "X16",
        _ => "X32",
    };
    match draft.operation {
        // The name that XNNPACK gives to a table.
        _ if draft.table => "Invalid Unary Op".to_owned(),
        Operation::Unary { operator: UnaryOperator::Softmax, .. } => {
            format!("Softmax (NC, {})", float(data_type))
        }
        Operation::Unary { operator: UnaryOperator::Copy, .. } | Operation::Concatenate { .. } => {
            format!("Copy (NC, {})", moved())
        }
        Operation::Unary { operator: UnaryOperator::GlobalAvgPooling2d, .. } => {
            let micro_kernel = if is_float(data_type) { " Reduce2" } else { "" };
            format!("Mean (ND){micro_kernel}")
        }
        Operation::Unary { operator: UnaryOperator::Convert, .. } if by_row(draft, values) => {
            format!("Convert (NC, {}, QD8)", float(data_type))
        }
        Operation::Unary { operator, .. } => format!("{} (NC)", unary(operator)),
        Operation::Binary { operator: BinaryOperator::BatchMatrixMultiply, .. } => {
            format!("Batch Matrix Multiply (NC, {}) GEMM", float(data_type))
        }
        Operation::Binary { operator, .. } => format!("{} (ND)", binary(operator)),
        Operation::FullyConnected { .. } => fully_connected(draft, values),
        Operation::Convolution(it) => convolution(&it, draft, values),
        Operation::Pooling(it) => pooling(&it, data_type),
        Operation::Transpose { .. } => format!("Transpose (ND, {})", moved()),
        Operation::ResizeBilinear { .. } => "Resize Bilinear (NHWC)".to_owned(),
        Operation::Pad { .. } => format!("Constant Pad (ND, {})", moved()),
        Operation::Reshape { .. } => "Static Reshape (NC)".to_owned(),
        Operation::Slice { .. } => format!("Slice (ND, {})", moved()),
        Operation::Attention { .. } => {
            format!("Scaled Dot-Product Attention (NHTC, {})", float(data_type))
        }
        Operation::ArgMaxPooling { .. } => "ArgMax Pooling (NHWC, F32)".to_owned(),
        Operation::Unknown(_) => draft.kind.to_owned(),
    }
}

/// Whether a node quantizes by rows at run time.
fn by_row(draft: &Draft<'_>, values: &Values) -> bool {
    let own = |output: &usize| values.tensors[*output].data_type == DataType::QDINT8;
    draft.outputs.iter().any(own)
}

fn is_float(data_type: DataType) -> bool {
    matches!(data_type, DataType::FP32 | DataType::FP16 | DataType::BF16 | DataType::PFP32)
}

fn float(data_type: DataType) -> &'static str {
    match data_type {
        DataType::FP16 => "F16",
        DataType::BF16 => "BF16",
        DataType::PFP32 => "PF32",
        _ => "F32",
    }
}

fn unary(operator: UnaryOperator) -> &'static str {
    match operator {
        UnaryOperator::Abs => "Abs",
        UnaryOperator::Ceiling => "Ceiling",
        UnaryOperator::Clamp => "Clamp",
        UnaryOperator::Convert => "Convert",
        UnaryOperator::Copy => "Copy",
        UnaryOperator::Cos => "Cosine",
        UnaryOperator::Elu => "ELU",
        UnaryOperator::Exp => "Exp",
        UnaryOperator::Floor => "Floor",
        UnaryOperator::Gelu => "GELU",
        UnaryOperator::GlobalAvgPooling2d => "Mean",
        UnaryOperator::Hardswish => "HardSwish",
        UnaryOperator::LeakyRelu => "LeakyReLU",
        UnaryOperator::Log => "Log",
        UnaryOperator::Negate => "Negate",
        UnaryOperator::ReciprocalSquareRoot => "Reciprocal Square Root",
        UnaryOperator::Sigmoid => "Sigmoid",
        UnaryOperator::Sin => "Sine",
        UnaryOperator::Softmax => "Softmax",
        UnaryOperator::Square => "Square",
        UnaryOperator::SquareRoot => "Square Root",
        UnaryOperator::Tanh => "TanH",
    }
}

fn binary(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "Add",
        BinaryOperator::BatchMatrixMultiply => "Batch Matrix Multiply",
        BinaryOperator::Divide => "Divide",
        BinaryOperator::Maximum => "Maximum",
        BinaryOperator::Minimum => "Minimum",
        BinaryOperator::Multiply => "Multiply",
        BinaryOperator::PRelu => "PReLU",
        BinaryOperator::Subtract => "Subtract",
    }
}

/// Element types of input, output and filter.
fn layer(draft: &Draft<'_>, values: &Values) -> [DataType; 3] {
    let data_type = |index: Option<&usize>| {
        index.map_or(DataType::FP32, |index| values.tensors[*index].data_type)
    };
    [
        data_type(draft.inputs.first()),
        data_type(draft.outputs.first()),
        data_type(draft.weights.first().or(draft.inputs.get(1))),
    ]
}

/// `QC8W` and the like.
fn weight(data_type: DataType) -> &'static str {
    match data_type {
        DataType::QCINT4 => "QC4W",
        DataType::QBINT4 => "QB4W",
        _ => "QC8W",
    }
}

/// The types between the brackets of a fully connected layer.
fn fully_connected(draft: &Draft<'_>, values: &Values) -> String {
    let [input, output, filter] = layer(draft, values);
    if draft.weights.is_empty() {
        return format!("Dynamic Fully Connected (NC, {}) GEMM", float(input));
    }
    let types = match (input, filter) {
        (DataType::QDINT8, filter) => format!("QD8, {}, {}", float(output), weight(filter)),
        (DataType::QINT8, DataType::QINT8) => "QS8".to_owned(),
        (DataType::QUINT8, _) => "QU8".to_owned(),
        (DataType::QINT8, filter) => format!("QS8, {}", weight(filter)),
        (input, filter) if is_float(filter) => float(input).to_owned(),
        (input, filter) => format!("{}, {}", float(input), weight(filter)),
    };
    format!("Fully Connected (NC, {types}) GEMM")
}

fn convolution(it: &Convolution, draft: &Draft<'_>, values: &Values) -> String {
    let [input, output, filter] = layer(draft, values);
    let plain_window = it.stride == [1, 1] && it.padding == [0; 4] && it.kernel == [1, 1];
    if it.kind == ConvolutionKind::Transposed {
        let types = match (input, filter) {
            (DataType::QINT8, DataType::QCINT8) => "NC, QS8, QC8W".to_owned(),
            (DataType::QDINT8, _) => format!("NC, QD8, {}, QC8W", float(output)),
            (DataType::QINT8, _) => "NHWC, QS8".to_owned(),
            (DataType::QUINT8, _) => "NHWC, QU8".to_owned(),
            (input, _) => format!("NHWC, {}", float(input)),
        };
        let spread = it.stride.iter().zip(it.kernel).all(|(stride, kernel)| *stride <= kernel);
        let spread = spread && it.stride.iter().any(|stride| *stride > 1);
        let micro_kernel = if spread { "Subconv2D" } else { "IGEMM" };
        return format!("Deconvolution ({types}) {micro_kernel}");
    }
    if plain_window && it.groups == 1 && it.kind == ConvolutionKind::Plain {
        // XNNPACK makes a fully connected layer of it.
        return fully_connected(draft, values);
    }
    let types = match (input, filter) {
        (DataType::QINT8, DataType::QCINT8) => "QC8",
        (DataType::QINT8, _) => "QS8",
        (DataType::QUINT8, _) => "QU8",
        (DataType::QDINT8, _) => "QD8, F32, QC8W",
        (input, _) => float(input),
    };
    let own_channels = it.group_inputs == 1 && it.group_outputs == 1 && it.groups > 1;
    let micro_kernel = match u64::from(it.kernel[0]) * u64::from(it.kernel[1]) {
        // The largest depthwise kernel that XNNPACK has.
        0..=25 if own_channels => "DWConv",
        _ => "IGEMM",
    };
    format!("Convolution (NHWC, {types}) {micro_kernel}")
}

fn pooling(it: &Pooling, data_type: DataType) -> String {
    match it.kind {
        PoolingKind::Max => {
            let types = match data_type {
                DataType::QINT8 => "S8",
                DataType::QUINT8 => "U8",
                other => float(other),
            };
            format!("Max Pooling (NHWC, {types})")
        }
        PoolingKind::Average => {
            let padded = it.padding != [0; 4];
            let micro_kernel = if padded { "Pixelwise Average Pooling" } else { "Average Pooling" };
            format!("Average Pooling (NHWC, {}) {micro_kernel}", float(data_type))
        }
    }
}
