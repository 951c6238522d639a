//! A program whose every name is the same text.

use et_schema::generated::program_generated::executorch_flatbuffer as fb;
use flatbuffers::{FlatBufferBuilder, WIPOffset};

/// A method, an operator, a backend, a weight and a tensor by the name of `name`:
/// one kernel call and one delegate call on one planned tensor.
pub fn program(name: &str) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::with_capacity(4 * name.len() + 1024);
    let text = builder.create_string(name);
    let values = [tensor(&mut builder, text, 0), tensor(&mut builder, text, 1)];
    let values = builder.create_vector(&values);
    let operator =
        fb::Operator::create(&mut builder, &fb::OperatorArgs { name: Some(text), overload: None });
    let delegate = delegate(&mut builder, text);
    let instructions = [kernel_call(&mut builder), delegate_call(&mut builder)];
    let instructions = builder.create_vector(&instructions);
    let chain = fb::Chain::create(
        &mut builder,
        &fb::ChainArgs { instructions: Some(instructions), ..fb::ChainArgs::default() },
    );
    let plan = fb::ExecutionPlanArgs {
        name: Some(text),
        values: Some(values),
        inputs: Some(builder.create_vector(&[0i32])),
        outputs: Some(builder.create_vector(&[0i32])),
        chains: Some(builder.create_vector(&[chain])),
        operators: Some(builder.create_vector(&[operator])),
        delegates: Some(builder.create_vector(&[delegate])),
        non_const_buffer_sizes: Some(builder.create_vector(&[0i64, 64])),
        ..fb::ExecutionPlanArgs::default()
    };
    let plan = fb::ExecutionPlan::create(&mut builder, &plan);
    let data = builder.create_vector(&[1u8, 2, 3, 4]);
    let data = fb::BackendDelegateInlineData::create(
        &mut builder,
        &fb::BackendDelegateInlineDataArgs { data: Some(data) },
    );
    let nothing = fb::Buffer::create(&mut builder, &fb::BufferArgs { storage: None });
    let weight = builder.create_vector(&[0u8; 64]);
    let weight = fb::Buffer::create(&mut builder, &fb::BufferArgs { storage: Some(weight) });
    let program = fb::ProgramArgs {
        execution_plan: Some(builder.create_vector(&[plan])),
        constant_buffer: Some(builder.create_vector(&[nothing, weight])),
        backend_delegate_data: Some(builder.create_vector(&[data])),
        ..fb::ProgramArgs::default()
    };
    let program = fb::Program::create(&mut builder, &program);
    builder.finish(program, Some("ET12"));
    builder.finished_data().to_vec()
}

/// Sixteen floats: planned, or of the constant buffer `constant`.
fn tensor<'a>(
    builder: &mut FlatBufferBuilder<'a>,
    name: WIPOffset<&'a str>,
    constant: u32,
) -> WIPOffset<fb::EValue<'a>> {
    let sizes = builder.create_vector(&[16i32]);
    let dim_order = builder.create_vector(&[0u8]);
    let place = fb::AllocationDetailsArgs { memory_id: 1, ..Default::default() };
    let place = (constant == 0).then(|| fb::AllocationDetails::create(builder, &place));
    let info = fb::ExtraTensorInfoArgs {
        fully_qualified_name: Some(name),
        ..fb::ExtraTensorInfoArgs::default()
    };
    let info = fb::ExtraTensorInfo::create(builder, &info);
    let tensor = fb::TensorArgs {
        scalar_type: fb::ScalarType::FLOAT,
        sizes: Some(sizes),
        dim_order: Some(dim_order),
        data_buffer_idx: constant,
        allocation_info: place,
        extra_tensor_info: Some(info),
        ..fb::TensorArgs::default()
    };
    let tensor = fb::Tensor::create(builder, &tensor);
    let value =
        fb::EValueArgs { val_type: fb::KernelTypes::Tensor, val: Some(tensor.as_union_value()) };
    fb::EValue::create(builder, &value)
}

fn delegate<'a>(
    builder: &mut FlatBufferBuilder<'a>,
    id: WIPOffset<&'a str>,
) -> WIPOffset<fb::BackendDelegate<'a>> {
    let processed =
        fb::BackendDelegateDataReferenceArgs { location: fb::DataLocation::INLINE, index: 0 };
    let processed = fb::BackendDelegateDataReference::create(builder, &processed);
    let delegate = fb::BackendDelegateArgs {
        id: Some(id),
        processed: Some(processed),
        ..fb::BackendDelegateArgs::default()
    };
    fb::BackendDelegate::create(builder, &delegate)
}

fn kernel_call<'a>(builder: &mut FlatBufferBuilder<'a>) -> WIPOffset<fb::Instruction<'a>> {
    let args = Some(builder.create_vector(&[0i32, 1]));
    let call = fb::KernelCall::create(builder, &fb::KernelCallArgs { op_index: 0, args });
    let instruction = fb::InstructionArgs {
        instr_args_type: fb::InstructionArguments::KernelCall,
        instr_args: Some(call.as_union_value()),
    };
    fb::Instruction::create(builder, &instruction)
}

fn delegate_call<'a>(builder: &mut FlatBufferBuilder<'a>) -> WIPOffset<fb::Instruction<'a>> {
    let args = Some(builder.create_vector(&[0i32]));
    let call = fb::DelegateCall::create(builder, &fb::DelegateCallArgs { delegate_index: 0, args });
    let instruction = fb::InstructionArgs {
        instr_args_type: fb::InstructionArguments::DelegateCall,
        instr_args: Some(call.as_union_value()),
    };
    fb::Instruction::create(builder, &instruction)
}
