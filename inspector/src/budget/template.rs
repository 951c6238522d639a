//! A budget made of what a program needs today, to keep or to round up.

use crate::memory::MethodMemory;
use crate::target::Needs;
use std::fmt::Write;

/// A budget that `methods` of a program of `program` bytes just meet.
pub fn template(methods: &[MethodMemory<'_>], program: u64) -> String {
    let abi = methods.first().map_or("", |memory| memory.abi.name());
    let mut text = format!(
        "# Limits for `etinspect memory MODEL.pte --budget FILE.toml`, which exits with 1 when\n\
         # one is exceeded. Sizes are bytes (65536, 0x10000) or text (\"64K\", \"1.5MiB\").\n\
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
    }
    text
}

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
    use super::key;

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
