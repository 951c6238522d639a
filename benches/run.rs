//! Speed of loading and running the MobileNetV2 of the fixtures on one thread.

use criterion::{Criterion, criterion_group, criterion_main};
use et_runtime::{LoadOptions, Method, Program};
use et_schema::pte::File;
use etdump::{Contents, EtDumpWriter, NoTracer, SystemClock};
use std::fs;

const MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/mv2_w010/model.pte");

/// As many as a user records.
const RUNS_OF_A_TRACE: usize = 1000;

const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/lstm/model.pte");

/// A trace that is begun anew after some runs, so that it does not fill the memory.
struct Recording {
    trace: EtDumpWriter<SystemClock>,
    runs: usize,
}

impl Default for Recording {
    fn default() -> Self {
        Recording { trace: EtDumpWriter::new(SystemClock::default(), Contents::Full), runs: 0 }
    }
}

impl Recording {
    fn next(&mut self) -> &mut EtDumpWriter<SystemClock> {
        if self.runs == RUNS_OF_A_TRACE {
            *self = Recording::default();
        }
        self.runs += 1;
        &mut self.trace
    }
}

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
        let mut tracer = Recording::default();
        b.iter(|| method.execute(tracer.next()).expect("runs"));
    });
}

/// What an event costs: a program of 77 tiny operators, two events each.
fn tiny(criterion: &mut Criterion) {
    let bytes = fs::read(TINY).expect("the fixture");
    let program = Program::new(File::parse(&bytes).expect("a program"));
    let mut method =
        Method::load(&program, "forward", LoadOptions::default(), &mut NoTracer).expect("loads");
    method.set_inputs_to_ones().expect("inputs");
    criterion.bench_function("run lstm, one thread", |b| {
        b.iter(|| method.execute(&mut NoTracer).expect("runs"));
    });
    criterion.bench_function("run lstm, one thread, traced", |b| {
        let mut tracer = Recording::default();
        b.iter(|| method.execute(tracer.next()).expect("runs"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = run, tiny
}
criterion_main!(benches);
