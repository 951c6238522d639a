//! What lies at an address of the board: the program, a pool and what is in
//! it, a symbol of the firmware, a memory.

use super::Evidence;
use super::firmware::Stack;
use crate::log::Run;
use crate::memory::plan::Plan;
use crate::stack::Frame;
use et_schema::ids::ValueId;
use et_schema::pte::{File, Method, Value};
use std::fmt::Write;

/// What a firmware's ELF file knows of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// First address, without the Thumb bit.
    pub start: u64,
    /// Bytes.
    pub size: u64,
    /// Name, demangled.
    pub name: String,
    /// Whether it is code.
    pub code: bool,
    /// Source file and line of the address that was asked for.
    pub line: Option<String>,
}

/// Symbols of a firmware.
pub trait Symbols {
    /// The symbol around `address`.
    fn find(&self, address: u64) -> Option<Symbol>;

    /// Every symbol of data.
    fn data(&self) -> Vec<Symbol> {
        Vec::new()
    }

    /// The ends of the main stack, from the linker's marks.
    fn stack(&self) -> Option<Stack> {
        None
    }

    /// What the functions take of the stack.
    fn frames(&self) -> &[Frame] {
        &[]
    }
}

/// No firmware is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSymbols;

impl Symbols for NoSymbols {
    fn find(&self, _: u64) -> Option<Symbol> {
        None
    }
}

/// Names of pools that the method allocator uses, in ExecuTorch's runners.
const METHOD_POOLS: [&str; 3] = ["method_allocation_pool", "method_allocator_pool", "method_pool"];

/// Names of pools that planned buffers or scratch memory lie in.
const OTHER_POOLS: [&str; 4] =
    ["planned_memory", "planned_buffer", "temp_allocation_pool", "scratch_pool"];

/// Whether a symbol of this name is a pool of the runtime.
pub(super) fn is_pool(name: &str) -> bool {
    METHOD_POOLS.iter().chain(&OTHER_POOLS).any(|pool| name.contains(pool))
}

/// Addresses below this are offsets from a null pointer, unless code lies there.
const NULL_PAGE: u64 = 0x100;

/// A range of addresses and what is there.
#[derive(Clone, Debug)]
struct Range {
    start: u64,
    size: u64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Program,
    Symbol(Symbol),
    Memory(String),
}

/// The board's addresses, as far as they are known.
pub struct AddressMap<'a> {
    ranges: Vec<Range>,
    symbols: &'a dyn Symbols,
    file: &'a File<'a>,
    method: Method<'a>,
}

impl<'a> AddressMap<'a> {
    /// What the evidence knows: the program's place from the log, the target's
    /// memories, the firmware's symbols.
    pub fn new(evidence: &Evidence<'a>, run: Option<&Run>) -> Self {
        let mut ranges = Vec::new();
        if let Some(start) = run.and_then(|run| run.program_address) {
            let size = run.and_then(|run| run.program_bytes);
            let size = size.unwrap_or(evidence.file.bytes().len() as u64);
            ranges.push(Range { start, size, what: What::Program });
        }
        for memory in evidence.target.iter().flat_map(|target| &target.memories) {
            if let Some(start) = memory.address {
                let what = What::Memory(memory.name.clone());
                ranges.push(Range { start, size: memory.size, what });
            }
        }
        let Evidence { symbols, file, method, .. } = *evidence;
        AddressMap { ranges, symbols, file, method }
    }

    /// What lies at `address`, the narrowest first; `None` if nothing is known.
    pub fn explain(&self, address: u64) -> Option<String> {
        if address < NULL_PAGE && self.symbols.find(address).is_none() {
            return Some(format!("{address:#x} bytes behind a null pointer"));
        }
        let symbol = self.symbols.find(address).map(|symbol| Range {
            start: symbol.start,
            size: symbol.size,
            what: What::Symbol(symbol),
        });
        let mut here: Vec<&Range> =
            self.ranges.iter().filter(|r| address.wrapping_sub(r.start) < r.size).collect();
        here.extend(&symbol);
        here.sort_by_key(|range| range.size);
        let texts: Vec<String> =
            here.iter().map(|range| self.describe(&range.what, address - range.start)).collect();
        (!texts.is_empty()).then(|| texts.join(", in "))
    }

    fn describe(&self, what: &What, offset: u64) -> String {
        match what {
            What::Program => {
                format!(
                    "the program + {offset:#x} ({})",
                    in_program(offset, self.file, &self.method)
                )
            }
            What::Memory(name) => format!("memory {name} + {offset:#x}"),
            What::Symbol(Symbol { name, code: true, line, .. }) => {
                let line = line.as_ref().map_or_else(String::new, |line| format!(" ({line})"));
                format!("{name} + {offset:#x}{line}")
            }
            What::Symbol(Symbol { name, .. }) => {
                let mut text = format!("{name} + {offset:#x}");
                if METHOD_POOLS.iter().any(|pool| name.contains(pool)) {
                    let _ = write!(text, " ({})", in_method_pool(offset, &self.method));
                } else if name.contains("planned") {
                    let _ = write!(text, " ({})", in_planned(name, offset, &self.method));
                }
                text
            }
        }
    }

    /// Whether the board is known to have memory at `address`; `None` if its
    /// memories are not known.
    pub fn has_memory(&self, address: u64) -> Option<bool> {
        let mut memories =
            self.ranges.iter().filter(|r| matches!(r.what, What::Memory(_))).peekable();
        memories.peek()?;
        Some(memories.any(|r| address.wrapping_sub(r.start) < r.size))
    }
}

/// Part of the program file.
fn in_program(offset: u64, file: &File<'_>, method: &Method<'_>) -> String {
    let Some(header) = file.header() else { return "tables".into() };
    let base = header.segment_base_offset;
    if base == 0 || offset < base {
        return "tables".into();
    }
    let within = offset - base;
    let Some((index, segment)) = file
        .segments()
        .enumerate()
        .find(|(_, s)| within.checked_sub(s.offset).is_some_and(|o| o < s.size))
    else {
        return "between segments".into();
    };
    let Some(constants) = file.constant_segment().filter(|c| c.segment_index as usize == index)
    else {
        return format!("segment {index}");
    };
    // The last constant that begins at or before the offset. Index 0 is reserved.
    let inside = within - segment.offset;
    let constant = constants.offsets().enumerate().skip(1).filter(|(_, at)| *at <= inside).last();
    constant.map_or_else(
        || format!("segment {index}"),
        |(constant, _)| {
            let value = method.values().position(|value| {
                matches!(value, Value::Tensor(t)
                    if t.data_buffer_idx().is_some_and(|i| i.get() as usize == constant))
            });
            match value {
                Some(value) => format!("constant {constant}, value %{value}"),
                None => format!("constant {constant}"),
            }
        },
    )
}

/// Runners take the planned buffers from the method allocator first.
fn in_method_pool(offset: u64, method: &Method<'_>) -> String {
    in_buffers(offset, method)
        .unwrap_or_else(|| "objects of the loader, behind the planned buffers".into())
}

/// The planned buffer at an offset, if they lie behind each other.
fn in_buffers(offset: u64, method: &Method<'_>) -> Option<String> {
    let mut start = 0u64;
    for (id, size) in method.planned_buffers() {
        let size = u64::try_from(size).unwrap_or(0);
        start = start.checked_next_multiple_of(16).unwrap_or(u64::MAX);
        if let Some(inside) = offset.checked_sub(start).filter(|inside| *inside < size) {
            let values = values_at(method, id.0, inside);
            return Some(format!("planned buffer {id} + {inside:#x}{values}"));
        }
        start = start.saturating_add(size);
    }
    None
}

/// In a pool of planned buffers, or in one that has the number of its buffer at
/// the end of its name.
fn in_planned(name: &str, offset: u64, method: &Method<'_>) -> String {
    let digits = name.trim_end_matches(|c: char| !c.is_ascii_digit());
    let digits = &digits[digits.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
    let numbered = method.planned_buffers().find(|(id, _)| digits == id.to_string());
    match numbered.filter(|_| method.planned_buffers().len() > 1) {
        Some((id, _)) => {
            format!("planned buffer {id} + {offset:#x}{}", values_at(method, id.0, offset))
        }
        None => in_buffers(offset, method).unwrap_or_else(|| "behind the planned buffers".into()),
    }
}

fn values_at(method: &Method<'_>, memory_id: u32, offset: u64) -> String {
    let plan = Plan::new(method);
    let values: Vec<ValueId> = plan
        .storages
        .iter()
        .filter(|s| s.memory_id.0 == memory_id && s.offset <= offset && offset < s.end())
        .map(|s| s.values[0])
        .take(8)
        .collect();
    if values.is_empty() {
        return String::new();
    }
    let names: Vec<String> = values.iter().map(|v| format!("%{v}")).collect();
    format!(", where {} lie", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_planned_buffers_are_looked_into() {
        let path = "../tests/fixtures/models/linear/model.pte";
        let bytes = std::fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")));
        let bytes = bytes.expect("a fixture");
        let file = File::parse(&bytes).expect("a program");
        let method = file.methods().next().expect("a method");
        let text = in_planned("planned_memory_pool", 0, &method);
        assert!(text.starts_with("planned buffer 1 + 0x0, where %"), "{text}");
        assert_eq!(in_planned("planned_1", 1 << 30, &method), "behind the planned buffers");
        assert_eq!(in_planned("planned_1", 0, &method), text);
    }
}
