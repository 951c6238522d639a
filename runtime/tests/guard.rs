//! The guard, on the fixtures as they are and with faults put into them.

mod support;

use et_runtime::guard::{Kind, Violation};
use et_runtime::{Input, LoadOptions, Method, Program};
use et_schema::ScalarType;
use et_schema::pte::{File, Value};
use std::fs;
use support::fixtures;

fn program(name: &str) -> Vec<u8> {
    fs::read(fixtures().join("models").join(name).join("model.pte")).expect("a fixture")
}

/// What came of a guarded run.
#[derive(Debug, PartialEq)]
enum Seen {
    Nothing,
    Error(String),
    Violations(Vec<Kind>),
}

fn guarded(bytes: &[u8]) -> Seen {
    match violations(bytes, None) {
        Ok(found) if found.is_empty() => Seen::Nothing,
        Ok(found) => Seen::Violations(found.iter().map(|v| v.kind).collect()),
        Err(error) => Seen::Error(error),
    }
}

/// What a guarded run finds, on ones unless there is a first input.
fn violations(bytes: &[u8], input: Option<Input<'_>>) -> Result<Vec<Violation>, String> {
    let program = Program::new(File::parse(bytes).map_err(|error| error.to_string())?);
    let mut tracer = etdump::NoTracer;
    let mut run = || {
        let mut method = Method::load(&program, "forward", LoadOptions::default(), &mut tracer)?;
        method.guard();
        method.set_inputs_to_ones()?;
        if let Some(input) = input {
            method.set_input(0, input)?;
        }
        method.execute(&mut tracer)?;
        Ok(method.violations().to_vec())
    };
    run().map_err(|error: et_runtime::Error| error.to_string())
}

/// The operators that put out the first numbers that are not finite, from which element on.
fn not_finite(bytes: &[u8], input: Option<Input<'_>>) -> Vec<(Option<String>, usize)> {
    let found = violations(bytes, input).unwrap().into_iter();
    let found = found.filter_map(|v| match v.kind {
        Kind::NonFinite { first, .. } => Some((v.operator, first)),
        _ => None,
    });
    found.collect()
}

#[test]
fn sound_programs_are_left_alone() {
    let names = [
        "activations",
        "add_mul",
        "channels_last",
        "cond",
        "data_movement",
        "dynamic_mlp",
        "int_ops",
        "lstm",
        "map_loop",
        "mlp_stacktrace",
        "mlp_viewcopy",
        "mv2_w010",
        "mv2_w010_q",
        "norms",
        "pools",
        "q_cnn",
        "q_mlp_dynamic",
        "scan",
        "scatter_ops",
        "softmax",
        "transformer",
        "transformer_fp16",
    ];
    for name in names {
        assert_eq!(guarded(&program(name)), Seen::Nothing, "{name}");
    }
}

#[test]
fn state_without_a_value_is_told_from_a_fault() {
    let Seen::Violations(kinds) = guarded(&program("kv_cache")) else { panic!("not seen") };
    assert!(kinds.iter().all(|kind| *kind == Kind::StateWithoutValue), "{kinds:?}");
}

/// Byte positions in a FlatBuffer, to put faults there.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn u16(&self, at: usize) -> usize {
        u16::from_le_bytes(self.0[at..at + 2].try_into().unwrap()).into()
    }

    fn u32(&self, at: usize) -> usize {
        u32::from_le_bytes(self.0[at..at + 4].try_into().unwrap()) as usize
    }

    fn follow(&self, at: usize) -> usize {
        at + self.u32(at)
    }

    /// Field `id` of the table at `table`.
    fn field(&self, table: usize, id: usize) -> Option<usize> {
        let vtable = table.wrapping_sub(self.u32(table) as u32 as i32 as isize as usize);
        let entry = 4 + 2 * id;
        let offset = if entry < self.u16(vtable) { self.u16(vtable + entry) } else { 0 };
        (offset != 0).then_some(table + offset)
    }

    /// The items of a vector of four-byte elements.
    fn items(&self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let start = self.follow(at);
        let len = self.u32(start);
        (0..len).map(move |i| start + 4 + 4 * i)
    }
}

/// A planned tensor.
#[derive(Clone, Debug, PartialEq)]
struct Planned {
    value: usize,
    /// Byte position of its offset, if that stands in the file.
    offset_at: Option<usize>,
    memory: usize,
    offset: usize,
    sizes: Vec<usize>,
    /// Byte positions of the sizes.
    sizes_at: Vec<usize>,
}

/// The planned tensors of the first method, and the positions of the
/// arguments of each of its kernel calls.
fn explore(bytes: &[u8]) -> (Vec<Planned>, Vec<Vec<usize>>) {
    let b = Bytes(bytes);
    let plans = b.field(b.follow(0), 1).unwrap();
    let plan = b.follow(b.items(plans).next().unwrap());
    let mut planned = Vec::new();
    for (value, item) in b.items(b.field(plan, 2).unwrap()).enumerate() {
        let evalue = b.follow(item);
        // 5 is a tensor in the union of values.
        if b.field(evalue, 0).map(|at| bytes[at]) != Some(5) {
            continue;
        }
        let tensor = b.follow(b.field(evalue, 1).unwrap());
        let Some(place) = b.field(tensor, 6).map(|at| b.follow(at)) else { continue };
        let offset_at = b.field(place, 1);
        let sizes_at: Vec<usize> = b.items(b.field(tensor, 2).unwrap()).collect();
        planned.push(Planned {
            value,
            offset_at,
            memory: b.field(place, 0).map_or(0, |at| b.u32(at)),
            offset: offset_at.map_or(0, |at| b.u32(at)),
            sizes: sizes_at.iter().map(|at| b.u32(*at)).collect(),
            sizes_at,
        });
    }
    let mut calls = Vec::new();
    for chain in b.items(b.field(plan, 5).unwrap()) {
        for item in b.items(b.field(b.follow(chain), 2).unwrap()) {
            let instruction = b.follow(item);
            // 1 is a kernel call in the union of instructions.
            if b.field(instruction, 0).map(|at| bytes[at]) == Some(1) {
                let call = b.follow(b.field(instruction, 1).unwrap());
                calls.push(b.items(b.field(call, 1).unwrap()).collect());
            }
        }
    }
    (planned, calls)
}

/// Programs whose kernels are many and of many kinds.
const PROGRAMS: [&str; 7] =
    ["add_mul", "mlp_stacktrace", "lstm", "pools", "transformer", "mv2_w010", "q_cnn"];

fn with(bytes: &[u8], at: &[usize], value: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for at in at {
        changed[*at..*at + 4].copy_from_slice(&(value as u32).to_le_bytes());
    }
    changed
}

/// Puts `fault` into every kernel call that it can be put into, a few of each
/// program, and counts those that nothing came of.
fn sow(
    fault: impl Fn(&[u8], &[Planned], &[Vec<usize>], usize) -> Option<Vec<u8>>,
) -> (usize, Vec<String>) {
    sow_seen(|seen| *seen != Seen::Nothing, fault)
}

/// As [`sow`], for faults that a kind of violation is named after; the number of
/// programs that were changed, and those without that kind.
fn sow_kind(
    named: fn(&Kind) -> bool,
    fault: impl Fn(&[u8], &[Planned], &[Vec<usize>], usize) -> Option<Vec<u8>>,
) -> (usize, Vec<String>) {
    sow_seen(|seen| matches!(seen, Seen::Violations(kinds) if kinds.iter().any(named)), fault)
}

fn sow_seen(
    is_found: impl Fn(&Seen) -> bool,
    fault: impl Fn(&[u8], &[Planned], &[Vec<usize>], usize) -> Option<Vec<u8>>,
) -> (usize, Vec<String>) {
    let (mut sown, mut missed) = (0, Vec::new());
    for name in PROGRAMS {
        let bytes = program(name);
        let (planned, calls) = explore(&bytes);
        let step = calls.len().div_ceil(24).max(1);
        for call in (0..calls.len()).step_by(step) {
            let Some(changed) = fault(&bytes, &planned, &calls, call) else { continue };
            sown += 1;
            let seen = guarded(&changed);
            if !is_found(&seen) {
                missed.push(format!("{name} call {call}: {seen:?}"));
            }
        }
    }
    (sown, missed)
}

/// The output of a call is its last argument.
fn output<'p>(bytes: &[u8], planned: &'p [Planned], call: &[usize]) -> Option<&'p Planned> {
    let value = Bytes(bytes).u32(*call.last()?);
    planned.iter().find(|p| p.value == value)
}

fn is_read_later(bytes: &[u8], calls: &[Vec<usize>], call: usize, value: usize) -> bool {
    calls[call + 1..].iter().flatten().any(|at| Bytes(bytes).u32(*at) == value)
}

/// The tensors that take part in a call, its output last.
fn tensors<'p>(bytes: &[u8], planned: &'p [Planned], call: &[usize]) -> Vec<&'p Planned> {
    let values = call.iter().map(|at| Bytes(bytes).u32(*at));
    values.filter_map(|value| planned.iter().find(|p| p.value == value)).collect()
}

fn numel(tensor: &Planned) -> usize {
    tensor.sizes.iter().product()
}

#[test]
fn a_tensor_whose_bytes_were_reused_is_named_with_who_reused_them() {
    let (sown, missed) = sow_kind(
        |kind| matches!(kind, Kind::BytesReused(..)),
        |bytes, planned, calls, call| {
            let first = *calls[call].first()?;
            let input = planned.iter().find(|p| p.value == Bytes(bytes).u32(first))?;
            // What an earlier call put out, and a later one before this wrote over.
            let outs: Vec<&Planned> =
                calls[..call].iter().filter_map(|c| output(bytes, planned, c)).collect();
            let covers = |by: &Planned, tensor: &Planned| {
                by.value != tensor.value
                    && by.memory == tensor.memory
                    && (by.offset..by.offset + 4 * numel(by)).contains(&tensor.offset)
            };
            let gone = outs.iter().enumerate().find(|(at, out)| {
                out.sizes == input.sizes
                    && out.value != input.value
                    && outs[at + 1..].iter().any(|by| covers(by, out))
                    && !outs[at + 1..].iter().any(|by| by.value == out.value)
            });
            Some(with(bytes, &[first], gone?.1.value))
        },
    );
    assert!(sown > 20 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}

#[test]
fn live_tensors_whose_bytes_overlap_are_named() {
    let (sown, missed) = sow_kind(
        |kind| matches!(kind, Kind::LiveOverlap),
        |bytes, planned, calls, call| {
            let own = tensors(bytes, planned, &calls[call]);
            let (out, inputs) = own.split_last()?;
            let input = inputs.iter().find(|p| p.memory == out.memory && p.offset != out.offset)?;
            // Of one size, so that the plan still has room.
            (numel(input) == numel(out)).then_some(())?;
            Some(with(bytes, &[out.offset_at?], input.offset))
        },
    );
    assert!(sown > 20 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}

#[test]
fn a_tensor_that_nothing_has_written_is_named() {
    let (sown, missed) = sow_kind(
        |kind| matches!(kind, Kind::NeverWritten),
        |bytes, planned, calls, call| {
            let later = calls.get(call + 1..)?.iter().filter_map(|c| output(bytes, planned, c));
            let first = *calls[call].first()?;
            let input = planned.iter().find(|p| p.value == Bytes(bytes).u32(first))?;
            let earlier =
                |p: &&Planned| calls[..=call].iter().any(|c| output(bytes, planned, c) == Some(*p));
            let mut later = later.filter(|p| p.sizes == input.sizes && !earlier(p));
            Some(with(bytes, &[first], later.find(|p| p.value != input.value)?.value))
        },
    );
    assert!(sown > 30 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}

#[test]
fn a_size_that_is_not_the_one_computed_is_found() {
    let (sown, missed) = sow(|bytes, planned, calls, call| {
        let out = output(bytes, planned, &calls[call])?;
        let at = *out.sizes_at.last()?;
        Some(with(bytes, &[at], Bytes(bytes).u32(at) + 1))
    });
    assert!(sown > 30 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}

#[test]
fn the_instruction_where_numbers_stop_being_finite_is_named() {
    for name in ["linear", "mlp_stacktrace"] {
        let bytes = program(name);
        let constant = {
            let file = File::parse(&bytes).unwrap();
            let plan = file.method("forward").unwrap();
            let weights = plan.values().find_map(|value| match value {
                Value::Tensor(t) if t.allocation().is_none() && t.sizes().len() == 2 => Some(t),
                _ => None,
            });
            let index = weights.unwrap().data_buffer_idx().unwrap();
            let data = file.constant(index.get(), 8).unwrap();
            data.as_ptr().addr() - bytes.as_ptr().addr()
        };
        // Two weights of a row, each a number, whose sum is none.
        let mut changed = bytes.clone();
        for at in [constant, constant + 4] {
            changed[at..at + 4].copy_from_slice(&f32::MAX.to_le_bytes());
        }
        assert_eq!(not_finite(&changed, None), [(Some("aten::addmm.out".into()), 0)], "{name}");
    }
}

#[test]
fn complex_numbers_stop_being_finite_too() {
    // Three rows of numbers whose sums, the first of each row's spectrum, are none.
    let large: Vec<u8> = [f32::MAX; 36].iter().flat_map(|x| x.to_le_bytes()).collect();
    let input = Input::Tensor { scalar_type: ScalarType::Float, sizes: &[3, 12], data: &large };
    let found = not_finite(&program("spectrum"), Some(input));
    assert_eq!(found, [(Some("aten::_fft_r2c.out".into()), 0)]);
}

#[test]
fn a_jump_to_itself_is_a_run_that_never_ends() {
    let bytes = program("map_loop");
    let b = Bytes(&bytes);
    let plans = b.field(b.follow(0), 1).unwrap();
    let plan = b.follow(b.items(plans).next().unwrap());
    let chain = b.follow(b.items(b.field(plan, 5).unwrap()).next().unwrap());
    let jumps: Vec<(usize, usize)> = b
        .items(b.field(chain, 2).unwrap())
        .enumerate()
        .filter_map(|(index, item)| {
            let instruction = b.follow(item);
            // 4 is a jump in the union of instructions.
            let jump = b.field(instruction, 0).is_some_and(|at| bytes[at] == 4);
            jump.then(|| (index, b.field(b.follow(b.field(instruction, 1).unwrap()), 1).unwrap()))
        })
        .collect();
    let (index, destination) = jumps[jumps.len() - 1];
    let Seen::Error(message) = guarded(&with(&bytes, &[destination], index)) else {
        panic!("the run ended")
    };
    assert!(message.contains("10000000 instructions"), "{message}");
}

#[test]
fn an_output_planned_over_an_input_is_found() {
    let (sown, missed) = sow(|bytes, planned, calls, call| {
        let out = output(bytes, planned, &calls[call])?;
        let mut inputs = calls[call].iter().filter_map(|at| {
            let value = Bytes(bytes).u32(*at);
            planned.iter().find(|p| p.value == value && p.value != out.value)
        });
        let input = inputs.find(|p| p.memory == out.memory && p.offset != out.offset)?;
        Some(with(bytes, &[out.offset_at?], input.offset))
    });
    assert!(sown > 30 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}

#[test]
fn an_argument_that_is_written_later_is_found() {
    let (sown, missed) = sow(|bytes, planned, calls, call| {
        let later = calls.get(call + 1..)?.iter().filter_map(|c| output(bytes, planned, c));
        let first = *calls[call].first()?;
        let input = planned.iter().find(|p| p.value == Bytes(bytes).u32(first))?;
        // One that takes the same shape, so that only its content is at fault.
        let mut later = later.filter(|p| p.sizes == input.sizes && p.value != input.value);
        let other = later.find(|p| p.offset != input.offset)?;
        Some(with(bytes, &[first], other.value))
    });
    assert!(sown > 30 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}

#[test]
fn an_output_that_goes_to_another_tensor_is_found() {
    let (sown, missed) = sow(|bytes, planned, calls, call| {
        let out = output(bytes, planned, &calls[call])?;
        if !is_read_later(bytes, calls, call, out.value) {
            return None;
        }
        let same = |p: &&Planned| p.sizes == out.sizes && p.value != out.value;
        let other = planned.iter().filter(same).find(|p| p.offset != out.offset)?;
        let b = Bytes(bytes);
        let places: Vec<usize> =
            calls[call].iter().copied().filter(|at| b.u32(*at) == out.value).collect();
        Some(with(bytes, &places, other.value))
    });
    assert!(sown > 30 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}

#[test]
fn a_tensor_that_outgrows_its_place_is_found() {
    let (sown, missed) = sow(|bytes, planned, calls, call| {
        let out = output(bytes, planned, &calls[call])?;
        Some(with(bytes, &[out.offset_at?], usize::MAX >> 33))
    });
    assert!(sown > 30 && missed.is_empty(), "{sown} sown, missed: {missed:?}");
}
