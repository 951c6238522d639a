//! A budget made of what a program needs today, to keep or to round up.

use crate::memory::MethodMemory;
use crate::target::Needs;
use et_schema::pte::{Instruction, Method};
use std::fmt::Write;

/// A budget that `methods` of a program of `program` bytes just meet.
pub fn template(methods: &[MethodMemory<'_>], program: u64) -> String {
    let abi = methods.first().map_or("", |memory| memory.abi.name());
    let mut text = format!(
        "# Limits for `--budget FILE.toml` of `etinspect memory` (of bytes) and `etinspect report`\n\
         # (all), which exit with 1 when one is exceeded. Sizes are bytes (65536, 0x10000) or text (\"64K\", \"1.5MiB\").\n\
         # These are what the program needs today with objects of {abi}; round them up, and\n\
         # leave out what should not be limited. `[memory]` holds for every method.\n\
         program = {program}  # the program file\n"
    );
    for memory in methods {
        let needs = Needs::of(memory, program);
        let _ = writeln!(text, "\n[methods.{}.memory]", key(memory.method.name()));
        let mut line = |name: &str, bytes: u64, what: &str| {
            let _ = writeln!(text, "{name} = {bytes}  # {what}");
        };
        line("method", needs.method, "method allocator: loading, and preparing inputs");
        line("planned", memory.plan.size(), "all planned buffers");
        line("temp", needs.temp, "temp allocator");
        let total = needs.method_pool(None).saturating_add(needs.temp);
        line("total", total, "all that the runners set aside: planned, method and temp");
        line("peak", memory.plan.peak.bytes, "planned tensors that are live at one moment");
        let by_id: Vec<String> =
            needs.planned.iter().map(|(id, size)| format!("{id} = {size}")).collect();
        if by_id.len() > 1 {
            let _ = writeln!(text, "planned_by_id = {{ {} }}", by_id.join(", "));
        }
        let _ = writeln!(
            text,
            "\n[methods.{}.calls]\n\
             delegates = {}  # parts that backends run\n\
             fall_backs = {}  # kernel calls: operators that no delegate took",
            key(memory.method.name()),
            memory.method.delegates().count(),
            kernel_calls(&memory.method)
        );
    }
    text + OTHERS
}

fn kernel_calls(method: &Method<'_>) -> usize {
    let instructions = method.chains().flat_map(|chain| chain.instructions());
    instructions.filter(|i| matches!(i, Instruction::KernelCall { .. })).count()
}

/// Limits that today's program says nothing of, to fill in.
const OTHERS: &str = "
# Memories of a board need `etinspect report --target`: what the pools take of each, by the
# names of `etinspect targets BOARD`.
# [memories]
# SRAM = \"400K\"

# Findings by their code (`etinspect explain CODE`), in all methods:
# [findings]
# ETM004 = 0

# Times need `etinspect report --trace`: the median of a run. A number without a unit is in
# ticks of the trace's clock.
# [time]
# total = \"20ms\"      # each kind of runs
# operator = \"5ms\"    # every operator
# [time.operators]
# \"addmm.out\" = \"200us\"

# Growth since a baseline needs `etinspect report --baseline`; what is not named may not grow.
# [growth]
# program = \"+2%\"
# peak = \"+2%\"
# time = \"+10%\"
";

/// A key of a TOML table: bare where it may be, else quoted.
fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        return name.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::super::Budget;
    use super::{OTHERS, key};

    /// Whoever takes the marks of comments away has a budget.
    #[test]
    fn the_limits_to_fill_in_can_be_read() {
        let is_setting = |line: &&str| line.contains(" = ") || line.starts_with("# [");
        let lines = OTHERS.lines().filter(is_setting).map(|line| line.trim_start_matches("# "));
        let budget = Budget::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(budget.findings["ETM004"], 0);
        assert_eq!(budget.memories["SRAM"], 400 << 10);
        assert!(budget.time.total.is_some() && budget.time.operators.len() == 1);
        assert!(budget.growth.peak.is_some());
    }

    #[test]
    fn every_method_name_is_a_key() {
        assert_eq!(key("forward"), "forward");
        for name in ["", "a.b", "say \"hi\"\\\n", "naïve"] {
            let text = format!("{} = 1", key(name));
            let table: std::collections::BTreeMap<String, u32> =
                toml::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(table.keys().collect::<Vec<_>>(), [name]);
        }
    }
}
