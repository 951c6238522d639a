//! Cycles of one operation. The multipliers go by microblocks of a block of
//! the output, the output stage by elements, the commands by blocks, and the
//! memory by bytes; the slowest decides.

use super::blocks::{WINDOW, input_block, microblock, product, quotients, smaller, sums_channels};
use super::memory::{Memory, System};
use super::{Estimate, cores, rates};
use crate::ethos_u::feature_map::{FeatureMap, Layout, Region, Storage};
use crate::ethos_u::operation::{Access, Block, Operation, Work};
use et_schema::ethos_u::{Configuration, Product};

/// Ways by which bytes reach an Ethos-U85, each with a buffer of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Copy,
    Stream,
    Weights,
    Input,
    Scales,
    Write,
}

/// Bytes per cycle of `memory` by `channel`.
fn bandwidth(unit: Configuration, memory: &Memory, channel: Channel) -> f64 {
    if unit.product() != Some(Product::U85) {
        return memory.bandwidth;
    }
    /// Words that the buffers of the reading channels hold.
    const BUFFERS: [(u32, [u16; 5]); 5] = [
        (128, [64, 64, 128, 104, 16]),
        (256, [104, 104, 128, 128, 16]),
        (512, [128, 128, 256, 128, 16]),
        (1024, [256, 256, 416, 256, 16]),
        (2048, [256, 256, 512, 256, 16]),
    ];
    let words = (memory.burst / 16).max(1) as f64;
    let (at_once, latency, limit) = match channel {
        Channel::Write => (memory.at_once[1], memory.write_latency, f64::INFINITY),
        _ => {
            let row = BUFFERS.iter().find(|(macs, _)| *macs == unit.macs()).unwrap_or(&BUFFERS[4]);
            let buffer = row.1[(channel as usize).min(4)];
            (memory.at_once[0], memory.read_latency, f64::from(buffer) / words)
        }
    };
    let under_way = limit.min(f64::from(at_once * memory.ports) * 0.8);
    let reached = memory.burst as f64 * under_way / (latency.max(1)) as f64 * 0.8;
    memory.bandwidth.min(reached)
}

/// A tensor in memory, moved in blocks.
struct Moved<'a> {
    map: &'a FeatureMap,
    /// Height, width and depth of a block.
    block: [u32; 3],
    is_read: bool,
    cores: u64,
}

impl Moved<'_> {
    fn is_in_memory(&self) -> bool {
        !matches!(self.map.storage, Storage::Chained | Storage::None)
    }

    /// Bytes that the memory is busy for when `elements` are moved: pieces that
    /// are shorter than its bursts waste the rest.
    fn bytes(&self, elements: u64, memory: &Memory) -> u64 {
        let (bits, [_, width, depth]) =
            (u64::from(self.map.element) * 8, self.block.map(u64::from));
        let [_, columns, channels] = self.map.shape.map(u64::from);
        let line = bits * width * depth;
        let piece = match (self.map.layout, self.is_read) {
            (Layout::Nhcwb16, _) if columns * bits * 2 == depth => line,
            (Layout::Nhcwb16, true) => 16 * bits * width,
            (Layout::Nhcwb16, false) => 16 * bits * width * self.cores,
            (Layout::Nhwc, true) if channels * bits / 8 == depth => line,
            (Layout::Nhwc, true) => bits * depth,
            (Layout::Nhwc, false) if depth <= 16 && channels * bits / 8 == depth => line,
            (Layout::Nhwc, false) => 512.min(16 * bits * self.cores).min(bits * depth),
        };
        let piece = (piece / 8).min(memory.burst).max(1);
        elements.saturating_mul(bits / 8).saturating_mul(memory.burst) / piece
    }

    /// Elements with the channels that fill up bricks.
    fn stored(&self, shape: [u32; 3]) -> u64 {
        let [height, width, depth] = shape;
        match self.map.layout {
            Layout::Nhwc => product(shape),
            Layout::Nhcwb16 => product([height, width, depth.next_multiple_of(16)]),
        }
    }

    /// Cycles until a block has been moved.
    fn one_block(&self, system: &System) -> u64 {
        if !self.is_in_memory() {
            return 0;
        }
        let memory = system.memory(system.place(self.map.region));
        let elements = product(smaller(self.map.shape, self.block));
        let latency = if self.is_read { memory.read_latency } else { memory.write_latency };
        latency + (self.bytes(elements, memory) as f64 / memory.bandwidth) as u64
    }
}

/// Bytes that an operation moves, by memory and channel.
struct Traffic<'a> {
    unit: Configuration,
    system: &'a System,
    bytes: [[u64; 6]; 2],
}

impl Traffic<'_> {
    fn add(&mut self, region: Region, channel: Channel, bytes: u64) {
        let sum = &mut self.bytes[self.system.place(region)][channel as usize];
        *sum = sum.saturating_add(bytes);
    }

    fn add_map(&mut self, moved: &Moved<'_>, channel: Channel, elements: u64) {
        if moved.is_in_memory() {
            let memory = self.system.memory(self.system.place(moved.map.region));
            self.add(moved.map.region, channel, moved.bytes(elements, memory));
        }
    }

    /// Cycles of the memory that is busy longest.
    fn cycles(&self) -> u64 {
        const CHANNELS: [Channel; 6] = [
            Channel::Copy,
            Channel::Stream,
            Channel::Weights,
            Channel::Input,
            Channel::Scales,
            Channel::Write,
        ];
        let of = |place: usize| {
            let memory = self.system.memory(place);
            let all: u64 =
                self.bytes[place].iter().fold(0, |sum, bytes| sum.saturating_add(*bytes));
            let channels = CHANNELS
                .iter()
                .zip(self.bytes[place])
                .map(|(channel, bytes)| bytes as f64 / bandwidth(self.unit, memory, *channel));
            channels.fold(all as f64 / memory.bandwidth, f64::max) as u64
        };
        of(0).max(of(1))
    }
}

/// Cycles of a copy.
pub(super) fn copy(
    operation: &Operation,
    bytes: u64,
    unit: Configuration,
    system: &System,
) -> Estimate {
    let mut cycles = 0;
    for (range, access) in
        operation.accesses().filter(|(range, _)| range.region != Region::Internal)
    {
        let memory = system.memory(system.place(range.region));
        let (channel, latency) = match access {
            Access::Read => (Channel::Copy, memory.read_latency),
            Access::Write => (Channel::Write, memory.write_latency),
        };
        let moving = (bytes as f64 / bandwidth(unit, memory, channel)) as u64;
        cycles = cycles.max(latency.saturating_add(moving));
    }
    Estimate { macs: 0, read: bytes, written: bytes, cycles, memory_cycles: cycles }
}

/// Cycles of arithmetic; the first piece of an operator waits for the memory.
pub(super) fn block(
    block: &Block,
    unit: Configuration,
    system: &System,
    is_first: bool,
) -> Estimate {
    let inputs = [Some(&block.ifm), block.ifm2.as_ref()].into_iter().flatten();
    let bytes = |map: &FeatureMap| match map.storage {
        Storage::Chained | Storage::None => 0,
        _ => map.elements().saturating_mul(map.element.into()),
    };
    let constants = block.weights.iter().chain(&block.scales).map(|range| range.end - range.start);
    let read = inputs.map(bytes).chain(constants).fold(0, u64::saturating_add);
    let (written, macs) = (bytes(&block.ofm), super::macs(block));
    let (cycles, memory_cycles) = if block.is_transposition {
        let cycles = transposition(block, unit, system, is_first);
        (cycles, cycles)
    } else {
        let (own, traffic) = match block.work {
            Work::Elementwise(_) | Work::Resize(_) => element_wise(block, unit, system),
            _ => multiplied(block, unit, system, is_first),
        };
        let busy = traffic.cycles();
        (own.max(busy), busy)
    };
    Estimate { macs, read, written, cycles, memory_cycles }
}

/// Before Ethos-U85 a transposition is many poolings of single elements, in
/// which the memory decides.
fn transposition(block: &Block, unit: Configuration, system: &System, is_first: bool) -> u64 {
    let cores = cores(unit);
    let micro = 8 * cores as u32;
    let [height, width, depth] = block.block;
    let sizes = [height, width, depth.max(micro)];
    let cycles = |map, is_read| {
        let moved = Moved { map, block: sizes, is_read, cores };
        let memory = system.memory(system.place(moved.map.region));
        let latency = match (is_first, is_read) {
            (false, _) => 0,
            (true, true) => memory.read_latency,
            (true, false) => memory.write_latency,
        };
        (moved.bytes(moved.map.elements(), memory) as f64 / memory.bandwidth) as u64 + latency
    };
    cycles(&block.ifm, true).max(cycles(&block.ofm, false))
}

/// Both ends of an operation, in the blocks that it works on.
fn ends<'a>(block: &'a Block, unit: Configuration) -> (Moved<'a>, Option<Moved<'a>>, Moved<'a>) {
    let (cores, from) = (cores(unit), input_block(block, unit));
    let moved = |map, block, is_read| Moved { map, block, is_read, cores };
    let second = block.ifm2.as_ref().map(|map| moved(map, from, true));
    (moved(&block.ifm, from, true), second, moved(&block.ofm, block.block, false))
}

fn element_wise<'a>(block: &Block, unit: Configuration, system: &'a System) -> (u64, Traffic<'a>) {
    let (input, second, output) = ends(block, unit);
    let elements = output.stored(block.ofm.shape);
    let rate = rates::per_element(block, unit);
    let reading =
        input.one_block(system).max(second.as_ref().map_or(0, |second| second.one_block(system)));
    let moving = reading.max(output.one_block(system)) as f64;
    let commands = (moving / product(block.block).max(1) as f64 + rate) / 4.0;
    let cycles = (rate.max(commands) * elements as f64).ceil() as u64;
    let mut traffic = Traffic { unit, system, bytes: [[0; 6]; 2] };
    traffic.add_map(&input, Channel::Stream, input.stored(block.ifm.shape));
    if let Some(second) = second {
        // A number alone is a part of the command, if it is small enough.
        let is_number = second.map.elements() == 1;
        let is_85 = unit.product() == Some(Product::U85);
        let shape = if is_85 || is_number { second.map.shape } else { block.ofm.shape };
        if !(is_number && (is_85 || second.map.element == 1)) {
            traffic.add_map(&second, Channel::Stream, second.stored(shape));
        }
    }
    traffic.add_map(&output, Channel::Write, elements);
    (cycles, traffic)
}

fn multiplied<'a>(
    block: &Block,
    unit: Configuration,
    system: &'a System,
    is_first: bool,
) -> (u64, Traffic<'a>) {
    let (input, second, output) = ends(block, unit);
    let shape = block.ofm.shape;
    let (own_block, micro) = (smaller(shape, block.block), microblock(block, unit));
    let in_block = product(quotients(own_block, micro)).max(1);
    let count = product(quotients(shape, micro)) as f64 / in_block as f64;
    let multipliers = multipliers(block, unit, smaller(block.ifm.shape, input.block)) as f64;
    let mut stage = (rates::per_element(block, unit) * product(own_block) as f64).ceil();
    if let Some(scales) = block.scales.first() {
        let latency = system.memory(system.place(scales.region)).read_latency;
        stage = stage.max(f64::from(10 * own_block[2]) * latency as f64 / 256.0);
    }
    let reading =
        input.one_block(system).max(second.as_ref().map_or(0, |second| second.one_block(system)));
    let writing = output.one_block(system);
    let uneven = if count > 1.0 { writing.abs_diff(reading) } else { 0 };
    let commands = (uneven as f64 + multipliers + stage) / 4.0;
    let (multipliers, stage) = (multipliers.max(commands), stage.max(commands));
    let mut cycles = match multipliers > stage {
        true => (multipliers * count).floor() + stage,
        false => stage * count + multipliers,
    };
    if is_first {
        cycles += (reading + writing) as f64;
    }
    (cycles as u64, traffic(block, (input, second, output), unit, system))
}

/// Bytes that multiplications move: each block of the output reads its input,
/// and each block of rows and columns the weights.
fn traffic<'a>(
    block: &Block,
    (input, second, output): (Moved<'_>, Option<Moved<'_>>, Moved<'_>),
    unit: Configuration,
    system: &'a System,
) -> Traffic<'a> {
    let mut traffic = Traffic { unit, system, bytes: [[0; 6]; 2] };
    let mut blocks = quotients(block.ofm.shape, smaller(block.ofm.shape, block.block));
    if matches!(block.work, Work::Depthwise) || !sums_channels(block) {
        blocks[2] = 1;
    }
    let windows: u64 =
        block.kernel.size.iter().map(|size| u64::from(size.div_ceil(WINDOW))).product();
    let [height, width, _] = smaller(block.ifm.shape, input.block);
    let fetched = input.stored([height, width, block.ifm.shape[2]]);
    let fetched = fetched.saturating_mul(windows).saturating_mul(product(blocks));
    traffic.add_map(&input, Channel::Input, fetched);
    if let Some(second) = second {
        traffic.add_map(&second, Channel::Stream, second.map.elements());
    }
    let again = u64::from(blocks[0]).saturating_mul(blocks[1].into());
    for (ranges, channel) in [(&block.weights, Channel::Weights), (&block.scales, Channel::Scales)]
    {
        for range in ranges {
            traffic.add(range.region, channel, (range.end - range.start).saturating_mul(again));
        }
    }
    traffic.add_map(&output, Channel::Write, output.stored(block.ofm.shape));
    traffic
}

/// Cycles of the multipliers for a block of the output.
fn multipliers(block: &Block, unit: Configuration, input: [u32; 3]) -> u64 {
    let is_85 = unit.product() == Some(Product::U85);
    let micro = microblock(block, unit);
    let blocks = quotients(smaller(block.ofm.shape, block.block), micro).map(u64::from);
    let (lines, deep) = (blocks[0] * blocks[1], blocks[2]);
    let bytes = u64::from(block.ifm.element);
    // The four-core units decode four columns of weights at once.
    let decoders = match unit.macs() {
        512 if is_85 => 2,
        1024 | 2048 if is_85 => 4,
        _ => 1,
    };
    let decoding = u64::from(32 * micro[2]) / 8 / decoders;
    let eighths = u64::from(input[2].div_ceil(8));
    let is_kernel_first =
        matches!(block.work, Work::Convolution { .. }) && block.schedule.is_kernel_first;
    let mut sum = 0_u64;
    let pieces = |size: u32| {
        let rest = (!size.is_multiple_of(WINDOW)).then_some(size % WINDOW);
        (0..size / WINDOW).map(|_| WINDOW).chain(rest)
    };
    // A window of 65,536 elements a side has 8,192 pieces a side.
    let sizes = block.kernel.size.map(|size| size.min(512));
    for width in pieces(sizes[1]) {
        for height in pieces(sizes[0]) {
            let window = u64::from(width * height);
            let (steps, cycles) = match block.work {
                Work::Depthwise => {
                    let steps = window.div_ceil(4);
                    (steps, decoding.max(4 * lines * bytes) * steps * deep)
                }
                _ if is_kernel_first => {
                    let steps = window.div_ceil(if bytes == 2 { 2 } else { 4 });
                    (steps, decoding.max(4 * lines) * steps * deep * eighths)
                }
                _ if sums_channels(block) && is_85 => {
                    let depth = u64::from(input[2] / 8);
                    (window, decoding.max(depth * lines) * window * deep * bytes)
                }
                _ if sums_channels(block) => (window, decoding.max(4 * lines) * window * deep),
                _ => {
                    let halves = if !is_85 && unit.macs() == 32 { 1 } else { bytes * 4 };
                    (1, window.max(4) * lines * deep * halves)
                }
            };
            let cycles = if block.is_sparse { cycles / 2 } else { cycles };
            let delay = delay(block, unit, blocks, steps);
            let delay = if is_kernel_first { delay * eighths } else { delay };
            sum = sum.saturating_add(cycles).saturating_add(delay);
        }
    }
    if sums_channels(block) {
        sum = sum.saturating_mul(block.ifm.shape[2].div_ceil(input[2].max(1)).into());
    }
    sum / cores(unit)
}

/// Cycles for which sums are not ready yet, where a block has few of them.
fn delay(block: &Block, unit: Configuration, blocks: [u64; 3], steps: u64) -> u64 {
    let (lines, deep) = (blocks[0] * blocks[1], blocks[2]);
    let is_wide = block.schedule.has_wide_sums;
    let is_smallest = unit.product() == Some(Product::U55) && unit.macs() == 32;
    let each = match (is_smallest, is_wide) {
        (true, true) => 7,
        (true, false) => 3,
        (false, true) if unit.macs() <= 128 => 3,
        _ => 2,
    };
    let mut delay = match (lines, deep) {
        (1, 1) => each * steps,
        (1, _) if steps > 1 => each * (steps - 1) * deep,
        _ => 0,
    };
    if is_smallest && is_wide && deep > 1 && blocks[..2].contains(&1) {
        delay += each * deep;
    }
    delay
}
