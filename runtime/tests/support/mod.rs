//! Fixtures of the real ExecuTorch, and the comparison with what we compute.
#![allow(dead_code)]

pub mod bundled;

use et_runtime::{Input, LoadOptions, Method, OutputRef, Program};
use et_schema::ScalarType;
use et_schema::pte::File;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// `tests/fixtures/` of the workspace.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

/// A tensor of a `.npy` file, in index order.
pub struct Array {
    pub scalar_type: ScalarType,
    pub sizes: Vec<i32>,
    pub data: Vec<u8>,
}

impl Array {
    /// Reads a file; the kinds of numbers that the fixtures use.
    pub fn read(path: &Path) -> io::Result<Self> {
        let npy = npyz::NpyFile::new(io::BufReader::new(fs::File::open(path)?))?;
        let sizes = npy.shape().iter().map(|s| *s as i32).collect();
        let dtype = npy.dtype().descr();
        let (scalar_type, data) = match dtype.trim_matches('\'') {
            "<f4" => (ScalarType::Float, bytes(npy.into_vec::<f32>()?)),
            "<f8" => (ScalarType::Double, bytes(npy.into_vec::<f64>()?)),
            "<f2" => (ScalarType::Half, bytes(npy.into_vec::<half::f16>()?)),
            "<i8" => (ScalarType::Long, bytes(npy.into_vec::<i64>()?)),
            "<i4" => (ScalarType::Int, bytes(npy.into_vec::<i32>()?)),
            "<i2" => (ScalarType::Short, bytes(npy.into_vec::<i16>()?)),
            "|i1" => (ScalarType::Char, bytes(npy.into_vec::<i8>()?)),
            "|u1" => (ScalarType::Byte, npy.into_vec::<u8>()?),
            // bfloat16 is stored as its bits.
            "<u2" => (ScalarType::BFloat16, bytes(npy.into_vec::<u16>()?)),
            "|b1" => (ScalarType::Bool, npy.into_vec::<bool>()?.iter().map(|b| *b as u8).collect()),
            other => panic!("{}: dtype {other}", path.display()),
        };
        Ok(Array { scalar_type, sizes, data })
    }

    fn element(&self, index: usize) -> f64 {
        let size = self.scalar_type.size();
        number(self.scalar_type, &self.data[index * size..][..size])
    }
}

fn bytes<T: bytemuck::Pod>(items: Vec<T>) -> Vec<u8> {
    bytemuck::cast_slice(&items).to_vec()
}

/// One element as a number.
pub fn number(scalar_type: ScalarType, bytes: &[u8]) -> f64 {
    match scalar_type {
        ScalarType::Byte => bytes[0].into(),
        ScalarType::Char => (bytes[0] as i8).into(),
        ScalarType::Bool => (bytes[0] != 0).into(),
        ScalarType::Short => i16::from_le_bytes(bytes.try_into().unwrap()).into(),
        ScalarType::Int => i32::from_le_bytes(bytes.try_into().unwrap()).into(),
        ScalarType::Long => i64::from_le_bytes(bytes.try_into().unwrap()) as f64,
        ScalarType::Float => f32::from_le_bytes(bytes.try_into().unwrap()).into(),
        ScalarType::Double => f64::from_le_bytes(bytes.try_into().unwrap()),
        ScalarType::Half => half::f16::from_le_bytes(bytes.try_into().unwrap()).into(),
        ScalarType::BFloat16 => half::bf16::from_le_bytes(bytes.try_into().unwrap()).into(),
        ScalarType::UInt16 | ScalarType::Bits16 => {
            u16::from_le_bytes(bytes.try_into().unwrap()).into()
        }
        ScalarType::UInt32 => u32::from_le_bytes(bytes.try_into().unwrap()).into(),
        ScalarType::UInt64 => u64::from_le_bytes(bytes.try_into().unwrap()) as f64,
        other => panic!("no numbers in {other}"),
    }
}

/// Sets the inputs that `case_dir` has; others keep the program's value.
pub fn set_inputs(method: &mut Method<'_>, case_dir: &Path) -> Result<(), String> {
    for index in 0..method.input_count() {
        let Ok(array) = Array::read(&case_dir.join(format!("in_{index}.npy"))) else { continue };
        let Array { scalar_type, sizes, data } = &array;
        let input = Input::Tensor { scalar_type: *scalar_type, sizes, data };
        method.set_input(index, input).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Loads `method` and runs every case of `io` in order, as one loaded method.
pub fn check_model(dir: &Path, method_name: &str, rtol: f64, atol: f64) -> Result<(), String> {
    check_model_with(LoadOptions::default(), dir, method_name, rtol, atol)
}

/// The same with options.
pub fn check_model_with(
    options: LoadOptions,
    dir: &Path,
    method_name: &str,
    rtol: f64,
    atol: f64,
) -> Result<(), String> {
    let bytes = fs::read(dir.join("model.pte")).unwrap();
    let file = File::parse(&bytes).map_err(|e| e.to_string())?;
    let program = Program::new(file);
    let mut tracer = etdump::NoTracer;
    let mut method =
        Method::load(&program, method_name, options, &mut tracer).map_err(|e| e.to_string())?;
    let io = dir.join("io").join(method_name);
    let mut case = 0;
    while let Some(case_dir) = Some(io.join(format!("case{case}"))).filter(|d| d.is_dir()) {
        set_inputs(&mut method, &case_dir)?;
        method.execute(&mut tracer).map_err(|e| e.to_string())?;
        for (index, output) in method.outputs().enumerate() {
            let Ok(expected) = Array::read(&case_dir.join(format!("out_{index}.npy"))) else {
                continue;
            };
            compare(&output, &expected, rtol, atol)
                .map_err(|e| format!("case {case}, output {index}: {e}"))?;
        }
        case += 1;
    }
    if case == 0 { Err(format!("no cases in {}", io.display())) } else { Ok(()) }
}

fn compare(output: &OutputRef<'_>, expected: &Array, rtol: f64, atol: f64) -> Result<(), String> {
    let OutputRef::Tensor(tensor) = output else {
        return Err(format!("expected a tensor, found {output:?}"));
    };
    if tensor.scalar_type() != expected.scalar_type || tensor.sizes() != expected.sizes {
        return Err(format!(
            "expected {}{:?}, found {}{:?}",
            expected.scalar_type,
            expected.sizes,
            tensor.scalar_type(),
            tensor.sizes()
        ));
    }
    let size = tensor.scalar_type().size();
    let exact = !tensor.scalar_type().is_floating();
    let mut index = vec![0i32; tensor.rank()];
    for position in 0..tensor.numel() {
        let offset: i32 = index.iter().zip(tensor.strides()).map(|(i, s)| i * s).sum();
        let found = number(tensor.scalar_type(), &tensor.bytes()[offset as usize * size..][..size]);
        let wanted = expected.element(position);
        let close = found == wanted
            || (found.is_nan() && wanted.is_nan())
            || (!exact && (found - wanted).abs() <= atol + rtol * wanted.abs());
        if !close {
            return Err(format!("at {index:?}: expected {wanted}, found {found}"));
        }
        for dim in (0..index.len()).rev() {
            index[dim] += 1;
            if index[dim] < tensor.sizes()[dim] {
                break;
            }
            index[dim] = 0;
        }
    }
    Ok(())
}
