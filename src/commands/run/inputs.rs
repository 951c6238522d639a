//! Inputs of a run: from `.npy` and `.npz` files, numbers, or all ones.

use crate::failure::Failure;
use crate::input;
use crate::tensors::{Array, read_npy, read_npz};
use et_runtime::{Input, Method, OutputRef, Scalar};
use et_schema::ScalarType;
use std::path::Path;

/// An input that the user gave.
pub enum Given {
    /// A tensor and the file it came from.
    Tensor(String, Array),
    /// A number.
    Number(Scalar),
}

/// The inputs of `--input` or `--inputs`.
pub fn read(values: &[String], npz: Option<&Path>) -> Result<Vec<Given>, Failure> {
    if let Some(path) = npz {
        let bytes = input::open(path)?;
        let arrays = read_npz(&bytes).map_err(|e| Failure::input(path, not_numpy("npz", &e)))?;
        let tensor = |(name, array)| Given::Tensor(format!("{}:{name}", path.display()), array);
        return Ok(arrays.into_iter().map(tensor).collect());
    }
    values
        .iter()
        .map(|value| match number(value) {
            Some(scalar) => Ok(Given::Number(scalar)),
            None => Ok(Given::Tensor(value.clone(), read_file(Path::new(value))?)),
        })
        .collect()
}

/// The tensor of a `.npy` file.
pub fn read_file(path: &Path) -> Result<Array, Failure> {
    let bytes = input::open(path)?;
    read_npy(&bytes).map_err(|e| Failure::input(path, not_numpy("npy", &e)))
}

fn not_numpy(kind: &str, error: &std::io::Error) -> String {
    format!(
        "not a readable .{kind} file: {error}; write it with numpy.save (.npy) or numpy.savez (.npz)"
    )
}

fn number(text: &str) -> Option<Scalar> {
    match text {
        "true" => Some(Scalar::Bool(true)),
        "false" => Some(Scalar::Bool(false)),
        _ => text.parse().map(Scalar::Int).ok().or_else(|| text.parse().map(Scalar::Double).ok()),
    }
}

/// Gives the inputs to the method. As many as it has are taken one by one; as
/// many as it has tensors are taken by the tensors, and the other inputs keep
/// the value that the program was exported with.
pub fn set(method: &mut Method<'_>, given: &[Given]) -> Result<(), Failure> {
    let wrong = |e: et_runtime::Error| Failure::Usage(e.message);
    if given.is_empty() {
        return method.set_inputs_to_ones().map_err(wrong);
    }
    let tensors: Vec<usize> = (0..method.input_count())
        .filter(|i| matches!(method.input(*i), Some(OutputRef::Tensor(_))))
        .collect();
    let slots: Vec<usize> = if given.len() == method.input_count() {
        (0..given.len()).collect()
    } else if given.len() == tensors.len() {
        tensors
    } else {
        return Err(Failure::Usage(format!(
            "{} inputs given, the method takes {}; give all of them in order, or none to run it on ones",
            given.len(),
            method.input_count()
        )));
    };
    for (slot, input) in slots.into_iter().zip(given) {
        match input {
            Given::Number(scalar) => {
                method.set_input(slot, Input::Scalar(*scalar)).map_err(wrong)?
            }
            Given::Tensor(file, array) => {
                let scalar_type = stored_type(method, slot, array.scalar_type);
                let input = Input::Tensor { scalar_type, sizes: &array.sizes, data: &array.data };
                method
                    .set_input(slot, input)
                    .map_err(|e| Failure::input(Path::new(file), e.message))?;
            }
        }
    }
    Ok(())
}

/// Gives the tensors of `--stub-output` to the stubs of delegates.
pub fn set_stub_outputs(method: &mut Method<'_>, given: &[String]) -> Result<(), Failure> {
    for text in given {
        let wrong = || {
            let example = "0.1=out.npy for output 1 of delegate 0";
            Failure::Usage(format!(
                "--stub-output {text}: expected D.K=FILE.npy, such as {example}"
            ))
        };
        let (place, path) = text.split_once('=').ok_or_else(wrong)?;
        let (delegate, output) = place.split_once('.').ok_or_else(wrong)?;
        let delegate = delegate.parse().map_err(|_| wrong())?;
        let output = output.parse().map_err(|_| wrong())?;
        let path = Path::new(path);
        let array = read_file(path)?;
        let input = Input::Tensor {
            scalar_type: array.scalar_type,
            sizes: &array.sizes,
            data: &array.data,
        };
        method
            .set_stub_output(delegate, output, input)
            .map_err(|error| Failure::input(path, error.message))?;
    }
    Ok(())
}

/// NumPy has no bfloat16: its bits come as uint16.
fn stored_type(method: &Method<'_>, slot: usize, found: ScalarType) -> ScalarType {
    match method.input(slot) {
        Some(OutputRef::Tensor(own)) => bits_of(own.scalar_type(), found),
        _ => found,
    }
}

/// The type of elements that were stored as uint16 for want of a NumPy type.
pub fn bits_of(wanted: ScalarType, found: ScalarType) -> ScalarType {
    let bits = matches!(wanted, ScalarType::BFloat16 | ScalarType::Bits16);
    if bits && found == ScalarType::UInt16 { wanted } else { found }
}
