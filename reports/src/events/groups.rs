//! Sums over events, as JSON and for spreadsheets.

use super::delimited::quoted;
use et_inspector::events::{Group, Groups, Times};
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    time_scale: &'static str,
    total: f64,
    groups: Vec<GroupJson<'a>>,
    unattributed: GroupJson<'a>,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    name: &'a str,
    count: usize,
    sum: f64,
    ticks: u64,
    share: f64,
}

/// `etinspect.event_groups/1`. Ticks of all groups and `unattributed` add up
/// to those of the outermost events.
pub fn groups_json(groups: &Groups, times: &Times) -> String {
    let total = groups.total_ticks();
    let json = |group| group_json(group, total, times);
    let document = Document {
        schema: "etinspect.event_groups/1",
        time_scale: times.target().name(),
        total: times.span(total),
        groups: groups.groups.iter().map(json).collect(),
        unattributed: json(&groups.unattributed),
    };
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn group_json<'a>(group: &'a Group, total: u64, times: &Times) -> GroupJson<'a> {
    GroupJson {
        name: &group.name,
        count: group.count,
        sum: times.span(group.ticks),
        ticks: group.ticks,
        share: if total > 0 { group.ticks as f64 / total as f64 } else { 0.0 },
    }
}

/// One row per group, the last for what belongs to none.
pub fn groups_csv(groups: &Groups, times: &Times) -> String {
    let mut text = format!("name,count,sum_{},ticks\n", times.target().name());
    for group in groups.groups.iter().chain([&groups.unattributed]) {
        let name = quoted(&group.name, ',');
        let sum = times.span(group.ticks);
        let _ = writeln!(text, "{name},{},{sum},{}", group.count, group.ticks);
    }
    text
}
