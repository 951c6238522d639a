//! A journal in a file that other processes see while it is written.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};
use memmap2::MmapMut;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// Memory shared with a file. What was written stays in the file when the
/// process is killed.
#[derive(Debug)]
pub struct Mapping {
    map: MmapMut,
}

impl Mapping {
    /// A file of `bytes` zeros at `path`, in place of one that was there.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path, bytes: usize) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        // Written out, so that a full disk is an error here and not a fault later.
        io::copy(&mut io::repeat(0).take(bytes as u64), &mut file)?;
        file.flush()?;
        Self::of(&file)
    }

    /// The file at `path`, with what is in it.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(&OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn of(file: &File) -> io::Result<Self> {
        // SAFETY: the map is only ever seen as atomics, for which writes of
        // other processes are no undefined behaviour. What remains is another
        // process that shortens the file: then an access faults, which ends this
        // process and corrupts nothing. The journal's files belong to one run.
        #[allow(unsafe_code)]
        let map = unsafe { memmap2::MmapOptions::new().map_mut(file)? };
        Ok(Mapping { map })
    }

    /// A copy of the bytes as they are now.
    pub fn to_vec(&self) -> Vec<u8> {
        let words = self.words().iter();
        words.flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect()
    }

    /// The memory as the words of a journal.
    pub fn words(&self) -> &[AtomicU32] {
        let words = self.map.len() / 4;
        // SAFETY: a map begins at a page, so it is aligned for u32; it has
        // `words` of them, lives as long as `self`, and is writable. Nothing else
        // in this process refers to it: `map` is private and not used otherwise.
        #[allow(unsafe_code)]
        unsafe {
            core::slice::from_raw_parts(self.map.as_ptr().cast::<AtomicU32>(), words)
        }
    }
}
