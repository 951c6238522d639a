//! Values and their elements.

use super::element;
use et_schema::ScalarType;
use et_schema::etdump;
use std::fmt;

/// A value that was logged.
#[derive(Clone, Debug)]
pub enum Value<'b> {
    /// None, or a kind that is not known.
    Nothing,
    /// A number or truth value.
    Number(f64),
    /// A tensor.
    Tensor(Tensor<'b>),
    /// Tensors of a list.
    List(Vec<Tensor<'b>>),
}

/// Why a tensor's elements are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No debug buffer was given.
    NoBuffer,
    /// An element type that this version does not know, by its number.
    UnknownType(i8),
    /// A size is negative, or there are too many elements to count.
    Sizes(Vec<i64>),
    /// The trace names no place in the buffer.
    NoOffset,
    /// Some of the bytes lie behind the buffer's end.
    OutsideBuffer {
        /// Where the tensor begins.
        offset: u64,
        /// Its size.
        bytes: u64,
        /// Size of the buffer.
        buffer: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoBuffer => f.write_str("no debug buffer was given"),
            Fault::UnknownType(number) => write!(f, "element type {number} is not known"),
            Fault::Sizes(sizes) => write!(f, "sizes {sizes:?} are impossible"),
            Fault::NoOffset => f.write_str("the trace names no place in the debug buffer"),
            Fault::OutsideBuffer { offset, bytes, buffer } => {
                write!(f, "{bytes} bytes at {offset} are not in a debug buffer of {buffer} bytes")
            }
        }
    }
}

/// A tensor that was logged.
#[derive(Clone, Debug)]
pub struct Tensor<'b> {
    /// Element type, if known.
    pub scalar_type: Option<ScalarType>,
    /// Extents.
    pub sizes: Vec<i64>,
    strides: Vec<i64>,
    /// The elements in the order of memory.
    data: Result<&'b [u8], Fault>,
}

/// Statistics of a tensor's elements. NaN elements are only counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Number of elements.
    pub count: u64,
    /// Least; `None` without a number.
    pub min: Option<f64>,
    /// Most.
    pub max: Option<f64>,
    /// Mean.
    pub mean: Option<f64>,
    /// Elements that are not a number.
    pub nan_count: u64,
    /// Elements that are infinite.
    pub inf_count: u64,
}

impl<'b> Value<'b> {
    /// The value that `event` logged, with its elements in `buffer`.
    pub fn of(event: &etdump::DebugEvent<'_>, buffer: Option<&'b [u8]>) -> Self {
        match event.value {
            Some(etdump::Value::Int(value)) => Value::Number(value as f64),
            Some(etdump::Value::Bool(value)) => Value::Number(f64::from(u8::from(value))),
            Some(etdump::Value::Float(value)) => Value::Number(value.into()),
            Some(etdump::Value::Double(value)) => Value::Number(value),
            Some(etdump::Value::Tensor(tensor)) => Value::Tensor(Tensor::new(&tensor, buffer)),
            Some(etdump::Value::TensorList(list)) => {
                Value::List(list.iter().map(|tensor| Tensor::new(&tensor, buffer)).collect())
            }
            _ => Value::Nothing,
        }
    }

    /// The tensors in it.
    pub fn tensors(&self) -> &[Tensor<'b>] {
        match self {
            Value::Tensor(tensor) => std::slice::from_ref(tensor),
            Value::List(tensors) => tensors,
            _ => &[],
        }
    }
}

impl<'b> Tensor<'b> {
    fn new(tensor: &etdump::Tensor<'_>, buffer: Option<&'b [u8]>) -> Self {
        Tensor {
            scalar_type: tensor.scalar_type().ok(),
            sizes: tensor.sizes().iter().collect(),
            strides: tensor.strides().iter().collect(),
            data: elements(tensor, buffer),
        }
    }

    /// A tensor of elements in row-major order; `None` if there are fewer or
    /// more than `sizes` say.
    pub fn from_elements(scalar_type: ScalarType, sizes: &[i64], data: &'b [u8]) -> Option<Self> {
        let numel = sizes.iter().try_fold(1usize, |n, s| n.checked_mul((*s).try_into().ok()?))?;
        let fits = numel.checked_mul(scalar_type.size())? == data.len();
        fits.then(|| Tensor {
            scalar_type: Some(scalar_type),
            sizes: sizes.to_vec(),
            strides: Vec::new(),
            data: Ok(data),
        })
    }

    /// PyTorch's name of the element type.
    pub fn dtype(&self) -> &'static str {
        self.scalar_type.map_or("unknown", ScalarType::name)
    }

    /// The elements in the order of memory, or why they are not there.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn bytes(&self) -> Result<&'b [u8], &Fault> {
        self.data.as_ref().copied()
    }

    /// The elements as numbers, in row-major order, complex ones as their real
    /// and their imaginary part; `None` if they are not there or are no numbers.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let scalar_type = self.scalar_type?;
        let bytes = self.bytes().ok()?;
        let part = scalar_type.part().unwrap_or(scalar_type);
        let parts = scalar_type.size() / part.size();
        let in_memory: Option<Vec<f64>> =
            bytes.chunks_exact(part.size()).map(|e| element::number(part, e)).collect();
        let in_memory = in_memory?;
        if self.is_row_major() {
            return Some(in_memory);
        }
        let mut numbers = Vec::with_capacity(in_memory.len());
        let mut index = vec![0i64; self.sizes.len()];
        for _ in 0..in_memory.len() / parts {
            let offset = index
                .iter()
                .zip(&self.strides)
                .try_fold(0i64, |sum, (i, stride)| sum.checked_add(i.checked_mul(*stride)?))?;
            let first = usize::try_from(offset).ok()?.checked_mul(parts)?;
            numbers.extend_from_slice(in_memory.get(first..first.checked_add(parts)?)?);
            for (i, size) in index.iter_mut().zip(&self.sizes).rev() {
                *i += 1;
                if *i < *size {
                    break;
                }
                *i = 0;
            }
        }
        Some(numbers)
    }

    /// Statistics of the elements; `None` if they are not there or are no numbers.
    pub fn summary(&self) -> Option<Summary> {
        let numbers = self.numbers()?;
        let valid = || numbers.iter().copied().filter(|n| !n.is_nan());
        let valid_count = valid().count();
        let mean = valid().sum::<f64>() / valid_count as f64;
        Some(Summary {
            count: numbers.len() as u64,
            min: valid().reduce(f64::min),
            max: valid().reduce(f64::max),
            mean: (valid_count > 0).then_some(mean),
            nan_count: (numbers.len() - valid_count) as u64,
            inf_count: numbers.iter().filter(|n| n.is_infinite()).count() as u64,
        })
    }

    /// The tensor as if its elements lay in the order of its indices, as
    /// ExecuTorch's Inspector takes all of them.
    pub fn in_memory_order(self) -> Self {
        Tensor { strides: Vec::new(), ..self }
    }

    /// Whether memory order is index order. Strides that contradict the sizes
    /// are those of a file that has none.
    fn is_row_major(&self) -> bool {
        if self.strides.len() != self.sizes.len() {
            return true;
        }
        let mut expected = 1i64;
        for (size, stride) in self.sizes.iter().zip(&self.strides).rev() {
            if *size != 1 && *stride != expected {
                return false;
            }
            expected = expected.saturating_mul(*size);
        }
        true
    }
}

fn elements<'b>(tensor: &etdump::Tensor<'_>, buffer: Option<&'b [u8]>) -> Result<&'b [u8], Fault> {
    let scalar_type = tensor.scalar_type().map_err(Fault::UnknownType)?;
    let bytes = tensor.numel().and_then(|n| n.checked_mul(scalar_type.size() as u64));
    let bytes = bytes.ok_or_else(|| Fault::Sizes(tensor.sizes().iter().collect()))?;
    let buffer = buffer.ok_or(Fault::NoBuffer)?;
    if bytes == 0 {
        return Ok(&[]);
    }
    let offset = tensor.offset().ok_or(Fault::NoOffset)?;
    tensor.data(buffer).ok_or(Fault::OutsideBuffer { offset, bytes, buffer: buffer.len() as u64 })
}
