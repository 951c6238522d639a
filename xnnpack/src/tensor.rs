//! The data of values.

use crate::buffer::Buffer;
use crate::error::{Error, Result, ensure};
use et_schema::xnnpack::DataType;
use half::{bf16, f16};

/// Numbers of a tensor. Half precision is kept as float32, 8-bit and smaller
/// integers as unsigned bytes: of signed ones [`RAISED`] more than they are.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    F32(Buffer<f32>),
    Small(Buffer<u8>),
    I32(Buffer<i32>),
}

/// How integers are meant.
#[derive(Clone, Debug)]
pub(crate) enum Scale {
    /// They are no quantized numbers.
    None,
    /// `(q - zero) * scale`, both raised.
    Tensor { scale: f32, zero: i32 },
    /// A scale per channel, zero at 0, raised.
    Channels(Vec<f32>),
    /// A scale per group of `size` numbers in a row, zero at 0.
    Groups { scales: Vec<f32>, size: usize },
    /// Made at run time: [`Tensor::rows`].
    Rows { dimensions: usize },
}

/// How the integers of a row are meant that was quantized at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub scale: f32,
    pub zero: i32,
}

/// A value with its data, if it has any now.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub data_type: DataType,
    pub dims: Vec<usize>,
    pub scale: Scale,
    pub data: Data,
    pub rows: Vec<Row>,
    pub constant: bool,
}

/// Lowest and highest number of an 8-bit type, raised.
pub(crate) const RANGE: (i32, i32) = (0, 255);

/// How much more is kept of signed numbers than they are.
pub(crate) const RAISED: i32 = 128;

/// How much more is kept of numbers of `data_type` than they are, and of their zero points.
pub(crate) fn raised(data_type: DataType) -> i32 {
    match data_type {
        DataType::QUINT8 | DataType::QINT32 | DataType::QCINT32 | DataType::INT32 => 0,
        _ => RAISED,
    }
}

/// Most elements of a value. What a damaged graph asks for must not take the
/// memory of the machine; no real one comes near.
const MOST: usize = 1 << 28;

/// Product of `dims`.
pub(crate) fn count(dims: &[usize]) -> Result<usize> {
    dims.iter()
        .try_fold(1usize, |count, dim| count.checked_mul(*dim))
        .filter(|count| *count <= MOST)
        .ok_or_else(|| Error::new(format!("a value of {dims:?} has more than {MOST} elements")))
}

impl Data {
    /// None yet, of the kind that `data_type` is kept as.
    pub fn empty(data_type: DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::FP32 | DataType::FP16 | DataType::BF16 | DataType::PFP32 => {
                Data::F32(Buffer::new())
            }
            DataType::QINT8
            | DataType::QUINT8
            | DataType::QCINT8
            | DataType::QDINT8
            | DataType::QPINT8
            | DataType::QCINT4
            | DataType::QBINT4 => Data::Small(Buffer::new()),
            DataType::QINT32 | DataType::QCINT32 | DataType::INT32 => Data::I32(Buffer::new()),
            other => return Err(Error::new(format!("values of {other}"))),
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Data::F32(data) => data.len(),
            Data::Small(data) => data.len(),
            Data::I32(data) => data.len(),
        }
    }

    /// Float32, or an error.
    pub fn floats(&self) -> Result<&[f32]> {
        match self {
            Data::F32(data) => Ok(data),
            other => Err(other.unexpected("float32")),
        }
    }

    /// 8-bit or smaller integers, or an error.
    pub fn small(&self) -> Result<&[u8]> {
        match self {
            Data::Small(data) => Ok(data),
            other => Err(other.unexpected("8-bit integers")),
        }
    }

    fn unexpected(&self, expected: &str) -> Error {
        let found = match self {
            Data::F32(_) => "float32",
            Data::Small(_) => "8-bit integers",
            Data::I32(_) => "int32",
        };
        Error::new(format!("expected {expected}, found {found}"))
    }

    /// Reads `count` numbers of `data_type` out of `bytes`; those of 4 bits in
    /// rows of `row`, each of which begins at a byte.
    pub fn read(data_type: DataType, bytes: &[u8], count: usize, row: usize) -> Result<Self> {
        let mut data = Self::empty(data_type)?;
        data.refill(data_type, bytes, count, row)?;
        Ok(data)
    }

    /// As [`Data::read`], into the memory of `self`.
    pub fn refill(
        &mut self,
        data_type: DataType,
        bytes: &[u8],
        count: usize,
        row: usize,
    ) -> Result {
        let row = row.max(1);
        let needed = match data_type.bits() {
            4 => (count / row).checked_mul(row.div_ceil(2)),
            bits => count.checked_mul(bits as usize / 8),
        };
        let needed = needed.unwrap_or(usize::MAX);
        ensure!(bytes.len() >= needed, "{needed} bytes of data expected, found {}", bytes.len());
        let bytes = &bytes[..needed];
        match self {
            Data::F32(data) => {
                data.clear();
                match data_type {
                    DataType::FP16 => {
                        data.extend(words(bytes).map(|bits| f16::from_bits(bits).to_f32()));
                    }
                    DataType::BF16 => {
                        data.extend(words(bytes).map(|bits| bf16::from_bits(bits).to_f32()));
                    }
                    _ => data.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
                }
            }
            Data::I32(data) => {
                data.clear();
                data.extend(bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b)));
            }
            Data::Small(data) => {
                data.clear();
                match data_type {
                    DataType::QUINT8 => data.extend_from_slice(bytes),
                    DataType::QCINT4 | DataType::QBINT4 => {
                        for line in bytes.chunks(row.div_ceil(2)) {
                            let nibble = |at: usize| line[at / 2] >> (at % 2 * 4) & 15;
                            data.extend((0..row).map(|at| nibble(at) + (RAISED as u8 - 8)));
                        }
                    }
                    _ => data.extend(bytes.iter().map(|b| b ^ RAISED as u8)),
                }
            }
        }
        Ok(())
    }

    /// Writes the numbers as `data_type` to the front of `bytes`; those that
    /// do not fit are left out.
    pub fn write(&self, data_type: DataType, bytes: &mut [u8]) {
        match self {
            Data::F32(data) => match data_type {
                DataType::FP16 => put(bytes, data, |x| f16::from_f32(*x).to_le_bytes()),
                DataType::BF16 => put(bytes, data, |x| bf16::from_f32(*x).to_le_bytes()),
                _ => put(bytes, data, |x| x.to_le_bytes()),
            },
            Data::Small(data) => {
                let raised = raised(data_type) as u8;
                put(bytes, data, |x| [x ^ raised]);
            }
            Data::I32(data) => put(bytes, data, |x| x.to_le_bytes()),
        }
    }
}

fn words(bytes: &[u8]) -> impl ExactSizeIterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|b| u16::from_le_bytes(*b))
}

fn put<T, const N: usize>(bytes: &mut [u8], data: &[T], encode: impl Fn(&T) -> [u8; N]) {
    for (target, number) in bytes.as_chunks_mut().0.iter_mut().zip(data) {
        *target = encode(number);
    }
}

impl Tensor {
    /// Scale and zero point, if there is one for the whole tensor.
    pub fn quantization(&self) -> Option<Row> {
        match self.scale {
            Scale::Tensor { scale, zero } => Some(Row { scale, zero }),
            _ => None,
        }
    }

    /// As [`Tensor::quantization`], or an error.
    pub fn quantized(&self) -> Result<Row> {
        self.quantization().ok_or_else(|| Error::new("a value without scale and zero point"))
    }

    /// Rounds float32 to the half precision that the value is meant to have.
    pub fn round(&mut self) {
        let Data::F32(data) = &mut self.data else { return };
        match self.data_type {
            DataType::FP16 => data.iter_mut().for_each(|x| *x = f16::from_f32(*x).to_f32()),
            DataType::BF16 => data.iter_mut().for_each(|x| *x = bf16::from_f32(*x).to_f32()),
            _ => {}
        }
    }
}
