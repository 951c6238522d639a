//! Which of ExecuTorch's runners wrote a log, what its pools must be, and the
//! settings that they have.
//!
//! | runner | known by | setting of the method allocator's pool |
//! | --- | --- | --- |
//! | Arm | nothing else | `ET_ARM_BAREMETAL_METHOD_ALLOCATOR_POOL_SIZE` |
//! | Arm, up to 0.5 | `Model PTE file loaded` | `method_allocation_pool_size` |
//! | Arm, up to 2025 | planned buffers by number | the Arm runner's |
//! | Zephyr's sample | the boot banner | `CONFIG_EXECUTORCH_METHOD_ALLOCATOR_POOL_SIZE` |
//! | Espressif | boot ROM, source file, or the board | `ET_ESP_METHOD_ALLOCATOR_POOL_SIZE` |
//!
//! Espressif's (`examples/espressif/executor_runner/esp_executor_runner.cpp`) has
//! all planned buffers, aligned to 16, and an `EValue` per input in its pool.

use super::Case;
use crate::log::Run;
use crate::memory::Runner as Pools;
use crate::target::{Needs, settings};

/// Alignment of pools and buffers in the runners.
const ALIGN: u64 = 16;

/// A runner that logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// The Arm runner of today.
    Arm,
    /// The Arm runner up to release 0.5.
    Release0_5,
    /// The Arm runner up to 2025, or Zephyr's sample without its banner.
    Copying,
    /// Zephyr's sample.
    Zephyr,
    /// Espressif's runner.
    Espressif,
}

impl Runner {
    /// The runner that wrote the log of `run`.
    pub(super) fn of(case: &Case<'_>, run: &Run) -> Self {
        let runs = case.evidence.log.map(|log| log.runs.as_slice()).unwrap_or_default();
        // A board's first run may lack its beginning.
        let any = |known: fn(&Run) -> bool| known(run) || runs.iter().any(known);
        let espressif = case.evidence.target.is_some_and(|t| t.name.starts_with("esp32"));
        if any(|run| run.zephyr) {
            Runner::Zephyr
        } else if espressif || any(|run| run.espressif) {
            Runner::Espressif
        } else if run.old_runner {
            Runner::Release0_5
        } else if run.counts_buffers {
            Runner::Copying
        } else {
            Runner::Arm
        }
    }

    /// Bytes of the method allocator's pool that the given program needs, with
    /// a debug buffer of `debug` bytes in it.
    pub(super) fn method_pool(self, case: &Case<'_>, debug: u64) -> u64 {
        let memory = &case.memory;
        let aligned = if debug > 0 { debug.saturating_add(ALIGN) } else { 0 };
        match self {
            Runner::Arm => Pools::Arm.method_pool(memory, debug),
            Runner::Copying | Runner::Zephyr => Pools::Copying.method_pool(memory, debug),
            Runner::Release0_5 => {
                // It has no temp allocator.
                let usual = memory.loading.method_used;
                let more = memory.used_in_release_0_5.saturating_sub(usual);
                Pools::Copying.method_pool(memory, debug).saturating_add(more)
            }
            Runner::Espressif => needs(case).method_pool(None).saturating_add(aligned),
        }
    }

    /// The settings with which the given program has a pool of `pool` bytes.
    pub(super) fn settings(self, case: &Case<'_>, pool: u64) -> String {
        let mut needs = needs(case);
        needs.runners.arm = needs.runners.arm.max(pool);
        let pool = round(pool);
        let arm = || settings(&needs, case.evidence.target).arm_runner;
        let zephyr = format!("CONFIG_EXECUTORCH_METHOD_ALLOCATOR_POOL_SIZE={pool}");
        match self {
            Runner::Arm | Runner::Release0_5 => {
                format!("Arm runner: {}; runners of 2024: method_allocation_pool_size", arm())
            }
            Runner::Copying => format!("Arm runner up to 2025: {}; Zephyr: {zephyr}", arm()),
            Runner::Zephyr => format!("Zephyr, in prj.conf: {zephyr}"),
            Runner::Espressif => {
                format!("Espressif's runner: ET_ESP_METHOD_ALLOCATOR_POOL_SIZE={pool}")
            }
        }
    }

    /// The name of the setting of the method allocator's pool.
    pub(super) fn method_setting(self) -> &'static str {
        match self {
            Runner::Arm | Runner::Release0_5 => {
                "Arm runner: ET_ARM_BAREMETAL_METHOD_ALLOCATOR_POOL_SIZE; runners of 2024: \
                 method_allocation_pool_size"
            }
            Runner::Copying => {
                "Arm runner up to 2025: ET_ARM_BAREMETAL_METHOD_ALLOCATOR_POOL_SIZE; Zephyr: \
                 CONFIG_EXECUTORCH_METHOD_ALLOCATOR_POOL_SIZE"
            }
            Runner::Zephyr => "Zephyr: CONFIG_EXECUTORCH_METHOD_ALLOCATOR_POOL_SIZE",
            Runner::Espressif => "Espressif's runner: ET_ESP_METHOD_ALLOCATOR_POOL_SIZE",
        }
    }

    /// The name of the setting of the temp allocator's pool, and whose it is.
    pub(super) fn temp_setting(self) -> &'static str {
        match self {
            Runner::Zephyr => "CONFIG_EXECUTORCH_TEMP_ALLOCATOR_POOL_SIZE in Zephyr's sample",
            Runner::Espressif => "ET_ESP_SCRATCH_TEMP_ALLOCATOR_POOL_SIZE in Espressif's runner",
            _ => "ET_ARM_BAREMETAL_SCRATCH_TEMP_ALLOCATOR_POOL_SIZE in the Arm runner",
        }
    }
}

fn needs(case: &Case<'_>) -> Needs {
    Needs::of(&case.memory, case.evidence.file.bytes().len() as u64)
}

/// Up to a multiple of what pools are aligned to.
pub(super) fn round(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(ALIGN).unwrap_or(u64::MAX)
}
