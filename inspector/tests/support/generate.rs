//! Programs of any length, for what must stay fast.

use et_schema::generated::program_generated::executorch_flatbuffer as fb;
use flatbuffers::{FlatBufferBuilder, WIPOffset};

/// Values before the tensors that instructions write: the input, and `alpha`.
const FIRST: usize = 2;

/// Every so manieth tensor is read again `FAR` instructions later, as over the
/// residual connections of real models.
const RESIDUAL: usize = 8;
const FAR: usize = 40;

/// A program of `count` additions, each of the sum before it and of another
/// tensor. Sizes vary, and no two tensors share bytes.
pub fn program(count: usize) -> Vec<u8> {
    sized(count, elements)
}

/// The same with `elements` in the tensor of a number.
pub fn sized(count: usize, elements: impl Fn(usize) -> i32) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::with_capacity(count * 256 + 1024);
    let mut offset = 0u64;
    let mut values = vec![tensor(&mut builder, elements(0), &mut offset), alpha(&mut builder)];
    for index in 0..count {
        values.push(tensor(&mut builder, elements(index + 1), &mut offset));
    }
    let instructions: Vec<_> = (0..count).map(|index| add(&mut builder, index)).collect();
    let instructions = builder.create_vector(&instructions);
    let chain = fb::Chain::create(
        &mut builder,
        &fb::ChainArgs { instructions: Some(instructions), ..fb::ChainArgs::default() },
    );
    let (name, overload) = (builder.create_string("aten::add"), builder.create_string("out"));
    let operator = fb::Operator::create(
        &mut builder,
        &fb::OperatorArgs { name: Some(name), overload: Some(overload) },
    );
    let method = builder.create_string("forward");
    let plan = fb::ExecutionPlanArgs {
        name: Some(method),
        values: Some(builder.create_vector(&values)),
        inputs: Some(builder.create_vector(&[0i32])),
        outputs: Some(builder.create_vector(&[(FIRST + count - 1) as i32])),
        chains: Some(builder.create_vector(&[chain])),
        operators: Some(builder.create_vector(&[operator])),
        non_const_buffer_sizes: Some(builder.create_vector(&[0i64, offset as i64])),
        ..fb::ExecutionPlanArgs::default()
    };
    let plan = fb::ExecutionPlan::create(&mut builder, &plan);
    let plans = builder.create_vector(&[plan]);
    let program = fb::ProgramArgs { execution_plan: Some(plans), ..fb::ProgramArgs::default() };
    let program = fb::Program::create(&mut builder, &program);
    builder.finish(program, Some("ET12"));
    builder.finished_data().to_vec()
}

/// Of a tensor between 16 and 4,096 bytes, always the same for the same number.
pub fn elements(index: usize) -> i32 {
    let mixed = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (mixed % 256 + 1) as i32 * 4
}

fn tensor<'a>(
    builder: &mut FlatBufferBuilder<'a>,
    elements: i32,
    offset: &mut u64,
) -> WIPOffset<fb::EValue<'a>> {
    let sizes = builder.create_vector(&[elements]);
    let dim_order = builder.create_vector(&[0u8]);
    let allocation = fb::AllocationDetails::create(
        builder,
        &fb::AllocationDetailsArgs {
            memory_id: 1,
            memory_offset_low: *offset as u32,
            memory_offset_high: (*offset >> 32) as u32,
        },
    );
    *offset += elements as u64 * 4;
    let tensor = fb::Tensor::create(
        builder,
        &fb::TensorArgs {
            scalar_type: fb::ScalarType::FLOAT,
            sizes: Some(sizes),
            dim_order: Some(dim_order),
            allocation_info: Some(allocation),
            ..fb::TensorArgs::default()
        },
    );
    let value =
        fb::EValueArgs { val_type: fb::KernelTypes::Tensor, val: Some(tensor.as_union_value()) };
    fb::EValue::create(builder, &value)
}

fn alpha<'a>(builder: &mut FlatBufferBuilder<'a>) -> WIPOffset<fb::EValue<'a>> {
    let int = fb::Int::create(builder, &fb::IntArgs { int_val: 1 });
    let value = fb::EValueArgs { val_type: fb::KernelTypes::Int, val: Some(int.as_union_value()) };
    fb::EValue::create(builder, &value)
}

/// `add(previous, other, alpha, out)`, and `out` once more as the result.
fn add<'a>(builder: &mut FlatBufferBuilder<'a>, index: usize) -> WIPOffset<fb::Instruction<'a>> {
    let value = |instruction: usize| (FIRST + instruction) as i32;
    let previous = index.checked_sub(1).map_or(0, value);
    let far = index.checked_sub(FAR).filter(|far| far % RESIDUAL == 0);
    let other = far.map_or(previous, value);
    let args = builder.create_vector(&[previous, other, 1, value(index), value(index)]);
    let call = fb::KernelCallArgs { op_index: 0, args: Some(args) };
    let call = fb::KernelCall::create(builder, &call);
    let instruction = fb::InstructionArgs {
        instr_args_type: fb::InstructionArguments::KernelCall,
        instr_args: Some(call.as_union_value()),
    };
    fb::Instruction::create(builder, &instruction)
}
