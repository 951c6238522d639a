//! The memory plan of a method: where each tensor lies in the planned buffers,
//! from when to when it is live, and how well the plan uses the bytes.
//!
//! ```text
//! steps.rs      instructions of all chains in one row
//! accesses.rs   which instruction reads and writes which value
//! loops.rs      what a backward jump keeps alive
//! joined.rs     sums of live bytes, where branches join
//! lifetimes.rs  views, moves, inputs, outputs and state: live ranges
//! overlap.rs    live tensors that share bytes
//! ```

mod accesses;
mod joined;
mod lifetimes;
mod loops;
mod overlap;
mod steps;

pub use lifetimes::{Role, Storage};
pub use overlap::Overlap;
pub use steps::{Step, Steps};

use joined::deltas;

use et_schema::ids::MemoryId;
use et_schema::pte::Method;

/// One planned buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedBuffer {
    /// Its memory id.
    pub memory_id: MemoryId,
    /// Bytes that the program asks for.
    pub size: u64,
    /// The highest end of a tensor that is ever live in it.
    pub peak: u64,
    /// The largest sum of live bytes: no plan of this order of instructions needs less.
    pub lower_bound: u64,
}

/// The moment with the most live bytes, all planned buffers together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// The first such step.
    pub step: Step,
    /// Bytes live at it.
    pub bytes: u64,
    /// Indices in [`Plan::storages`], largest first.
    pub live: Vec<usize>,
}

/// The memory plan of a method.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Instructions of all chains in one row.
    pub steps: Steps,
    /// Every planned tensor, with its views.
    pub storages: Vec<Storage>,
    /// The planned buffers, by memory id.
    pub buffers: Vec<PlannedBuffer>,
    /// Where most is live.
    pub peak: Peak,
}

impl Plan {
    /// The plan of `method`.
    pub fn new(method: &Method<'_>) -> Self {
        let steps = Steps::new(method);
        let storages = lifetimes::storages(method, &steps);
        let mut by_buffer: Vec<Vec<&Storage>> = vec![Vec::new(); method.planned_buffers().len()];
        for storage in &storages {
            let index = storage.memory_id.index().checked_sub(1);
            if let Some(members) = index.and_then(|index| by_buffer.get_mut(index)) {
                members.push(storage);
            }
        }
        let buffers = method
            .planned_buffers()
            .zip(&by_buffer)
            .map(|((memory_id, size), members)| PlannedBuffer {
                memory_id,
                size: u64::try_from(size).unwrap_or(0),
                peak: members
                    .iter()
                    .filter(|s| !s.ranges.is_empty())
                    .map(|s| s.end())
                    .max()
                    .unwrap_or(0),
                lower_bound: most_live(members.iter().copied(), |bytes| bytes).1,
            })
            .collect();
        let peak = peak(&storages);
        Plan { steps, storages, buffers, peak }
    }

    /// Bytes of all planned buffers as the program sizes them.
    pub fn size(&self) -> u64 {
        self.buffers.iter().fold(0, |sum, buffer| sum.saturating_add(buffer.size))
    }

    /// The largest sum of live bytes of planned buffer `id` with each tensor
    /// rounded up to a multiple of `align` bytes: no plan that aligns its
    /// tensors so needs less.
    pub fn aligned_bound(&self, id: MemoryId, align: u64) -> u64 {
        let here = self.storages.iter().filter(|storage| storage.memory_id == id);
        most_live(here, |bytes| bytes.checked_next_multiple_of(align).unwrap_or(u64::MAX)).1
    }

    /// Bytes that are live at each step, all planned buffers together.
    pub fn live_bytes(&self) -> Vec<u64> {
        let mut live = vec![0u64; self.steps.count() as usize];
        let deltas = deltas(self.storages.iter(), |bytes| bytes);
        let (mut sum, mut next) = (0i128, 0);
        for (step, bytes) in live.iter_mut().enumerate() {
            while next < deltas.len() && deltas[next].0 as usize <= step {
                sum += deltas[next].1;
                next += 1;
            }
            *bytes = u64::try_from(sum).unwrap_or(u64::MAX);
        }
        live
    }

    /// Pairs of live tensors that share bytes without being meant to, and
    /// tensors that reach out of their planned buffer.
    pub fn overlaps(&self, method: &Method<'_>) -> Vec<Overlap> {
        overlap::overlaps(self, method)
    }
}

/// The first step with the most live bytes, and these.
fn most_live<'s>(
    storages: impl Iterator<Item = &'s Storage>,
    size: impl Fn(u64) -> u64,
) -> (Step, u64) {
    let deltas = deltas(storages, size);
    let (mut sum, mut best) = (0i128, (0, 0i128));
    for (step, delta) in deltas {
        sum += delta;
        if sum > best.1 {
            best = (step, sum);
        }
    }
    (best.0, u64::try_from(best.1).unwrap_or(u64::MAX))
}

fn peak(storages: &[Storage]) -> Peak {
    let (step, bytes) = most_live(storages.iter(), |bytes| bytes);
    let mut live: Vec<usize> = (0..storages.len())
        .filter(|i| storages[*i].bytes > 0 && storages[*i].is_live(step))
        .collect();
    live.sort_by_key(|i| (std::cmp::Reverse(storages[*i].bytes), *i));
    Peak { step, bytes, live }
}
