//! Inputs and expected outputs from a bundled program.

use super::inputs::Given;
use crate::failure::Failure;
use crate::tensors::Array;
use et_runtime::Scalar;
use et_schema::bundled::{File, Tensor, Value};
use std::path::Path;

/// A test case: what goes in, and what must come out.
pub struct TestCase {
    /// Inputs, in order.
    pub inputs: Vec<Given>,
    /// Expected outputs, in order; `None` for those that are no tensors.
    pub expected: Vec<Option<Array>>,
}

/// Test case `index` of `method`.
pub fn test_case(
    path: &Path,
    file: &File<'_>,
    method: &str,
    index: usize,
) -> Result<TestCase, Failure> {
    let suite = file.suite(method).ok_or_else(|| {
        let methods: Vec<&str> = file.suites().map(|s| s.method()).collect();
        Failure::input(path, format!("no test cases for method {method:?}, only for {methods:?}"))
    })?;
    let case = suite.case(index).ok_or_else(|| {
        let count = suite.cases().len();
        Failure::input(path, format!("no test case {index}; method {method:?} has {count}"))
    })?;
    let wrong = |what: &str, i: usize| {
        Failure::input(path, format!("{what} {i} of test case {index} is damaged"))
    };
    let mut inputs = Vec::new();
    for (i, value) in case.inputs().enumerate() {
        inputs.push(match value {
            Value::Tensor(t) => {
                let array = array(&t).ok_or_else(|| wrong("input", i))?;
                Given::Tensor(path.display().to_string(), array)
            }
            Value::Int(v) => Given::Number(Scalar::Int(v)),
            Value::Bool(v) => Given::Number(Scalar::Bool(v)),
            Value::Double(v) => Given::Number(Scalar::Double(v)),
            Value::Unknown(_) => return Err(wrong("input", i)),
        });
    }
    let mut expected = Vec::new();
    for (i, value) in case.expected_outputs().enumerate() {
        expected.push(match value {
            Value::Tensor(t) => Some(array(&t).ok_or_else(|| wrong("expected output", i))?),
            _ => None,
        });
    }
    Ok(TestCase { inputs, expected })
}

/// A bundled tensor in index order.
fn array(tensor: &Tensor<'_>) -> Option<Array> {
    let sizes: Vec<i32> = tensor.sizes().iter().collect();
    let scalar_type = tensor.scalar_type().ok()?;
    Array::from_memory_order(scalar_type, &sizes, tensor.dim_order(), tensor.data())
}
