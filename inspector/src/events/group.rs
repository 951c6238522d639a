//! Sums over events: by operator, module, source line, instruction or
//! delegate operation.
//!
//! What is summed are each event's own ticks, so that nothing counts twice and
//! the groups, with what belongs to none of them, add up to the time of the
//! outermost events exactly.

use super::block::{Block, EventBlocks, EventRow};
use crate::correlate::{Correlation, Origin};
use std::collections::HashMap;

/// What to sum over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Operators and kinds of instructions; a delegate's operations by their names.
    Operator,
    /// Modules of the model, from an ETRecord.
    Module,
    /// Lines of the model's source, from an ETRecord or the program.
    Source,
    /// Instructions.
    Instruction,
    /// Operations inside of delegates.
    Delegate,
}

/// A sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Operator, module path, `file:line`, instruction `chain:index` with its
    /// operator, or delegate operation.
    pub name: String,
    /// Instructions and delegate operations that ran.
    pub count: usize,
    /// Their own ticks.
    pub ticks: u64,
    /// Their own ticks in each run that has any of them.
    pub runs: Vec<u64>,
    /// The block that `runs` ends with.
    block: Option<usize>,
}

impl Group {
    /// Adds an event of block number `index`.
    fn add(&mut self, row: &EventRow<'_>, index: usize, block: &Block<'_>) {
        self.ticks = self.ticks.saturating_add(row.own_ticks());
        if self.block != Some(index) {
            self.block = Some(index);
            self.runs.resize(self.runs.len() + block.runs, 0);
        }
        let start = self.runs.len() - block.runs;
        for (run, own) in self.runs[start..].iter_mut().zip(row.own_runs()) {
            *run = own.iter().fold(*run, |sum, own| sum.saturating_add(*own));
        }
    }
}

/// Sums that add up to the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The sums, largest first.
    pub groups: Vec<Group>,
    /// What belongs to none of them, such as `Method::execute` outside of its instructions.
    pub unattributed: Group,
}

impl Groups {
    /// Sums up the events of all blocks.
    pub fn of(blocks: &EventBlocks<'_>, correlation: &Correlation<'_>, by: GroupBy) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut unattributed = Group { name: "(unattributed)".into(), ..Group::default() };
        let mut index_of: HashMap<String, usize> = HashMap::new();
        for (index, block) in blocks.blocks.iter().enumerate() {
            let sites = Sites::of(index, block, correlation);
            for row in &block.events {
                let origin = correlation.event(index, row);
                let group = match sites.name(row, &origin, by) {
                    Some(name) => {
                        let index = *index_of.entry(name).or_insert_with_key(|name| {
                            groups.push(Group { name: name.clone(), ..Group::default() });
                            groups.len() - 1
                        });
                        &mut groups[index]
                    }
                    None => &mut unattributed,
                };
                if !row.samples.is_empty() {
                    group.add(row, index, block);
                }
                if sites.counts(row, by) {
                    group.count += row.samples.len();
                }
            }
        }
        groups.sort_by(|a, b| b.ticks.cmp(&a.ticks).then_with(|| a.name.cmp(&b.name)));
        Groups { groups, unattributed }
    }

    /// Ticks of all groups and of what belongs to none.
    pub fn total_ticks(&self) -> u64 {
        let groups = self.groups.iter().chain([&self.unattributed]);
        groups.fold(0, |sum, group| sum.saturating_add(group.ticks))
    }
}

/// What the events of an instruction know together.
#[derive(Default)]
struct Site {
    operator: Option<String>,
    module: Option<String>,
    source: Option<String>,
    has_call: bool,
}

/// The instructions of a block, by chain and index.
struct Sites(HashMap<(i64, i32), Site>);

impl Sites {
    fn of(index: usize, block: &Block<'_>, correlation: &Correlation<'_>) -> Self {
        let mut sites: HashMap<(i64, i32), Site> = HashMap::new();
        for row in block.events.iter().filter(|row| row.chain >= 0) {
            let origin = correlation.event(index, row);
            let site = sites.entry((row.chain, row.instruction)).or_default();
            site.has_call |= row.is_call();
            if row.delegate_id.is_some() {
                continue;
            }
            if let Some(kernel) = row.name.strip_prefix("native_call_") {
                site.operator = Some(kernel.to_owned());
            } else if site.operator.is_none() {
                site.operator = origin.instruction.map(|facts| facts.name().to_owned());
            }
            if let Some(module) = origin.module() {
                let name = if module.is_empty() { "(model)" } else { module };
                site.module.get_or_insert_with(|| name.to_owned());
            }
            if let Some(source) = origin.source() {
                site.source.get_or_insert(source);
            }
        }
        Sites(sites)
    }

    /// The group of an event.
    fn name(&self, row: &EventRow<'_>, origin: &Origin<'_>, by: GroupBy) -> Option<String> {
        let site = self.0.get(&(row.chain, row.instruction))?;
        let operator = || site.operator.clone().unwrap_or_else(|| instruction_kind(row));
        match by {
            // What the nodes of a delegate's own operation say is finer than its call's.
            GroupBy::Module => match origin.module().filter(|_| row.delegate_id.is_some()) {
                Some("") => Some("(model)".into()),
                Some(module) => Some(module.to_owned()),
                None => site.module.clone(),
            },
            GroupBy::Source => match origin.source().filter(|_| row.delegate_id.is_some()) {
                Some(source) => Some(source),
                None => site.source.clone(),
            },
            GroupBy::Instruction => {
                Some(format!("{}:{} {}", row.chain, row.instruction, operator()))
            }
            GroupBy::Operator if row.delegate_id.is_some() => {
                Some(without_counter(&row.display_name()).to_owned())
            }
            GroupBy::Operator => Some(operator()),
            GroupBy::Delegate => {
                let backend = origin.backend.map(|b| format!("{b}: ")).unwrap_or_default();
                match (row.delegate_id, row.name) {
                    (Some(_), _) => Some(format!("{backend}{}", row.display_name())),
                    (None, "DELEGATE_CALL") => Some(format!("{backend}DELEGATE_CALL")),
                    _ => None,
                }
            }
        }
    }

    /// Whether an event stands for its instruction in a count, or is a
    /// delegate's operation where those are counted.
    fn counts(&self, row: &EventRow<'_>, by: GroupBy) -> bool {
        let Some(site) = self.0.get(&(row.chain, row.instruction)) else { return true };
        match row.delegate_id {
            Some(_) => matches!(by, GroupBy::Operator | GroupBy::Delegate),
            None => row.is_call() || !site.has_call,
        }
    }
}

/// The kind of instruction, where the kernel has no event.
fn instruction_kind(row: &EventRow<'_>) -> String {
    match row.name {
        "OPERATOR_CALL" => "prim operator".into(),
        _ if row.delegate_id.is_some() => "DELEGATE_CALL".into(),
        "" => "(values only)".into(),
        name => name.to_owned(),
    }
}

/// A delegate's operation without the number that XNNPACK appends (`… #3`).
fn without_counter(name: &str) -> &str {
    match name.rsplit_once(" #") {
        Some((operation, count)) if count.bytes().all(|b| b.is_ascii_digit()) => operation,
        _ => name,
    }
}
