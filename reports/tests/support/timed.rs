//! Traces whose times are chosen.

use et_schema::generated::etdump_generated::etdump as fb;
use flatbuffers::FlatBufferBuilder;

/// A trace of `runs` executions of `operators` operators, each of `ticks(run, operator)`,
/// and the sum of all ticks. The operators are the instructions of chain 0.
pub fn trace(
    runs: usize,
    operators: usize,
    mut ticks: impl FnMut(usize, usize) -> u64,
) -> (Vec<u8>, u64) {
    let mut builder = FlatBufferBuilder::with_capacity(runs * operators * 64);
    let names: Vec<_> =
        (0..operators).map(|i| builder.create_string(&format!("operator {i}"))).collect();
    let block = builder.create_string("Execute");
    let (mut now, mut sum) = (0u64, 0u64);
    let mut blocks = Vec::with_capacity(runs);
    for run in 0..runs {
        let mut events = Vec::with_capacity(operators);
        for (index, name) in names.iter().enumerate() {
            let ticks = ticks(run, index);
            let event = fb::ProfileEventArgs {
                name: Some(*name),
                chain_index: 0,
                instruction_id: index as i32,
                start_time: now,
                end_time: now + ticks,
                ..fb::ProfileEventArgs::default()
            };
            now += ticks;
            sum += ticks;
            let event = Some(fb::ProfileEvent::create(&mut builder, &event));
            let event = fb::EventArgs { profile_event: event, ..fb::EventArgs::default() };
            events.push(fb::Event::create(&mut builder, &event));
        }
        let events = Some(builder.create_vector(&events));
        let data = fb::RunDataArgs { name: Some(block), events, ..fb::RunDataArgs::default() };
        blocks.push(fb::RunData::create(&mut builder, &data));
    }
    let run_data = Some(builder.create_vector(&blocks));
    let root = fb::ETDumpArgs { version: 0, run_data };
    let root = fb::ETDump::create(&mut builder, &root);
    builder.finish_size_prefixed(root, Some("ED00"));
    (builder.finished_data().to_vec(), sum)
}
