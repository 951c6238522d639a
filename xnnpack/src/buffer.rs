//! Memory that keeps its size when fewer numbers are in it.
//!
//! Values of a graph take turns with the same memory. A `Vec` that is made
//! shorter and longer again fills what it gained, once for each turn; here only
//! memory that was never used is filled. Numbers begin with a cache line, as a
//! vector that lies across two takes twice the time.

use std::ops::{Deref, DerefMut, Range};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Numbers in a piece of memory.
#[derive(Debug, Default)]
pub(crate) struct Buffer<T> {
    memory: Vec<T>,
    /// Where the first one is.
    start: usize,
    len: usize,
}

impl<T: Copy + Default> Buffer<T> {
    /// Of nothing.
    pub const fn new() -> Self {
        Buffer { memory: Vec::new(), start: 0, len: 0 }
    }

    /// Numbers that there is memory for.
    pub fn capacity(&self) -> usize {
        self.memory.len() - self.start
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// As long as `len`; what is in it is whatever was there.
    pub fn set_len(&mut self, len: usize) {
        if self.capacity() < len {
            // What grows one by one does so in few steps.
            let wanted = len.max(self.len.saturating_mul(2));
            let spare = (LINE / size_of::<T>().max(1)).saturating_sub(1);
            let memory = vec![T::default(); wanted.saturating_add(spare)];
            let start = memory.as_ptr().align_offset(LINE).min(spare);
            let old = std::mem::replace(self, Buffer { memory, start, len: self.len });
            self.copy_from_slice(&old);
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

impl<T> Buffer<T> {
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

impl<T: Copy + Default> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Buffer::from(&self[..])
    }
}

impl<T: Copy + Default> From<&[T]> for Buffer<T> {
    fn from(numbers: &[T]) -> Self {
        let mut buffer = Buffer::new();
        buffer.extend_from_slice(numbers);
        buffer
    }
}

impl<T: Copy + Default> From<Vec<T>> for Buffer<T> {
    fn from(numbers: Vec<T>) -> Self {
        Buffer::from(&numbers[..])
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.range()]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        let range = self.range();
        &mut self.memory[range]
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
        buffer.set_len(4);
        assert_eq!(buffer[..], [1, 7, 8, 4]);
        buffer.fill_to(2, 9);
        assert_eq!(buffer[..], [9, 9]);
    }

    #[test]
    fn numbers_begin_with_a_cache_line_wherever_they_are_moved_to() {
        let mut bytes = Buffer::new();
        for count in 1..400 {
            bytes.extend([count as u8]);
            assert_eq!((bytes.len(), bytes.as_ptr().addr() % LINE), (count, 0));
        }
        assert!(bytes.iter().zip(1..).all(|(byte, count)| *byte == count as u8));
        let copy = bytes.clone();
        assert_eq!((&copy[..], copy.as_ptr().addr() % LINE), (&bytes[..], 0));
    }
}
