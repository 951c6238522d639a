//! Rows of the event table.

use crate::clock::Clock;
use crate::query::Field;
use crate::text::escape;
use et_inspector::correlate::{Correlation, Site};
use et_inspector::events::{EventBlocks, Statistics};
use et_schema::ids::{ChainId, InstructionId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All rows, in the order of the trace.
#[derive(Default)]
pub struct EventRows {
    /// The rows.
    pub rows: Vec<EventRow>,
    /// Ticks of all executions together.
    pub total: u64,
    /// Ticks of each execution.
    pub executions: Vec<u64>,
    /// Rows of each instruction.
    by_site: BTreeMap<Site, Vec<u32>>,
    /// The events of instructions with the most own time, the most first.
    pub largest: Vec<Largest>,
    /// The most own ticks of a row of an instruction.
    pub most: u64,
    /// Whether any row has a module.
    pub has_modules: bool,
    /// Columns of the longest name, up to 80.
    pub longest: usize,
}

/// An event of an instruction, its rows of all blocks together: runs of different
/// kinds, such as those that take different branches, are blocks of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Largest {
    /// The number of its first row.
    pub row: u32,
    /// Own ticks of all of its rows.
    pub own: u64,
}

/// An event, its runs together.
pub struct EventRow {
    /// Name, safe to draw.
    pub name: String,
    /// Block it belongs to, safe to draw.
    pub block: Arc<str>,
    /// Module of the PyTorch model, safe to draw; empty if it is not known.
    pub module: Arc<str>,
    /// Its instruction; events of the method have none.
    pub site: Option<Site>,
    /// Whether it is inside of a delegate.
    pub delegated: bool,
    /// Ticks of all times together.
    pub sum: u64,
    /// Of those, what no event inside of it has.
    pub own: u64,
    /// Ticks of each time, in the order of time.
    pub times: Vec<u64>,
    /// What they are like.
    pub spread: Spread,
}

/// What times are like, in ticks, by the Inspector's arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Least.
    pub min: f64,
    /// Most.
    pub max: f64,
    /// Standard deviation of the sample.
    pub deviation: f64,
}

impl Spread {
    /// Of `samples`, zeros if there are none.
    pub fn of(samples: &[u64]) -> Self {
        let samples: Vec<f64> = samples.iter().map(|ticks| *ticks as f64).collect();
        Spread::of_times(&samples)
    }

    fn of_times(samples: &[f64]) -> Self {
        Statistics::of(samples).map_or_else(Spread::default, |known| Spread {
            mean: known.avg,
            median: known.p50,
            p90: known.p90,
            p99: known.p99,
            min: known.min,
            max: known.max,
            deviation: known.stddev,
        })
    }
}

/// A row as it is shown: an event, or a group of them.
#[derive(Clone, Copy)]
pub struct RowRef<'r> {
    /// Name.
    pub name: &'r str,
    /// Its instruction.
    pub site: Option<Site>,
    /// Module, empty if it is not known.
    pub module: &'r str,
    /// Block of the trace.
    pub block: &'r str,
    /// Whether it is inside of a delegate.
    pub delegated: bool,
    /// How often it was recorded.
    pub count: usize,
    /// Ticks together.
    pub sum: u64,
    /// Of those, its own.
    pub own: u64,
    /// What its times are like.
    pub spread: Spread,
    /// Its times, or those of its runs.
    pub times: &'r [u64],
    /// Whether it is a part of the executions, and not of loading.
    pub executed: bool,
}

impl EventRow {
    /// What is shown of it.
    pub fn shown(&self) -> RowRef<'_> {
        RowRef {
            name: &self.name,
            site: self.site,
            module: &self.module,
            block: &self.block,
            delegated: self.delegated,
            count: self.times.len(),
            sum: self.sum,
            own: self.own,
            spread: self.spread,
            times: &self.times,
            executed: self.site.is_some() || self.name == EXECUTE,
        }
    }
}

impl RowRef<'_> {
    /// `0:9`, or nothing.
    pub fn at(&self) -> String {
        self.site.map_or(String::new(), site_text)
    }

    /// A field of a filter, of executions that took `total` ticks.
    pub fn field(&self, name: &str, total: u64) -> Option<Field<'_>> {
        let number = |number: f64| Some(Field::Number(number));
        match name {
            "event" => Some(Field::Text(self.name)),
            "at" => Some(Field::Made(self.at())),
            "module" => Some(Field::Text(self.module)),
            "block" => Some(Field::Text(self.block)),
            "delegate" => Some(Field::Text(if self.delegated { "yes" } else { "no" })),
            "calls" => number(self.count as f64),
            "mean" => number(self.spread.mean),
            "median" => number(self.spread.median),
            "p90" => number(self.spread.p90),
            "p99" => number(self.spread.p99),
            "min" => number(self.spread.min),
            "max" => number(self.spread.max),
            "stddev" => number(self.spread.deviation),
            "sum" => number(self.sum as f64),
            "own" => number(self.own as f64),
            "share" => number(self.share(total) * 100.0),
            _ => None,
        }
    }

    /// Its own time as a share of `total`.
    pub fn share(&self, total: u64) -> f64 {
        if self.executed { self.own as f64 / total.max(1) as f64 } else { 0.0 }
    }
}

/// A place as it is shown everywhere.
pub fn site_text(site: Site) -> String {
    format!("{}:{}", site.chain, site.instruction)
}

/// The event of an execution as a whole.
const EXECUTE: &str = "Method::execute";

/// Rows that are listed as the largest.
const LARGEST: usize = 64;

/// The instruction of an event, as numbers of a trace.
pub(crate) fn site(chain: i64, instruction: i32) -> Option<Site> {
    let chain = ChainId(u32::try_from(chain).ok()?);
    Some(Site { chain, instruction: InstructionId(u32::try_from(instruction).ok()?) })
}

impl EventRows {
    /// Those of `blocks`. `OPERATOR_CALL` is left out: its time is the kernel's.
    pub fn of(blocks: &EventBlocks<'_>, correlation: &Correlation<'_>, clock: Clock) -> Self {
        let mut events = EventRows::default();
        let nowhere: Arc<str> = "".into();
        let times = clock.times();
        for (number, block) in blocks.blocks.iter().enumerate() {
            let name: Arc<str> = escape(block.name).into();
            for row in block.events.iter().filter(|row| !row.is_operator_call()) {
                if row.samples.is_empty() {
                    continue;
                }
                let raw = row.raw(&times);
                let ticks: Vec<u64> = raw.iter().map(|ticks| *ticks as u64).collect();
                let sum = ticks.iter().fold(0u64, |sum, time| sum.saturating_add(*time));
                let module = match correlation.has_record() {
                    true => correlation.event(number, row).module().map(|path| escape(path).into()),
                    false => None,
                };
                events.add(EventRow {
                    name: escape(&row.display_name()),
                    block: Arc::clone(&name),
                    module: module.unwrap_or_else(|| Arc::clone(&nowhere)),
                    site: site(row.chain, row.instruction),
                    delegated: row.delegate_id.is_some(),
                    sum,
                    own: row.own_ticks(),
                    spread: Spread::of_times(&raw),
                    times: ticks,
                });
            }
        }
        events.rank();
        events
    }

    fn add(&mut self, row: EventRow) {
        if row.name == EXECUTE {
            self.total = self.total.saturating_add(row.sum);
            self.executions.extend(&row.times);
        }
        self.has_modules |= !row.module.is_empty();
        self.longest = self.longest.max(crate::text::width(&row.name).min(80));
        if let Some(site) = row.site {
            self.by_site.entry(site).or_default().push(self.rows.len() as u32);
            self.most = self.most.max(row.own);
        }
        self.rows.push(row);
    }

    fn rank(&mut self) {
        let most = |event: &Largest| (std::cmp::Reverse(event.own), event.row);
        let mut all = Vec::with_capacity(self.rows.len());
        for own in self.by_site.values() {
            self.add_events(own, &mut all);
        }
        if all.len() > LARGEST {
            all.select_nth_unstable_by_key(LARGEST, most);
            all.truncate(LARGEST);
        }
        all.sort_by_key(most);
        self.largest = all;
    }

    /// Adds the events of an instruction that has `rows`.
    fn add_events(&self, rows: &[u32], all: &mut Vec<Largest>) {
        let mut by_name: BTreeMap<(bool, &str), Largest> = BTreeMap::new();
        for number in rows {
            let row = &self.rows[*number as usize];
            let event = by_name.entry((row.delegated, &row.name));
            let event = event.or_insert(Largest { row: *number, own: 0 });
            event.own = event.own.saturating_add(row.own);
        }
        all.extend(by_name.into_values());
    }

    /// Numbers of the rows of an instruction.
    pub fn rows_of(&self, site: Site) -> &[u32] {
        self.by_site.get(&site).map_or(&[], Vec::as_slice)
    }

    /// The rows of an instruction.
    pub fn of_site(&self, site: Site) -> impl Iterator<Item = &EventRow> {
        self.rows_of(site).iter().filter_map(|index| self.rows.get(*index as usize))
    }

    /// Time of an instruction: in each block that of its longest event outside of
    /// delegates, which has the others inside of it; blocks are different runs, and add up.
    pub fn time_of(&self, site: Site) -> Option<u64> {
        let mut time = None;
        let mut last: Option<(&Arc<str>, u64)> = None;
        for row in self.of_site(site).filter(|row| !row.delegated) {
            // Rows stand in the order of their blocks, whose names need not differ.
            let before = last.filter(|(block, _)| Arc::ptr_eq(block, &row.block));
            let before = before.map_or(0, |(_, ticks)| ticks);
            let longest = before.max(row.sum);
            time = Some(time.unwrap_or(0u64).saturating_add(longest - before));
            last = Some((&row.block, longest));
        }
        time
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_the_inspectors() {
        // numpy.percentile([1, 2, 3, 10], 50), of which the upper one would be 3.
        assert_eq!(Spread::of(&[10, 1, 3, 2]).median, 2.5);
        assert_eq!(Spread::of(&[]), Spread::default());
    }
}
