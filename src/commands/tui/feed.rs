//! Sessions that are made off the drawing thread.

use super::files::Files;
use super::running::Running;
use crate::failure::Failure;
use et_tui::{Feed, Live, Loading, Progress, Session, Stream};
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
    /// The state of the files that is shown; none yet, or after a fault.
    seen: State,
    /// When a followed file was another than before.
    changed: Instant,
    /// Why there is nothing to see.
    pub failure: Option<Failure>,
}

/// What tells one state of the files from another.
type State = Vec<(u64, u64)>;

struct Work {
    news: Receiver<News>,
    progress: Progress,
    since: Instant,
    /// Whether somebody waits for it.
    is_first: bool,
}

/// What the other thread says: first how the files are, and if they are not as
/// they were, the session that was made of them.
enum News {
    Same,
    Changed(State, Instant),
    Session(Box<Result<Session, Failure>>),
}

impl Background {
    /// Begins to make a session of `files`; again and again if they are followed.
    pub fn of(files: Files, follows: bool) -> Self {
        let now = Instant::now();
        let mut background = Background {
            files,
            follows,
            run: None,
            work: None,
            looked: now,
            seen: State::new(),
            changed: now,
            failure: None,
        };
        background.start(true);
        background
    }

    /// The first session, if it is there before anybody notices that it was waited for.
    ///
    /// # Errors
    /// A file that is nothing of what can be shown, or damaged.
    pub fn wait(&mut self, patience: Duration) -> Result<Option<Session>, Failure> {
        let begun = Instant::now();
        while let Some(work) = &self.work {
            let left = patience.saturating_sub(begun.elapsed());
            let Ok(news) = work.news.recv_timeout(left) else { break };
            if let Some(session) = self.take(news) {
                return Ok(Some(session));
            }
        }
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(None),
        }
    }

    /// Listens to `stream` as well.
    pub fn listen(&mut self, stream: Stream) {
        self.files.stream = Some(stream);
    }

    /// Follows the files of a run as well.
    pub fn watch(&mut self, run: Running) {
        self.files.later = run.files();
        self.run = Some(run);
    }

    /// Looks at the files, and makes a session of them if they changed. To look may
    /// take long as well: a file is on a disk, or on another machine.
    fn start(&mut self, is_first: bool) {
        let (sender, news) = channel();
        let progress = Progress::default();
        let (files, own, seen) = (self.files.clone(), progress.clone(), self.seen.clone());
        std::thread::spawn(move || {
            // Nobody may wait for it any longer.
            let state = files.state();
            if !is_first && state == seen {
                let _ = sender.send(News::Same);
                return;
            }
            let _ = sender.send(News::Changed(state, Instant::now()));
            let _ = sender.send(News::Session(Box::new(files.session(Some(&own)))));
        });
        self.work = Some(Work { news, progress, since: Instant::now(), is_first });
    }

    fn look(&mut self) {
        if self.follows && self.work.is_none() && self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.start(false);
        }
    }

    fn take(&mut self, news: News) -> Option<Session> {
        let made = match news {
            News::Changed(state, when) => {
                // What is read again after a fault is no news.
                if !self.seen.is_empty() {
                    self.changed = when;
                }
                self.seen = state;
                return None;
            }
            News::Same => {
                self.work = None;
                return None;
            }
            News::Session(made) => *made,
        };
        let is_first = self.work.take().is_some_and(|work| work.is_first);
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
}

impl Feed for Background {
    fn fresh(&mut self) -> Option<Session> {
        self.look();
        while let Some(work) = &self.work {
            let news = match work.news.try_recv() {
                Ok(news) => news,
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {
                    let message = "reading the files ended early; please report it";
                    News::Session(Box::new(Err(Failure::Runtime(message.into()))))
                }
            };
            if let Some(session) = self.take(news) {
                return Some(session);
            }
        }
        None
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
        self.seen.clear();
        self.start(false);
    }

    fn ended(&mut self) -> bool {
        self.failure.is_some()
    }
}
