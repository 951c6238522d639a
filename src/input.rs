//! Opening inputs: files are mapped, standard input (`-`) is read.

use crate::failure::Failure;
use std::fs::File;
use std::io::Read;
use std::ops::Deref;
use std::path::Path;

/// The bytes of an input.
pub enum Input {
    /// A mapped file.
    Mapped(memmap2::Mmap),
    /// Standard input, a pipe, or an empty file.
    Read(Vec<u8>),
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Input::Mapped(map) => map,
            Input::Read(bytes) => bytes,
        }
    }
}

/// The bytes of `path`, or of standard input if it is `-`.
///
/// # Errors
/// The file is missing, a directory, or not readable.
pub fn open(path: &Path) -> Result<Input, Failure> {
    let fail = |message: String| Failure::input(path, message);
    if path.as_os_str() == "-" {
        return read(std::io::stdin().lock()).map_err(|e| fail(format!("cannot read: {e}")));
    }
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => fail("no such file; check the path".into()),
        _ => fail(format!("cannot open: {e}")),
    })?;
    let metadata = file.metadata().map_err(|e| fail(format!("cannot open: {e}")))?;
    if metadata.is_dir() {
        return Err(fail("is a directory; name a file in it".into()));
    }
    if !metadata.is_file() || metadata.len() == 0 {
        return read(file).map_err(|e| fail(format!("cannot read: {e}")));
    }
    map(&file).map_err(|e| fail(format!("cannot map: {e}")))
}

fn read(mut source: impl Read) -> std::io::Result<Input> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    Ok(Input::Read(bytes))
}

fn map(file: &File) -> std::io::Result<Input> {
    // SAFETY: the map is private and read-only. What remains is a file that
    // another process truncates or rewrites while we read it: then the system
    // stops us with SIGBUS, or we see other bytes. Every reader checks what it
    // reads where it reads it, and no reference outlives the map.
    #[allow(unsafe_code)]
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(file)? };
    Ok(Input::Mapped(map))
}
