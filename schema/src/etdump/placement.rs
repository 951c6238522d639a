//! Where the writers of traces put the fields of a table.
//!
//! A writer leaves out what has its default value and places the rest by a
//! fixed rule, so a table's layout follows from which fields it has:
//!
//! * ExecuTorch's C++ runtime (`ETDumpGen` over flatcc) in the order in which
//!   its code adds them, upward from the reference to the vtable;
//! * the FlatBuffers library and `flatc` by size, downward from the table's
//!   end: the largest come last, those of one size by their numbers.

use super::kind::{Field, Kind};
use super::wire::{Layout, MAX_FIELDS};
use alloc::vec::Vec;

/// Bytes of the reference to the vtable, where every table begins.
const HEADER: usize = 4;

/// The layouts that a table of `kind` with the fields `present` may have, the
/// likely ones first.
pub(super) fn layouts(kind: Kind, present: &[usize]) -> Vec<Layout> {
    let mut layouts = Vec::new();
    let phases = if present.iter().any(|f| kind.fields()[*f] == Field::Long) { 2 } else { 1 };
    // A table lies at a multiple of 4, its 64-bit fields at multiples of 8.
    for phase in [4, 0].into_iter().take(phases) {
        for layout in [upward(kind, present, phase), downward(kind, present)] {
            if !layouts.contains(&layout) {
                layouts.push(layout);
            }
        }
    }
    layouts
}

/// In the order of the C++ runtime's calls.
fn upward(kind: Kind, present: &[usize], phase: usize) -> Layout {
    let order: &[usize] = match kind {
        Kind::Profile => &[6, 7, 1, 2, 3, 4, 5, 0],
        Kind::Allocation => &[1, 0],
        Kind::Debug => &[0, 1, 3, 4, 5, 2],
        _ => &[0, 1, 2, 3, 4, 5, 6, 7],
    };
    let mut fields = [0; MAX_FIELDS];
    let mut end = phase + HEADER;
    for field in order.iter().filter(|field| present.contains(field)) {
        let size = kind.fields()[*field].size();
        let at = end.next_multiple_of(size);
        fields[*field] = (at - phase) as u16;
        end = at + size;
    }
    Layout { size: (end - phase) as u16, fields }
}

/// By size, from the end.
fn downward(kind: Kind, present: &[usize]) -> Layout {
    const END: usize = 256;
    let mut places = [0; MAX_FIELDS];
    let mut start = END;
    for size in [8, 4, 1] {
        for field in present.iter().rev().filter(|f| kind.fields()[**f].size() == size) {
            start = (start - size) / size * size;
            places[*field] = start;
        }
    }
    let table = (start - HEADER) / HEADER * HEADER;
    let mut fields = [0; MAX_FIELDS];
    for field in present {
        fields[*field] = (places[*field] - table) as u16;
    }
    Layout { size: (END - table) as u16, fields }
}

/// The sets of fields that tables of `kind` are written with, the likely ones first.
pub(super) fn presences(kind: Kind) -> Vec<Vec<usize>> {
    let sets: &[&[&[usize]]] = match kind {
        Kind::Root => &[&[&[], &[0]], &[&[1]]],
        Kind::Run => &[&[&[0], &[]], &[&[3]], &[&[], &[2]], &[&[], &[1]]],
        Kind::Allocator | Kind::TensorList => &[&[&[0]]],
        Kind::Eight | Kind::Four | Kind::Bool => &[&[&[0], &[]]],
        Kind::Event => &[&[&[0], &[1], &[2]]],
        // A name, or a delegate's own operation; an instruction of chain 0 (the
        // default) or of another, or none; a clock that stands still is left out.
        Kind::Profile => {
            &[&[&[0], &[4, 5], &[4], &[3], &[3, 5]], &[&[2], &[1, 2]], &[&[6, 7], &[]]]
        }
        Kind::Allocation => &[&[&[0, 1], &[0]]],
        Kind::Debug => &[&[&[2]], &[&[1], &[0, 1]], &[&[], &[4], &[3]], &[&[], &[5]]],
        Kind::Value => {
            &[&[&[0, 1], &[0, 2], &[0, 3], &[0, 4], &[0, 5], &[0, 6], &[0], &[]], &[&[], &[7]]]
        }
        Kind::Tensor => &[&[&[1, 2]], &[&[0], &[]], &[&[3], &[]]],
    };
    sets.iter().fold(alloc::vec![Vec::new()], |sets, choices| {
        let with = |set: &Vec<usize>, choice: &&[usize]| {
            let mut set: Vec<usize> = set.iter().chain(choice.iter()).copied().collect();
            set.sort_unstable();
            set
        };
        sets.iter().flat_map(|set| choices.iter().map(move |choice| with(set, choice))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: u16, fields: [u16; MAX_FIELDS]) -> Layout {
        Layout { size, fields }
    }

    #[test]
    fn layouts_are_those_of_the_cpp_runtime() {
        let kernel = layout(28, [24, 0, 20, 0, 0, 0, 4, 12]);
        assert_eq!(layouts(Kind::Profile, &[0, 2, 6, 7])[0], kernel);
        let delegate = layout(32, [0, 0, 20, 0, 24, 28, 4, 12]);
        assert_eq!(layouts(Kind::Profile, &[2, 4, 5, 6, 7])[0], delegate);
        let output = layout(20, [4, 12, 16, 0, 0, 0, 0, 0]);
        assert_eq!(layouts(Kind::Debug, &[0, 1, 2])[0], output);
        let tensor = layout(28, [4, 8, 12, 20, 0, 0, 0, 0]);
        assert_eq!(layouts(Kind::Tensor, &[0, 1, 2, 3])[0], tensor);
    }

    #[test]
    fn layouts_are_those_of_the_flatbuffers_library() {
        let kernel = layout(28, [4, 0, 8, 0, 0, 0, 12, 20]);
        assert!(layouts(Kind::Profile, &[0, 2, 6, 7]).contains(&kernel));
        let value = layout(16, [7, 8, 0, 0, 0, 0, 0, 12]);
        assert!(layouts(Kind::Value, &[0, 1, 7]).contains(&value));
        let allocation = layout(16, [4, 8, 0, 0, 0, 0, 0, 0]);
        assert!(layouts(Kind::Allocation, &[0, 1]).contains(&allocation));
    }
}
