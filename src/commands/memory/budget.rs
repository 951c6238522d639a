//! A budget on the command line, and what is left of it.

use super::Report;
use super::text::{indented, table};
use crate::failure::Failure;
use crate::text::{bytes, escape};
use et_inspector::budget::{Budget, Calls, Check, Growth, Times, check};
use et_inspector::memory::MethodMemory;
use et_schema::pte::File;
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A budget and where it comes from.
pub struct Given<'a> {
    path: &'a Path,
    budget: Budget,
}

impl<'a> Given<'a> {
    /// Reads the budget of `file` at `path`.
    ///
    /// # Errors
    /// The file cannot be read, has a mistake, or limits a method that the
    /// program does not have: it would never be checked.
    pub fn open(path: &'a Path, file: &File<'_>) -> Result<Self, Failure> {
        let fail = |message: String| Failure::input(path, message);
        let text = fs::read_to_string(path).map_err(|e| fail(format!("cannot read: {e}")))?;
        let budget = Budget::parse(&text).map_err(|e| fail(escape(&e.to_string())))?;
        if let Some(name) = budget.methods.keys().find(|name| file.method(name).is_none()) {
            let names: Vec<String> = file.methods().map(|m| format!("{:?}", m.name())).collect();
            let names = names.join(", ");
            return Err(fail(format!("methods: expected one of {names}, found {name:?}")));
        }
        Ok(Given { path, budget })
    }

    /// Whether it also limits more than allocators: memories of a board, calls, findings,
    /// times, growth.
    fn limits_more(&self) -> bool {
        let Budget { methods, memories, calls, findings, time, growth, .. } = &self.budget;
        *calls != Calls::default()
            || methods.values().any(|method| method.calls != Calls::default())
            || !findings.is_empty()
            || !memories.is_empty()
            || *time != Times::default()
            || *growth != Growth::default()
    }

    /// The limits of a method.
    pub fn checks(&self, memory: &MethodMemory<'_>, program: u64) -> Vec<Check> {
        check(&self.budget, memory, program)
    }
}

/// What is left of each limit, with a budget only.
pub fn section(text: &mut String, report: &Report<'_>, memory: &MethodMemory<'_>) {
    let Some(budget) = &report.budget else { return };
    let checks = budget.checks(memory, report.program_bytes());
    let _ = writeln!(text, "\nBudget: {}", escape(&budget.path.to_string_lossy()));
    let mut table = table(&["limit", "needs", "allowed", "left"]);
    for check in &checks {
        let left = match check.over() {
            0 => bytes(check.limit - check.needs),
            over => format!("{} OVER", bytes(over)),
        };
        table.add_row([escape(&check.name), bytes(check.needs), bytes(check.limit), left]);
    }
    let _ = writeln!(text, "{}", indented(&table));
    if budget.limits_more() {
        text.push_str("  what else it limits is checked by `etinspect report --budget`\n");
    }
}

/// The limits for scripts, null without a budget.
pub fn json(report: &Report<'_>, memory: &MethodMemory<'_>) -> Value {
    let Some(budget) = &report.budget else { return Value::Null };
    let one = |check: &Check| {
        json!({
            "name": check.name,
            "required_bytes": check.needs,
            "limit_bytes": check.limit,
            "over_bytes": check.over(),
            "met": check.over() == 0,
        })
    };
    budget.checks(memory, report.program_bytes()).iter().map(one).collect()
}
