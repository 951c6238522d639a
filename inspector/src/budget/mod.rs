//! Budgets: the most that a program may need, so that a build fails when a
//! change of the model makes it larger.
//!
//! ```text
//! check.rs     a program's needs against a budget
//! counts.rs    limits of calls, findings and times
//! growth.rs    by how much figures may grow since a baseline
//! template.rs  a budget made of what a program needs today
//! ```
//!
//! A budget is a TOML file: `program` limits the file, `[memory]` every method,
//! and `[methods.NAME.memory]` one; so do `[calls]` and `[methods.NAME.calls]`.
//! Where both are given, both hold. `[memories]` limits what is taken of a board's
//! memories, `[findings]` the number of findings by code, `[time]` what a trace measured, and `[growth]` what a report says of a
//! baseline.

mod check;
mod counts;
mod growth;
mod template;

pub use check::{Check, check};
pub use counts::{Calls, Count, Counted, Time, Times};
pub use growth::{Growth, Percent};
pub use template::template;

use crate::config::{at_line, bytes_by_name, some_bytes};
use crate::findings::Code;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Bytes of the program file.
    #[serde(default, deserialize_with = "some_bytes")]
    pub program: Option<u64>,
    /// Memory of every method.
    #[serde(default)]
    pub memory: Limits,
    /// What the pools of every method take of a board's memory, by its name.
    #[serde(default, deserialize_with = "bytes_by_name")]
    pub memories: BTreeMap<String, u64>,
    /// Budgets by method.
    #[serde(default)]
    pub methods: BTreeMap<String, MethodBudget>,
    /// Calls in every method.
    #[serde(default)]
    pub calls: Calls,
    /// Number of findings, by code.
    #[serde(default)]
    pub findings: BTreeMap<String, u64>,
    /// Times of a trace.
    #[serde(default)]
    pub time: Times,
    /// How much figures may grow since a baseline.
    #[serde(default)]
    pub growth: Growth,
}

/// A budget of one method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodBudget {
    /// Its memory.
    #[serde(default)]
    pub memory: Limits,
    /// Its calls.
    #[serde(default)]
    pub calls: Calls,
}

/// Limits of a method in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Method allocator without planned buffers: loading and preparing inputs.
    #[serde(default, deserialize_with = "some_bytes")]
    pub method: Option<u64>,
    /// All planned buffers together.
    #[serde(default, deserialize_with = "some_bytes")]
    pub planned: Option<u64>,
    /// Planned buffers by memory id.
    #[serde(default, deserialize_with = "bytes_by_name")]
    pub planned_by_id: BTreeMap<String, u64>,
    /// Temp allocator.
    #[serde(default, deserialize_with = "some_bytes")]
    pub temp: Option<u64>,
    /// Method allocator that the planned buffers are taken from as well, and
    /// the temp allocator: all memory that the runners set aside.
    #[serde(default, deserialize_with = "some_bytes")]
    pub total: Option<u64>,
    /// Bytes of planned tensors that are live at one moment.
    #[serde(default, deserialize_with = "some_bytes")]
    pub peak: Option<u64>,
}

/// What is wrong with a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetError(String);

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BudgetError {}

impl Budget {
    /// Reads and checks a budget.
    ///
    /// # Errors
    /// The place in the text, what was expected and what was found.
    pub fn parse(text: &str) -> Result<Self, BudgetError> {
        let budget: Budget = toml::from_str(text).map_err(|e| BudgetError(at_line(text, &e)))?;
        if budget.is_empty() {
            let message = "expected a limit: program, or one in [memory], [memories], [calls], \
                           [findings], [time], [growth], [methods.NAME.memory] or [methods.NAME.calls]";
            return Err(BudgetError(message.into()));
        }
        let is_code = |code: &String| Code::ALL.iter().any(|known| known.page().code == code);
        if let Some(code) = budget.findings.keys().find(|code| !is_code(code)) {
            let message = format!(
                "findings: expected codes, such as ETM001 (`etinspect explain` lists them), \
                 found {code:?}"
            );
            return Err(BudgetError(message));
        }
        let limits = budget.methods.values().map(|method| &method.memory);
        let limits: Vec<&Limits> = limits.chain([&budget.memory]).collect();
        for limits in limits {
            limits.check()?;
        }
        Ok(budget)
    }

    /// Whether it limits nothing.
    fn is_empty(&self) -> bool {
        let methods = self.methods.keys().map(|name| (name.clone(), MethodBudget::default()));
        *self == Budget { methods: methods.collect(), ..Budget::default() }
    }
}

impl Limits {
    fn check(&self) -> Result<(), BudgetError> {
        match self.planned_by_id.keys().find(|id| !id.parse::<u32>().is_ok_and(|id| id > 0)) {
            Some(id) => Err(BudgetError(format!(
                "planned_by_id: expected memory ids from 1 on, found {id:?}"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn sizes_are_read_in_every_spelling() {
        let text = "program = '1M'\n[memory]\nplanned = 0x100\n\
                    planned_by_id = { 2 = '1.5K' }\n[methods.forward.memory]\ntemp = 140\n";
        let budget = Budget::parse(text).unwrap();
        assert_eq!(budget.program, Some(1 << 20));
        assert_eq!(budget.memory.planned, Some(256));
        assert_eq!(budget.memory.planned_by_id["2"], 1536);
        assert_eq!(budget.methods["forward"].memory.temp, Some(140));
    }

    #[test]
    fn memories_of_a_board_have_limits() {
        let budget = Budget::parse("[memories]\nAXI_SRAM = '400K'\nDTCM = 8192\n").unwrap();
        assert_eq!(budget.memories["AXI_SRAM"], 400 << 10);
        assert_eq!(budget.memories["DTCM"], 8192);
        assert!(Budget::parse("[memories]\nSRAM = 'all'\n").is_err());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let wrong = |text: &str| Budget::parse(text).unwrap_err().to_string();
        assert!(wrong("").starts_with("expected a limit"));
        assert!(wrong("[methods.forward.memory]").starts_with("expected a limit"));
        assert!(wrong("[memory]\nplaned = 1").starts_with("line 2: unknown field `planed`"));
        assert!(wrong("program = '64X'").contains("is no size"));
        assert!(wrong("program = -1").contains("expected a size"));
        assert!(wrong("[memory]\nplanned_by_id = { 0 = 1 }").contains("from 1 on"));
        assert!(wrong("[methods.forward.memory]\npeek = 1").starts_with("line 2: "));
        assert!(wrong("[memory]\npeak = ").starts_with("line 2: "));
    }
}
