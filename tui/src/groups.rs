//! Sums over events, as rows: computed once for each kind, by the library
//! whose groups add up to the whole.

use crate::events::{RowRef, Spread};
use crate::text::escape;
use et_inspector::correlate::{Correlation, Site};
use et_inspector::events::{EventBlocks, Group, GroupBy, Groups};
use et_schema::ids::{ChainId, InstructionId};

/// The kinds of groups, in the order in which a key goes through them.
pub(crate) const KINDS: [GroupBy; 5] =
    [GroupBy::Operator, GroupBy::Delegate, GroupBy::Instruction, GroupBy::Module, GroupBy::Source];

/// What the rows of a kind are called.
pub(crate) fn name(kind: GroupBy) -> &'static str {
    match kind {
        GroupBy::Operator => "operators",
        GroupBy::Module => "modules",
        GroupBy::Source => "source lines",
        GroupBy::Instruction => "instructions",
        GroupBy::Delegate => "delegate operations",
    }
}

/// The groups of a trace, by kind.
#[derive(Default)]
pub struct GroupTables {
    tables: Vec<GroupTable>,
}

/// The groups of a kind.
pub struct GroupTable {
    /// What was summed over.
    pub kind: GroupBy,
    /// The sums, largest first, and at the end what belongs to none.
    pub rows: Vec<GroupRow>,
    /// Ticks of all rows together: those of the outermost events.
    pub total: u64,
    /// Columns of the longest name, up to 80.
    pub longest: usize,
}

/// A sum.
pub struct GroupRow {
    /// Name, safe to draw.
    pub name: String,
    /// Its instruction, where it is one.
    pub site: Option<Site>,
    /// Instructions and delegate operations that ran.
    pub count: usize,
    /// Own ticks.
    pub ticks: u64,
    /// Own ticks of each run that has any of them.
    pub runs: Vec<u64>,
    /// What the runs are like.
    pub spread: Spread,
}

impl GroupRow {
    /// What is shown of it.
    pub fn shown(&self) -> RowRef<'_> {
        RowRef {
            name: &self.name,
            site: self.site,
            module: "",
            block: "",
            delegated: false,
            count: self.count,
            sum: self.ticks,
            own: self.ticks,
            spread: self.spread,
            times: &self.runs,
            executed: true,
        }
    }
}

impl GroupTables {
    /// Those of `blocks`. Kinds that nothing belongs to are left out, such as
    /// modules where no ETRecord names any.
    pub fn of(blocks: &EventBlocks<'_>, correlation: &Correlation<'_>) -> Self {
        let tables = KINDS.into_iter().filter_map(|kind| {
            let groups = Groups::of(blocks, correlation, kind);
            if groups.groups.is_empty() {
                return None;
            }
            let none = Some(&groups.unattributed).filter(|none| none.ticks > 0 || none.count > 0);
            let rows: Vec<GroupRow> =
                groups.groups.iter().chain(none).map(|group| row(group, kind)).collect();
            let longest = rows.iter().map(|row| crate::text::width(&row.name)).max().unwrap_or(0);
            Some(GroupTable { kind, rows, total: groups.total_ticks(), longest: longest.min(80) })
        });
        GroupTables { tables: tables.collect() }
    }

    /// The groups of a kind; `None` if there are none of it.
    pub fn get(&self, kind: GroupBy) -> Option<&GroupTable> {
        self.tables.iter().find(|table| table.kind == kind)
    }
}

fn row(group: &Group, kind: GroupBy) -> GroupRow {
    let site = if kind == GroupBy::Instruction { site(&group.name) } else { None };
    GroupRow {
        name: escape(&group.name),
        site,
        count: group.count,
        ticks: group.ticks,
        spread: Spread::of(&group.runs),
        runs: group.runs.clone(),
    }
}

/// The place in the name of a group that is an instruction: `chain:index operator`.
fn site(name: &str) -> Option<Site> {
    let (chain, index) = name.split(' ').next()?.split_once(':')?;
    let (chain, index) = (chain.parse().ok()?, index.parse().ok()?);
    Some(Site { chain: ChainId(chain), instruction: InstructionId(index) })
}
