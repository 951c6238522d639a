//! Events over time, in lanes: runs, instructions, kernels and what is inside
//! of delegates.

use crate::events::site;
use crate::text::escape;
use et_inspector::correlate::Site;
use et_inspector::events::{EventBlocks, EventRow};
use std::collections::{BTreeMap, HashMap};

/// Names of the lanes.
pub const LANES: [&str; 4] = ["runs", "instructions", "kernels", "in delegates"];

/// The lane of instructions.
pub const INSTRUCTIONS: usize = 1;

/// The lane of kernels.
pub const KERNELS: usize = 2;

/// All spans.
#[derive(Default)]
pub struct Spans {
    /// Names, safe to draw.
    pub names: Vec<String>,
    /// Colour of each: the same for the same operator, and those with the most
    /// time come first.
    pub colors: Vec<u32>,
    /// Instructions of the names: an event has both together.
    sites: Vec<Option<Site>>,
    /// Spans of each lane, in the order of time.
    pub lanes: [Vec<Span>; 4],
    /// First and last tick.
    pub range: (u64, u64),
}

/// One event; there may be millions, so it is small.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Index of the name.
    pub name: u32,
    /// First tick.
    pub start: u64,
    /// Last tick.
    pub end: u64,
}

/// The lane that an event belongs to.
fn lane_of(row: &EventRow<'_>) -> usize {
    match () {
        () if row.delegate_id.is_some() => 3,
        () if site(row.chain, row.instruction).is_none() => 0,
        () if row.is_call() => INSTRUCTIONS,
        () => KERNELS,
    }
}

impl Spans {
    /// Those of `blocks`.
    pub fn of(blocks: &EventBlocks<'_>) -> Self {
        let mut spans = Spans { range: (u64::MAX, 0), ..Spans::default() };
        let mut ticks = Vec::new();
        let rows = || blocks.blocks.iter().flat_map(|block| &block.events);
        // Room for exactly so many: there may be millions.
        let mut counts = [0; LANES.len()];
        rows().for_each(|row| counts[lane_of(row)] += row.samples.len());
        spans.lanes = counts.map(Vec::with_capacity);
        for row in rows() {
            let name = spans.names.len() as u32;
            spans.names.push(escape(&row.display_name()));
            let site = site(row.chain, row.instruction);
            spans.sites.push(site);
            let lane = lane_of(row);
            let mut sum = 0u64;
            for sample in &row.samples {
                let (start, end) = (sample.start, sample.end.max(sample.start));
                spans.range = (spans.range.0.min(start), spans.range.1.max(end));
                spans.lanes[lane].push(Span { name, start, end });
                sum = sum.saturating_add(end - start);
            }
            ticks.push((lane, sum));
        }
        spans.range.0 = spans.range.0.min(spans.range.1);
        for lane in &mut spans.lanes {
            lane.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.name));
        }
        spans.color(&ticks);
        spans
    }

    /// Gives every operator a colour. A call has that of its kernel.
    fn color(&mut self, ticks: &[(usize, u64)]) {
        let mut kernels: BTreeMap<Site, &str> = BTreeMap::new();
        for (index, (lane, _)) in ticks.iter().enumerate() {
            if let (KERNELS, Some(site)) = (*lane, self.sites[index]) {
                kernels.entry(site).or_insert(&self.names[index]);
            }
        }
        let kind = |index: usize| match (ticks[index].0, self.sites[index]) {
            (INSTRUCTIONS, Some(site)) => kernels.get(&site).copied().unwrap_or(&self.names[index]),
            _ => self.names[index].as_str(),
        };
        let mut sums: HashMap<(bool, &str), u64> = HashMap::new();
        for (index, (lane, ticks)) in ticks.iter().enumerate() {
            let sum = sums.entry((*lane == 3, kind(index))).or_default();
            *sum = sum.saturating_add(*ticks);
        }
        let mut ranked: Vec<((bool, &str), u64)> = sums.into_iter().collect();
        ranked.sort_by_key(|(kind, ticks)| (kind.0, std::cmp::Reverse(*ticks), kind.1));
        let colors: HashMap<(bool, &str), u32> =
            ranked.iter().enumerate().map(|(index, (kind, _))| (*kind, index as u32)).collect();
        let of = |(index, (lane, _)): (usize, &(usize, u64))| colors[&(*lane == 3, kind(index))];
        self.colors = ticks.iter().enumerate().map(of).collect();
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(Vec::is_empty)
    }

    /// The instruction of a span.
    pub fn site(&self, span: &Span) -> Option<Site> {
        self.site_of(span.name as usize)
    }

    /// The instruction of a name.
    pub fn site_of(&self, name: usize) -> Option<Site> {
        self.sites.get(name).copied().flatten()
    }

    /// The first event of `site` that lies within `from..=to`, as far as it is
    /// among the next hundred thousand: a key press does not look at millions.
    pub fn first_of(&self, site: Site, (from, to): (u64, u64)) -> Option<&Span> {
        const NEXT: usize = 100_000;
        // Where operators have no events of their calls, their kernels have.
        [INSTRUCTIONS, KERNELS].into_iter().find_map(|lane| {
            let spans = &self.lanes[lane];
            let first = spans.partition_point(|span| span.start < from);
            let within = spans[first..].iter().take(NEXT).take_while(|span| span.start <= to);
            let mut own = within.filter(|span| span.end <= to);
            own.find(|span| self.site(span) == Some(site))
        })
    }

    /// The span of a lane that covers most of `from..to`.
    pub fn covering(&self, lane: usize, from: u64, to: u64) -> Option<&Span> {
        let spans = &self.lanes[lane];
        let after = spans.partition_point(|span| span.start < to);
        // Spans of a lane follow each other: those that reach in are the last before it.
        let near = spans[..after].iter().rev().take(64).filter(|span| span.end >= from);
        near.max_by_key(|span| span.end.min(to).saturating_sub(span.start.max(from)))
    }
}
