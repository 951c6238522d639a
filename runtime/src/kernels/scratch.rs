//! Working memory of kernels, kept from one call to the next.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// Floats to work with, given back when dropped.
pub(super) struct Scratch {
    memory: Vec<f32>,
    len: usize,
}

#[cfg(feature = "std")]
std::thread_local! {
    /// As many as there are kernels inside of each other.
    static FREE: core::cell::RefCell<Vec<Vec<f32>>> = const { core::cell::RefCell::new(Vec::new()) };
}

impl Scratch {
    /// `len` floats of any values.
    pub fn new(len: usize) -> Self {
        #[cfg(feature = "std")]
        let mut memory = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
        // Without the standard library there is nowhere to keep it.
        #[cfg(not(feature = "std"))]
        let mut memory = Vec::new();
        if memory.len() < len {
            // What the old one held is not worth a copy.
            memory = Vec::new();
            memory.resize(len, 0.0);
        }
        Scratch { memory, len }
    }

    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let mut scratch = Scratch::new(len);
        scratch.fill(0.0);
        scratch
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[..self.len]
    }
}

#[cfg(feature = "std")]
impl Drop for Scratch {
    fn drop(&mut self) {
        let memory = core::mem::take(&mut self.memory);
        FREE.with_borrow_mut(|free| free.push(memory));
    }
}
