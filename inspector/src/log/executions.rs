//! Executions of a method, counted by the lines that runners print when one
//! begins and when it ends.

/// The executions of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Executions {
    /// Those that the log shows to have ended.
    pub ended: u64,
    /// Those that had ended when the current loop of the runner began.
    before_loop: u64,
    /// Executions that the loop was to do.
    in_loop: u64,
}

impl Executions {
    /// A loop of `count` executions begins.
    pub(super) fn begin(&mut self, count: Option<u64>) {
        self.before_loop = self.ended;
        self.in_loop = count.unwrap_or(1).max(1);
    }

    /// Execution `index` of the loop, from 0, begins: those before it ended.
    pub(super) fn begin_of_loop(&mut self, index: u64) {
        if index == 0 {
            self.before_loop = self.ended;
        }
        self.ended = self.before_loop.saturating_add(index);
    }

    /// The loop is over, after `count` executions if the line says so.
    pub(super) fn end(&mut self, count: Option<u64>) {
        let count = count.unwrap_or(self.in_loop).max(1);
        self.ended = self.before_loop.saturating_add(count);
    }
}
