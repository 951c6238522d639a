//! Reading a trace that is cut off.
//!
//! References lead forward, so what lies before the cut is reached from the
//! root as ever; but the vtables, written first, lie at the end and are lost.
//! Tables that shared one still name the same place: together they tell which
//! of the layouts that writers use ([`super::placement`]) is theirs, by which
//! references lead to strings and tables, and which numbers make sense.

use super::event::{Caches, Event};
use super::file::{FoundRun, Head, MAX_SHARING};
use super::kind::field::{allocation, debug, event, profile, root, run, value};
use super::kind::{Field, Kind};
use super::placement;
use super::wire::{Cache, Items, Layout, Lost, Table, Wire, follow, vtable_of};
use crate::bytes::u32_at;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Tables that are looked at to find the layout of all with the same vtable.
const SAMPLES: usize = 24;
/// No table of a trace is larger, whatever its fields.
const MAX_TABLE: usize = 48;
/// A trace has a few vtables of each kind; a crafted one must not make us search.
const MAX_VTABLES: usize = 32;
/// Chains and instructions beyond this are no chains and instructions.
const MAX_INDEX: i32 = 1 << 24;

/// What was found before the cut.
pub(super) struct Recovered<'a> {
    pub wire: Wire<'a>,
    pub version: u32,
    pub runs: Vec<FoundRun>,
    pub listed_runs: usize,
    pub listed_events: usize,
}

/// Everything before the cut; `None` if that is no event.
pub(super) fn recover(bytes: &[u8], root: usize, declared: Option<u64>) -> Option<Recovered<'_>> {
    let end =
        declared.map_or(usize::MAX, |declared| usize::try_from(declared).unwrap_or(usize::MAX));
    let wire = Wire { bytes, truncated: true, lost: Arc::new([]) };
    let mut search = Search { wire, end, starts: Vec::new() };
    search.restore(Kind::Root, &[root]);
    let root = search.wire.table(Kind::Root, root, &mut Cache::default())?;
    let listed = Items::of_truncated(bytes, root.target(root::RUNS)?)?;
    let listed_runs = u32_at(bytes, listed.start - 4)? as usize;
    let runs: Vec<(usize, usize)> = search.numbered_tables(listed).collect();
    search.restore(Kind::Run, &runs.iter().map(|(_, at)| *at).collect::<Vec<_>>());
    // Runs that share their events would multiply them.
    let mut budget = bytes.len() / 4;
    let mut events_of = Vec::new();
    let mut listed_events = 0usize;
    for (index, at) in runs {
        let Some(table) = search.wire.table(Kind::Run, at, &mut Cache::default()) else { continue };
        let events = table.target(run::EVENTS).and_then(|at| Items::of_truncated(bytes, at));
        let Some(events) = events.filter(|events| events.count <= budget) else { continue };
        budget -= events.count;
        let listed = u32_at(bytes, events.start - 4)? as usize;
        listed_events = listed_events.saturating_add(listed);
        events_of.push(ListedRun { at, index, listed, events: search.tables(events).collect() });
        let allocators =
            table.target(run::ALLOCATORS).and_then(|at| Items::of_truncated(bytes, at));
        let allocators: Vec<usize> =
            search.tables(allocators.unwrap_or_default()).take(256).collect();
        search.restore(Kind::Allocator, &allocators);
    }
    let all: Vec<usize> = events_of.iter().flat_map(|run| &run.events).copied().collect();
    search.restore_events(&all);
    let mut budget = bytes.len().saturating_mul(MAX_SHARING).saturating_add(4096);
    let runs: Vec<FoundRun> =
        events_of.iter().filter_map(|run| search.readable(run, &mut budget)).collect();
    (!runs.is_empty()).then_some(Recovered {
        version: root.int(root::VERSION, 0) as u32,
        wire: search.wire,
        runs,
        listed_runs,
        listed_events,
    })
}

/// A run that begins before the cut, and those of its events that do.
struct ListedRun {
    at: usize,
    index: usize,
    /// Events that the file lists.
    listed: usize,
    events: Vec<usize>,
}

struct Search<'a> {
    wire: Wire<'a>,
    /// Where the whole file ended.
    end: usize,
    /// Tables that are known, in ascending order: others end before they begin.
    starts: Vec<usize>,
}

impl<'a> Search<'a> {
    /// The tables of a vector that begin before the cut.
    fn tables(&self, items: Items) -> impl Iterator<Item = usize> + use<'a> {
        self.numbered_tables(items).map(|(_, at)| at)
    }

    /// The same, each with its number in the vector.
    fn numbered_tables(&self, items: Items) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let bytes = self.wire.bytes;
        (0..items.count)
            .filter_map(move |i| Some((i, items.table(bytes, i)?)))
            .filter(|(_, at)| *at + 4 <= bytes.len())
    }

    /// What can be read of a run, until `budget` bytes have been visited.
    fn readable(&self, run: &ListedRun, budget: &mut usize) -> Option<FoundRun> {
        let mut caches = Caches::default();
        let readable = |at: &&usize| {
            let size = Event::read(&self.wire, **at, &mut caches).map(|e| e.size_in_file());
            size.and_then(|size| budget.checked_sub(size)).map(|rest| *budget = rest).is_some()
        };
        let found = run.events.iter().filter(readable);
        let events: Arc<[u32]> = found.filter_map(|at| u32::try_from(*at).ok()).collect();
        let lost_events = run.listed.saturating_sub(events.len());
        let (head, index) = (Head::Table(run.at), run.index);
        (!events.is_empty()).then_some(FoundRun { head, index, lost_events, events })
    }

    /// The tables that a field of `tables` refers to, as far as they begin before the cut.
    fn children(&self, kind: Kind, tables: &[usize], field: usize) -> Vec<usize> {
        let mut cache = Cache::default();
        let child = |at: &usize| self.wire.table(kind, *at, &mut cache)?.target(field);
        let in_file = |at: &usize| at.saturating_add(4) <= self.wire.bytes.len();
        tables.iter().filter_map(child).filter(in_file).collect()
    }

    /// Restores the layouts of events and of what they consist of.
    fn restore_events(&mut self, events: &[usize]) {
        self.restore(Kind::Event, events);
        for (field, kind) in [
            (event::PROFILE, Kind::Profile),
            (event::ALLOCATION, Kind::Allocation),
            (event::DEBUG, Kind::Debug),
        ] {
            let children = self.children(Kind::Event, events, field);
            self.restore(kind, &children);
            if kind == Kind::Debug {
                let values = self.children(Kind::Debug, &children, debug::ENTRY);
                self.restore_values(&values);
            }
        }
    }

    fn restore_values(&mut self, values: &[usize]) {
        self.restore(Kind::Value, values);
        for (field, of) in Kind::Value.fields().iter().enumerate() {
            let Field::Table(kind) = *of else { continue };
            let children = self.children(Kind::Value, values, field);
            self.restore(kind, &children);
            if kind == Kind::TensorList {
                let mut cache = Cache::default();
                let tensors: Vec<usize> = children
                    .iter()
                    .filter_map(|at| self.wire.table(kind, *at, &mut cache)?.items(0, 4))
                    .flat_map(|items| self.tables(items))
                    .take(self.wire.bytes.len() / 4)
                    .collect();
                self.restore(Kind::Tensor, &tensors);
            }
        }
    }

    /// Finds the layout of those of `tables` whose vtable is lost.
    fn restore(&mut self, kind: Kind, tables: &[usize]) {
        self.starts.extend(tables);
        self.starts.sort_unstable();
        self.starts.dedup();
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in tables.iter().rev() {
            let Some(vtable) = vtable_of(self.wire.bytes, *at) else { continue };
            let known = self.wire.layout(kind, vtable).is_some();
            if known
                || vtable >= self.end
                || (groups.len() == MAX_VTABLES && !groups.contains_key(&vtable))
            {
                continue;
            }
            groups.entry(vtable).or_default().push(*at);
        }
        // Those that show most of themselves come first: what they are says what
        // the others are not.
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, tables)| !tables.iter().any(|at| self.is_clear(*at)));
        for (vtable, tables) in groups {
            let step = tables.len().div_ceil(SAMPLES);
            let samples: Vec<usize> = tables.iter().step_by(step).copied().collect();
            // What shows all of itself needs no such hint, and values are told by theirs.
            let is_event =
                matches!(kind, Kind::Event | Kind::Profile | Kind::Allocation | Kind::Debug);
            let at_the_cut = !tables.iter().any(|at| self.is_clear(*at));
            let claimed: Vec<Layout> =
                self.claimed(kind).filter(|_| is_event && at_the_cut).collect();
            let best =
                self.best(kind, &samples, &claimed).or_else(|| self.best(kind, &samples, &[]));
            if let Some((layout, _)) = best {
                let lost = self.wire.lost.iter().copied();
                self.wire.lost = lost.chain([Lost { kind, vtable, layout }]).collect();
            }
        }
    }

    /// The layouts of `kind` that are known to be another vtable's: writers give
    /// tables of one layout one vtable.
    fn claimed(&self, kind: Kind) -> impl Iterator<Item = Layout> {
        self.wire.lost.iter().filter(move |lost| lost.kind == kind).map(|lost| lost.layout)
    }

    /// Whether a table at `at` lies before the cut, whatever its fields.
    fn is_clear(&self, at: usize) -> bool {
        at.saturating_add(MAX_TABLE) <= self.wire.bytes.len()
    }

    /// The layout that explains most of `samples` and is not `claimed`, with how
    /// well it does; the first of equals.
    fn best(&self, kind: Kind, samples: &[usize], claimed: &[Layout]) -> Option<(Layout, u32)> {
        // Tables at the cut fit only small layouts: they have no say if others are
        // there, and if none are, the one that shows most of itself has.
        let clear: Vec<usize> = samples.iter().filter(|at| self.is_clear(**at)).copied().collect();
        let first = samples.iter().min().copied();
        let samples = if clear.is_empty() { first.into_iter().collect() } else { clear };
        let mut best: Option<(Layout, u32)> = None;
        for present in placement::presences(kind) {
            let layouts = placement::layouts(kind, &present);
            for layout in layouts.into_iter().filter(|layout| !claimed.contains(layout)) {
                let scores: Vec<u32> =
                    samples.iter().filter_map(|at| self.score(kind, &layout, *at)).collect();
                // Some tables may have met with damage, and some reach over the cut.
                if scores.is_empty() || scores.len() * 10 < samples.len() * 8 {
                    continue;
                }
                let mut score = scores.iter().sum();
                if kind == Kind::Event {
                    score += self.score_of_children(&layout, &samples);
                }
                if best.is_none_or(|(_, most)| score > most) {
                    best = Some((layout, score));
                }
            }
        }
        best
    }

    /// How well the tables that events refer to are explained by the kind that
    /// the events' layout gives them.
    fn score_of_children(&self, layout: &Layout, samples: &[usize]) -> u32 {
        let Some(field) = layout.fields.iter().position(|f| *f != 0) else { return 0 };
        let Some(Field::Table(kind)) = Kind::Event.fields().get(field) else { return 0 };
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in samples {
            let Some(child) = follow(self.wire.bytes, at + usize::from(layout.fields[field]))
            else {
                continue;
            };
            if let Some(vtable) = vtable_of(self.wire.bytes, child) {
                groups.entry(vtable).or_default().push(child);
            }
        }
        groups
            .values()
            .filter_map(|tables| self.best(*kind, tables, &[]))
            .map(|(_, score)| score)
            .sum()
    }

    /// How much in the table at `at` speaks for `layout`; `None` if it cannot be.
    /// Of a table that reaches over the cut only the first fields are asked.
    fn score(&self, kind: Kind, layout: &Layout, at: usize) -> Option<u32> {
        let bytes = self.wire.bytes;
        let end = at.checked_add(usize::from(layout.size))?;
        let next = self.starts.get(self.starts.partition_point(|start| *start <= at));
        if next.is_some_and(|next| *next < end) {
            return None;
        }
        let mut numbers = true;
        let table = Table { bytes, at, layout: *layout };
        let mut score = 1;
        for (index, field) in kind.fields().iter().enumerate().filter(|(i, _)| table.has(*i)) {
            if at + usize::from(layout.fields[index]) + field.size() > bytes.len() {
                numbers &= !matches!(field, Field::Byte | Field::Long);
                continue;
            }
            let reference = !matches!(field, Field::Byte | Field::Int | Field::Long);
            // What a table refers to lies behind it.
            if reference && table.target(index)? < end {
                return None;
            }
            score += match field {
                // Writers leave out what has its default, and align the rest.
                Field::Byte => (table.byte(index) != 0).then_some(0)?,
                Field::Long => {
                    let aligned = (at + usize::from(layout.fields[index])).is_multiple_of(8);
                    (aligned && table.long(index) != 0).then_some(0)?
                }
                Field::Int => plausible_int(kind, index, table.int(index, 0)).then_some(0)?,
                Field::Text => self.score_of_text(
                    table.target(index)?,
                    kind == Kind::Profile && index == profile::NAME,
                )?,
                Field::Numbers(size) => {
                    self.score_of_vector(table.target(index)?, *size as usize)?
                }
                Field::Tables(_) => self.score_of_vector(table.target(index)?, 4)?,
                Field::Table(of) => self.score_of_table(*of, table.target(index)?)?,
            };
        }
        if numbers { Some(score + sense(kind, &table)?) } else { Some(score) }
    }

    /// Whether a reference may lead to `at`, and whether that is before the cut.
    fn reaches(&self, at: usize, size: usize) -> Option<bool> {
        let end = at.checked_add(size)?;
        (at.is_multiple_of(4) && end <= self.end).then_some(end <= self.wire.bytes.len())
    }

    fn score_of_text(&self, at: usize, is_name: bool) -> Option<u32> {
        let lost = Some(u32::from(is_name));
        if !self.reaches(at, 5)? {
            return lost;
        }
        let length = u32_at(self.wire.bytes, at)? as usize;
        if !self.reaches(at, length.checked_add(5)?)? {
            return lost;
        }
        let text = super::wire::text(self.wire.bytes, at).filter(|text| !text.is_empty())?;
        // What the runtime names is a name; other texts are rather a delegate's.
        Some(if is_name && is_runtimes(text) {
            5
        } else if is_name {
            2
        } else {
            3
        })
    }

    fn score_of_vector(&self, at: usize, size: usize) -> Option<u32> {
        if !self.reaches(at, 4)? {
            return Some(0);
        }
        let count = u32_at(self.wire.bytes, at)? as usize;
        let whole = self.reaches(at, count.checked_mul(size)?.checked_add(4)?)?;
        Some(if whole { 2 } else { 0 })
    }

    fn score_of_table(&self, kind: Kind, at: usize) -> Option<u32> {
        if !self.reaches(at, 4)? {
            return Some(0);
        }
        let vtable = vtable_of(self.wire.bytes, at)?;
        let possible = vtable % 2 == 0 && vtable >= 8 && vtable < self.end;
        let unlike = kind == Kind::Value && self.best(kind, &[at], &[]).is_none();
        (possible && !unlike).then_some(2)
    }
}

/// Whether a writer would write `number` there: defaults are left out.
fn plausible_int(kind: Kind, field: usize, number: i32) -> bool {
    let default = match (kind, field) {
        (Kind::Run, run::BUNDLED_INPUT_INDEX)
        | (Kind::Profile, profile::INSTRUCTION | profile::DELEGATE_INT)
        | (Kind::Debug, debug::INSTRUCTION | debug::DELEGATE_INT) => -1,
        _ => 0,
    };
    let any = matches!(
        (kind, field),
        (Kind::Four, _)
            | (Kind::Profile, profile::DELEGATE_INT)
            | (Kind::Debug, debug::DELEGATE_INT)
    );
    number != default && (any || (-1..MAX_INDEX).contains(&number))
}

/// Names of `ETDumpGen`'s events, from `runtime/executor` and `extension/module`.
fn is_runtimes(name: &str) -> bool {
    name.contains("::") || name.ends_with("_CALL") || name.starts_with("native_call_")
}

/// What no type says: the clock runs forward, an allocator has a number, a
/// value has the field that its kind names. `None` if that is not so,
/// otherwise how much it speaks for the layout.
fn sense(kind: Kind, table: &Table<'_>) -> Option<u32> {
    let (holds, weight) = match kind {
        Kind::Profile => {
            let (start, end) = (table.long(profile::START), table.long(profile::END));
            let forward = start <= end || start <= u64::from(u32::MAX);
            (end < 1 << 63 && forward, u32::from(start != 0) * 2)
        }
        Kind::Allocation => {
            let allocator = table.int(allocation::ALLOCATOR, 0);
            let few = (1..64).contains(&allocator) && table.has(allocation::SIZE);
            ((0..4096).contains(&allocator) && table.long(allocation::SIZE) < 1 << 48, few.into())
        }
        Kind::Debug => {
            let chain = table.long(debug::CHAIN);
            let outside = chain == u64::MAX;
            (outside || chain < MAX_INDEX as u64, u32::from(outside) * 2)
        }
        Kind::Bool => (table.byte(0) < 2, 0),
        Kind::Tensor => (table.byte(0) < 64 && table.long(3) as i64 >= -1, 0),
        Kind::Value => (has_what_it_names(table), 0),
        _ => (true, 0),
    };
    holds.then_some(weight)
}

fn has_what_it_names(table: &Table<'_>) -> bool {
    let named = match table.byte(value::KIND) {
        0 => None,
        1 => Some(value::INT),
        2 => Some(value::BOOL),
        3 => Some(value::FLOAT),
        4 => Some(value::DOUBLE),
        5 => Some(value::TENSOR),
        6 => Some(value::TENSOR_LIST),
        7 => return true,
        _ => return false,
    };
    (value::TENSOR..value::OUTPUT).all(|field| table.has(field) == (named == Some(field)))
}
