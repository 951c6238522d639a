//! Making the page of `etinspect report`: of a model with a long trace, and of what is
//! too large to list.

use criterion::{Criterion, criterion_group, criterion_main};
use et_inspector::correlate::Correlation;
use et_inspector::events::{EventBlocks, TimeScale};
use et_inspector::memory::MethodMemory;
use et_reports::report::{Made, Report, Subject, TraceTimes, html};
use et_schema::etdump;
use et_schema::layout::Abi;
use et_schema::pte::File;
use std::hint::black_box;
use std::path::Path;

#[path = "../inspector/tests/support/generate.rs"]
#[allow(dead_code, reason = "not every test uses all of it")]
mod generate;
#[path = "../reports/tests/support/timed.rs"]
mod timed;

/// Reads both files and writes the page; its bytes.
fn page(program: &[u8], trace: &[u8]) -> usize {
    let file = File::parse(program).expect("a program");
    let methods = file.methods().map(|method| MethodMemory::new(&file, method, Abi::Arm32));
    let methods: Vec<MethodMemory<'_>> = methods.collect::<Result<_, _>>().expect("a prediction");
    let dump = etdump::File::parse(trace).expect("a trace");
    let blocks = EventBlocks::of(&dump);
    let correlation = Correlation::new(&blocks, Some(&file), None, None).expect("a method");
    let times = TraceTimes::new(&blocks, &correlation, TimeScale::Nanoseconds, None);
    let report = Report::new(Subject {
        model: "model.pte".to_owned(),
        file: &file,
        methods: &methods,
        abi: Abi::Arm32,
        target: None,
        budget: None,
        measured: &[],
        trace: Some(times),
        baseline: None,
        history: &[],
        made: Made::default(),
    });
    html(&report).len()
}

fn report(criterion: &mut Criterion) {
    let ticks = |run: usize, operator: usize| 100 + ((run * 31 + operator * 17) % 50) as u64;
    let model = "tests/fixtures/models/mv2_w010/model.pte";
    let model = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(model));
    let model = model.expect("a fixture");
    let mut group = criterion.benchmark_group("page");
    group.sample_size(10);
    for (name, program, (trace, _)) in [
        ("of mv2_w010, 1,000 runs", model.clone(), timed::trace(1_000, 153, ticks)),
        ("of 100,000 instructions", generate::program(100_000), timed::trace(1, 1, ticks)),
        ("of 1,000,000 events", model, timed::trace(1_000, 1_000, ticks)),
    ] {
        let bytes = page(&program, &trace);
        println!("page {name}: {bytes} bytes");
        group.bench_function(name, |bencher| {
            bencher.iter(|| page(black_box(&program), black_box(&trace)));
        });
    }
}

criterion_group!(benches, report);
criterion_main!(benches);
