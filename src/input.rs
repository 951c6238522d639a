//! Opening inputs: files are mapped, pipes and devices are read; `-` is
//! standard input.

use crate::failure::Failure;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Deref;
use std::path::Path;

/// The bytes of an input.
pub enum Input {
    /// A mapped file.
    Mapped(memmap2::Mmap),
    /// What came out of a pipe or a device.
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

impl Input {
    /// Gives back the memory that a mapped file takes by having been looked at.
    /// What is looked at again comes from the file again.
    pub fn release(&self) {
        #[cfg(unix)]
        if let Input::Mapped(map) = self {
            // SAFETY: the map is private, read-only and of a file (`map`), so that the
            // system reads a page that it gave back from the file, which has the same bytes.
            #[allow(unsafe_code)]
            let released = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
            // Memory that stays taken is no error.
            drop(released);
        }
    }
}

/// The bytes of `path`, or of standard input if it is `-`.
///
/// # Errors
/// The file is missing, a directory, empty, or not readable.
pub fn open(path: &Path) -> Result<Input, Failure> {
    let input = open_empty(path)?;
    if input.is_empty() {
        return Err(Failure::input(path, "the file is empty"));
    }
    Ok(input)
}

/// As [`open`], for a file that may as well be empty, such as a log.
///
/// # Errors
/// The file is missing, a directory, or not readable.
pub fn open_empty(path: &Path) -> Result<Input, Failure> {
    let fail = |message: String| Failure::input(path, message);
    let file = if path.as_os_str() == "-" { standard_input() } else { File::open(path) };
    let file = file.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => fail("no such file; check the path".into()),
        _ => fail(format!("cannot open: {e}")),
    })?;
    let metadata = file.metadata().map_err(|e| fail(format!("cannot open: {e}")))?;
    if metadata.is_dir() {
        return Err(fail("is a directory; name a file in it".into()));
    }
    if metadata.is_file() && at_start(&file) && metadata.len() > 0 {
        map(&file).map_err(|e| fail(format!("cannot map: {e}")))
    } else {
        read(file).map_err(|e| fail(format!("cannot read: {e}")))
    }
}

/// Standard input as a file, so that one that was redirected can be mapped.
#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// Whether nothing was read of the file before, as may be of standard input.
fn at_start(mut file: &File) -> bool {
    file.stream_position().is_ok_and(|position| position == 0)
}

fn read(mut source: impl Read) -> io::Result<Input> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    Ok(Input::Read(bytes))
}

fn map(file: &File) -> io::Result<Input> {
    // SAFETY: the map is private and read-only, and no reference outlives it.
    // What remains is another process that truncates or rewrites the file while
    // we read it, which can only disturb this one short-lived process.
    #[allow(unsafe_code)]
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(file)? };
    Ok(Input::Mapped(map))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs;

    /// Kilobytes of the process's memory that are pages of files.
    fn resident_of_files() -> usize {
        let status = fs::read_to_string("/proc/self/status").expect("the process's state");
        let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    #[test]
    fn a_released_file_takes_no_memory_and_is_still_there() {
        const SIZE: usize = 32 << 20;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..SIZE).map(|index| (index / 997) as u8).collect();
        fs::write(&path, &bytes).expect("written");
        let input = open(&path).expect("the file");
        assert!(*input == *bytes);
        let before = resident_of_files();
        input.release();
        let after = resident_of_files();
        assert!(after + SIZE / 1024 / 2 < before, "{before} kB, then {after} kB");
        assert!(*input == *bytes);
    }
}
