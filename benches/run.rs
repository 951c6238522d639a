//! Speed of loading and running the MobileNetV2 of the fixtures on one thread.

use criterion::{Criterion, criterion_group, criterion_main};
use et_runtime::{LoadOptions, Method, Program};
use et_schema::pte::File;
use etdump::{Contents, EtDumpWriter, NoTracer, SystemClock};
use std::fs;

const MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/mv2_w010/model.pte");

fn run(criterion: &mut Criterion) {
    let bytes = fs::read(MODEL).expect("the fixture");
    let load = || {
        let program = Program::new(File::parse(&bytes).expect("a program"));
        Method::load(&program, "forward", LoadOptions::default(), &mut NoTracer).expect("loads")
    };
    criterion.bench_function("load and plan mv2_w010", |b| b.iter(load));
    let mut method = load();
    method.set_inputs_to_ones().expect("inputs");
    criterion.bench_function("run mv2_w010, one thread", |b| {
        b.iter(|| method.execute(&mut NoTracer).expect("runs"));
    });
    criterion.bench_function("run mv2_w010, one thread, traced", |b| {
        b.iter(|| {
            let mut tracer = EtDumpWriter::new(SystemClock::default(), Contents::Full);
            method.execute(&mut tracer).expect("runs");
            tracer.finish()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = run
}
criterion_main!(benches);
