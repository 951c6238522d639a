//! The settings of each pool that make a program run, ready to paste.
//!
//! Names are those of ExecuTorch's Arm runner
//! (`examples/arm/executor_runner/CMakeLists.txt`) and of its Zephyr module
//! (`zephyr/Kconfig`).

use super::fit::Needs;
use super::profile::Target;
use std::fmt::Write;

/// Pools are rounded up to this, their alignment in the runners.
const STEP: u64 = 16;

/// Bytes that a debug buffer aligned to 16 may lose to align its tensors to 64.
const MISALIGNED: u64 = 48;

/// Settings as text, by kind of firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Options of the Arm runner's CMake.
    pub arm_runner: String,
    /// Lines of a Zephyr `prj.conf`.
    pub zephyr: String,
    /// Pools of a C++ `MemoryManager`.
    pub cpp: String,
}

/// The settings for `needs`, with the planned buffers where `target` has them.
pub fn settings(needs: &Needs, target: Option<&Target>) -> Settings {
    // Both runners take planned buffers from the method allocator's pool.
    let method = round(needs.method_pool(None));
    let temp = round(needs.temp);
    Settings {
        arm_runner: arm_runner(needs, temp),
        zephyr: format!(
            "CONFIG_EXECUTORCH_METHOD_ALLOCATOR_POOL_SIZE={method}\n\
             CONFIG_EXECUTORCH_TEMP_ALLOCATOR_POOL_SIZE={temp}"
        ),
        cpp: cpp(needs, target, round(needs.method), temp),
    }
}

/// The Arm runner takes the debug buffer, aligned to 16, and the text by which
/// it prints the larger of ETDump and debug buffer (base64 and a zero) out of
/// the method allocator's pool as well.
fn arm_runner(needs: &Needs, temp: u64) -> String {
    let mut pool = needs.method_pool(None);
    let mut options = String::new();
    if needs.etdump > 0 {
        options.push_str(" -DEXECUTORCH_ENABLE_EVENT_TRACER=ON");
        let mut longest = needs.etdump;
        if needs.debug_buffer > 0 {
            let size = round(needs.debug_buffer.saturating_add(MISALIGNED));
            pool = round(pool).saturating_add(size);
            longest = longest.max(size);
            let _ = write!(options, " -DET_DEBUG_BUFFER_SIZE={size:#x}");
        }
        let text = longest.div_ceil(3).saturating_mul(4).saturating_add(1);
        pool = round(pool).saturating_add(text);
    }
    let pool = round(pool);
    format!(
        "-DET_ARM_BAREMETAL_METHOD_ALLOCATOR_POOL_SIZE={pool:#x} \
         -DET_ARM_BAREMETAL_SCRATCH_TEMP_ALLOCATOR_POOL_SIZE={temp:#x}{options}"
    )
}

/// Up to a step of the pools.
fn round(bytes: u64) -> u64 {
    bytes.max(1).checked_next_multiple_of(STEP).unwrap_or(u64::MAX)
}

fn cpp(needs: &Needs, target: Option<&Target>, method: u64, temp: u64) -> String {
    let mut text = format!("alignas(16) static uint8_t method_pool[{method}];\n");
    for (id, size) in &needs.planned {
        let memory = target.and_then(|t| t.planned(*id)).map(|pool| pool.memory.as_str());
        let comment = memory.map_or_else(String::new, |memory| format!("  // in {memory}"));
        let _ =
            writeln!(text, "alignas(16) static uint8_t planned_{id}[{}];{comment}", (*size).max(1));
    }
    let spans: Vec<String> =
        needs.planned.iter().map(|(id, size)| format!("{{planned_{id}, {size}}}")).collect();
    let _ = write!(
        text,
        "alignas(16) static uint8_t temp_pool[{temp}];\n\
         MemoryAllocator method_allocator(sizeof(method_pool), method_pool);\n\
         MemoryAllocator temp_allocator(sizeof(temp_pool), temp_pool);\n"
    );
    if needs.debug_buffer > 0 {
        let _ = writeln!(text, "alignas(64) static uint8_t debug_buffer[{}];", needs.debug_buffer);
    }
    if needs.planned.is_empty() {
        text.push_str("HierarchicalAllocator planned({});\n");
    } else {
        let _ = write!(
            text,
            "Span<uint8_t> planned_buffers[] = {{{}}};\n\
             HierarchicalAllocator planned({{planned_buffers, {}}});\n",
            spans.join(", "),
            needs.planned.len()
        );
    }
    text.push_str("MemoryManager manager(&method_allocator, &planned, &temp_allocator);");
    text
}
