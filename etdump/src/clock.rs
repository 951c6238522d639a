//! Where a recorder's time comes from.

use crate::tracer::Ticks;

/// A clock. Its scale is the recorder's choice; ETDump does not store it.
pub trait Clock {
    /// The time now.
    fn now(&mut self) -> Ticks;
}

impl<F: FnMut() -> Ticks> Clock for F {
    fn now(&mut self) -> Ticks {
        self()
    }
}

/// Nanoseconds since the clock was made, as the host's C++ runtime counts them.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(std::time::Instant);

#[cfg(feature = "std")]
impl Default for SystemClock {
    fn default() -> Self {
        SystemClock(std::time::Instant::now())
    }
}

#[cfg(feature = "std")]
impl Clock for SystemClock {
    fn now(&mut self) -> Ticks {
        Ticks(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}
