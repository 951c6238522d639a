//! Shape and layout of a dense tensor.

use crate::error::{KernelResult, ensure};
use core::ops::Deref;
use et_schema::ScalarType;
use et_schema::pte::Dynamism;

/// Most dimensions that ExecuTorch's runtime takes (`kTensorDimensionLimit`).
pub const MAX_RANK: usize = 16;

/// A number per dimension, to make a new shape of.
pub(crate) type Sizes = smallvec::SmallVec<[i32; MAX_RANK]>;

/// Up to [`MAX_RANK`] numbers, one per dimension, kept in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Dims {
    len: u8,
    items: [i32; MAX_RANK],
}

impl Dims {
    /// The numbers of `items`, `None` if there are too many.
    pub fn new(items: &[i32]) -> Option<Self> {
        let mut dims = Dims { len: u8::try_from(items.len()).ok()?, items: [0; MAX_RANK] };
        dims.items.get_mut(..items.len())?.copy_from_slice(items);
        Some(dims)
    }

    fn filled(len: usize) -> Self {
        Dims { len: len.min(MAX_RANK) as u8, items: [0; MAX_RANK] }
    }

    fn as_mut(&mut self) -> &mut [i32] {
        &mut self.items[..usize::from(self.len)]
    }
}

impl Deref for Dims {
    type Target = [i32];

    fn deref(&self) -> &[i32] {
        &self.items[..usize::from(self.len)]
    }
}

impl core::fmt::Debug for Dims {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.deref().fmt(f)
    }
}

/// Element type, shape and layout of a dense tensor without padding.
///
/// `dim_order` lists the dimensions from outermost to innermost in memory;
/// strides count elements and follow from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorMeta {
    scalar_type: ScalarType,
    dynamism: Dynamism,
    sizes: Dims,
    strides: Dims,
    dim_order: [u8; MAX_RANK],
    /// Whether `dim_order` counts up.
    contiguous: bool,
    numel: usize,
    capacity: usize,
}

impl TensorMeta {
    /// A tensor of `sizes`, the upper bound if the shape is dynamic. An empty
    /// `dim_order` is that of a contiguous tensor.
    ///
    /// # Errors
    /// Too many dimensions, a negative size, a size in bytes beyond the
    /// address space, or a `dim_order` that is no permutation.
    pub fn new(
        scalar_type: ScalarType,
        sizes: &[i32],
        dim_order: &[u8],
        dynamism: Dynamism,
    ) -> KernelResult<Self> {
        ensure!(sizes.len() <= MAX_RANK, "{} dimensions, at most {MAX_RANK}", sizes.len());
        let dims = Dims::new(sizes).unwrap_or(Dims::filled(0));
        let mut order = core::array::from_fn(|i| i as u8);
        if !dim_order.is_empty() {
            ensure!(
                is_permutation(dim_order) && dim_order.len() == sizes.len(),
                "dim order {dim_order:?} of a tensor with {} dimensions",
                sizes.len()
            );
            order[..sizes.len()].copy_from_slice(dim_order);
        }
        let mut meta = TensorMeta {
            scalar_type,
            dynamism,
            sizes: dims,
            strides: Dims::filled(sizes.len()),
            dim_order: order,
            contiguous: dim_order.windows(2).all(|pair| pair[0] < pair[1]),
            numel: 0,
            capacity: 0,
        };
        meta.numel = element_count(sizes)
            .filter(|n| n.checked_mul(scalar_type.size()).is_some_and(|b| b <= isize::MAX as usize))
            .ok_or_else(|| crate::KernelError::argument(alloc::format!("sizes {sizes:?}")))?;
        meta.capacity = meta.numel;
        meta.update_strides()?;
        Ok(meta)
    }

    /// Element type.
    pub fn scalar_type(&self) -> ScalarType {
        self.scalar_type
    }

    /// Extent of each dimension.
    pub fn sizes(&self) -> &[i32] {
        &self.sizes
    }

    /// Distance between neighbours along each dimension, in elements.
    pub fn strides(&self) -> &[i32] {
        &self.strides
    }

    /// Dimensions from outermost to innermost in memory.
    pub fn dim_order(&self) -> &[u8] {
        &self.dim_order[..self.rank()]
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.sizes.len()
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.numel
    }

    /// Bytes of all elements.
    pub fn nbytes(&self) -> usize {
        self.numel * self.scalar_type.size()
    }

    /// Bytes at the upper bound of the shape.
    pub fn capacity_bytes(&self) -> usize {
        self.capacity * self.scalar_type.size()
    }

    /// Whether the shape may change.
    pub fn dynamism(&self) -> Dynamism {
        self.dynamism
    }

    /// Extent of dimension `dim`, 1 beyond the last.
    pub fn size(&self, dim: usize) -> usize {
        self.sizes.get(dim).map_or(1, |s| *s as usize)
    }

    /// Whether memory order is index order.
    pub fn is_contiguous(&self) -> bool {
        self.contiguous
    }

    /// Whether memory order is batch, spatial dimensions, channels.
    pub fn is_channels_last(&self) -> bool {
        matches!(self.dim_order(), [0, 2, 3, 1] | [0, 2, 3, 4, 1] | [0, 2, 1])
    }

    /// The same tensor as if its memory were in index order.
    ///
    /// # Errors
    /// Strides beyond 32 bits.
    pub(crate) fn plain(&self) -> KernelResult<Self> {
        let mut plain = self.clone();
        plain.dim_order = core::array::from_fn(|i| i as u8);
        plain.contiguous = true;
        plain.update_strides()?;
        Ok(plain)
    }

    /// Changes the shape.
    ///
    /// # Errors
    /// A change of a static shape or of the rank, or more elements than the
    /// tensor was planned for (`NotSupported`, as the C++ `TensorImpl` says).
    pub fn resize(&mut self, sizes: &[i32]) -> KernelResult {
        let refuse = |why: &str| {
            Err(crate::KernelError::new(
                et_schema::ErrorCode::NotSupported,
                alloc::format!("cannot resize from {:?} to {sizes:?}: {why}", &*self.sizes),
            ))
        };
        if sizes == &*self.sizes {
            return Ok(());
        }
        if sizes.len() != self.rank() {
            return refuse("the number of dimensions is fixed");
        }
        if self.dynamism == Dynamism::Static {
            return refuse("the shape is static");
        }
        let Some(numel) = element_count(sizes).filter(|n| *n <= self.capacity) else {
            return refuse("more elements than the program planned");
        };
        self.numel = numel;
        self.sizes.as_mut().copy_from_slice(sizes);
        self.update_strides()
    }

    fn update_strides(&mut self) -> KernelResult {
        let mut stride = 1i64;
        for dim in self.dim_order[..self.sizes.len()].iter().rev() {
            let dim = usize::from(*dim);
            let Ok(fits) = i32::try_from(stride) else {
                return Err(crate::KernelError::argument("strides beyond 32 bits"));
            };
            self.strides.as_mut()[dim] = fits;
            stride = stride.saturating_mul(i64::from(self.sizes[dim]).max(1));
        }
        Ok(())
    }
}

fn element_count(sizes: &[i32]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |n, size| n.checked_mul(usize::try_from(*size).ok()?))
}

fn is_permutation(order: &[u8]) -> bool {
    let mut seen = 0u32;
    order.iter().all(|dim| {
        let bit = 1u32.checked_shl(u32::from(*dim)).unwrap_or(0);
        let new = usize::from(*dim) < order.len() && seen & bit == 0;
        seen |= bit;
        new
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(sizes: &[i32], dim_order: &[u8]) -> KernelResult<TensorMeta> {
        TensorMeta::new(ScalarType::Float, sizes, dim_order, Dynamism::DynamicBound)
    }

    #[test]
    fn strides_follow_the_dim_order() {
        assert_eq!(meta(&[2, 3, 4, 5], &[]).unwrap().strides(), [60, 20, 5, 1]);
        let channels_last = meta(&[2, 3, 4, 5], &[0, 2, 3, 1]).unwrap();
        assert_eq!(channels_last.strides(), [60, 1, 15, 3]);
        assert!(channels_last.is_channels_last());
    }

    #[test]
    fn repeated_dimension_is_refused() {
        assert!(meta(&[2, 3], &[0, 0]).is_err());
        assert!(meta(&[2, 3], &[0, 2]).is_err());
        assert!(meta(&[2, 3], &[0]).is_err());
    }

    #[test]
    fn sizes_that_overflow_are_refused() {
        assert!(meta(&[i32::MAX, i32::MAX, i32::MAX], &[]).is_err());
        assert!(meta(&[-1], &[]).is_err());
    }

    #[test]
    fn resize_stays_within_the_planned_bound() {
        let mut tensor = meta(&[4, 8], &[]).unwrap();
        tensor.resize(&[2, 16]).unwrap();
        assert_eq!((tensor.strides(), tensor.nbytes()), (&[16, 1][..], 128));
        tensor.resize(&[2, 3]).unwrap();
        assert_eq!(tensor.nbytes(), 24);
        tensor.resize(&[4, 8]).unwrap();
        assert!(tensor.resize(&[5, 8]).is_err());
        assert!(tensor.resize(&[8]).is_err());
    }
}
