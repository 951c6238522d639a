//! Copies run beside the arithmetic: an operation that uses bytes which a copy
//! still moves has to wait for it, and a copy for arithmetic that still uses
//! its bytes. Arithmetic waits for arithmetic by itself (block dependency).

use super::Fault;
use crate::ethos_u::feature_map::{Range, Region};
use crate::ethos_u::operation::Access;
use crate::ethos_u::{Disassembly, Kind, Operation};
use et_schema::ethos_u::Product;
use std::collections::VecDeque;

/// What is under way at once: copies, arithmetic. The unit itself waits before
/// it starts another one.
fn limits(product: Product) -> [usize; 2] {
    match product {
        Product::U55 => [1, 2],
        Product::U65 => [2, 2],
        Product::U85 => [4, 2],
    }
}

pub(super) fn check(stream: &Disassembly, product: Product, faults: &mut Vec<Fault>) {
    let [copies_at_once, work_at_once] = limits(product);
    let mut copies: VecDeque<&Operation> = VecDeque::new();
    let mut work: VecDeque<&Operation> = VecDeque::new();
    for operation in &stream.operations {
        match operation.kind {
            Kind::DmaWait(left) => keep(&mut copies, left as usize),
            Kind::KernelWait(left) => keep(&mut work, left as usize),
            Kind::Block(_) => {
                faults.extend(conflict(operation, &copies));
                work.push_back(operation);
                keep(&mut work, work_at_once);
            }
            Kind::Dma(_) => {
                faults.extend(conflict(operation, &work));
                copies.push_back(operation);
                keep(&mut copies, copies_at_once);
            }
            _ => {}
        }
    }
}

/// Only the last `left` are still under way.
fn keep(under_way: &mut VecDeque<&Operation>, left: usize) {
    while under_way.len() > left {
        under_way.pop_front();
    }
}

/// The first one under way that reads what `operation` writes, or writes what
/// it uses.
fn conflict(operation: &Operation, under_way: &VecDeque<&Operation>) -> Option<Fault> {
    under_way.iter().find_map(|other| {
        let table = needs_table(operation, other);
        let shared = || {
            operation.accesses().find_map(|(mine, access)| {
                let clash = |(theirs, their_access): (Range, Access)| {
                    (access == Access::Write || their_access == Access::Write)
                        && mine.overlaps(&theirs)
                };
                other.accesses().any(clash).then_some(mine)
            })
        };
        let range = table.or_else(shared)?;
        Some(Fault::NoWait { word: operation.word, of: other.word, range })
    })
}

/// The copy of a table that the operation may look up in.
fn needs_table(operation: &Operation, other: &Operation) -> Option<Range> {
    match (&operation.kind, &other.kind) {
        (Kind::Block(block), Kind::Dma(dma)) if block.table.is_some() => {
            Some(dma.destination).filter(|range| range.region == Region::Internal)
        }
        _ => None,
    }
}
