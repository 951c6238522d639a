//! Where results go: standard output, or a file that appears under its name
//! only when it is complete.

use crate::failure::Failure;
use std::fs;
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
    file: BufWriter<Place>,
}

/// Where the bytes go until the end.
enum Place {
    /// A file under another name beside the final one.
    Beside {
        file: tempfile::NamedTempFile,
        /// The final name, with symbolic links followed: the link stays a link.
        target: PathBuf,
    },
    /// A device, pipe or terminal, which a rename would replace by a plain file.
    Direct(fs::File),
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Place::Beside { file, .. } => file.write(bytes),
            Place::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Place::Beside { file, .. } => file.flush(),
            Place::Direct(file) => file.flush(),
        }
    }
}

impl OutputFile {
    /// Starts a file that will be `path`.
    ///
    /// # Errors
    /// The folder is missing or not writable.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let place = Self::place(path).map_err(|e| Failure::output(Some(path), e))?;
        Ok(OutputFile { path: path.to_owned(), file: BufWriter::new(place) })
    }

    fn place(path: &Path) -> io::Result<Place> {
        let target = match fs::metadata(path) {
            Ok(found) if found.is_file() => path.canonicalize()?,
            Ok(found) if !found.is_dir() => {
                return Ok(Place::Direct(fs::OpenOptions::new().write(true).open(path)?));
            }
            _ => path.to_owned(),
        };
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty());
        let file = temporary_name().tempfile_in(folder.unwrap_or(Path::new(".")))?;
        Ok(Place::Beside { file, target })
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
        match file.into_inner().map_err(|e| fail(e.into_error()))? {
            Place::Beside { file, target } => {
                file.persist(&target).map_err(|e| fail(e.error))?;
            }
            Place::Direct(_) => {}
        }
        Ok(())
    }
}

/// Temporary files are private by default; a result is as readable as any new
/// file under the user's mask.
fn temporary_name() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".etinspect-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::FileTypeExt;

    #[test]
    fn a_pipe_stays_a_pipe_and_a_link_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).expect("the pipe")
        });
        OutputFile::write_all(&pipe, b"through").expect("written");
        assert_eq!(reader.join().expect("read"), b"through");
        assert!(fs::metadata(&pipe).expect("the pipe").file_type().is_fifo());

        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, b"old").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        OutputFile::write_all(&link, b"new").expect("written");
        assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
        assert_eq!(fs::read(&file).expect("the file"), b"new");
    }
}
