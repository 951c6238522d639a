//! Memory that keeps its size when fewer numbers are in it.
//!
//! Values of a graph take turns with the same memory. A `Vec` that is made
//! shorter and longer again fills what it gained, once for each turn; here only
//! memory that was never used is filled.

use std::ops::{Deref, DerefMut};

/// Numbers at the front of a piece of memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer<T> {
    memory: Vec<T>,
    len: usize,
}

impl<T: Copy + Default> Buffer<T> {
    /// Of nothing.
    pub const fn new() -> Self {
        Buffer { memory: Vec::new(), len: 0 }
    }

    /// Numbers that there is memory for.
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// As long as `len`; what is in it is whatever was there.
    pub fn set_len(&mut self, len: usize) {
        if self.memory.len() < len {
            self.memory.resize(len, T::default());
        }
        self.len = len;
    }

    /// As long as `len`, all of it `value`.
    pub fn fill_to(&mut self, len: usize, value: T) {
        self.set_len(len);
        self.fill(value);
    }

    /// Adds numbers.
    pub fn extend<I>(&mut self, numbers: I)
    where
        I: IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    {
        let (numbers, old) = (numbers.into_iter(), self.len);
        self.set_len(old + numbers.len());
        self[old..].iter_mut().zip(numbers).for_each(|(own, number)| *own = number);
    }

    /// Adds the numbers of a slice.
    pub fn extend_from_slice(&mut self, numbers: &[T]) {
        let old = self.len;
        self.set_len(old + numbers.len());
        self[old..].copy_from_slice(numbers);
    }
}

impl<T> From<Vec<T>> for Buffer<T> {
    fn from(memory: Vec<T>) -> Self {
        Buffer { len: memory.len(), memory }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[..self.len]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_without_being_filled() {
        let mut buffer = Buffer::from(vec![1, 2, 3, 4]);
        buffer.set_len(1);
        buffer.extend([7, 8]);
        assert_eq!(buffer[..], [1, 7, 8]);
        buffer.set_len(5);
        assert_eq!((&buffer[..], buffer.capacity()), (&[1, 7, 8, 4, 0][..], 5));
        buffer.fill_to(2, 9);
        assert_eq!(buffer[..], [9, 9]);
    }
}
