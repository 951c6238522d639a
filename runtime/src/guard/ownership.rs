//! Which tensor's value each planned byte holds.

use crate::memory::Region;
use crate::value::TensorId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;
use et_schema::ids::{ChainId, InstructionId};
use smallvec::SmallVec;

/// Who wrote some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Writer {
    pub tensor: TensorId,
    /// The instruction; `None` if it was there before the first one.
    pub at: Option<(ChainId, InstructionId)>,
}

/// Bytes up to `end` with one writer.
#[derive(Clone, Copy, Debug)]
struct Span {
    end: usize,
    writer: Writer,
}

/// Spans by their first byte, arena by arena. They do not overlap.
#[derive(Debug, Default)]
pub(super) struct Ownership {
    arenas: Vec<BTreeMap<usize, Span>>,
}

impl Ownership {
    /// The bytes of `region` belong to `writer` from now on.
    pub fn claim(&mut self, region: Region, writer: Writer) {
        let index = region.arena as usize;
        if self.arenas.len() <= index {
            self.arenas.resize_with(index + 1, BTreeMap::new);
        }
        let spans = &mut self.arenas[index];
        let touched: SmallVec<[(usize, Span); 8]> =
            touching(spans, region.start..region.end).collect();
        for (start, span) in touched {
            spans.remove(&start);
            if start < region.start {
                spans.insert(start, Span { end: region.start, ..span });
            }
            if span.end > region.end {
                spans.insert(region.end, span);
            }
        }
        spans.insert(region.start, Span { end: region.end, writer });
    }

    /// The parts of `region` and who wrote them, `None` where nobody did.
    pub fn of(&self, region: Region) -> SmallVec<[(Range<usize>, Option<Writer>); 4]> {
        let mut parts = SmallVec::new();
        let mut position = region.start;
        if let Some(spans) = self.arenas.get(region.arena as usize) {
            for (start, span) in touching(spans, region.start..region.end) {
                let start = start.max(region.start);
                if position < start {
                    parts.push((position..start, None));
                }
                position = span.end.min(region.end);
                parts.push((start..position, Some(span.writer)));
            }
        }
        if position < region.end {
            parts.push((position..region.end, None));
        }
        parts
    }
}

/// The spans that share bytes with `range`, in order.
fn touching(
    spans: &BTreeMap<usize, Span>,
    range: Range<usize>,
) -> impl Iterator<Item = (usize, Span)> {
    let before = spans.range(..range.start).next_back().filter(|(_, span)| span.end > range.start);
    let start = before.map_or(range.start, |(start, _)| *start);
    spans.range(start..range.end.max(start)).map(|(start, span)| (*start, *span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: usize, end: usize) -> Region {
        Region { arena: 1, start, end }
    }

    fn writer(tensor: u32) -> Writer {
        Writer { tensor: TensorId(tensor), at: None }
    }

    #[test]
    fn bytes_belong_to_whoever_wrote_them_last() {
        let mut ownership = Ownership::default();
        ownership.claim(region(0, 16), writer(1));
        ownership.claim(region(4, 8), writer(2));
        ownership.claim(region(20, 24), writer(3));
        let parts = ownership.of(region(2, 22));
        let found: Vec<_> = parts.iter().map(|(r, w)| (r.clone(), w.map(|w| w.tensor.0))).collect();
        assert_eq!(
            found,
            [(2..4, Some(1)), (4..8, Some(2)), (8..16, Some(1)), (16..20, None), (20..22, Some(3))]
        );
    }

    #[test]
    fn a_claim_replaces_all_that_it_covers() {
        let mut ownership = Ownership::default();
        for i in 0..8 {
            ownership.claim(region(i * 4, i * 4 + 4), writer(i as u32));
        }
        ownership.claim(region(2, 30), writer(9));
        let parts = ownership.of(region(0, 32));
        let owners: Vec<_> = parts.iter().map(|(_, w)| w.map(|w| w.tensor.0)).collect();
        assert_eq!(owners, [Some(0), Some(9), Some(7)]);
    }
}
