//! Work on threads of their own, which nobody has to wait for: what is short is
//! done at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// Rows up to which nobody notices that they are looked at: a filter has done
/// with them in a millisecond or two.
pub(crate) const FEW: usize = 2_000;

/// What takes less is not talked about: the line would only flicker.
const SHORT: Duration = Duration::from_millis(150);

/// Rows looked at between two questions whether to go on.
const BETWEEN: usize = 1024;

/// What work and those who wait for it say to each other.
#[derive(Debug, Default)]
pub(crate) struct Work {
    cancelled: AtomicBool,
    percent: AtomicU8,
}

impl Work {
    /// Whether to go on with item `index` of `count`; what it made is thrown away if not.
    pub fn goes_on(&self, index: usize, count: usize) -> bool {
        if !index.is_multiple_of(BETWEEN) {
            return true;
        }
        let percent = (index as u128 * 100 / count.max(1) as u128).min(99) as u8;
        self.percent.store(percent, Ordering::Relaxed);
        !self.cancelled.load(Ordering::Relaxed)
    }

    /// Work that was cancelled before it began.
    #[cfg(test)]
    pub fn cancelled() -> Self {
        Work { cancelled: AtomicBool::new(true), ..Work::default() }
    }
}

/// What is being made on a thread of its own.
#[derive(Debug)]
pub(crate) struct Later<T> {
    made: Receiver<T>,
    work: Arc<Work>,
    since: Instant,
    /// Rows that are looked at.
    pub count: usize,
}

impl<T: Send + 'static> Later<T> {
    /// Begins the work, which asks now and then whether to go on.
    pub fn start(count: usize, work: impl FnOnce(&Work) -> T + Send + 'static) -> Self {
        let (sender, made) = channel();
        let shared = Arc::new(Work::default());
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            // Nobody may wait for it any longer.
            let _ = sender.send(work(&own));
        });
        Later { made, work: shared, since: Instant::now(), count }
    }

    /// What was made, when it is there; `None` in it if the work broke off.
    pub fn take(&self) -> Option<Option<T>> {
        match self.made.try_recv() {
            Ok(made) => Some(Some(made)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(None),
        }
    }
}

impl<T> Later<T> {
    /// Whether one has been waiting for it so long that it is worth a word.
    pub fn is_long(&self) -> bool {
        self.since.elapsed() >= SHORT
    }

    /// How much of it is done, in percent.
    pub fn percent(&self) -> u8 {
        self.work.percent.load(Ordering::Relaxed)
    }
}

impl<T> Drop for Later<T> {
    /// Whoever asks for something else does not want this any more.
    fn drop(&mut self) {
        self.work.cancelled.store(true, Ordering::Relaxed);
    }
}

/// What was made at once, or is being made.
#[derive(Debug)]
pub(crate) enum Made<T> {
    Now(T),
    Later(Later<T>),
}

impl<T: Send + 'static> Made<T> {
    /// Looks at `count` rows: at once, unless they are more than `few`.
    pub fn of(count: usize, few: usize, work: impl FnOnce(&Work) -> T + Send + 'static) -> Self {
        match count <= few {
            true => Made::Now(work(&Work::default())),
            false => Made::Later(Later::start(count, work)),
        }
    }
}

/// Lets go of something large on a thread of its own: to free millions of
/// pieces takes longer than a frame.
pub(crate) fn discard<T: Send + 'static>(large: T) {
    std::thread::spawn(move || drop(large));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T: Send + 'static>(later: &Later<T>) -> Option<T> {
        let begun = Instant::now();
        loop {
            if let Some(taken) = later.take() {
                return taken;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "still waiting");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn little_is_made_at_once_and_much_on_another_thread() {
        let here = std::thread::current().id();
        let work = move |_: &Work| std::thread::current().id() == here;
        assert!(matches!(Made::of(FEW, FEW, work), Made::Now(true)));
        let Made::Later(later) = Made::of(FEW + 1, FEW, work) else { panic!("much") };
        assert_eq!(wait(&later), Some(false));
    }

    #[test]
    fn work_says_how_far_it_is_and_ends_when_nobody_waits() {
        let (sender, ended) = channel();
        let later = Later::start(10 * BETWEEN, move |work| {
            assert!(work.goes_on(4 * BETWEEN, 10 * BETWEEN));
            let begun = Instant::now();
            while work.goes_on(5 * BETWEEN, 10 * BETWEEN) && begun.elapsed().as_secs() < 20 {
                std::thread::yield_now();
            }
            sender.send(begun.elapsed().as_secs() < 20).expect("a test waits");
        });
        let begun = Instant::now();
        while later.percent() < 50 {
            assert!(begun.elapsed() < Duration::from_secs(20), "no progress");
        }
        drop(later);
        assert_eq!(ended.recv_timeout(Duration::from_secs(20)), Ok(true));
    }

    #[test]
    fn work_that_breaks_off_is_not_waited_for() {
        let later: Later<u32> = Later::start(1, |_| panic!("as a test"));
        assert_eq!(wait(&later), None);
    }
}
