//! Borrowed tensors: what a kernel reads and writes.

use super::element::Element;
use super::meta::TensorMeta;
use crate::error::{KernelError, KernelResult, ensure};
use core::ops::Deref;
use et_schema::ScalarType;

/// A tensor to read.
#[derive(Clone, Copy, Debug)]
pub struct TensorRef<'a> {
    pub(crate) meta: &'a TensorMeta,
    pub(crate) data: &'a [u8],
}

impl<'a> TensorRef<'a> {
    /// The tensor's bytes, in memory order.
    pub fn bytes(&self) -> &'a [u8] {
        self.data
    }

    /// The elements, in memory order.
    ///
    /// # Errors
    /// `T` is not the tensor's type, or the program gave the tensor no
    /// memory, too little, or none that is aligned for it.
    pub fn data<T: Element>(&self) -> KernelResult<&'a [T]> {
        check(self.meta, T::DTYPE, self.data.len())?;
        if self.meta.nbytes() == 0 {
            return Ok(&[]);
        }
        bytemuck::try_cast_slice(&self.data[..self.meta.nbytes()]).map_err(|_| misaligned())
    }

    /// Shape and layout, for as long as the data lives.
    pub fn meta(&self) -> &'a TensorMeta {
        self.meta
    }
}

impl Deref for TensorRef<'_> {
    type Target = TensorMeta;

    fn deref(&self) -> &TensorMeta {
        self.meta
    }
}

/// A tensor to write. Its data covers the upper bound of the shape, so that
/// it can be resized first.
#[derive(Debug)]
pub struct TensorMut<'a> {
    pub(crate) meta: &'a mut TensorMeta,
    pub(crate) data: &'a mut [u8],
}

impl TensorMut<'_> {
    /// Shape and layout.
    pub fn meta(&self) -> &TensorMeta {
        self.meta
    }

    /// Changes the shape, within what the program planned.
    ///
    /// # Errors
    /// Where [`TensorMeta::resize`] fails; kernels say `InvalidArgument` then.
    pub fn resize(&mut self, sizes: &[i32]) -> KernelResult {
        self.meta.resize(sizes).map_err(|e| KernelError::argument(e.message))
    }

    /// The bytes of all elements, in memory order.
    ///
    /// # Errors
    /// The program gave the tensor too little memory.
    pub fn bytes_mut(&mut self) -> KernelResult<&mut [u8]> {
        check(self.meta, self.meta.scalar_type(), self.data.len())?;
        Ok(&mut self.data[..self.meta.nbytes()])
    }

    /// The elements, in memory order.
    ///
    /// # Errors
    /// As [`TensorRef::data`].
    pub fn data_mut<T: Element>(&mut self) -> KernelResult<&mut [T]> {
        check(self.meta, T::DTYPE, self.data.len())?;
        let nbytes = self.meta.nbytes();
        if nbytes == 0 {
            return Ok(&mut []);
        }
        bytemuck::try_cast_slice_mut(&mut self.data[..nbytes]).map_err(|_| misaligned())
    }

    /// The tensor as it stands, to read.
    pub fn as_ref(&self) -> TensorRef<'_> {
        TensorRef { meta: self.meta, data: self.data }
    }
}

impl Deref for TensorMut<'_> {
    type Target = TensorMeta;

    fn deref(&self) -> &TensorMeta {
        self.meta
    }
}

fn check(meta: &TensorMeta, wanted: ScalarType, bytes: usize) -> KernelResult {
    ensure!(
        meta.scalar_type() == wanted,
        "expected a {wanted} tensor, found {}",
        meta.scalar_type()
    );
    ensure!(
        bytes >= meta.nbytes(),
        "tensor of {} bytes has no data, or only {bytes} bytes of it",
        meta.nbytes()
    );
    Ok(())
}

fn misaligned() -> KernelError {
    KernelError::argument("tensor data is not aligned for its element type")
}
