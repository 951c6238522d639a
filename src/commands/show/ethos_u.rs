//! The command stream in an Ethos-U payload: one line per operation, or one
//! per command.

use crate::text::{bytes, escape, thousands};
use et_inspector::ethos_u::{
    Block, Estimate, FeatureMap, Kind, Operation, Range, Region, Storage, Unit,
};
use et_schema::ethos_u::{Item, Product, Register};
use serde_json::{Value as Json, json};

/// What it is, in a few words.
pub fn heading(unit: &Unit<'_>) -> String {
    let total = unit.total();
    let fast = match unit.fast_scratch() {
        0 => String::new(),
        fast => format!(", fast scratch {}", bytes(fast)),
    };
    format!(
        "stream for {}, {} words, {} operations; weights {}, scratch {}{fast}; {} MACs, about {} cycles",
        unit.configuration,
        thousands(unit.payload.driver.stream.words().into()),
        thousands(unit.stream.operations.len() as u64),
        bytes(unit.payload.weights.len() as u64),
        bytes(unit.payload.scratch.into()),
        thousands(total.macs),
        thousands(total.cycles),
    )
}

/// Inputs, outputs, and what is wrong.
pub fn notes(unit: &Unit<'_>) -> Vec<String> {
    let io = [("input", &unit.payload.inputs), ("output", &unit.payload.outputs)];
    let mut lines: Vec<String> = io
        .into_iter()
        .flat_map(|(name, list)| {
            list.iter().enumerate().map(move |(index, io)| {
                let shape: Vec<String> = io.shape.iter().map(ToString::to_string).collect();
                let (size, region, offset) = (bytes(io.bytes()), io.region, io.offset);
                format!("{name} {index}: [{}], {size} at {region}+{offset:#x}", shape.join(","))
            })
        })
        .collect();
    lines.extend(unit.faults.iter().map(|fault| format!("! {}", escape(&fault.to_string()))));
    lines
}

/// One line of an operation.
pub fn line(operation: &Operation, cost: &Estimate) -> String {
    let what = match &operation.kind {
        Kind::Block(block) => block_text(block),
        Kind::Dma(dma) => {
            format!("copy {}: {} to {}", bytes(dma.bytes), dma.source, dma.destination)
        }
        Kind::DmaWait(left) => format!("wait until at most {left} copies are under way"),
        Kind::KernelWait(left) => format!("wait until at most {left} operations are under way"),
        Kind::Interrupt => "interrupt".into(),
        Kind::Stop => "stop".into(),
        Kind::Counters => "counters on or off".into(),
        Kind::Branch(word) => format!("branch to word {word}"),
    };
    format!("word {:<6} {what}{}", operation.word, cost_text(cost))
}

fn cost_text(cost: &Estimate) -> String {
    if cost.cycles == 0 {
        return String::new();
    }
    let macs = match cost.macs {
        0 => String::new(),
        macs => format!(" {} MACs,", thousands(macs)),
    };
    let bound = if cost.memory_cycles >= cost.cycles { ", memory bound" } else { "" };
    format!(";{macs} about {} cycles{bound}", thousands(cost.cycles))
}

fn block_text(block: &Block) -> String {
    let mut text = block.work.name();
    let kernel = &block.kernel;
    if kernel.size != [1, 1] {
        text += &format!(" {}x{}", kernel.size[0], kernel.size[1]);
    }
    if kernel.stride != [1, 1] {
        text += &format!(" stride {}x{}", kernel.stride[0], kernel.stride[1]);
    }
    if kernel.dilation != [1, 1] {
        text += &format!(" dilation {}x{}", kernel.dilation[0], kernel.dilation[1]);
    }
    let inputs: Vec<String> =
        [Some(&block.ifm), block.ifm2.as_ref()].into_iter().flatten().map(map_text).collect();
    text += &format!(": {} -> {}", inputs.join(", "), map_text(&block.ofm));
    for (name, ranges) in [("weights", &block.weights), ("scales", &block.scales)] {
        if !ranges.is_empty() {
            text += &format!(", {name} {}", constants(ranges));
        }
    }
    if let Some(table) = block.table {
        text += &format!(", table {table}");
    }
    text
}

fn map_text(map: &FeatureMap) -> String {
    let [height, width, depth] = map.shape;
    let place = match map.storage {
        Storage::Chained => "handed on".to_owned(),
        Storage::None => "nowhere".to_owned(),
        Storage::Tile2x2 | Storage::Tile3x1 => list(map.ranges()),
    };
    format!("{}[{height},{width},{depth}] {place}", map.data_type())
}

fn list(ranges: impl Iterator<Item = Range>) -> String {
    ranges.map(|range| range.to_string()).collect::<Vec<_>>().join(" + ")
}

/// Ranges of constants, without the name of the region that has only those.
fn constants(ranges: &[Range]) -> String {
    let text = |range: &Range| match range.region {
        Region::Weights => format!("{:#x}..{:#x}", range.start, range.end),
        _ => range.to_string(),
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(" + ")
}

/// Every word of the stream: offset in bytes, words, name and fields.
pub fn registers<'a>(unit: &'a Unit<'_>) -> impl Iterator<Item = String> + 'a {
    let product = unit.configuration.product().unwrap_or(Product::U55);
    unit.payload.driver.stream.items().map(move |item| {
        let command = match item {
            Item::Command(command) => command,
            Item::Undecodable { word, value, words } => {
                return format!(
                    "{:06x}  {value:08x}  no command; {words} words to the end",
                    word * 4
                );
            }
        };
        let first = u32::from(command.parameter) << 16 | u32::from(command.code);
        let payload = command.payload.map(|payload| format!("{payload:08x}")).unwrap_or_default();
        let head = format!("{:06x}  {first:08x} {payload:8}", command.word * 4);
        let Some(register) = Register::find(product, command.code) else {
            return format!("{head}  no command of the unit");
        };
        let fields: Vec<String> = register
            .fields(&command)
            .map(|field| match field.value_name {
                Some(name) => format!("{}={name}", field.name),
                None if field.is_address => format!("{}={:#x}", field.name, field.value),
                None => format!("{}={}", field.name, field.value),
            })
            .collect();
        format!("{head}  {:<29} {}", register.name, fields.join(" ")).trim_end().to_owned()
    })
}

/// The stream as a document has it.
pub fn json(unit: &Unit<'_>) -> Json {
    let operations = unit.stream.operations.iter().zip(&unit.estimates.operations);
    let operations = operations.map(|(operation, cost)| {
        let accesses = operation.accesses().map(|(range, access)| {
            json!({
                "region": range.region.to_string(),
                "start": range.start,
                "end": range.end,
                "access": match access {
                    et_inspector::ethos_u::Access::Read => "read",
                    et_inspector::ethos_u::Access::Write => "write",
                },
            })
        });
        json!({
            "word": operation.word,
            "text": line(operation, cost),
            "macs": cost.macs,
            "read_bytes": cost.read,
            "written_bytes": cost.written,
            "estimated_cycles": cost.cycles,
            "estimated_memory_cycles": cost.memory_cycles,
            "accesses": accesses.collect::<Vec<_>>(),
        })
    });
    let total = unit.total();
    json!({
        "accelerator": unit.configuration.accelerator(),
        "system_config": unit.system.name,
        "memory_mode": unit.system.mode,
        "words": unit.payload.driver.stream.words(),
        "decoded_words": unit.stream.words,
        "weights_bytes": unit.payload.weights.len(),
        "encoded_weights_bytes": unit.stream.weights(),
        "scratch_bytes": unit.payload.scratch,
        "fast_scratch_bytes": unit.fast_scratch(),
        "macs": total.macs,
        "read_bytes": total.read,
        "written_bytes": total.written,
        "estimated_cycles": total.cycles,
        "faults": unit.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "operations": operations.collect::<Vec<_>>(),
    })
}
