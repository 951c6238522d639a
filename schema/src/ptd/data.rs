//! Entries of the file: names, and the layout of those that are tensors.

use crate::generated::flat_tensor_generated::flat_tensor_flatbuffer as fb;
use crate::scalar_type::ScalarType;
use flatbuffers::Vector;

/// Data that programs and delegates find by name.
#[derive(Clone, Copy, Debug)]
pub struct NamedData<'a> {
    entry: fb::NamedData<'a>,
}

impl<'a> NamedData<'a> {
    pub(super) fn new(entry: fb::NamedData<'a>) -> Self {
        NamedData { entry }
    }

    /// Name, such as `layer.weight`.
    pub fn key(&self) -> &'a str {
        self.entry.key().unwrap_or_default()
    }

    /// Index of the segment that holds the data; several entries may share one.
    pub fn segment_index(&self) -> u32 {
        self.entry.segment_index()
    }

    /// How the data is a tensor, `None` for a blob.
    pub fn tensor_layout(&self) -> Option<TensorLayout<'a>> {
        self.entry.tensor_layout().map(|layout| TensorLayout { layout })
    }
}

/// Element type and shape of a tensor in the file.
#[derive(Clone, Copy, Debug)]
pub struct TensorLayout<'a> {
    layout: fb::TensorLayout<'a>,
}

impl<'a> TensorLayout<'a> {
    /// Element type; `Err` with the number of one that this reader does not know.
    pub fn scalar_type(&self) -> Result<ScalarType, i8> {
        let number = self.layout.scalar_type().0;
        ScalarType::from_number(number.into()).ok_or(number)
    }

    /// Extent of each dimension.
    pub fn sizes(&self) -> Vector<'a, i32> {
        self.layout.sizes().unwrap_or_default()
    }

    /// The dimensions from outermost to innermost in memory.
    pub fn dim_order(&self) -> &'a [u8] {
        self.layout.dim_order().unwrap_or_default().bytes()
    }

    /// Number of elements; `None` if a size is negative or the product overflows.
    pub fn numel(&self) -> Option<u64> {
        self.sizes().iter().try_fold(1u64, |n, size| n.checked_mul(u64::try_from(size).ok()?))
    }

    /// Bytes of all elements; `None` as for [`TensorLayout::numel`] or for an
    /// unknown element type.
    pub fn nbytes(&self) -> Option<u64> {
        self.numel()?.checked_mul(self.scalar_type().ok()?.size() as u64)
    }
}
