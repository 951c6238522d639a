//! From accesses to lifetimes: which bytes of the planned buffers hold
//! something that is still needed, at each instruction.
//!
//! * An input is live from the first instruction, an output until the last,
//!   and state (mutable buffers) all the time.
//! * A view shares its base's bytes. The exporter elides static views: such a
//!   tensor is never written and lies where its base does.
//! * After a Move, reading its destination reads its source.
//! * What a loop reads from outside lives through all of its rounds.

use super::accesses::{AccessMap, Accesses};
use super::loops::Loops;
use super::steps::{Step, Steps};
use et_schema::ids::{MemoryId, ValueId};
use et_schema::pte::{Method, Tensor, Value};
use std::collections::BTreeMap;

/// What planned bytes are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Computed and consumed.
    Intermediate,
    /// Set by the caller.
    Input,
    /// Read by the caller.
    Output,
    /// Kept from one execution to the next.
    State,
}

impl Role {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Role::Intermediate => "intermediate",
            Role::Input => "input",
            Role::Output => "output",
            Role::State => "state",
        }
    }
}

/// Bytes of a planned buffer that hold one tensor and its views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The tensor, then the views of it.
    pub values: Vec<ValueId>,
    /// Planned buffer.
    pub memory_id: MemoryId,
    /// First byte in it.
    pub offset: u64,
    /// Bytes of the elements; the upper bound if the shape is dynamic.
    pub bytes: u64,
    /// What they are for.
    pub role: Role,
    /// First and last step at which they are live, ascending and disjoint;
    /// empty if nothing ever uses them.
    pub ranges: Vec<(Step, Step)>,
    /// The step that writes it first, `None` for what exists before.
    pub written: Option<Step>,
    /// The value that Moves of several branches make of it.
    pub(super) merged: Option<ValueId>,
}

impl Storage {
    /// First step at which it is live.
    pub fn first(&self) -> Option<Step> {
        self.ranges.first().map(|r| r.0)
    }

    /// Last step at which it is live.
    pub fn last(&self) -> Option<Step> {
        self.ranges.last().map(|r| r.1)
    }

    /// Whether it is live at `step`.
    pub fn is_live(&self, step: Step) -> bool {
        let next = self.ranges.partition_point(|range| range.1 < step);
        self.ranges.get(next).is_some_and(|range| range.0 <= step)
    }

    /// The byte after its last.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// Lifetime of one value before views and moves.
#[derive(Clone, Copy, Debug)]
struct Life {
    role: Role,
    written: Option<Step>,
    first: Step,
    last: Step,
}

/// The storages of `method`, by value index of their tensor.
pub(super) fn storages(method: &Method<'_>, steps: &Steps) -> Vec<Storage> {
    let mut map = AccessMap::new(method, steps);
    let loops = Loops::new(method, steps);
    let tensors: Vec<Option<Tensor<'_>>> = method
        .values()
        .map(|value| match value {
            Value::Tensor(tensor) if !tensor.is_constant() => Some(tensor),
            _ => None,
        })
        .collect();
    resolve_views(&mut map, &tensors);
    let end = steps.count().saturating_sub(1);
    let mut lives: Vec<Option<Life>> = (0..tensors.len())
        .map(|index| tensors[index].and_then(|tensor| life(&map, index, &tensor, end)))
        .collect();
    let roots = roots(&map.views);
    for (view, base) in roots.iter().enumerate() {
        share_life(&mut lives, view, *base);
    }
    let extra = move_ranges(&map, &roots, &lives, end);
    let lifetimes = Lifetimes { map, loops, tensors, lives, roots, extra };
    lifetimes.storages()
}

struct Lifetimes<'a> {
    map: AccessMap,
    loops: Loops,
    tensors: Vec<Option<Tensor<'a>>>,
    lives: Vec<Option<Life>>,
    roots: Vec<usize>,
    extra: Extra,
}

impl Lifetimes<'_> {
    fn storages(mut self) -> Vec<Storage> {
        let mut storages = Vec::new();
        let mut storage_of: Vec<Option<usize>> = vec![None; self.tensors.len()];
        let mut views = Vec::new();
        for (index, place) in storage_of.iter_mut().enumerate() {
            if self.roots[index] != index {
                views.push(index);
            } else if let Some(storage) = self.storage(index) {
                *place = Some(storages.len());
                storages.push(storage);
            }
        }
        for index in views {
            let Some(tensor) = self.tensors[index] else { continue };
            match storage_of[self.roots[index]] {
                Some(base) => {
                    let storage: &mut Storage = &mut storages[base];
                    storage.values.push(ValueId(index as u32));
                    storage.bytes = storage.bytes.max(tensor.nbytes().unwrap_or(0));
                }
                None => storages.extend(self.storage(index)),
            }
        }
        storages
    }

    fn storage(&mut self, index: usize) -> Option<Storage> {
        let tensor = self.tensors[index]?;
        let place = tensor.allocation()?;
        let life = self.lives[index];
        let (more, merged) = self.extra.remove(&index).unwrap_or_default();
        Some(Storage {
            values: vec![ValueId(index as u32)],
            memory_id: place.memory_id,
            offset: place.offset,
            bytes: tensor.nbytes().unwrap_or(0),
            role: life.map_or(Role::Intermediate, |l| l.role),
            ranges: ranges(life, self.map.values[index].partial, more, &self.loops),
            written: life.and_then(|l| l.written),
            merged,
        })
    }
}

/// Which tensors are views that the exporter elided, and which arguments of
/// delegate calls are outputs.
fn resolve_views(map: &mut AccessMap, tensors: &[Option<Tensor<'_>>]) {
    // What lies at a place, by the step from which on.
    let mut definitions: BTreeMap<(MemoryId, u64, Step), usize> = BTreeMap::new();
    let place = |index: usize| tensors[index].as_ref().and_then(Tensor::allocation);
    let mut delegated = Vec::new();
    let mut unwritten = Vec::new();
    for (index, tensor) in tensors.iter().enumerate() {
        let Some(tensor) = tensor else { continue };
        let accesses = &map.values[index];
        let exists = map.is_input[index]
            || tensor.data_buffer_idx().is_some()
            || is_read_before(accesses).unwrap_or(false);
        let defined = if exists { Some(0) } else { accesses.first_write };
        match (defined, place(index), accesses.delegate) {
            (Some(step), Some(place), _) => {
                definitions.insert((place.memory_id, place.offset, step), index);
            }
            (None, _, Some(step)) if accesses.first_read.is_none_or(|read| read >= step) => {
                delegated.push((step, index));
            }
            (None, Some(_), _) => unwritten.push(index),
            _ => {}
        }
    }
    let base = |definitions: &BTreeMap<_, usize>, index: usize, step: Step| {
        let place = place(index)?;
        let (id, offset) = (place.memory_id, place.offset);
        let (_, &base) = definitions.range((id, offset, 0)..=(id, offset, step)).next_back()?;
        let bytes = |i: usize| tensors[i].as_ref().and_then(Tensor::nbytes);
        (bytes(base) == bytes(index)).then_some(base)
    };
    delegated.sort_unstable();
    for (step, index) in delegated {
        let accesses = map.values[index];
        let base = step.checked_sub(1).and_then(|before| base(&definitions, index, before));
        let consumed = accesses.last_read.is_some() || map.is_output[index];
        if let Some(base) = base.filter(|_| accesses.delegate_input || !consumed) {
            map.views[index] = Some(ValueId(base as u32));
            touch(&mut map.values[index], step, false);
        } else {
            touch(&mut map.values[index], step, true);
            if let Some(place) = place(index) {
                definitions.insert((place.memory_id, place.offset, step), index);
            }
        }
    }
    for index in unwritten {
        let read = map.values[index].first_read.or(map.is_output[index].then_some(Step::MAX));
        if let Some(base) = read.and_then(|read| base(&definitions, index, read)) {
            map.views[index] = Some(ValueId(base as u32));
        }
    }
}

fn touch(accesses: &mut Accesses, step: Step, write: bool) {
    let first = if write { &mut accesses.first_write } else { &mut accesses.first_read };
    *first = Some(first.map_or(step, |s| s.min(step)));
    accesses.last = accesses.last.max(Some(step));
}

/// Whether the value is read before anything writes it, `None` if one of both never happens.
fn is_read_before(accesses: &Accesses) -> Option<bool> {
    Some(accesses.first_read? <= accesses.first_write?)
}

fn life(map: &AccessMap, index: usize, tensor: &Tensor<'_>, end: Step) -> Option<Life> {
    let accesses = &map.values[index];
    let (is_input, is_output) = (map.is_input[index], map.is_output[index]);
    let is_view = map.views[index].is_some();
    let before = is_read_before(accesses).unwrap_or(false);
    let is_state = tensor.data_buffer_idx().is_some() || (before && !is_input && !is_view);
    let role = match (is_state, is_input, is_output) {
        (true, ..) => Role::State,
        (_, _, true) => Role::Output,
        (_, true, _) => Role::Input,
        _ => Role::Intermediate,
    };
    let first = if is_state || is_input { Some(0) } else { accesses.first_write };
    // What nothing writes is a view or a kernel's scratch memory.
    let first = first.or(accesses.first_read);
    let last = if is_state || is_output { Some(end) } else { accesses.last };
    let first = first.or(is_view.then_some(end).filter(|_| is_output))?;
    Some(Life {
        role,
        written: accesses.first_write.filter(|_| !is_state && !is_input),
        first,
        last: last.unwrap_or(first).max(first),
    })
}

/// The base of each value, views of views followed.
fn roots(views: &[Option<ValueId>]) -> Vec<usize> {
    let mut roots: Vec<usize> = (0..views.len()).collect();
    let mut path = Vec::new();
    let mut done = vec![false; views.len()];
    for start in 0..views.len() {
        let mut at = start;
        while !done[at] {
            // A damaged program may have views in a circle: the first visit ends it.
            done[at] = true;
            path.push(at);
            match views[at].map(ValueId::index).filter(|base| *base < views.len()) {
                Some(base) => at = base,
                None => break,
            }
        }
        let root = roots[at];
        path.drain(..).for_each(|index| roots[index] = root);
    }
    roots
}

/// A base lives as long as its views.
fn share_life(lives: &mut [Option<Life>], view: usize, base: usize) {
    if view == base {
        return;
    }
    let (Some(view), Some(base)) = (lives[view], lives[base].as_mut()) else { return };
    base.last = base.last.max(view.last);
    base.first = base.first.min(view.first);
    if view.role == Role::Output && base.role == Role::Intermediate {
        base.role = Role::Output;
    }
}

type Extra = BTreeMap<usize, (Vec<(Step, Step)>, Option<ValueId>)>;

/// When the sources of Moves are live because their destinations are read.
fn move_ranges(map: &AccessMap, roots: &[usize], lives: &[Option<Life>], end: Step) -> Extra {
    let mut extra = Extra::new();
    // Until when a value is read, and the last Move to it.
    let mut until: BTreeMap<ValueId, Step> = BTreeMap::new();
    let mut last_move: BTreeMap<ValueId, Step> = BTreeMap::new();
    for mv in &map.moves {
        last_move.insert(mv.to, mv.step);
    }
    for mv in map.moves.iter().rev() {
        let index = mv.to.index();
        let is_output = map.is_output.get(index).copied().unwrap_or(false);
        let own = if is_output { Some(end) } else { map.values.get(index).and_then(|a| a.last) };
        let last = own.max(until.get(&mv.to).copied()).unwrap_or(mv.step);
        let source = roots.get(mv.from.index()).copied().unwrap_or(mv.from.index());
        until.entry(mv.from).and_modify(|u| *u = (*u).max(last)).or_insert(last);
        let (ranges, merged) = extra.entry(source).or_default();
        *merged = Some(mv.to);
        if let Some(read) = mv.last_read {
            ranges.push((mv.step, read));
        }
        let join = last_move.get(&mv.to).copied().unwrap_or(mv.step).saturating_add(1);
        if join <= last {
            ranges.push((join, last));
        }
    }
    extra.retain(|index, _| lives.get(*index).is_some_and(Option::is_some));
    extra
}

/// Sorted and disjoint, loops taken into account.
fn ranges(
    life: Option<Life>,
    partial: bool,
    mut more: Vec<(Step, Step)>,
    loops: &Loops,
) -> Vec<(Step, Step)> {
    let Some(life) = life else { return Vec::new() };
    let first = if partial { loops.outermost_start(life.first) } else { life.first };
    more.push((first, life.last));
    for range in &mut more {
        range.1 = loops.survive(first, range.1);
    }
    more.sort_unstable();
    let mut merged: Vec<(Step, Step)> = Vec::new();
    for range in more {
        match merged.last_mut() {
            Some(last) if range.0 <= last.1.saturating_add(1) => last.1 = last.1.max(range.1),
            _ => merged.push(range),
        }
    }
    merged
}
