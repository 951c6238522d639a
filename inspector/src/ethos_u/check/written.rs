//! What is read was written before, and every output is.

use super::{Fault, Regions, ranges::maps};
use crate::ethos_u::feature_map::{FeatureMap, Range, Region, Storage};
use crate::ethos_u::{Disassembly, Kind};
use et_schema::ethos_u::Payload;

/// Larger regions are not followed byte by byte: a damaged size must not take
/// memory.
const LARGEST: u64 = 64 << 20;

/// Runs of bytes that are followed at most, for the same reason.
const MOST_RUNS: u64 = 1 << 26;

/// The bytes of a region that hold something.
struct Written {
    bits: Vec<u64>,
    size: u64,
}

impl Written {
    fn new(size: u64) -> Self {
        Written { bits: vec![0; size.div_ceil(64) as usize], size }
    }

    /// The words of `start..end`, with the bits that are in it.
    fn words(&self, start: u64, end: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let end = end.min(self.size);
        let first = start / 64;
        let last = if end > start { end.div_ceil(64) } else { first };
        (first..last).map(move |word| {
            let (from, to) =
                (start.max(word * 64) - word * 64, end.min(word * 64 + 64) - word * 64);
            let upper = if to == 64 { u64::MAX } else { (1 << to) - 1 };
            (word as usize, upper & !((1_u64 << from) - 1))
        })
    }

    fn set(&mut self, start: u64, end: u64) {
        for (word, mask) in self.words(start, end) {
            self.bits[word] |= mask;
        }
    }

    /// The first byte of the range that holds nothing.
    fn missing(&self, start: u64, end: u64) -> Option<u64> {
        self.words(start, end).find_map(|(word, mask)| {
            let holes = mask & !self.bits[word];
            (holes != 0).then(|| word as u64 * 64 + u64::from(holes.trailing_zeros()))
        })
    }
}

/// Scratch memory and fast scratch memory.
struct Memory {
    scratch: Written,
    fast: Written,
    has_table: bool,
    runs: u64,
}

impl Memory {
    fn region(&mut self, region: Region) -> Option<&mut Written> {
        match region {
            Region::Scratch => Some(&mut self.scratch),
            Region::FastScratch => Some(&mut self.fast),
            _ => None,
        }
    }

    fn write(&mut self, map: &FeatureMap) {
        let mut runs = self.runs;
        if let Some(written) = self.region(map.region) {
            map.runs(|start, len| {
                runs += 1;
                written.set(start, start.saturating_add(len));
                runs < MOST_RUNS
            });
        }
        self.runs = runs;
    }

    fn first_missing(&mut self, map: &FeatureMap) -> Option<Range> {
        let (mut runs, mut missing) = (self.runs, None);
        let written = self.region(map.region)?;
        map.runs(|start, len| {
            runs += 1;
            let end = start.saturating_add(len);
            missing = written.missing(start, end).map(|byte| Range {
                region: map.region,
                start: byte,
                end,
            });
            missing.is_none() && runs < MOST_RUNS
        });
        self.runs = runs;
        missing
    }

    fn range_missing(&mut self, range: Range) -> Option<Range> {
        let byte = self.region(range.region)?.missing(range.start, range.end)?;
        Some(Range { start: byte, ..range })
    }
}

pub(super) fn check(
    payload: &Payload<'_>,
    stream: &Disassembly,
    regions: &Regions,
    faults: &mut Vec<Fault>,
) {
    let fast = regions.fast_scratch.unwrap_or_else(|| stream.extent(Region::FastScratch));
    let branches = stream.operations.iter().any(|op| matches!(op.kind, Kind::Branch(_)));
    if regions.scratch > LARGEST || fast > LARGEST || branches {
        return;
    }
    let mut memory = Memory {
        scratch: Written::new(regions.scratch),
        fast: Written::new(fast),
        has_table: false,
        runs: 0,
    };
    for input in &payload.inputs {
        let start = u64::from(input.offset);
        if let Some(written) = memory.region(Region::new(input.region)) {
            written.set(start, start.saturating_add(input.bytes()));
        }
    }
    for operation in &stream.operations {
        if memory.runs >= MOST_RUNS {
            return;
        }
        follow(&mut memory, operation.word, &operation.kind, faults);
    }
    for (index, output) in payload.outputs.iter().enumerate() {
        let start = u64::from(output.offset);
        let region = Region::new(output.region);
        let range = Range { region, start, end: start.saturating_add(output.bytes()) };
        if let Some(range) = memory.range_missing(range) {
            faults.push(Fault::OutputNeverWritten { output: index, range });
        }
    }
}

/// One operation reads, then writes.
fn follow(memory: &mut Memory, word: u32, kind: &Kind, faults: &mut Vec<Fault>) {
    match kind {
        Kind::Block(block) => {
            let inputs = maps(block).filter(|(what, map)| {
                *what != "output" && !matches!(map.storage, Storage::Chained | Storage::None)
            });
            for (what, map) in inputs {
                if let Some(range) = memory.first_missing(map) {
                    faults.push(Fault::NeverWritten { word, what: what.to_owned(), range });
                }
            }
            let constants = block.weights.iter().map(|range| ("weights", range));
            for (what, range) in constants.chain(block.scales.iter().map(|r| ("scales", r))) {
                if let Some(range) = memory.range_missing(*range) {
                    faults.push(Fault::NeverWritten { word, what: what.to_owned(), range });
                }
            }
            if block.table.is_some() && !memory.has_table {
                faults.push(Fault::NoTable { word });
            }
            memory.write(&block.ofm);
        }
        Kind::Dma(dma) => {
            if let Some(range) = memory.range_missing(dma.source) {
                let what = "source of a copy".to_owned();
                faults.push(Fault::NeverWritten { word, what, range });
            }
            let to = dma.destination;
            match memory.region(to.region) {
                Some(written) => written.set(to.start, to.end),
                None => memory.has_table |= to.region == Region::Internal,
            }
        }
        _ => {}
    }
}
