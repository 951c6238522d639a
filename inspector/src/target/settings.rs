//! The settings of each pool that make a program run, ready to paste.
//!
//! Names are those of ExecuTorch's Arm runner
//! (`examples/arm/executor_runner/CMakeLists.txt`) and of its Zephyr module
//! (`zephyr/Kconfig`).

use super::fit::{Needs, round};
use super::profile::Target;
use std::fmt::Write;

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
    let temp = round(needs.temp);
    Settings {
        arm_runner: arm_runner(needs, temp),
        zephyr: zephyr(needs, temp),
        cpp: cpp(needs, target, round(needs.method), temp),
    }
}

/// The Arm runner takes planned buffers, the debug buffer, and the text by
/// which it prints the larger of ETDump and debug buffer (base64 and a zero)
/// out of the method allocator's pool as well.
fn arm_runner(needs: &Needs, temp: u64) -> String {
    let mut pool = needs.runners.arm;
    let mut options = String::new();
    if needs.runners.arm_fast > 0 {
        let fast = round(needs.runners.arm_fast);
        let _ = write!(options, " -DET_ARM_BAREMETAL_PLANNED_FAST_MEMORY_SIZE={fast:#x}");
    }
    if needs.fast_scratch > 0 {
        let fast = round(needs.fast_scratch);
        let _ =
            write!(options, " -DET_ARM_BAREMETAL_FAST_SCRATCH_TEMP_ALLOCATOR_POOL_SIZE={fast:#x}");
    }
    if needs.etdump > 0 {
        options.push_str(" -DEXECUTORCH_ENABLE_EVENT_TRACER=ON");
        let mut longest = needs.etdump;
        if needs.runners.arm_debug > 0 {
            let size = needs.runners.arm_debug;
            longest = longest.max(size);
            let _ = write!(
                options,
                " -DET_DUMP_INTERMEDIATE_OUTPUTS=ON -DET_DEBUG_BUFFER_SIZE={size:#x}"
            );
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

/// Zephyr's sample copies the program and every input to RAM.
fn zephyr(needs: &Needs, temp: u64) -> String {
    let mut text = format!(
        "# The pool holds planned buffers, the method, and copies of the inputs.\n\
         CONFIG_EXECUTORCH_METHOD_ALLOCATOR_POOL_SIZE={}\n\
         CONFIG_EXECUTORCH_TEMP_ALLOCATOR_POOL_SIZE={temp}\n\
         # The sample has a copy of the program in RAM as well: {} bytes.",
        round(needs.runners.zephyr),
        needs.program
    );
    if needs.fast_scratch > 0 {
        let _ = write!(
            text,
            "\n# In CMakeLists.txt: target_compile_definitions(app PRIVATE \
             ET_ARM_BAREMETAL_FAST_SCRATCH_TEMP_ALLOCATOR_POOL_SIZE={})",
            round(needs.fast_scratch)
        );
    }
    text
}

fn cpp(needs: &Needs, target: Option<&Target>, method: u64, temp: u64) -> String {
    let mut text = format!(
        "#include <executorch/runtime/executor/memory_manager.h>\n\
         using namespace executorch::runtime;\n\
         alignas(16) static uint8_t method_pool[{method}];\n"
    );
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
        text.push_str("HierarchicalAllocator planned(Span<Span<uint8_t>>{});\n");
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
