//! Readers on damaged files: truncated, with flipped bits, with overwritten
//! words, and at every alignment in memory. Whatever is accepted is walked to
//! the last accessor, and nothing may panic.

mod support;

use et_schema::ids::{ChainId, DelegateId, InstructionId, MemoryId, OperatorId, ValueId};
use et_schema::pte::{Instruction, Method, Processed, Value};
use et_schema::{ReadError, bundled, ptd, pte};
use std::hint::black_box;
use support::{Random, fixture};

const PROGRAMS: [&str; 10] = [
    "models/linear/model.pte",
    "models/linear/model_flatconst.pte",
    "models/cond/model.pte",
    "models/kv_cache/model.pte",
    "models/mlp_stacktrace/model.pte",
    "models/multi_method_forward/model.pte",
    "models/scalar_inputs/model.pte",
    "models/xnn_inline_delegate/model.pte",
    "models/u55_add/model.pte",
    "user_report/toy_linear_3_3.pte",
];

/// Reads everything that the reader offers, and counts it.
fn walk_program(bytes: &[u8]) -> Result<usize, ReadError> {
    let file = pte::File::parse(bytes)?;
    let mut count = 0;
    black_box((file.header(), file.version(), file.program_size(), file.has_inline_constants()));
    for (index, _) in file.segments().enumerate() {
        count += file.segment(index as u32).map_or(0, <[u8]>::len).min(1);
    }
    for entry in file.named_data() {
        black_box(file.find_named_data(entry.key).is_ok());
    }
    for index in 0..file.inline_delegate_count() {
        count += file.inline_delegate_data(index as u32).map_or(0, <[u8]>::len).min(1);
    }
    for part in file.constant_segment().into_iter().chain(file.mutable_data_segments()) {
        count += part.offsets().len();
    }
    for index in [u32::MAX, file.inline_constant_count() as u32] {
        assert!(file.segment(u32::MAX).is_err());
        assert!(file.inline_delegate_data(u32::MAX).is_err());
        black_box((file.constant(index, 1), file.mutable_data(index, u64::MAX)).1.is_ok());
    }
    for method in file.methods() {
        count += walk_method(&file, &method);
    }
    Ok(count)
}

fn walk_method<'a>(file: &pte::File<'a>, method: &Method<'a>) -> usize {
    let mut count = method.planned_buffers().map(|(MemoryId(id), _)| id as usize).sum::<usize>();
    black_box((method.encoded_inputs(), method.encoded_outputs(), method.name().len()));
    for value in method.values() {
        count += walk_value(file, method, &value);
    }
    for id in method.inputs().chain(method.outputs()) {
        count += usize::from(method.value(id).is_ok());
    }
    for operator in method.operators() {
        count += operator.to_string().len();
    }
    for delegate in method.delegates() {
        count +=
            delegate.compile_specs().map(|spec| spec.key.len() + spec.value.len()).sum::<usize>();
        count += delegate.payload(file).map_or(0, <[u8]>::len).min(1);
        black_box((delegate.id(), delegate.has_compile_specs()));
        if let Some(Processed::Inline(index) | Processed::Segment(index)) = delegate.processed() {
            black_box(index);
        }
    }
    for (index, chain) in method.chains().enumerate() {
        assert!(method.chain(ChainId(index as u32)).is_ok());
        for (index, instruction) in chain.instructions().enumerate() {
            let id = InstructionId(index as u32);
            assert!(chain.instruction(id).is_some());
            count += walk_instruction(method, instruction);
            count += chain.frames(id).map(|f| f.file.len() + f.code.len()).sum::<usize>();
        }
        assert!(chain.instruction(InstructionId(chain.instruction_count() as u32)).is_none());
    }
    assert!(method.value(ValueId(u32::MAX)).is_err());
    assert!(method.chain(ChainId(u32::MAX)).is_err());
    assert!(method.operator(OperatorId(u32::MAX)).is_err());
    assert!(method.delegate(DelegateId(u32::MAX)).is_err());
    count
}

fn walk_instruction(method: &Method<'_>, instruction: Instruction<'_>) -> usize {
    match instruction {
        Instruction::KernelCall { operator, args } => {
            black_box(method.operator(operator).is_ok());
            args.ids().filter(|id| method.value(*id).is_ok()).count()
        }
        Instruction::DelegateCall { delegate, args } => {
            black_box(method.delegate(delegate).is_ok());
            args.ids().filter(|id| method.value(*id).is_ok()).count()
        }
        Instruction::Move { from, to } => usize::from(method.value(from).is_ok()) + to.index() % 2,
        Instruction::JumpFalse { condition, destination } => {
            usize::from(method.value(condition).is_ok()) + destination.index() % 2
        }
        Instruction::Free { value } => usize::from(method.value(value).is_ok()),
        Instruction::Unknown(tag) => tag.into(),
    }
}

fn walk_value(file: &pte::File<'_>, method: &Method<'_>, value: &Value<'_>) -> usize {
    black_box(value.kind());
    match value {
        Value::Tensor(tensor) => {
            black_box((tensor.allocation(), tensor.is_constant(), tensor.dynamism()));
            black_box((tensor.name(), tensor.device(), tensor.storage_offset(), tensor.layout()));
            let size = tensor.nbytes().unwrap_or(u64::MAX);
            if let Some(index) = tensor.data_buffer_idx() {
                black_box(file.mutable_data(index.get(), size).is_ok());
                black_box(file.constant(index.get(), size).is_ok());
            }
            tensor.sizes().len() + tensor.dim_order().len()
        }
        Value::String(text) => text.len(),
        Value::IntList(list) => list.ids().filter(|id| method.value(*id).is_ok()).count(),
        Value::DoubleList(list) => list.iter().filter(|v| v.is_finite()).count(),
        Value::BoolList(list) => list.iter().filter(|v| *v).count(),
        Value::TensorList(list) | Value::OptionalTensorList(list) => {
            list.ids().flatten().filter(|id| method.value(*id).is_ok()).count()
        }
        Value::Null | Value::Int(_) | Value::Bool(_) | Value::Double(_) | Value::Unknown(_) => 1,
    }
}

fn walk_ptd(bytes: &[u8]) -> Result<usize, ReadError> {
    let file = ptd::File::parse(bytes)?;
    let mut count = file.segments().len() + file.version() as usize % 2;
    for (index, _) in file.segments().enumerate() {
        count += file.segment(index as u32).map_or(0, <[u8]>::len).min(1);
    }
    for entry in file.entries() {
        assert!(file.find(entry.key()).is_some());
        count += file.data(&entry).map_or(0, <[u8]>::len).min(1);
        if let Some(layout) = entry.tensor_layout() {
            black_box((layout.scalar_type().is_ok(), layout.nbytes(), layout.dim_order()));
            count += layout.sizes().len();
        }
    }
    assert!(file.segment(u32::MAX).is_err());
    Ok(count)
}

fn walk_bundled(bytes: &[u8]) -> Result<usize, ReadError> {
    let file = bundled::File::parse(bytes)?;
    let mut count = walk_program(file.program()).unwrap_or(0) + file.version() as usize % 2;
    for suite in file.suites() {
        assert!(file.suite(suite.method()).is_some());
        for (index, case) in suite.cases().enumerate() {
            assert!(suite.case(index).is_some());
            for value in case.inputs().chain(case.expected_outputs()) {
                if let bundled::Value::Tensor(tensor) = value {
                    black_box((tensor.scalar_type().is_ok(), tensor.nbytes(), tensor.dim_order()));
                    count += tensor.sizes().len() + tensor.data().len();
                }
            }
        }
        assert!(suite.case(usize::MAX).is_none());
    }
    Ok(count)
}

type Walk = fn(&[u8]) -> Result<usize, ReadError>;

fn files() -> Vec<(&'static str, Walk, Vec<u8>)> {
    let mut files: Vec<_> =
        PROGRAMS.iter().map(|name| (*name, walk_program as Walk, fixture(name))).collect();
    for (name, walk) in [
        ("models/mlp_ptd/_default_external_constant.ptd", walk_ptd as Walk),
        ("models/linear/model.bpte", walk_bundled as Walk),
    ] {
        files.push((name, walk, fixture(name)));
    }
    files
}

#[test]
fn whole_files_are_read() {
    for (name, walk, bytes) in files() {
        let count = walk(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(count > 10, "{name}: only {count} things were read");
    }
}

#[test]
fn truncated_files_are_refused() {
    for (name, walk, bytes) in files() {
        for step in 0..64 {
            let length = bytes.len() * step / 64;
            if let Ok(count) = walk(&bytes[..length]) {
                panic!("{name}: {count} things were read from its first {length} bytes");
            }
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    for (name, walk, bytes) in files() {
        let mut random = Random(0x00e7_d0b5 ^ bytes.len() as u64);
        let (mut refused, mut damaged) = (0, bytes.clone());
        for _ in 0..2000 {
            let (at, bit) = (random.below(bytes.len()), random.below(8));
            damaged[at] ^= 1 << bit;
            refused += usize::from(walk(&damaged).is_err());
            damaged[at] = bytes[at];
        }
        assert!(refused > 0, "{name}: no flip was noticed");
    }
}

#[test]
fn extreme_words_never_panic() {
    let words = [0u32, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff];
    for (_, walk, bytes) in files() {
        let mut damaged = bytes.clone();
        for at in (0..bytes.len().min(1 << 12) & !3).step_by(4) {
            for word in words {
                damaged[at..at + 4].copy_from_slice(&word.to_le_bytes());
                let _ = walk(&damaged);
            }
            damaged[at..at + 4].copy_from_slice(&bytes[at..at + 4]);
        }
    }
}

#[test]
fn alignment_in_memory_does_not_matter() {
    for (name, walk, bytes) in files() {
        let expected = walk(&bytes);
        let mut buffer = vec![0; bytes.len() + 16];
        for shift in 0..16 {
            buffer[shift..][..bytes.len()].copy_from_slice(&bytes);
            assert_eq!(walk(&buffer[shift..][..bytes.len()]), expected, "{name} at {shift}");
        }
    }
}

#[test]
fn files_of_other_formats_are_refused_by_name() {
    let bundled = fixture("models/linear/model.bpte");
    let error = pte::File::parse(&bundled).unwrap_err().to_string();
    assert_eq!(
        error,
        "not a readable ExecuTorch program (.pte): at byte 4: expected file identifier \
         \"ET12\", found \"BP08\" of another format: bundled program (.bpte)"
    );
    let error = ptd::File::parse(b"\xff\xd8\xff\xe0\x00\x10JFIF").unwrap_err().to_string();
    assert!(error.contains("expected file identifier \"FT01\", found \"\\x00\\x10JF\""), "{error}");
}

#[test]
fn damage_is_reported_with_its_byte_and_field() {
    let mut bytes = fixture("models/linear/model.pte");
    let name = bytes.windows(7).position(|w| w == b"forward").expect("the method's name");
    bytes[name] = 0xff;
    let error = pte::File::parse(&bytes).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "not a readable ExecuTorch program (.pte): at byte {name} (field \
             execution_plan[0].name): expected UTF-8 text, found other bytes"
        )
    );
}

/// 20,000 methods that are the same table, whose 20,000 values are the same
/// table: a file of 160 KB that would take 400 million visits to verify.
#[test]
fn shared_tables_do_not_multiply_the_work() {
    use et_schema::generated::program_generated::executorch_flatbuffer as fb;
    let mut builder = flatbuffers::FlatBufferBuilder::new();
    let value = fb::EValue::create(&mut builder, &fb::EValueArgs::default());
    let values = Some(builder.create_vector(&[value; 20_000]));
    let plan_args = fb::ExecutionPlanArgs { values, ..Default::default() };
    let plan = fb::ExecutionPlan::create(&mut builder, &plan_args);
    let execution_plan = Some(builder.create_vector(&[plan; 20_000]));
    let program_args = fb::ProgramArgs { execution_plan, ..Default::default() };
    let program = fb::Program::create(&mut builder, &program_args);
    builder.finish(program, Some("ET12"));
    let start = std::time::Instant::now();
    let error = pte::File::parse(builder.finished_data()).unwrap_err().to_string();
    assert!(error.ends_with("expected at most one table per 4 bytes, found more"), "{error}");
    assert!(start.elapsed().as_secs() < 5, "took {:?}", start.elapsed());
}

/// flatc aligns a vector by its elements, and an empty one not at all: in this
/// file, which it wrote, an empty vector of 64-bit numbers is misaligned.
#[test]
fn misaligned_empty_vectors_are_read() {
    let bytes = fixture("models/linear/model_flatconst.pte");
    let file = pte::File::parse(&bytes).unwrap();
    assert_eq!(file.constant_segment().map(|segment| segment.offsets().len()), Some(0));
    assert!(file.has_inline_constants());
    assert_eq!(file.constant(1, 48).unwrap().len(), 48);
}
