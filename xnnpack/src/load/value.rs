//! Values of a payload, with their constants.

use super::Constants;
use crate::error::{Error, Result, ensure};
use crate::graph::{External, Step};
use crate::tensor::{Data, Scale, Tensor, count, raised};
use et_schema::xnnpack::{Constant, DataType, Payload, Quantization, Scales, Value};
use half::bf16;
use std::collections::BTreeMap;

/// Values by index, and the index of each id.
pub(super) struct Values {
    pub tensors: Vec<Tensor>,
    by_id: BTreeMap<u32, usize>,
    /// Index into the delegate call's arguments, if it is one.
    pub external: Vec<Option<u32>>,
    inputs: Vec<u32>,
    outputs: Vec<u32>,
}

impl Values {
    pub fn read<'a>(payload: &Payload<'a>, constants: Constants<'a, '_>) -> Result<Self> {
        let mut values = Values {
            tensors: Vec::new(),
            by_id: BTreeMap::new(),
            external: Vec::new(),
            inputs: payload.inputs().collect(),
            outputs: payload.outputs().collect(),
        };
        for value in payload.values() {
            let id = value.id();
            let tensor = tensor(payload, &value, constants)
                .map_err(|e| Error::new(format!("value {id}: {e}")))?;
            ensure!(
                values.by_id.insert(id, values.tensors.len()).is_none(),
                "two values with id {id}"
            );
            values.tensors.push(tensor);
            values.external.push(value.external_id());
        }
        Ok(values)
    }

    /// Index of the value that nodes call `id`.
    pub fn index(&self, id: u32) -> Result<usize> {
        self.by_id.get(&id).copied().ok_or_else(|| Error::new(format!("no value {id}")))
    }

    /// A value like `model`, for what a node passes on to its second half.
    pub fn between(&mut self, model: usize) -> usize {
        self.tensors.push(self.tensors[model].clone());
        self.external.push(None);
        self.tensors.len() - 1
    }

    /// Inputs and outputs by their place in the arguments. The payload lists
    /// ids of values, whose external ids say which argument they are.
    pub fn externals(&self) -> Result<(External, External)> {
        let places = |ids: &[u32]| -> Result<External> {
            let place = |id: &u32| {
                let index = self.index(*id)?;
                let argument = self.external[index];
                let argument =
                    argument.ok_or_else(|| Error::new(format!("value {id} is no argument")))?;
                Ok((argument, index))
            };
            ids.iter().map(place).collect()
        };
        let (inputs, outputs) = (places(&self.inputs)?, places(&self.outputs)?);
        for (argument, index) in &inputs {
            let other = |(_, output): &(u32, usize)| output == index;
            ensure!(!outputs.iter().any(other), "argument {argument} is input and output");
            ensure!(!self.tensors[*index].constant, "input {argument} is a constant");
        }
        Ok((inputs, outputs))
    }

    /// The tensors, without the constants that were packed into steps.
    pub fn into_tensors(mut self, steps: &[Step]) -> Vec<Tensor> {
        let mut used = vec![false; self.tensors.len()];
        steps.iter().flat_map(|step| &step.inputs).for_each(|input| used[*input] = true);
        for (tensor, used) in self.tensors.iter_mut().zip(used) {
            if tensor.constant && !used {
                tensor.data = Data::F32(crate::buffer::Buffer::new());
                tensor.dims.clear();
            }
        }
        self.tensors
    }
}

fn tensor<'a>(
    payload: &Payload<'a>,
    value: &Value<'a>,
    constants: Constants<'a, '_>,
) -> Result<Tensor> {
    let data_type = value.data_type();
    let dims: Vec<usize> = value.dims().iter().map(|dim| dim as usize).collect();
    let numbers = count(&dims)?;
    let bytes = |index: u32| constant(payload, index, constants);
    let scale = match value.quantization() {
        None => Scale::None,
        Some(Quantization::PerTensor { scale, zero_point }) => {
            ensure!(scale.is_finite() && scale > 0.0, "a scale of {scale}");
            ensure!((-256..=256).contains(&zero_point), "a zero point of {zero_point}");
            Scale::Tensor { scale, zero: zero_point + raised(data_type) }
        }
        Some(Quantization::PerChannel { scales, .. }) => {
            Scale::Channels(numbers_of(scales, false, &bytes)?)
        }
        Some(Quantization::PerChannelGroup { scales, group_size, .. }) => {
            let size = usize::try_from(group_size).unwrap_or(0);
            ensure!(size > 0, "groups of {group_size} numbers");
            Scale::Groups { scales: numbers_of(scales, true, &bytes)?, size }
        }
        Some(Quantization::PerToken { row_dimensions }) => {
            Scale::Rows { dimensions: usize::try_from(row_dimensions).unwrap_or(0) }
        }
    };
    let constant = bytes(value.constant())?;
    let data = match constant {
        None => Data::empty(data_type)?,
        Some(bytes) => Data::read(data_type, bytes, numbers, dims.last().copied().unwrap_or(1))?,
    };
    Ok(Tensor { data_type, dims, scale, data, rows: Vec::new(), constant: constant.is_some() })
}

fn constant<'a>(
    payload: &Payload<'a>,
    index: u32,
    constants: Constants<'a, '_>,
) -> Result<Option<&'a [u8]>> {
    match payload.constant(index)? {
        None => Ok(None),
        Some(Constant::Bytes(bytes)) => Ok(Some(bytes)),
        Some(Constant::Named { key, size }) => {
            let bytes = constants(key)
                .ok_or_else(|| Error::new(format!("the program has no named data {key:?}")))?;
            let found = bytes.len();
            let bytes = usize::try_from(size).ok().and_then(|size| bytes.get(..size));
            let too_small = || Error::new(format!("{size} bytes of {key:?}, found {found}"));
            bytes.map(Some).ok_or_else(too_small)
        }
    }
}

/// Scales as float32; those of groups are bfloat16 where they are constants.
fn numbers_of<'a>(
    scales: Scales<'a>,
    groups: bool,
    bytes: &dyn Fn(u32) -> Result<Option<&'a [u8]>>,
) -> Result<Vec<f32>> {
    match scales {
        // Groups are rounded to what the kernels take.
        Scales::Inline(scales) if groups => {
            Ok(scales.iter().map(|scale| bf16::from_f32(scale).to_f32()).collect())
        }
        Scales::Inline(scales) => Ok(scales.iter().collect()),
        Scales::InlineBf16(scales) => {
            Ok(scales.iter().map(|bits| bf16::from_bits(bits).to_f32()).collect())
        }
        Scales::Constant { index, count } => {
            let bytes = bytes(index)?.ok_or_else(|| Error::new("scales without data"))?;
            let data_type = if groups { DataType::BF16 } else { DataType::FP32 };
            Ok(Data::read(data_type, bytes, count as usize, 1)?.floats()?.to_vec())
        }
    }
}
