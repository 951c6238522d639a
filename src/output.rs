//! Where results go: standard output, or a file that appears under its name
//! only when it is complete.

use crate::failure::Failure;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The destination of a command's result.
pub enum Output {
    /// Standard output.
    Stdout(BufWriter<io::Stdout>),
    /// A file, under another name until [`Output::finish`].
    File(OutputFile),
}

impl Output {
    /// Standard output, or a new file beside `path`.
    ///
    /// # Errors
    /// The file's folder is missing or not writable.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        match path {
            None => Ok(Output::Stdout(BufWriter::new(io::stdout()))),
            Some(path) if path.as_os_str() == "-" => Self::open(None),
            Some(path) => Ok(Output::File(OutputFile::create(path)?)),
        }
    }

    /// Writes text.
    ///
    /// # Errors
    /// What the system says.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Output::Stdout(stdout) => stdout.write_all(bytes).map_err(|e| Failure::output(None, e)),
            Output::File(file) => file.write(bytes),
        }
    }

    /// Completes the output: a file gets its name now.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(self) -> Result<(), Failure> {
        match self {
            Output::Stdout(mut stdout) => stdout.flush().map_err(|e| Failure::output(None, e)),
            Output::File(file) => file.finish(),
        }
    }
}

/// A file in the making. Dropped unfinished, it leaves nothing behind.
pub struct OutputFile {
    path: PathBuf,
    file: BufWriter<tempfile::NamedTempFile>,
}

impl OutputFile {
    /// Starts a file that will be `path`.
    ///
    /// # Errors
    /// The folder is missing or not writable.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".etinspect-")
            .tempfile_in(folder)
            .map_err(|e| Failure::output(Some(path), e))?;
        Ok(OutputFile { path: path.to_owned(), file: BufWriter::new(file) })
    }

    /// Writes the whole file `path` at once.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_all(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let mut file = Self::create(path)?;
        file.write(bytes)?;
        file.finish()
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|e| Failure::output(Some(&self.path), e))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(self) -> Result<(), Failure> {
        let OutputFile { path, file } = self;
        let fail = |e| Failure::output(Some(&path), e);
        let file = file.into_inner().map_err(|e| fail(e.into_error()))?;
        make_readable(&file).map_err(fail)?;
        file.persist(&path).map_err(|e| Failure::output(Some(&path), e.error))?;
        Ok(())
    }
}

/// Temporary files are private; a result is as readable as any new file.
#[cfg(unix)]
fn make_readable(file: &tempfile::NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &tempfile::NamedTempFile) -> io::Result<()> {
    Ok(())
}
