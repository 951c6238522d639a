//! How large each pool must be for a method to load.
//!
//! The rule is that of ExecuTorch's loader ([`et_schema::layout`]): planned
//! buffers as the program sizes them, each aligned to 16 bytes; the method
//! allocator allocation by allocation; the temp allocator for the largest
//! operator look-up.

use et_schema::ReadError;
use et_schema::ids::MemoryId;
use et_schema::layout::{Abi, LoadSettings, Pool, Step, method_allocations};
use et_schema::pte::{File, Method};

/// Alignment of a planned buffer in the runners.
const PLANNED_ALIGN: u64 = 16;

/// What is loaded, and where.
#[derive(Clone, Copy, Debug)]
pub struct LoadRequest<'a> {
    /// The program.
    pub file: &'a File<'a>,
    /// The method.
    pub method: &'a Method<'a>,
    /// Target.
    pub abi: Abi,
    /// Size of the temp allocator, `None` for one that is large enough. One
    /// that is too small moves its allocations to the method allocator.
    pub temp_pool: Option<u64>,
    /// Whether a `.ptd` file is given.
    pub external_data: bool,
}

/// Bytes that each pool needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Method allocator.
    pub method: u64,
    /// Each planned buffer.
    pub planned: Vec<(MemoryId, u64)>,
    /// Temp allocator while loading.
    pub temp: u64,
}

impl Requirements {
    /// Needs of `request`.
    ///
    /// # Errors
    /// An index in the program that points nowhere.
    pub fn of(request: LoadRequest<'_>) -> Result<Self, ReadError> {
        let LoadRequest { file, method, abi, temp_pool, external_data } = request;
        let temp_pool = Some(temp_pool.unwrap_or(u64::MAX));
        let settings = LoadSettings {
            abi,
            temp_pool,
            external_data,
            input_flags: true,
            backend_objects: true,
        };
        let (mut used, mut temp, mut temp_peak) = (0u64, 0u64, 0u64);
        method_allocations::<ReadError>(file, method, settings, &mut |step| {
            match step {
                Step::ResetTemp => temp = 0,
                Step::Allocate(a) => {
                    let cursor = if a.pool == Pool::Method { &mut used } else { &mut temp };
                    let start = cursor.checked_next_multiple_of(u64::from(a.align));
                    *cursor = start.unwrap_or(u64::MAX).saturating_add(a.size);
                }
            }
            temp_peak = temp_peak.max(temp);
            Ok(())
        })?;
        let planned = method
            .planned_buffers()
            .map(|(id, size)| (id, u64::try_from(size).unwrap_or(0)))
            .collect();
        Ok(Requirements { method: used, planned, temp: temp_peak })
    }

    /// Bytes of one pool that holds all planned buffers.
    pub fn planned_total(&self) -> u64 {
        self.planned.iter().fold(0, |end: u64, (_, size)| {
            let start = end.checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX);
            start.saturating_add(*size)
        })
    }

    /// Bytes of a method allocator that the planned buffers are taken from as
    /// well, as the Arm runner and Zephyr's sample do: buffers first, then the
    /// loader's objects from a 16-byte boundary on.
    pub fn method_with_planned(&self) -> u64 {
        let planned = self.planned_total();
        let start = planned.checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX);
        start.saturating_add(self.method)
    }
}
