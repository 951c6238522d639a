//! The layers at the peak in stripes of rows: instructions around the peak run
//! once for each stripe of their last output, so that the tensors between them
//! are never whole. Windows overlap, so that some rows are computed more than
//! once; how many is part of the suggestion.
//!
//! What comes into the stripes stays until the last one, and what goes out is
//! there from the first one on.

use super::in_place::storage_of;
use super::layout::Layout;
use super::rows::{Call, height};
use super::{Change, Suggestion};
use crate::memory::plan::{Plan, Role, Step, Storage};
use et_schema::ids::InstructionId;
use et_schema::pte::{Instruction, Method};
use std::collections::{BTreeMap, BTreeSet};

/// Instructions before and after the peak that may run in stripes.
const REACH: Step = 12;

/// Numbers of stripes that are tried.
const STRIPES: [u64; 3] = [2, 4, 8];

/// Tensors around the peak, above which nothing is tried.
const MAX_NEAR: usize = 4_000;

/// Instructions in stripes.
struct Tiling {
    first: Step,
    last: Step,
    stripes: u64,
    /// Rows of a stripe and of the whole, by storage between the instructions.
    inside: BTreeMap<usize, (u64, u64)>,
    /// Storages that go out of the stripes.
    outputs: BTreeSet<usize>,
    /// Whether one instruction reads what another puts out.
    is_joined: bool,
    /// Bytes computed in all stripes, and without them.
    work: (u64, u64),
    /// Bytes that are live at most while the stripes run.
    live: u64,
}

/// The instructions around the peak.
struct Around<'p> {
    plan: &'p Plan,
    calls: BTreeMap<Step, Call>,
    heights: BTreeMap<usize, u64>,
    /// Storages that are live there.
    near: Vec<usize>,
}

pub(super) fn suggest(
    method: &Method<'_>,
    plan: &Plan,
    layout: &Layout,
    ours: u64,
) -> Option<Suggestion> {
    let around = Around::new(method, plan)?;
    let peak = plan.peak.step;
    let live = plan.live_bytes();
    let mut best: Option<(u64, Tiling)> = None;
    for first in peak.saturating_sub(REACH)..=peak {
        for last in peak..=peak.saturating_add(REACH) {
            for stripes in STRIPES {
                let Some(tiling) = around.tiling(first, last, stripes) else { continue };
                let before = live.get(..first as usize).unwrap_or_default().iter();
                let after = live.get(last as usize + 1..).unwrap_or_default().iter();
                let size = tiling.live.max(before.chain(after).copied().max().unwrap_or(0));
                // Of plans alike, the one that computes least twice.
                let key = (size, tiling.work.0);
                if best.as_ref().is_none_or(|(size, b)| key < (*size, b.work.0)) {
                    best = Some((size, tiling));
                }
            }
        }
    }
    let (_, tiling) = best?;
    let planned = tiling.apply(plan, layout).planned();
    (planned < ours).then(|| tiling.suggestion(plan, &around, planned))
}

impl<'p> Around<'p> {
    fn new(method: &Method<'_>, plan: &'p Plan) -> Option<Self> {
        let storage_of = storage_of(method, plan);
        let chain = method.chains().next().filter(|_| method.chain_count() == 1)?;
        let (from, to) = (
            plan.peak.step.saturating_sub(REACH),
            plan.peak.step.saturating_add(REACH).min(plan.steps.count().saturating_sub(1)),
        );
        // Jumps into the middle of the stripes, and Moves, would break them.
        let is_call = |i: &Instruction<'_>| {
            matches!(i, Instruction::KernelCall { .. } | Instruction::DelegateCall { .. })
        };
        if !chain.instructions().all(|instruction| is_call(&instruction)) {
            return None;
        }
        let mut calls = BTreeMap::new();
        for step in from..=to {
            let instruction = chain.instruction(InstructionId(step))?;
            if let Some(call) = Call::new(method, plan, &storage_of, step, instruction) {
                calls.insert(step, call);
            }
        }
        let is_near = |index: &usize| {
            let storage = &plan.storages[*index];
            storage.ranges.iter().any(|(first, last)| *first <= to && from <= *last)
        };
        let near: Vec<usize> = (0..plan.storages.len()).filter(is_near).collect();
        // A view may show the rows of another tensor in another way.
        let plain = near.iter().filter(|index| plan.storages[**index].values.len() == 1);
        let heights = plain
            .filter_map(|index| Some((*index, height(method, plan.storages[*index].values[0])?)));
        let heights = heights.collect();
        (near.len() <= MAX_NEAR).then_some(Around { plan, calls, heights, near })
    }

    /// The instructions `first..=last` in `stripes`, if that can be done.
    fn tiling(&self, first: Step, last: Step, stripes: u64) -> Option<Tiling> {
        let mut written: BTreeSet<usize> = BTreeSet::new();
        let mut by_rows = 0;
        for step in first..=last {
            let call = self.calls.get(&step)?;
            if call.window.is_some() {
                by_rows += 1;
                written.extend(&call.writes);
            }
        }
        if by_rows < 2 {
            return None;
        }
        // What does not work by rows must have nothing to do with the stripes.
        for step in first..=last {
            let call = &self.calls[&step];
            let mut foreign: Box<dyn Iterator<Item = usize>> = match call.window {
                Some(_) => Box::new(call.whole.iter().copied()),
                None => Box::new(call.touches()),
            };
            if foreign.any(|storage| written.contains(&storage)) {
                return None;
            }
        }
        let mut tiling = Tiling {
            first,
            last,
            stripes,
            inside: BTreeMap::new(),
            outputs: BTreeSet::new(),
            is_joined: false,
            work: (0, 0),
            live: 0,
        };
        self.rows(&mut tiling, &written)?;
        if !tiling.is_joined || tiling.inside.is_empty() {
            return None;
        }
        tiling.live = self.live(&tiling);
        Some(tiling)
    }

    /// Rows of each storage, from the last instruction to the first.
    fn rows(&self, tiling: &mut Tiling, written: &BTreeSet<usize>) -> Option<()> {
        let mut needed: BTreeMap<usize, u64> = BTreeMap::new();
        for step in (tiling.first..=tiling.last).rev() {
            let call = &self.calls[&step];
            let Some(window) = call.window else { continue };
            let needs = call.writes.iter().filter_map(|index| needed.get(index));
            let mut rows = needs.copied().max().unwrap_or(0);
            tiling.is_joined |= rows > 0;
            for index in &call.writes {
                let storage = &self.plan.storages[*index];
                let Some(&height) = self.heights.get(index) else {
                    // Scratch memory and outputs that nothing reads.
                    if storage.ranges.iter().any(|range| *range != (step, step)) {
                        return None;
                    }
                    continue;
                };
                if self.goes_out(storage, tiling.last) {
                    rows = rows.max(height.div_ceil(tiling.stripes));
                    tiling.outputs.insert(*index);
                } else if storage.first() == Some(step) {
                    tiling.inside.insert(*index, (0, height));
                } else {
                    // Written before as well: stripes would mix.
                    return None;
                }
            }
            // All that one instruction puts out has the same rows.
            for index in &call.writes {
                let Some(&height) = self.heights.get(index) else { continue };
                let need = rows.clamp(1, height);
                if let Some((stripe, _)) = tiling.inside.get_mut(index) {
                    *stripe = need;
                }
                let bytes = self.plan.storages[*index].bytes;
                let computed = tiling.stripes.saturating_mul(need).saturating_mul(bytes / height);
                tiling.work.0 = tiling.work.0.saturating_add(computed);
                tiling.work.1 = tiling.work.1.saturating_add(bytes);
            }
            for index in call.rows_of.iter().filter(|index| written.contains(index)) {
                let height = *self.heights.get(index)?;
                let span = rows.saturating_sub(1).checked_mul(window.stride)?;
                let span = span.checked_add(window.span)?.min(height);
                let need = needed.entry(*index).or_default();
                *need = span.max(*need);
            }
        }
        Some(())
    }

    /// Whether a storage is of use after the stripes, or before them.
    fn goes_out(&self, storage: &Storage, last: Step) -> bool {
        storage.last() > Some(last)
            || storage.role != Role::Intermediate
            || storage.ranges.len() != 1
    }

    /// The most live bytes while the stripes run.
    fn live(&self, tiling: &Tiling) -> u64 {
        let mut whole = 0u64;
        for index in self.near.iter().filter(|index| !tiling.inside.contains_key(index)) {
            let storage = &self.plan.storages[*index];
            let touches =
                |(first, last): &(Step, Step)| *first <= tiling.last && tiling.first <= *last;
            if storage.ranges.iter().any(touches) {
                whole = whole.saturating_add(storage.bytes);
            }
        }
        let inside = (tiling.first..=tiling.last).map(|step| {
            let live = tiling.inside.keys().filter(|i| self.plan.storages[**i].is_live(step));
            live.fold(0u64, |sum, index| sum.saturating_add(tiling.bytes(self.plan, *index)))
        });
        whole.saturating_add(inside.max().unwrap_or(0))
    }
}

impl Tiling {
    /// Bytes of a stripe of a storage between the instructions.
    fn bytes(&self, plan: &Plan, index: usize) -> u64 {
        let bytes = plan.storages[index].bytes;
        self.inside.get(&index).map_or(bytes, |(rows, height)| bytes / height * rows)
    }

    /// The layout with stripes in place of whole tensors.
    fn apply(&self, plan: &Plan, layout: &Layout) -> Layout {
        let life = |index: usize| {
            let storage = &plan.storages[index];
            let (first, last) = storage.first().zip(storage.last())?;
            let overlaps = first <= self.last && self.first <= last;
            Some(match overlaps && !self.inside.contains_key(&index) {
                // There for all of the stripes.
                true => (first.min(self.first), last.max(self.last)),
                false => (first, last),
            })
        };
        let mut layout = layout.with_lives(life);
        for index in self.inside.keys() {
            layout = layout.with_bytes(&[*index], |_| self.bytes(plan, *index));
        }
        layout
    }

    fn suggestion(&self, plan: &Plan, around: &Around<'_>, planned: u64) -> Suggestion {
        let place = |step| {
            plan.steps.place(step).map_or_else(String::new, |(chain, at)| format!("{chain}:{at}"))
        };
        let more = (self.work.0.saturating_sub(self.work.1)).saturating_mul(100);
        let more = more.div_ceil(self.work.1.max(1));
        let mut inside: Vec<usize> = self.inside.keys().copied().collect();
        inside.sort_by_key(|index| std::cmp::Reverse(plan.storages[*index].bytes));
        let by_rows = (self.first..=self.last)
            .filter(|step| around.calls.get(step).is_some_and(|call| call.window.is_some()));
        Suggestion {
            change: Change::Tile,
            title: format!(
                "run instructions {} to {} in {} stripes of rows, which compute {more}% more",
                place(self.first),
                place(self.last),
                self.stripes
            ),
            planned,
            saves: 0,
            parts: Vec::new(),
            values: inside.iter().map(|index| plan.storages[*index].values[0]).collect(),
            steps: by_rows.collect(),
        }
    }
}
