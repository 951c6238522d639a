//! A program's needs against a budget.

use super::{Budget, Limits};
use crate::memory::MethodMemory;
use crate::target::Needs;

/// One limit, and what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Name of the limit, as in the budget.
    pub name: String,
    /// Bytes that are needed.
    pub needs: u64,
    /// Bytes that are allowed.
    pub limit: u64,
}

impl Check {
    /// Bytes above the limit.
    pub fn over(&self) -> u64 {
        self.needs.saturating_sub(self.limit)
    }
}

/// Every limit of `budget` that holds for `memory` of a program of `program` bytes.
pub fn check(budget: &Budget, memory: &MethodMemory<'_>, program: u64) -> Vec<Check> {
    let needs = Needs::of(memory, program);
    let mut checks = Vec::new();
    if let Some(limit) = budget.program {
        checks.push(Check { name: "program".into(), needs: program, limit });
    }
    let name = memory.method.name();
    checks.extend(budget.memory.against(&needs, memory));
    if let Some(own) = budget.methods.get(name) {
        let own = own.memory.against(&needs, memory);
        checks.extend(own.map(|c| Check { name: format!("methods.{name}.{}", c.name), ..c }));
    }
    checks
}

impl Limits {
    fn against<'a>(
        &'a self,
        needs: &'a Needs,
        memory: &'a MethodMemory<'_>,
    ) -> impl Iterator<Item = Check> + 'a {
        let fixed = [
            ("method", self.method, needs.method),
            ("planned", self.planned, memory.plan.size()),
            ("temp", self.temp, needs.temp),
            ("total", self.total, needs.method_pool(None).saturating_add(needs.temp)),
            ("peak", self.peak, memory.plan.peak.bytes),
        ];
        let fixed = fixed.into_iter().filter_map(|(name, limit, needs)| {
            Some(Check { name: format!("memory.{name}"), needs, limit: limit? })
        });
        let by_id = self.planned_by_id.iter().map(|(id, limit)| {
            let buffer = needs.planned.iter().find(|(memory, _)| memory.to_string() == *id);
            // A program without the buffer needs nothing of it.
            let needs = buffer.map_or(0, |(_, size)| *size);
            Check { name: format!("memory.planned_by_id.{id}"), needs, limit: *limit }
        });
        fixed.chain(by_id)
    }
}
