//! Logged values in `etinspect.events/1`: what they are, and statistics of
//! their elements if there is a debug buffer.

use et_inspector::debug_data::{Tensor, Value};
use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum ValueJson {
    Nothing,
    Number { value: f64 },
    Tensor(TensorJson),
    TensorList { tensors: Vec<TensorJson> },
}

#[derive(Serialize)]
pub(super) struct TensorJson {
    dtype: &'static str,
    shape: Vec<i64>,
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    nan_count: Option<u64>,
    inf_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
}

impl From<Value<'_>> for ValueJson {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Nothing => ValueJson::Nothing,
            Value::Number(value) => ValueJson::Number { value },
            Value::Tensor(tensor) => ValueJson::Tensor(TensorJson::new(&tensor)),
            Value::List(tensors) => {
                ValueJson::TensorList { tensors: tensors.iter().map(TensorJson::new).collect() }
            }
        }
    }
}

impl TensorJson {
    fn new(tensor: &Tensor<'_>) -> Self {
        let summary = tensor.summary();
        TensorJson {
            dtype: tensor.dtype(),
            shape: tensor.sizes.clone(),
            min: summary.and_then(|s| s.min),
            max: summary.and_then(|s| s.max),
            mean: summary.and_then(|s| s.mean),
            nan_count: summary.map(|s| s.nan_count),
            inf_count: summary.map(|s| s.inf_count),
            missing: tensor.bytes().err().map(ToString::to_string),
        }
    }
}
