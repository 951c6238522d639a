//! What goes on beside the keys: files that are being read, and sources that
//! are listened to.

use crate::text::{bytes, escape, fit, fit_end};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Steps of opening files, in their order.
const STEPS: [&str; 6] =
    ["reading", "sorting events", "summing up", "laying out lanes", "diagnosing", "done"];

/// How far files are opened; shared with the thread that does it.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    step: Arc<AtomicU8>,
    cancelled: Arc<AtomicBool>,
}

/// The user does not want to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl Progress {
    /// Asks the work to end; it does between two of its steps.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Goes on to the next step, unless the user does not want to wait.
    pub(crate) fn reach(&self, step: u8) -> Result<(), Cancelled> {
        self.step.store(step, Ordering::Relaxed);
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    fn step(&self) -> usize {
        usize::from(self.step.load(Ordering::Relaxed)).min(STEPS.len() - 1)
    }
}

/// Files that are being read.
#[derive(Clone, Debug)]
pub struct Loading {
    /// What is read.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Time since the beginning.
    pub since: Duration,
    /// How far it is.
    pub progress: Progress,
}

impl Loading {
    /// In one line of a width.
    pub(crate) fn line(&self, width: usize) -> String {
        let step = self.progress.step();
        let said = format!(
            "{}, step {} of {}, {:.1} s, Esc cancels",
            STEPS[step],
            step + 1,
            STEPS.len() - 1,
            self.since.as_secs_f64()
        );
        // The name may be long, and how far it is what one looks at.
        let name = format!("{} ({})", escape(&self.name), bytes(self.bytes));
        match width.saturating_sub(said.width() + 2) {
            room if name.width() <= room => format!("{name}: {said}"),
            room if room >= 12 => format!("{}: {said}", fit_end(&escape(&self.name), room)),
            _ => said,
        }
    }
}

/// A source that is listened to.
#[derive(Clone, Debug)]
pub struct Live {
    /// Its name.
    pub name: String,
    /// Bytes that came, where that says anything.
    pub bytes: Option<u64>,
    /// Time since the last of them.
    pub quiet: Duration,
    /// For how long a run has been running, if it is one.
    pub running: Option<Duration>,
    /// Why nothing more comes.
    pub ended: Option<String>,
}

impl Live {
    /// Quiet for so long, nothing is expected to come the next moment.
    const QUIET: Duration = Duration::from_secs(1);

    /// In one line of a width, with the instruction that began and did not end.
    pub(crate) fn line(&self, in_flight: Option<&str>, width: usize) -> String {
        let seconds = self.quiet.as_secs_f64();
        let state = match &self.ended {
            Some(why) => escape(why),
            None if self.quiet < Self::QUIET => match self.running {
                Some(since) => format!("running for {:.1} s", since.as_secs_f64()),
                None => "receiving".into(),
            },
            None => match in_flight {
                Some(name) => format!("quiet, {name} in flight since {seconds:.1} s"),
                None => format!("quiet since {seconds:.1} s"),
            },
        };
        // The name may be long, and the clock is what one looks at.
        let clock = match self.bytes {
            Some(count) => format!("{state}, {}", bytes(count)),
            None => state,
        };
        let room = width.saturating_sub(clock.width() + 2);
        let name = escape(&self.name);
        let name = if name.width() > room { fit(&name, room) } else { name };
        fit(&format!("{name}: {clock}"), width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_device_says_for_how_long() {
        let mut live = Live {
            name: "tcp://board:4444".into(),
            bytes: Some(1200),
            quiet: Duration::from_millis(12_400),
            running: None,
            ended: None,
        };
        assert!(
            live.line(Some("0:1 aten::addmm.out"), 100)
                .contains("0:1 aten::addmm.out in flight since 12.4 s")
        );
        assert!(live.line(None, 100).contains("quiet since 12.4 s"));
        live.quiet = Duration::from_millis(10);
        assert!(live.line(Some("0:1"), 100).contains("receiving"));
        live.running = Some(Duration::from_secs(3));
        assert!(live.line(Some("0:1"), 100).contains("running for 3.0 s"));
        live.ended = Some("closed by the device".into());
        assert!(live.line(Some("0:1"), 100).contains("closed by the device"));
    }

    #[test]
    fn what_is_read_says_how_far_it_is_however_long_its_name() {
        let loading = Loading {
            name: "a/long/way/to/the/file/trace.etdp".into(),
            bytes: 441_000_000,
            since: Duration::from_millis(4_200),
            progress: Progress::default(),
        };
        assert_eq!(
            loading.line(100),
            "a/long/way/to/the/file/trace.etdp (441,000,000 B): reading, step 1 of 5, 4.2 s, Esc cancels"
        );
        assert_eq!(
            loading.line(62),
            "…the/file/trace.etdp: reading, step 1 of 5, 4.2 s, Esc cancels"
        );
        assert_eq!(loading.line(40), "reading, step 1 of 5, 4.2 s, Esc cancels");
    }

    #[test]
    fn work_that_is_not_wanted_ends_at_the_next_step() {
        let progress = Progress::default();
        assert_eq!(progress.reach(1), Ok(()));
        progress.cancel();
        assert_eq!(progress.reach(2), Err(Cancelled));
    }
}
