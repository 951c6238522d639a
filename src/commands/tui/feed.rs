//! Sessions that are made off the drawing thread.

use super::files::Files;
use super::running::Running;
use crate::failure::Failure;
use et_tui::{Feed, Live, Loading, Progress, Session};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// How often files are looked at that are followed.
const LOOK: Duration = Duration::from_millis(300);

/// Makes sessions on another thread, at first and when files change.
pub struct Background {
    files: Files,
    follows: bool,
    /// The run that the files are of.
    run: Option<Running>,
    /// What is being made.
    work: Option<Work>,
    looked: Instant,
    seen: Vec<(u64, u64)>,
    /// When a followed file was another than before.
    changed: Instant,
    /// Why there is nothing to see.
    pub failure: Option<Failure>,
}

struct Work {
    made: Receiver<Result<Session, Failure>>,
    progress: Progress,
    since: Instant,
    /// Whether somebody waits for it.
    is_first: bool,
}

impl Background {
    /// For `files`, again and again if they are followed.
    pub fn new(files: Files, follows: bool, run: Option<Running>) -> Self {
        let seen = files.state();
        let looked = Instant::now();
        let (work, failure) = (None, None);
        Background { files, follows, run, work, looked, seen, changed: looked, failure }
    }

    /// Begins to make a session.
    pub fn start(&mut self, is_first: bool) {
        let (sender, made) = channel();
        let progress = Progress::default();
        let (files, own) = (self.files.clone(), progress.clone());
        std::thread::spawn(move || {
            // Nobody may wait for it any longer.
            let _ = sender.send(files.session(Some(&own)));
        });
        self.work = Some(Work { made, progress, since: Instant::now(), is_first });
    }

    fn look(&mut self) {
        if !self.follows || self.work.is_some() || self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        let now = self.files.state();
        if now != self.seen {
            // What is read again after a fault is no news.
            if !self.seen.is_empty() {
                self.changed = self.looked;
            }
            self.seen = now;
            self.start(false);
        }
    }
}

impl Feed for Background {
    fn fresh(&mut self) -> Option<Session> {
        self.look();
        let work = self.work.as_ref()?;
        let made = match work.made.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                let message = "reading the files ended early; please report it";
                Err(Failure::Runtime(message.into()))
            }
            Ok(made) => made,
        };
        let is_first = work.is_first;
        self.work = None;
        match made {
            Ok(session) => Some(session),
            // A file in the middle of a change is looked at again the next time.
            Err(_) if !is_first => {
                self.seen.clear();
                None
            }
            Err(failure) => {
                self.failure = Some(failure);
                None
            }
        }
    }

    fn loading(&mut self) -> Option<Loading> {
        let work = self.work.as_ref().filter(|work| work.is_first)?;
        let (name, bytes) = self.files.size();
        let progress = work.progress.clone();
        Some(Loading { name, bytes, since: work.since.elapsed(), progress })
    }

    fn live(&mut self) -> Option<Live> {
        if let Some(stream) = &self.files.stream {
            let (bytes, quiet, ended) = stream.clock();
            let (name, bytes) = (stream.name.clone(), Some(bytes));
            return Some(Live { name, bytes, quiet, running: None, ended });
        }
        let quiet = self.changed.elapsed();
        if let Some(run) = &mut self.run {
            let (running, ended) = run.state();
            return Some(Live { name: run.name.clone(), bytes: None, quiet, running, ended });
        }
        let bytes = self.seen.last().map(|(size, _)| *size);
        let name = self.files.followed();
        self.follows.then_some(Live { name, bytes, quiet, running: None, ended: None })
    }

    fn cancel(&mut self) {
        if let Some(work) = self.work.take() {
            work.progress.cancel();
        }
    }

    fn show_method(&mut self, name: &str) {
        self.files.method = Some(name.to_owned());
        self.start(false);
    }

    fn ended(&mut self) -> bool {
        self.failure.is_some()
    }
}
