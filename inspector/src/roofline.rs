//! What operators compute and move, against what the machine can: the roofline
//! model (Williams, Waterman and Patterson, 2009).
//!
//! An operation is a multiplication or an addition of a convolution or matrix
//! product; other operators count one per element of their largest tensor.
//! Bytes are those of all tensors of a call, each once: what a cache saves, or
//! a kernel reads twice, is not known.

use crate::correlate::{Call, Correlation, Site};
use crate::diagnose::operations;
use crate::events::{EventBlocks, EventRow, Times};
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::File;
use std::collections::BTreeMap;

/// An operator, all its calls together.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Operator.
    pub operator: String,
    /// Calls.
    pub calls: u64,
    /// Time of its own, in seconds.
    pub seconds: f64,
    /// Operations.
    pub operations: f64,
    /// Bytes of tensors.
    pub bytes: f64,
}

/// What the machine can.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roof {
    /// Operations per second.
    pub operations: f64,
    /// Bytes per second.
    pub bytes: f64,
}

/// What holds an operator back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Arithmetic.
    Compute,
    /// Memory.
    Memory,
}

impl Point {
    /// Operations per second.
    pub fn rate(&self) -> f64 {
        ratio(self.operations, self.seconds)
    }

    /// Bytes per second.
    pub fn bandwidth(&self) -> f64 {
        ratio(self.bytes, self.seconds)
    }

    /// Operations per byte.
    pub fn intensity(&self) -> f64 {
        ratio(self.operations, self.bytes)
    }
}

fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

impl Roof {
    /// The best that any of `points` reached, which is no more than the
    /// machine can.
    pub fn seen(points: &[Point]) -> Self {
        let best = |rate: fn(&Point) -> f64| points.iter().map(rate).fold(0.0, f64::max);
        Roof { operations: best(Point::rate), bytes: best(Point::bandwidth) }
    }

    /// What holds `point` back.
    pub fn bound(&self, point: &Point) -> Bound {
        if point.intensity() * self.bytes < self.operations {
            Bound::Memory
        } else {
            Bound::Compute
        }
    }

    /// Which share of what is possible at its intensity `point` reached.
    pub fn share(&self, point: &Point) -> f64 {
        let possible = (point.intensity() * self.bytes).min(self.operations);
        ratio(point.rate(), possible)
    }
}

/// The operators of a trace of `file`, those with the most time first. Events
/// of which the program does not know the instruction are left out, as are
/// delegates: what they compute is not in the program.
pub fn points(
    blocks: &EventBlocks<'_>,
    correlation: &Correlation<'_>,
    file: &File<'_>,
    seconds_of: &Times,
) -> Vec<Point> {
    let mut points: BTreeMap<&str, Point> = BTreeMap::new();
    for (index, block) in blocks.blocks.iter().enumerate() {
        let Some(method) = correlation.method(index).and_then(|name| file.method(name)) else {
            continue;
        };
        for row in block.events.iter().filter(|row| is_kernel(row)) {
            let Some(facts) = correlation.event(index, row).instruction else { continue };
            let (Call::Kernel { operator }, Some(site)) = (&facts.call, site(row)) else {
                continue;
            };
            let calls = row.samples.len() as u64;
            let bytes = facts.arguments.iter().filter_map(|argument| argument.bytes);
            let bytes: u64 = bytes.fold(0, u64::saturating_add);
            let point = points.entry(operator).or_insert_with(|| Point {
                operator: operator.clone(),
                calls: 0,
                seconds: 0.0,
                operations: 0.0,
                bytes: 0.0,
            });
            point.calls += calls;
            point.seconds += seconds_of.span(row.own_ticks());
            let operations = operations(&method, (site.chain, site.instruction));
            point.operations += operations as f64 * calls as f64;
            point.bytes += bytes as f64 * calls as f64;
        }
    }
    let mut points: Vec<Point> = points.into_values().collect();
    points.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    points
}

fn is_kernel(row: &EventRow<'_>) -> bool {
    row.delegate_id.is_none() && !row.is_call() && !row.is_operator_call()
}

fn site(row: &EventRow<'_>) -> Option<Site> {
    let chain = ChainId(u32::try_from(row.chain).ok()?);
    Some(Site { chain, instruction: InstructionId(u32::try_from(row.instruction).ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::TimeScale;
    use et_schema::etdump;

    #[test]
    fn a_product_of_matrices_has_its_operations_and_bytes() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
        let trace = std::fs::read(format!("{fixtures}/traces/linear__it3.etdp")).expect("it");
        let program = std::fs::read(format!("{fixtures}/models/linear/model.pte")).expect("it");
        let blocks = EventBlocks::of(&etdump::File::parse(&trace).expect("a trace"));
        let file = File::parse(&program).expect("a program");
        let correlation = Correlation::new(&blocks, Some(&file), None, None).expect("correlated");
        let seconds = Times::new(TimeScale::Nanoseconds, TimeScale::Seconds).expect("a scale");
        let points = points(&blocks, &correlation, &file, &seconds);
        let addmm = points.iter().find(|point| point.operator == "aten::addmm.out");
        let addmm = addmm.expect("the product");
        // [2,4] x [4,3]: 2 x 3 x 4 multiplications and as many additions, three times.
        assert_eq!((addmm.calls, addmm.operations), (3, 3.0 * 48.0));
        // Bias [3], input [2,4], weight [4,3] and output [2,3] of float32.
        assert_eq!(addmm.bytes, 3.0 * 4.0 * (3.0 + 8.0 + 12.0 + 6.0));
        assert!(addmm.seconds > 0.0);
    }

    #[test]
    fn a_roof_tells_memory_from_arithmetic() {
        let point = |operations, bytes| Point {
            operator: String::new(),
            calls: 1,
            seconds: 1.0,
            operations,
            bytes,
        };
        let (copy, product) = (point(1.0, 100.0), point(1000.0, 10.0));
        let roof = Roof::seen(&[copy.clone(), product.clone()]);
        assert_eq!(roof, Roof { operations: 1000.0, bytes: 100.0 });
        assert_eq!((roof.bound(&copy), roof.bound(&product)), (Bound::Memory, Bound::Compute));
        assert_eq!((roof.share(&copy), roof.share(&product)), (1.0, 1.0));
    }
}
