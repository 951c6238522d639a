//! Sums over events: by operator, instruction or delegate operation.
//!
//! Each instruction counts once: by its `OPERATOR_CALL` or `DELEGATE_CALL` and
//! not by the kernel's event inside it, so that the sums add up to the time of
//! all instructions.

use super::block::{EventBlocks, EventRow};
use super::time::Times;
use std::collections::HashMap;

/// What to sum over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Operators and kinds of instructions.
    Operator,
    /// Instructions.
    Instruction,
    /// Operations inside of delegates.
    Delegate,
}

/// A sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Operator, instruction `chain:index` with its operator, or delegate operation.
    pub name: String,
    /// Number of times.
    pub count: usize,
    /// Their sum, in the target scale.
    pub sum: f64,
}

/// The sums over all blocks, largest first.
pub fn groups(blocks: &EventBlocks<'_>, by: GroupBy, times: &Times) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index_of: HashMap<String, usize> = HashMap::new();
    for block in &blocks.blocks {
        let kernels: HashMap<(i64, i32), &str> = block
            .events
            .iter()
            .filter_map(|row| {
                let kernel = row.name.strip_prefix("native_call_")?;
                Some(((row.chain, row.instruction), kernel))
            })
            .collect();
        for row in &block.events {
            let Some(name) = name(row, by, &kernels) else { continue };
            let index = *index_of.entry(name.clone()).or_insert_with(|| {
                groups.push(Group { name, count: 0, sum: 0.0 });
                groups.len() - 1
            });
            groups[index].count += row.samples.len();
            groups[index].sum += row.raw(times).iter().sum::<f64>();
        }
    }
    groups.sort_by(|a, b| b.sum.total_cmp(&a.sum));
    groups
}

fn name(row: &EventRow<'_>, by: GroupBy, kernels: &HashMap<(i64, i32), &str>) -> Option<String> {
    if by == GroupBy::Delegate {
        return row.delegate_id.map(|_| row.display_name());
    }
    if row.delegate_id.is_some() || row.chain < 0 || !row.name.ends_with("_CALL") {
        return None;
    }
    // A prim operator has no kernel event.
    let kernel = kernels.get(&(row.chain, row.instruction)).copied();
    let operator = match (row.name, kernel) {
        ("OPERATOR_CALL", Some(kernel)) => kernel,
        ("OPERATOR_CALL", None) => "prim operator",
        (other, _) => other,
    };
    Some(match by {
        GroupBy::Instruction => format!("{}:{} {operator}", row.chain, row.instruction),
        _ => operator.to_owned(),
    })
}
