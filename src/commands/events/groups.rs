//! The table of sums.

use super::table::{lines, number, plain_table};
use crate::text::{escape, thousands};
use et_inspector::events::{Group, Groups, Times};

/// The sums, what belongs to none of them, and the total.
pub(super) fn table(groups: &Groups, times: &Times) -> String {
    let total = groups.total_ticks();
    let unit = times.target().name();
    let sum = format!("sum ({unit})");
    let average = format!("avg ({unit})");
    let mut table = plain_table(&["name", "count", &sum, &average, "share"]);
    let mut add = |group: &Group| {
        let time = times.span(group.ticks);
        let share = if total > 0 { group.ticks as f64 * 100.0 / total as f64 } else { 0.0 };
        table.add_row([
            escape(&group.name),
            thousands(group.count as u64),
            number(time),
            number(time / group.count.max(1) as f64),
            format!("{share:.1} %"),
        ]);
    };
    groups.groups.iter().for_each(&mut add);
    add(&groups.unattributed);
    let total = number(times.span(total));
    table.add_row(["total".into(), String::new(), total, String::new(), String::new()]);
    lines(&table) + "\n"
}
