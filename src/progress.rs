//! Progress of long work: a line on standard error, from the first second on,
//! where a person watches. It is gone before anything else is printed.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Work that takes less shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks of the line; what is measured meanwhile must not feel it.
const REFRESH: Duration = Duration::from_millis(250);

/// The progress of a command. Clones are the same progress.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// The thread that waits for the first second; it ends when this is dropped.
    waiting: Arc<Mutex<Option<mpsc::Sender<()>>>>,
}

impl Default for Progress {
    fn default() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Progress { bar, waiting: Arc::default() }
    }
}

impl Progress {
    /// Begins to count the time of `what`, if standard error is a terminal.
    pub fn start(&self, what: &'static str) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        self.bar.set_message(what);
        self.bar.set_style(style("{spinner} {msg} {elapsed}"));
        let (sender, receiver) = mpsc::channel::<()>();
        *self.lock() = Some(sender);
        let bar = self.bar.clone();
        thread::spawn(move || {
            if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(REFRESH);
            }
        });
    }

    /// The work has `total` steps, counted from here, which are `unit`s.
    pub fn steps(&self, total: u64, unit: &str) {
        self.bar.set_length(total);
        let unit = unit.replace(['{', '}'], "");
        let template =
            format!("{{spinner}} {{msg}} {{wide_bar}} {{pos}} of {{len}} {unit}, {{eta}} left");
        self.bar.set_style(style(&template));
    }

    /// One of the steps is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Takes the line away, for good.
    pub fn finish(&self) {
        *self.lock() = None;
        self.bar.finish_and_clear();
    }

    /// Prints `line` on standard error, above the progress.
    pub fn print_above(&self, line: &str) {
        self.bar.suspend(|| {
            use std::io::Write;
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
