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
    /// The value that Moves of several branches make of it in the end.
    pub merged: Option<ValueId>,
    /// When it is live only because that value is read: of all that may have
    /// become the value, one is.
    pub through: Vec<(Step, Step)>,
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
        let Joined { ranges: through, into } = self.extra.remove(&index).unwrap_or_default();
        let life = life.map(|life| self.with_role_of(life, into));
        let partial = self.map.values[index].partial;
        Some(Storage {
            values: vec![ValueId(index as u32)],
            memory_id: place.memory_id,
            offset: place.offset,
            bytes: tensor.nbytes().unwrap_or(0),
            role: life.map_or(Role::Intermediate, |l| l.role),
            ranges: ranges(life, partial, &through, &self.loops),
            written: life.and_then(|l| l.written),
            merged: into,
            through: match life {
                Some(life) => alone(&through, life, &self.loops),
                None => Vec::new(),
            },
        })
    }

    /// What becomes an output is one.
    fn with_role_of(&self, life: Life, into: Option<ValueId>) -> Life {
        let is_output = into.is_some_and(|id| self.map.is_output.get(id.index()) == Some(&true));
        match life.role {
            Role::Intermediate if is_output => Life { role: Role::Output, ..life },
            _ => life,
        }
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
            (None, Some(_), _) if !map.moved_to[index] => unwritten.push(index),
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
    if map.is_alias(index) && tensor.data_buffer_idx().is_none() {
        return None;
    }
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

/// What Moves make of a tensor.
#[derive(Clone, Debug, Default)]
struct Joined {
    /// When it is needed as what it became.
    ranges: Vec<(Step, Step)>,
    /// What it is in the end.
    into: Option<ValueId>,
}

/// Ranges of one value above which only the first and last step count.
const MAX_RANGES: usize = 64;

/// By tensor.
type Extra = BTreeMap<usize, Joined>;

/// When the sources of Moves are live because their destinations are read, and
/// what becomes of these in turn.
fn move_ranges(map: &AccessMap, roots: &[usize], lives: &[Option<Life>], end: Step) -> Extra {
    let mut by_value: BTreeMap<ValueId, Joined> = BTreeMap::new();
    let mut last_move: BTreeMap<ValueId, Step> = BTreeMap::new();
    for mv in &map.moves {
        last_move.insert(mv.to, mv.step);
    }
    let lasts = last_uses(map, roots, end);
    for mv in map.moves.iter().rev() {
        let last = lasts.get(mv.to.index()).copied().flatten().unwrap_or(mv.step);
        let next = by_value.get(&mv.to).filter(|_| mv.to != mv.from).cloned().unwrap_or_default();
        let joined = by_value.entry(mv.from).or_default();
        joined.into = next.into.or(Some(mv.to));
        joined.ranges.extend(mv.last_read.map(|read| (mv.step, read)));
        let join = last_move.get(&mv.to).copied().unwrap_or(mv.step).saturating_add(1);
        joined.ranges.extend((join <= last).then_some((join, last)));
        joined.ranges.extend(next.ranges.iter().filter(|range| range.0 > mv.step));
        joined.ranges = union(std::mem::take(&mut joined.ranges));
    }
    let mut extra = Extra::new();
    for (value, joined) in by_value {
        let source = roots.get(value.index()).copied().unwrap_or(value.index());
        if lives.get(source).is_some_and(Option::is_some) {
            let all = extra.entry(source).or_default();
            all.into = joined.into;
            all.ranges.extend(joined.ranges);
        }
    }
    extra
}

/// The last step at which each value or a view of it is used.
fn last_uses(map: &AccessMap, roots: &[usize], end: Step) -> Vec<Option<Step>> {
    let mut lasts = vec![None; roots.len()];
    for (value, accesses) in map.values.iter().enumerate() {
        let last = if map.is_output[value] { Some(end) } else { accesses.last };
        for use_of in [value, roots[value]] {
            lasts[use_of] = last.max(lasts[use_of]);
        }
    }
    lasts
}

/// Sorted, disjoint and not too many.
fn union(mut ranges: Vec<(Step, Step)>) -> Vec<(Step, Step)> {
    ranges.sort_unstable();
    let mut union: Vec<(Step, Step)> = Vec::new();
    for range in ranges {
        match union.last_mut() {
            Some(last) if range.0 <= last.1.saturating_add(1) => last.1 = last.1.max(range.1),
            _ => union.push(range),
        }
    }
    if union.len() > MAX_RANGES {
        union = vec![(union[0].0, union[union.len() - 1].1)];
    }
    union
}

/// The parts of `through` at which a tensor is not live by itself.
fn alone(through: &[(Step, Step)], life: Life, loops: &Loops) -> Vec<(Step, Step)> {
    let (first, last) = (life.first, loops.survive(life.first, life.last));
    let parts = through.iter().flat_map(|&(from, to)| {
        let to = loops.survive(first, to);
        let before = first.checked_sub(1).map(|end| (from, to.min(end)));
        let after = Some((from.max(last.saturating_add(1)), to));
        [before, after].into_iter().flatten().filter(|range| range.0 <= range.1)
    });
    union(parts.collect())
}

/// Sorted and disjoint, loops taken into account.
fn ranges(
    life: Option<Life>,
    partial: bool,
    through: &[(Step, Step)],
    loops: &Loops,
) -> Vec<(Step, Step)> {
    let Some(life) = life else { return Vec::new() };
    let first = if partial { loops.outermost_start(life.first) } else { life.first };
    let all = through.iter().copied().chain([(first, life.last)]);
    union(all.map(|(from, to)| (from, loops.survive(first, to))).collect())
}
