//! Test cases of bundled programs.

use et_runtime::{Input, Method, Scalar};
use et_schema::bundled::Value;

/// Sets an input as a test case has it.
pub fn set_input(
    method: &mut Method<'_>,
    index: usize,
    input: &Value<'_>,
) -> Result<(), et_runtime::Error> {
    match input {
        Value::Tensor(tensor) => {
            let sizes: Vec<i32> = tensor.sizes().iter().collect();
            let order: Vec<usize> = tensor.dim_order().iter().map(|d| usize::from(*d)).collect();
            let scalar_type = tensor.scalar_type().unwrap();
            let data = to_index_order(tensor.data(), &sizes, &order, scalar_type.size());
            method.set_input(index, Input::Tensor { scalar_type, sizes: &sizes, data: &data })
        }
        Value::Int(v) => method.set_input(index, Input::Scalar(Scalar::Int(*v))),
        Value::Bool(v) => method.set_input(index, Input::Scalar(Scalar::Bool(*v))),
        Value::Double(v) => method.set_input(index, Input::Scalar(Scalar::Double(*v))),
        other => panic!("{other:?}"),
    }
}

/// Offsets in elements of all indices, in index order, of a tensor laid out by `order`.
pub fn offsets(sizes: &[i32], order: &[usize]) -> Vec<usize> {
    let mut strides = vec![0; sizes.len()];
    let mut stride = 1;
    for dim in order.iter().rev() {
        strides[*dim] = stride;
        stride *= sizes[*dim].max(1) as usize;
    }
    let count: usize = sizes.iter().map(|s| *s as usize).product();
    (0..count)
        .map(|position| {
            let mut rest = position;
            let mut offset = 0;
            for dim in (0..sizes.len()).rev() {
                offset += rest % sizes[dim] as usize * strides[dim];
                rest /= sizes[dim] as usize;
            }
            offset
        })
        .collect()
}

fn to_index_order(data: &[u8], sizes: &[i32], order: &[usize], size: usize) -> Vec<u8> {
    offsets(sizes, order).iter().flat_map(|o| &data[o * size..][..size]).copied().collect()
}
