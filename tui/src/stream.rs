//! Sources that are listened to: a TCP connection, a serial port, a pipe.

use crate::text::escape;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that are kept; of a longer stream the last half and more.
const KEEP: usize = 16 << 20;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A source that is listened to on a thread of its own.
#[derive(Clone)]
pub struct Stream {
    /// Its name.
    pub name: String,
    state: Arc<Mutex<State>>,
}

/// What came.
#[derive(Clone, Debug)]
pub struct State {
    /// The bytes, the oldest of which are forgotten.
    pub bytes: Vec<u8>,
    /// How many came in all.
    pub total: u64,
    /// When the last of them came.
    pub last: Instant,
    /// Why nothing more comes.
    pub ended: Option<String>,
}

/// What a source is opened as.
pub enum Source {
    /// `HOST:PORT`.
    Tcp(String),
    /// A serial port or a pipe, read as it comes.
    Device(PathBuf),
}

impl Source {
    /// `None` for a path that is a file, which is looked at instead.
    pub fn of(source: &str) -> Option<Self> {
        if let Some(address) = source.strip_prefix("tcp://") {
            return Some(Source::Tcp(address.trim_end_matches('/').to_owned()));
        }
        is_device(Path::new(source)).then(|| Source::Device(source.into()))
    }
}

#[cfg(unix)]
fn is_device(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let kind = path.metadata().map(|metadata| metadata.file_type());
    kind.is_ok_and(|kind| kind.is_char_device() || kind.is_fifo())
}

/// `COM3`, `\\.\COM12`.
#[cfg(windows)]
fn is_device(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_uppercase();
    let name = name.trim_start_matches(r"\\.\");
    name.strip_prefix("COM").is_some_and(|number| number.parse::<u8>().is_ok())
}

impl Stream {
    /// Listens to `source`; what comes is written to `record` as it is.
    ///
    /// # Errors
    /// Nobody answers, or the record cannot be made.
    pub fn open(source: &str, kind: Source, record: Option<&Path>) -> io::Result<Self> {
        let record = record.map(|path| create(path).map(|file| (path.to_owned(), file)));
        let record = record.transpose()?;
        let reader: Box<dyn FnOnce() -> io::Result<Box<dyn Read>> + Send> = match kind {
            Source::Tcp(address) => {
                let stream = connect(&address).map_err(|error| explain(&error))?;
                Box::new(move || Ok(Box::new(stream)))
            }
            // A pipe waits until somebody writes to it.
            Source::Device(path) => Box::new(move || Ok(Box::new(File::open(path)?))),
        };
        let state = State { bytes: Vec::new(), total: 0, last: Instant::now(), ended: None };
        let stream = Stream { name: source.to_owned(), state: Arc::new(Mutex::new(state)) };
        let own = stream.clone();
        std::thread::spawn(move || {
            let why = match reader().and_then(|reader| own.listen(reader, record)) {
                Ok(()) => "closed by the other side".to_owned(),
                Err(error) => error.to_string(),
            };
            own.change(|state| state.ended = Some(why));
        });
        Ok(stream)
    }

    /// What came so far, for those who parse it.
    pub fn state(&self) -> State {
        self.change(|state| state.clone())
    }

    /// What came so far, without the bytes.
    pub fn clock(&self) -> (u64, Duration, Option<String>) {
        self.change(|state| (state.total, state.last.elapsed(), state.ended.clone()))
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn listen(&self, mut source: impl Read, record: Option<(PathBuf, File)>) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let came = &buffer[..count];
            if let Some((path, mut file)) = record.as_ref().map(|(path, file)| (path, file)) {
                file.write_all(came).map_err(|error| {
                    io::Error::other(format!(
                        "{} cannot be written: {error}",
                        escape(&path.to_string_lossy())
                    ))
                })?;
            }
            self.change(|state| {
                state.bytes.extend_from_slice(came);
                state.total += count as u64;
                state.last = Instant::now();
                if state.bytes.len() > KEEP {
                    state.bytes.drain(..KEEP / 2);
                }
            });
        }
    }
}

/// A new file; one that is there may be the record of another day.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AlreadyExists => "is there already; name another file".to_owned(),
            _ => format!("cannot be made: {error}"),
        };
        io::Error::new(
            error.kind(),
            format!("the record {} {why}", escape(&path.to_string_lossy())),
        )
    })
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn explain(error: &io::Error) -> io::Error {
    let hint = "the source is tcp://HOST:PORT, and the other side has to listen";
    io::Error::new(error.kind(), format!("cannot connect: {error}; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn wait(stream: &Stream, until: impl Fn(&State) -> bool) -> State {
        for _ in 0..500 {
            let state = stream.state();
            if until(&state) {
                return state;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{:?}", stream.state());
    }

    #[test]
    fn a_connection_is_read_and_recorded_as_it_comes() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = folder.path().join("uart.raw");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let source = format!("tcp://{}", listener.local_addr().expect("its address"));
        let kind = Source::of(&source).expect("a connection");
        let stream = Stream::open(&source, kind, Some(&record)).expect("connected");
        let (mut device, _) = listener.accept().expect("a connection");
        device.write_all(b"I [executorch:runner] \x00\xff").expect("written");
        let state = wait(&stream, |state| state.total == 24);
        assert_eq!(state.ended, None);
        drop(device);
        let state = wait(&stream, |state| state.ended.is_some());
        assert_eq!(state.ended.as_deref(), Some("closed by the other side"));
        assert_eq!(std::fs::read(&record).expect("the record"), state.bytes);
        // A record is never written over.
        let again = Stream::open(&source, Source::Device("/dev/null".into()), Some(&record));
        assert!(again.is_err_and(|failure| failure.to_string().contains("there already")));
    }

    #[test]
    fn nobody_who_answers_is_said_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        let source = format!("tcp://{address}");
        let failed = Stream::open(&source, Source::Tcp(address.to_string()), None);
        assert!(failed.is_err_and(|failure| failure.to_string().contains("cannot connect")));
    }
}
