//! A node becomes a step: its weights are packed for its kernel.

use super::draft::Draft;
use super::value::Values;
use crate::dot;
use crate::error::{Error, Result, ensure};
use crate::graph::{Step, Work};
use crate::kernels::convolution::Filter;
use crate::kernels::depthwise;
use crate::kernels::linear::{Bias, Columns, Weights};
use crate::product::Packed;
use crate::tensor::{Data, RAISED, Scale, Tensor};
use et_schema::xnnpack::{
    BinaryOperator, Convolution, ConvolutionKind, Operation, UnaryOperator, flags,
};

/// The step of a node.
pub(super) fn step(draft: Draft<'_>, name: Option<String>, values: &Values) -> Result<Step> {
    let wide = |sizes: flatbuffers::Vector<'_, u32>| sizes.iter().map(|x| x as usize).collect();
    let weights = Own { values, weights: &draft.weights };
    let work = match draft.operation {
        Operation::Unary { operator, parameter, .. } => match operator {
            UnaryOperator::Convert => Work::Convert,
            UnaryOperator::Copy => Work::Copy,
            UnaryOperator::Softmax => Work::Softmax,
            UnaryOperator::GlobalAvgPooling2d => Work::GlobalAverage,
            operator => Work::Unary { operator, parameter },
        },
        Operation::Binary { operator: BinaryOperator::BatchMatrixMultiply, flags, .. } => {
            Work::BatchProduct {
                transpose_a: flags & self::flags::TRANSPOSE_A != 0,
                transpose_b: flags & self::flags::TRANSPOSE_WEIGHTS != 0,
            }
        }
        Operation::Binary { operator, .. } => Work::Binary(operator),
        Operation::FullyConnected { flags, .. } if draft.weights.is_empty() => {
            Work::DynamicFullyConnected { transposed: flags & self::flags::TRANSPOSE_WEIGHTS != 0 }
        }
        Operation::FullyConnected { flags, .. } => {
            Work::FullyConnected(weights.fully_connected(flags)?)
        }
        Operation::Convolution(it) => Work::Convolution(it, weights.convolution(&it)?),
        Operation::Pooling(it) => Work::Pooling(it),
        Operation::ArgMaxPooling { padding, kernel, flags, .. } => {
            let same = flags & self::flags::SAME_PADDING != 0;
            Work::ArgMax { padding, kernel, same }
        }
        Operation::Concatenate { axis, .. } => Work::Concatenate(axis),
        Operation::Transpose { permutation, .. } => Work::Transpose(wide(permutation)),
        Operation::ResizeBilinear { height, width, flags, .. } => Work::Resize {
            height: height as usize,
            width: width as usize,
            aligned: flags & self::flags::ALIGN_CORNERS != 0,
        },
        Operation::Pad { before, after, value, .. } => {
            Work::Pad { before: wide(before), after: wide(after), value }
        }
        Operation::Reshape { shape, .. } => Work::Reshape(wide(shape)),
        Operation::Slice { offsets, sizes, .. } => {
            Work::Slice { offsets: wide(offsets), sizes: wide(sizes) }
        }
        Operation::Attention { .. } => Work::Attention,
        Operation::Unknown(tag) => {
            return Err(Error::new(format!("a kind of node that is not known, tag {tag}")));
        }
    };
    Ok(Step {
        node: draft.node,
        kind: draft.kind,
        name,
        work,
        inputs: draft.inputs,
        outputs: draft.outputs,
        clamp: draft.clamp,
        dead: Vec::new(),
    })
}

/// Filter and bias of a layer.
struct Own<'a> {
    values: &'a Values,
    weights: &'a [usize],
}

impl Own<'_> {
    fn constant(&self, index: usize, what: &str) -> Result<&Tensor> {
        let tensor = self.weights.get(index).map(|index| &self.values.tensors[*index]);
        tensor
            .filter(|tensor| tensor.constant)
            .ok_or_else(|| Error::new(format!("a {what} that is no constant: XNNPACK has none")))
    }

    fn bias(&self, channels: usize) -> Result<Bias> {
        if self.weights.len() < 2 {
            return Ok(Bias::None);
        }
        let tensor = self.constant(1, "bias")?;
        let (bias, found) = match &tensor.data {
            Data::F32(data) => (Bias::Floats(data.to_vec()), data.len()),
            Data::I32(data) => (Bias::Integers(data.to_vec()), data.len()),
            Data::Small(_) => return Err(Error::new("a bias of 8-bit integers")),
        };
        ensure!(found == channels, "a bias of {found} numbers for {channels} channels");
        Ok(bias)
    }

    fn fully_connected(&self, flags: u32) -> Result<Weights> {
        let filter = self.constant(0, "filter")?;
        let Some((&rows, rest)) = filter.dims.split_first() else {
            return Err(Error::new("a filter without dimensions"));
        };
        let columns = rest.iter().product();
        let numbers = Numbers::of(filter)?;
        let transposed = flags & self::flags::TRANSPOSE_WEIGHTS != 0;
        let (outputs, depth) = if transposed { (columns, rows) } else { (rows, columns) };
        let (mut scale, mut piece) = (filter.scale.clone(), 0);
        if let Scale::Groups { scales, size } = &mut scale {
            // By group, as sums are taken over group by group.
            let groups = depth.div_ceil(*size);
            ensure!(
                scales.len() == outputs.saturating_mul(groups),
                "{} scales for {outputs} channels of {groups} groups",
                scales.len()
            );
            let of = |i: usize| scales[i % outputs * groups + i / outputs];
            *scales = (0..scales.len()).map(of).collect();
            piece = *size;
        }
        let place = |column: usize, k: usize| {
            if transposed { k * columns + column } else { column * depth + k }
        };
        let columns =
            numbers.columns(1, outputs, (1, depth), piece, |_, column, _, k| place(column, k));
        Ok(Weights::new(columns, self.bias(outputs)?, scale))
    }

    fn convolution(&self, it: &Convolution) -> Result<Filter> {
        let filter = self.constant(0, "filter")?;
        let numbers = Numbers::of(filter)?;
        let wide = |x: u32| x as usize;
        let (groups, inputs) = (wide(it.groups), wide(it.group_inputs));
        let outputs = wide(it.group_outputs);
        let taps = wide(it.kernel[0]).saturating_mul(wide(it.kernel[1]));
        let size = [groups, outputs, taps, inputs]
            .iter()
            .try_fold(1usize, |size, factor| size.checked_mul(*factor));
        ensure!(
            size == Some(numbers.len()) && taps > 0,
            "a filter of {:?} for {groups} groups of {outputs}x{taps}x{inputs}",
            filter.dims
        );
        let channels = groups * outputs;
        let (bias, scale) = (self.bias(channels)?, filter.scale.clone());
        let depthwise = it.kind == ConvolutionKind::Depthwise;
        if depthwise && inputs == 1 && outputs == 1 {
            let taps = match numbers {
                Numbers::Floats(data) => depthwise::Taps::Floats(data[..].into()),
                Numbers::Integers(data, zero) => depthwise::Taps::integers(data, channels, zero),
            };
            return Ok(Filter::Depthwise(depthwise::Weights::new(taps, channels, bias, scale)));
        }
        let place = |group: usize, column: usize, tap: usize, k: usize| {
            let channel = group * outputs + column;
            if depthwise {
                // `[tap][channel]`: a group has one input.
                tap * channels + channel
            } else {
                (channel * taps + tap) * inputs + k
            }
        };
        let columns = numbers.columns(groups, outputs, (taps, inputs), 0, place);
        Ok(Filter::Groups(Weights::new(columns, bias, scale)))
    }
}

/// Numbers of a filter; of integers with what stands for 0, both raised.
enum Numbers<'a> {
    Floats(&'a [f32]),
    Integers(&'a [u8], i32),
}

impl<'a> Numbers<'a> {
    fn of(filter: &'a Tensor) -> Result<Self> {
        match &filter.data {
            Data::F32(data) => Ok(Numbers::Floats(data)),
            Data::Small(data) => {
                let zero = match filter.scale {
                    Scale::Tensor { zero, .. } => zero,
                    _ => RAISED,
                };
                Ok(Numbers::Integers(data, zero))
            }
            Data::I32(_) => Err(Error::new("a filter of 32-bit integers")),
        }
    }

    fn len(&self) -> usize {
        match self {
            Numbers::Floats(data) => data.len(),
            Numbers::Integers(data, _) => data.len(),
        }
    }

    /// A matrix of `outputs` columns per group. `place` says where the number of
    /// a group, column, tap and place in the tap is; sums are taken over after
    /// `piece` numbers, all at once for 0.
    fn columns(
        &self,
        groups: usize,
        outputs: usize,
        size: (usize, usize),
        piece: usize,
        place: impl Fn(usize, usize, usize, usize) -> usize,
    ) -> Columns {
        let groups = 0..groups;
        match self {
            Numbers::Floats(data) => Columns::Floats(
                groups
                    .map(|group| {
                        Packed::new(outputs, size, |c, tap, k| data[place(group, c, tap, k)])
                    })
                    .collect(),
            ),
            Numbers::Integers(data, zero) => Columns::Bytes(
                groups
                    .map(|group| {
                        dot::Packed::new(outputs, size, (piece, zero - RAISED), |c, tap, k| {
                            (data[place(group, c, tap, k)] ^ RAISED as u8).cast_signed()
                        })
                    })
                    .collect(),
            ),
        }
    }
}
