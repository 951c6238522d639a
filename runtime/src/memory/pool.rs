//! Bump allocation as the C++ runtime's `MemoryAllocator` does it.
//!
//! A pool hands out offsets, not memory: it is the account of what the C++
//! runtime would have taken, and it fails where that one fails.

use alloc::format;
use alloc::string::String;

/// Limits of the pools in bytes; `None` is a pool on the heap that never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PoolLimits {
    /// Method allocator.
    pub method: Option<u64>,
    /// All planned buffers together.
    pub planned: Option<u64>,
    /// Temp allocator.
    pub temp: Option<u64>,
}

/// What a pool gave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    /// `method`, `planned_N` or `temp`.
    pub name: String,
    /// Limit in bytes, `None` if it has none.
    pub limit: Option<u64>,
    /// Bytes given out now, alignment included.
    pub used: u64,
    /// The most bytes given out at any time.
    pub peak: u64,
    /// Number of allocations so far.
    pub allocations: u64,
}

/// A pool had too little left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// Bytes asked for, with the padding before them.
    pub requested: u64,
    /// Bytes left.
    pub available: u64,
}

impl Exhausted {
    /// The runtime's own log line.
    pub fn message(self) -> String {
        format!(
            "Memory allocation failed: {}B requested (adjusted for alignment), {}B available",
            self.requested, self.available
        )
    }
}

/// A bump allocator's account.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    name: String,
    limit: Option<u64>,
    used: u64,
    peak: u64,
    allocations: u64,
}

impl Pool {
    pub fn new(name: impl Into<String>, limit: Option<u64>) -> Self {
        Pool { name: name.into(), limit, used: 0, peak: 0, allocations: 0 }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Gives out `size` bytes aligned to `align` and returns their offset.
    pub fn allocate(&mut self, size: u64, align: u32) -> Result<u64, Exhausted> {
        let start = self.used.next_multiple_of(u64::from(align.max(1)));
        let padding = start - self.used;
        let available = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.used));
        let requested = padding.saturating_add(size);
        if requested > available.min(u64::MAX - self.used) {
            return Err(Exhausted { requested, available });
        }
        self.used += requested;
        self.peak = self.peak.max(self.used);
        self.allocations += 1;
        Ok(start)
    }

    /// Takes everything back; the peak stays.
    pub fn reset(&mut self) {
        self.used = 0;
    }

    pub fn usage(&self) -> PoolUsage {
        PoolUsage {
            name: self.name.clone(),
            limit: self.limit,
            used: self.used,
            peak: self.peak,
            allocations: self.allocations,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_counts_as_used() {
        let mut pool = Pool::new("method", Some(32));
        assert_eq!(pool.allocate(1, 1), Ok(0));
        assert_eq!(pool.allocate(8, 8), Ok(8));
        assert_eq!(pool.usage().used, 16);
    }

    #[test]
    fn empty_allocation_still_aligns() {
        let mut pool = Pool::new("method", None);
        pool.allocate(1, 1).unwrap();
        pool.allocate(0, 8).unwrap();
        assert_eq!(pool.usage().used, 8);
    }

    #[test]
    fn exhaustion_is_worded_as_the_runtime_words_it() {
        let mut pool = Pool::new("method", Some(1024));
        let error = pool.allocate(1_785_600, 16).unwrap_err();
        assert_eq!(
            error.message(),
            "Memory allocation failed: 1785600B requested (adjusted for alignment), 1024B available"
        );
    }

    #[test]
    fn request_reports_its_padding() {
        let mut pool = Pool::new("method", Some(20));
        pool.allocate(9, 1).unwrap();
        assert_eq!(pool.allocate(8, 8), Err(Exhausted { requested: 15, available: 11 }));
    }

    #[test]
    fn huge_requests_do_not_wrap() {
        let mut pool = Pool::new("planned_1", None);
        pool.allocate(16, 16).unwrap();
        assert!(pool.allocate(u64::MAX, 16).is_err());
    }
}
