//! Events over time, in lanes: runs, instructions, kernels and what is inside
//! of delegates.

use crate::events::site;
use crate::text::escape;
use et_inspector::correlate::Site;
use et_inspector::events::EventBlocks;

/// Names of the lanes.
pub const LANES: [&str; 4] = ["runs", "instructions", "kernels", "in delegates"];

/// All spans.
#[derive(Default)]
pub struct Spans {
    /// Names, safe to draw.
    pub names: Vec<String>,
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

impl Spans {
    /// Those of `blocks`.
    pub fn of(blocks: &EventBlocks<'_>) -> Self {
        let mut spans = Spans { range: (u64::MAX, 0), ..Spans::default() };
        for row in blocks.blocks.iter().flat_map(|block| &block.events) {
            let name = spans.names.len() as u32;
            spans.names.push(escape(&row.display_name()));
            let site = site(row.chain, row.instruction);
            spans.sites.push(site);
            let lane = match () {
                () if row.delegate_id.is_some() => 3,
                () if site.is_none() => 0,
                () if row.is_call() => 1,
                () => 2,
            };
            for sample in &row.samples {
                let (start, end) = (sample.start, sample.end.max(sample.start));
                spans.range = (spans.range.0.min(start), spans.range.1.max(end));
                spans.lanes[lane].push(Span { name, start, end });
            }
        }
        spans.range.0 = spans.range.0.min(spans.range.1);
        for lane in &mut spans.lanes {
            lane.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.name));
        }
        spans
    }

    /// The instruction of a span.
    pub fn site(&self, span: &Span) -> Option<Site> {
        self.sites.get(span.name as usize).copied().flatten()
    }

    /// The first event of `site` that lies within `from..=to`, as far as it is
    /// among the next hundred thousand: a key press does not look at millions.
    pub fn first_of(&self, lane: usize, site: Site, (from, to): (u64, u64)) -> Option<&Span> {
        const NEXT: usize = 100_000;
        let spans = &self.lanes[lane];
        let first = spans.partition_point(|span| span.start < from);
        let within = spans[first..].iter().take(NEXT).take_while(|span| span.start <= to);
        let mut own = within.filter(|span| span.end <= to);
        own.find(|span| self.site(span) == Some(site))
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
