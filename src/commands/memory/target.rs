//! A method on a board: the verdict, and the settings that make it run.

use super::Report;
use crate::text::{bytes, escape, wrap_to};
use et_inspector::memory::MethodMemory;
use et_inspector::target::{Remedy, remedies, settings as pool_settings};
use serde_json::{Value, json};
use std::fmt::Write;

/// The verdict, in a line for the board and one for each memory in use.
pub fn verdict(text: &mut String, report: &Report<'_>, memory: &MethodMemory<'_>, width: usize) {
    let Some(target) = &report.target else { return };
    let fit = report.fit(memory, target);
    let verdict = if fit.fits() { "Fits" } else { "Does NOT fit" };
    let _ = writeln!(text, "{verdict} {} ({})", escape(&target.name), escape(&target.title));
    for memory in fit.memories.iter().filter(|m| m.takes > 0) {
        let available = memory.size.saturating_sub(memory.reserved);
        let pools: Vec<String> = fit
            .pools
            .iter()
            .filter(|pool| pool.memory == memory.name)
            .map(|pool| match pool.size {
                Some(size) => format!("{} {} of {}", pool.name, bytes(pool.needs), bytes(size)),
                None => format!("{} {}", pool.name, bytes(pool.needs)),
            })
            .collect();
        let end = match memory.missing() {
            0 => format!("{} free", bytes(available.saturating_sub(memory.takes))),
            missing => format!("{} MISSING", bytes(missing)),
        };
        let line = format!(
            "{} of {} taken, {end} ({})",
            bytes(memory.takes),
            bytes(available),
            pools.join(", ")
        );
        wrap_to(text, &format!("  {}: ", escape(&memory.name)), &line, width);
    }
    for remedy in remedies(memory, &report.needs(memory), target) {
        let line = format!("fits with {} left if you {}", bytes(remedy.free), remedy.title);
        wrap_to(text, "  It ", &line, width);
    }
    text.push('\n');
}

/// The settings, ready to paste; with a target only.
pub fn settings(text: &mut String, report: &Report<'_>, memory: &MethodMemory<'_>) {
    let Some(target) = &report.target else { return };
    let settings = pool_settings(&report.needs(memory), Some(target));
    for (name, lines) in [
        ("Arm runner (CMake)", &settings.arm_runner),
        ("Zephyr (prj.conf)", &settings.zephyr),
        ("C++", &settings.cpp),
    ] {
        let _ = writeln!(text, "\n{name}");
        for line in lines.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
}

/// The verdict for scripts, null without a target.
pub fn fit_json(report: &Report<'_>, memory: &MethodMemory<'_>) -> Value {
    let Some(target) = &report.target else { return Value::Null };
    let fit = report.fit(memory, target);
    let memories = fit.memories.iter().map(|m| {
        json!({
            "name": m.name,
            "size_bytes": m.size,
            "reserved_bytes": m.reserved,
            "used_bytes": m.takes,
            "missing_bytes": m.missing(),
            "fits": m.fits(),
        })
    });
    let pools = fit.pools.iter().map(|p| {
        json!({
            "name": p.name,
            "memory": p.memory,
            "required_bytes": p.needs,
            "size_bytes": p.size,
            "fits": p.fits(),
        })
    });
    let remedies = remedies(memory, &report.needs(memory), target);
    json!({
        "fits": fit.fits(),
        "remedies": remedies.iter().map(remedy_json).collect::<Vec<_>>(),
        "memories": memories.collect::<Vec<_>>(),
        "pools": pools.collect::<Vec<_>>(),
    })
}

/// A change that makes it fit, for scripts.
pub fn remedy_json(remedy: &Remedy) -> Value {
    let places = remedy.places.iter().map(|(pool, memory)| ((*pool).to_owned(), json!(memory)));
    json!({
        "change": remedy.kind.name(),
        "title": remedy.title,
        "places": Value::Object(places.collect()),
        "free_bytes": remedy.free,
    })
}

/// The settings for scripts.
pub fn settings_json(report: &Report<'_>, memory: &MethodMemory<'_>) -> Value {
    let needs = report.needs(memory);
    let settings = pool_settings(&needs, report.target.as_ref());
    json!({
        "method_pool_bytes": needs.method_pool(report.target.as_ref()),
        "method_pool_with_planned_bytes": needs.method_pool(None),
        "arm_runner_method_pool_bytes": needs.runners.arm,
        "arm_runner_fast_memory_bytes": needs.runners.arm_fast,
        "zephyr_method_pool_bytes": needs.runners.zephyr,
        "fast_scratch_pool_bytes": needs.fast_scratch,
        "temp_pool_bytes": needs.temp,
        "arm_runner": settings.arm_runner,
        "zephyr": settings.zephyr,
        "cpp": settings.cpp,
    })
}
