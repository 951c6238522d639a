//! Working memory of kernels, kept from one call to the next.

use alloc::vec::Vec;
use bytemuck::Pod;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

/// Elements to work with; their memory is given back when they are dropped.
pub(crate) struct Scratch<T> {
    /// Eight bytes at a time, so that it is aligned for any element.
    memory: Vec<u64>,
    /// The word at which the elements begin.
    start: usize,
    len: usize,
    element: PhantomData<T>,
}

/// Elements begin at a multiple of so many words, so that no vector of a line of
/// whole vectors lies across two cache lines.
const ALIGN: usize = 8;

#[cfg(feature = "std")]
std::thread_local! {
    /// As many as there are in use at the same time.
    static FREE: core::cell::RefCell<Vec<Vec<u64>>> = const { core::cell::RefCell::new(Vec::new()) };
}

impl<T: Pod> Scratch<T> {
    /// `len` elements of any values.
    pub fn new(len: usize) -> Self {
        const { assert!(align_of::<T>() <= align_of::<u64>()) };
        let words = len.saturating_mul(size_of::<T>()).div_ceil(size_of::<u64>());
        let words = words.saturating_add(ALIGN - 1);
        #[cfg(feature = "std")]
        let mut memory = FREE.with_borrow_mut(|free| {
            let large_enough = free.iter().rposition(|memory| memory.len() >= words);
            large_enough.map(|index| free.swap_remove(index)).or_else(|| free.pop())
        });
        #[cfg(feature = "std")]
        let mut memory = memory.take().unwrap_or_default();
        // Without the standard library there is nowhere to keep it.
        #[cfg(not(feature = "std"))]
        let mut memory = Vec::new();
        if memory.len() < words {
            // What the old one held is not worth a copy.
            memory = alloc::vec![0; words];
        }
        let start = memory.as_ptr().align_offset(ALIGN * size_of::<u64>()).min(ALIGN - 1);
        Scratch { memory, start, len, element: PhantomData }
    }

    /// No elements, and no memory yet.
    pub fn empty() -> Self {
        Scratch { memory: Vec::new(), start: 0, len: 0, element: PhantomData }
    }

    /// `len` elements, of any values unless there were as many before.
    pub fn resize(&mut self, len: usize) {
        if self.len != len {
            *self = Scratch::new(len);
        }
    }

    /// `len` times `value`.
    pub fn filled(len: usize, value: T) -> Self {
        let mut scratch = Scratch::new(len);
        scratch.fill(value);
        scratch
    }

    /// The elements of an iterator that knows their number.
    pub fn of(elements: impl ExactSizeIterator<Item = T>) -> Self {
        let mut scratch = Scratch::new(elements.len());
        scratch.iter_mut().zip(elements).for_each(|(target, element)| *target = element);
        scratch
    }
}

impl<T: Pod> Deref for Scratch<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &cast(&self.memory[self.start..])[..self.len]
    }
}

impl<T: Pod> DerefMut for Scratch<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.memory[self.start..]);
        let whole = bytes.len() / size_of::<T>() * size_of::<T>();
        &mut bytemuck::cast_slice_mut(&mut bytes[..whole])[..self.len]
    }
}

fn cast<T: Pod>(memory: &[u64]) -> &[T] {
    let bytes: &[u8] = bytemuck::cast_slice(memory);
    bytemuck::cast_slice(&bytes[..bytes.len() / size_of::<T>() * size_of::<T>()])
}

#[cfg(feature = "std")]
impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        let memory = core::mem::take(&mut self.memory);
        if !memory.is_empty() {
            FREE.with_borrow_mut(|free| free.push(memory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_for_other_elements() {
        drop(Scratch::<f64>::filled(10, 1.0));
        let bytes = Scratch::of([1u8, 2, 3].into_iter());
        assert_eq!(bytes[..], [1, 2, 3]);
        let inner = Scratch::<f32>::filled(100, 2.0);
        assert_eq!(inner.len(), 100);
        assert!(inner.iter().all(|x| *x == 2.0) && bytes[..] == [1, 2, 3]);
    }
}
