//! Speed of writing, reading and analysing an ETDump of 100,000 events, in time and in bytes of it.
//! `scripts/inspector_speed.py` measures the whole process on 100 MB, beside ExecuTorch's Inspector.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use et_inspector::correlate::Correlation;
use et_inspector::events::{EventBlocks, TimeScale, Times};
use et_reports::events::{Columns, tsv};
use et_schema::etdump::File;
use et_schema::ids::{ChainId, InstructionId};
use etdump::{Contents, EtDumpWriter, Place, SystemClock, Tracer};

const RUNS: u32 = 100;
const EVENTS_PER_RUN: u32 = 1_000;

fn write() -> Vec<u8> {
    let mut writer = EtDumpWriter::new(SystemClock::default(), Contents::Full);
    for _ in 0..RUNS {
        writer.begin_run("Execute", &[]);
        for index in 0..EVENTS_PER_RUN / 2 {
            let place = Place::Instruction(ChainId(0), InstructionId(index));
            let call = writer.begin("OPERATOR_CALL", place);
            let kernel = writer.begin("native_call_add.out", place);
            writer.end("native_call_add.out", place, kernel);
            writer.end("OPERATOR_CALL", place, call);
        }
    }
    writer.finish().bytes
}

fn trace(criterion: &mut Criterion) {
    criterion.bench_function("write 100,000 events", |b| b.iter(write));
    let bytes = write();
    let times = Times::new(TimeScale::Nanoseconds, TimeScale::Milliseconds).expect("scales");
    let mut group = criterion.benchmark_group("100,000 events");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| {
            let file = File::parse(&bytes).expect("a trace");
            file.runs().flat_map(|run| run.events()).count()
        });
    });
    group.bench_function("grouped", |b| {
        b.iter(|| EventBlocks::of(&File::parse(&bytes).expect("a trace")).blocks.len());
    });
    group.bench_function("read and grouped in one pass", |b| {
        b.iter(|| EventBlocks::read(&bytes, &mut |_| {}).expect("a trace").1.blocks.len());
    });
    group.bench_function("the same without self time (goal: 1 GB/s)", |b| {
        b.iter(|| EventBlocks::read_times(&bytes, &mut |_| {}).expect("a trace").1.blocks.len());
    });
    group.bench_function("statistics", |b| {
        b.iter(|| {
            let blocks = EventBlocks::of(&File::parse(&bytes).expect("a trace"));
            blocks.blocks[0].events.iter().filter_map(|row| row.statistics(&times)).count()
        });
    });
    group.bench_function("the Inspector's file", |b| {
        b.iter(|| {
            let blocks = EventBlocks::of(&File::parse(&bytes).expect("a trace"));
            tsv(&blocks, &Correlation::default(), &times, Columns::default()).len()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = trace
}
criterion_main!(benches);
