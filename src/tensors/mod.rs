//! Tensors from outside a program: reading and writing `.npy` and `.npz`
//! files, and comparing outputs with what is expected.

mod compare;
mod npy;

pub use compare::{Difference, Tolerance, compare};
pub use npy::{read_npy, read_npz, write_npy};

use et_runtime::tensor::{TensorMeta, TensorRef};
use et_schema::ScalarType;
use et_schema::pte::Dynamism;
use std::borrow::Cow;

/// A tensor with its own memory, elements in index order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Element type.
    pub scalar_type: ScalarType,
    /// Extents.
    pub sizes: Vec<i32>,
    /// Little-endian elements.
    pub data: Vec<u8>,
}

impl Array {
    /// A copy of a runtime's tensor, brought into index order.
    pub fn from_tensor(tensor: &TensorRef<'_>) -> Self {
        let size = tensor.scalar_type().size();
        let nbytes = tensor.nbytes();
        let mut data = Vec::with_capacity(nbytes);
        let source = tensor.bytes().get(..nbytes).unwrap_or_default();
        if tensor.is_contiguous() {
            data.extend_from_slice(source);
        } else if !source.is_empty() {
            for offset in index_order(tensor.sizes(), tensor.strides()) {
                data.extend_from_slice(&source[offset * size..][..size]);
            }
        }
        Array { scalar_type: tensor.scalar_type(), sizes: tensor.sizes().to_vec(), data }
    }

    /// A tensor whose elements lie in memory as `dim_order` says; `None` if
    /// there are too few of them or the shape contradicts itself.
    pub fn from_memory_order(
        scalar_type: ScalarType,
        sizes: &[i32],
        dim_order: &[u8],
        data: &[u8],
    ) -> Option<Self> {
        let meta = TensorMeta::new(scalar_type, sizes, dim_order, Dynamism::Static).ok()?;
        let source = data.get(..meta.nbytes())?;
        let size = scalar_type.size();
        let data = if meta.is_contiguous() {
            source.to_vec()
        } else {
            index_order(sizes, meta.strides())
                .flat_map(|offset| &source[offset * size..][..size])
                .copied()
                .collect()
        };
        Some(Array { scalar_type, sizes: sizes.to_vec(), data })
    }

    /// Complex numbers as their parts, along one more dimension; any other
    /// tensor as it is.
    pub fn parts(&self) -> Cow<'_, Array> {
        let Some(part) = self.scalar_type.part() else { return Cow::Borrowed(self) };
        let sizes = self.sizes.iter().copied().chain([2]).collect();
        Cow::Owned(Array { scalar_type: part, sizes, data: self.data.clone() })
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.data.len() / self.scalar_type.size()
    }

    /// Element `index` as a number; integers beyond 2^53 lose their last digits.
    pub fn number(&self, index: usize) -> f64 {
        let size = self.scalar_type.size();
        number(self.scalar_type, &self.data[index * size..][..size])
    }
}

/// Offsets in elements of all indices of a strided tensor, in index order.
fn index_order<'a>(sizes: &'a [i32], strides: &'a [i32]) -> impl Iterator<Item = usize> + 'a {
    let count = sizes.iter().map(|s| *s as usize).product();
    let mut index = vec![0i32; sizes.len()];
    let mut offset = 0i64;
    (0..count).map(move |_| {
        let current = offset;
        for dim in (0..sizes.len()).rev() {
            index[dim] += 1;
            offset += i64::from(strides[dim]);
            if index[dim] < sizes[dim] {
                break;
            }
            offset -= i64::from(strides[dim]) * i64::from(sizes[dim]);
            index[dim] = 0;
        }
        current as usize
    })
}

/// One element as a number. Types without numbers give their first byte.
fn number(scalar_type: ScalarType, bytes: &[u8]) -> f64 {
    fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or([0; N])
    }
    match scalar_type {
        ScalarType::Char | ScalarType::QInt8 => f64::from(bytes[0] as i8),
        ScalarType::Short => i16::from_le_bytes(array(bytes)).into(),
        ScalarType::UInt16 | ScalarType::Bits16 => u16::from_le_bytes(array(bytes)).into(),
        ScalarType::Int | ScalarType::QInt32 => i32::from_le_bytes(array(bytes)).into(),
        ScalarType::UInt32 => u32::from_le_bytes(array(bytes)).into(),
        ScalarType::Long => i64::from_le_bytes(array(bytes)) as f64,
        ScalarType::UInt64 => u64::from_le_bytes(array(bytes)) as f64,
        ScalarType::Half => half::f16::from_le_bytes(array(bytes)).into(),
        ScalarType::BFloat16 => half::bf16::from_le_bytes(array(bytes)).into(),
        ScalarType::Float => f32::from_le_bytes(array(bytes)).into(),
        ScalarType::Double => f64::from_le_bytes(array(bytes)),
        ScalarType::Bool => f64::from(u8::from(bytes[0] != 0)),
        _ => bytes[0].into(),
    }
}
