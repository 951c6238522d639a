//! What makes a method fit a board that it does not fit: larger pools, pools in
//! other memories of the board, or a smaller program. Each was tried on the
//! board's profile; none is guessed.

use super::fit::{Fit, Needs};
use super::profile::{MemoryKind, Pool, Target};
use crate::memory::{Change, MethodMemory, Suggestion};
use et_schema::ids::MemoryId;

/// Combinations of memories above which no other places are tried.
const MAX_PLACES: usize = 20_000;

/// What kind of change makes it fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemedyKind {
    /// The pools as large as they must be, where they are.
    Sizes,
    /// Pools in other memories of the board.
    Places,
    /// A program with smaller planned buffers.
    Program(Change),
}

impl RemedyKind {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            RemedyKind::Sizes => "sizes",
            RemedyKind::Places => "places",
            RemedyKind::Program(change) => change.name(),
        }
    }
}

/// A change with which the method fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What kind of change.
    pub kind: RemedyKind,
    /// What to do, in one sentence.
    pub title: String,
    /// The memory of each pool: `planned`, `method`, `temp`.
    pub places: Vec<(&'static str, String)>,
    /// Bytes that are left of the memory that is the fullest then.
    pub free: u64,
}

/// The changes with which `memory` fits `target`, the least first; none if it
/// fits as it is.
pub fn remedies(memory: &MethodMemory<'_>, needs: &Needs, target: &Target) -> Vec<Remedy> {
    if Fit::new(needs, target).fits() {
        return Vec::new();
    }
    let relaxed = without_sizes(target);
    let fit = Fit::new(needs, &relaxed);
    if fit.fits() {
        let pools = fit.pools.iter().filter(|pool| pool.name != "program" && pool.needs > 0);
        let pools: Vec<String> =
            pools.map(|pool| format!("{} {} bytes", pool.name, pool.needs)).collect();
        let title = format!("make the pools larger: {}", pools.join(", "));
        return vec![remedy(RemedyKind::Sizes, title, &relaxed, &fit)];
    }
    let mut found: Vec<Remedy> = elsewhere(needs, &relaxed).into_iter().collect();
    for suggestion in memory.suggestions() {
        let kind = RemedyKind::Program(suggestion.change);
        if suggestion.change == Change::Split {
            found.extend(divided(needs, &relaxed, suggestion));
            continue;
        }
        let smaller = smaller(needs, suggestion.planned);
        let fit = Fit::new(&smaller, &relaxed);
        if fit.fits() {
            found.push(remedy(kind, suggestion.title.clone(), &relaxed, &fit));
        } else if found.is_empty()
            && let Some(placed) = elsewhere(&smaller, &relaxed)
        {
            let title = format!("{}, and {}", suggestion.title, placed.title);
            found.push(Remedy { kind, title, ..placed });
        }
    }
    found
}

fn remedy(kind: RemedyKind, title: String, target: &Target, fit: &Fit) -> Remedy {
    let free = fit.memories.iter().filter(|memory| memory.takes > 0);
    let free = free.map(|m| m.size.saturating_sub(m.reserved).saturating_sub(m.takes)).min();
    let pools = &target.pools;
    let planned = pools.planned.as_ref().unwrap_or(&pools.method);
    let places = [("planned", planned), ("method", &pools.method), ("temp", &pools.temp)];
    Remedy {
        kind,
        title,
        places: places.map(|(name, pool)| (name, pool.memory.clone())).into(),
        free: free.unwrap_or(0),
    }
}

/// The planned buffer divided, its second part in another memory of the board,
/// the fastest that holds it.
fn divided(needs: &Needs, target: &Target, suggestion: &Suggestion) -> Option<Remedy> {
    let (&[first, second], Some((id, _))) = (suggestion.parts.as_slice(), needs.planned.first())
    else {
        return None;
    };
    let next = MemoryId(needs.planned.iter().map(|(id, _)| id.0).max()?.checked_add(1)?);
    let parts = Needs { planned: vec![(*id, first), (next, second)], ..needs.clone() };
    let mut memories: Vec<_> = target.memories.iter().collect();
    memories.retain(|memory| memory.kind != MemoryKind::Flash);
    memories.sort_by_key(|memory| slowness(memory.kind));
    memories.into_iter().find_map(|memory| {
        let mut target = target.clone();
        let pool = Pool { memory: memory.name.clone(), size: None };
        target.pools.planned_by_id.insert(next.to_string(), pool);
        let fit = Fit::new(&parts, &target);
        let title = format!("{}, the second in {}", suggestion.title, memory.name);
        fit.fits().then(|| remedy(RemedyKind::Program(Change::Split), title, &target, &fit))
    })
}

/// The needs with planned buffers of `bytes` together.
fn smaller(needs: &Needs, bytes: u64) -> Needs {
    let planned = needs.planned.iter().enumerate();
    let planned = planned.map(|(index, (id, _))| (*id, if index == 0 { bytes } else { 0 }));
    Needs { planned: planned.collect(), ..needs.clone() }
}

/// The board with pools as large as their memories allow.
fn without_sizes(target: &Target) -> Target {
    let mut target = target.clone();
    let pools = &mut target.pools;
    let optional = pools.planned.iter_mut().chain(&mut pools.fast_scratch);
    let others = optional.chain(pools.planned_by_id.values_mut());
    others.chain([&mut pools.method, &mut pools.temp]).for_each(|pool| pool.size = None);
    target
}

/// The places that fit and are the fastest, if any.
fn elsewhere(needs: &Needs, target: &Target) -> Option<Remedy> {
    let volatile = target.memories.iter().filter(|memory| memory.kind != MemoryKind::Flash);
    let memories: Vec<(&str, u64)> =
        volatile.map(|memory| (memory.name.as_str(), slowness(memory.kind))).collect();
    if memories.len().checked_pow(3).is_none_or(|places| places > MAX_PLACES) {
        return None;
    }
    let mut best: Option<(u64, Target, Fit)> = None;
    for (planned, planned_cost) in &memories {
        for (method, method_cost) in &memories {
            for (temp, temp_cost) in &memories {
                let moved =
                    [*method != target.pools.method.memory, *temp != target.pools.temp.memory];
                let moved = moved.into_iter().filter(|moved| *moved).count() as u64;
                // The planned buffers are used most.
                let cost = 4 * planned_cost + 2 * method_cost + temp_cost + moved;
                if best.as_ref().is_some_and(|(least, ..)| *least <= cost) {
                    continue;
                }
                let placed = placed(target, [planned, method, temp]);
                let fit = Fit::new(needs, &placed);
                if fit.fits() {
                    best = Some((cost, placed, fit));
                }
            }
        }
    }
    let (_, placed, fit) = best?;
    let pools = &placed.pools;
    let planned = pools.planned.as_ref().unwrap_or(&pools.method);
    let title = format!(
        "put planned buffers in {}, the method allocator in {}, the temp allocator in {}",
        planned.memory, pools.method.memory, pools.temp.memory
    );
    Some(remedy(RemedyKind::Places, title, &placed, &fit))
}

fn placed(target: &Target, [planned, method, temp]: [&str; 3]) -> Target {
    let mut target = target.clone();
    let pool = |memory: &str| Pool { memory: memory.to_owned(), size: None };
    target.pools.planned = (planned != method).then(|| pool(planned));
    target.pools.planned_by_id.clear();
    (target.pools.method, target.pools.temp) = (pool(method), pool(temp));
    target
}

fn slowness(kind: MemoryKind) -> u64 {
    match kind {
        MemoryKind::Tcm => 0,
        MemoryKind::Sram => 1,
        MemoryKind::Psram => 16,
        MemoryKind::Dram => 8,
        MemoryKind::Flash => 1000,
    }
}
