//! Prediction of memory: loading, plan, our planners and suggestions.

use criterion::{Criterion, criterion_group, criterion_main};
use et_inspector::memory::MethodMemory;
use et_schema::layout::Abi;
use et_schema::pte::File;
use std::hint::black_box;
use std::path::Path;

#[path = "../inspector/tests/support/generate.rs"]
mod generate;

/// Instructions of the program that is generated.
const INSTRUCTIONS: usize = 100_000;

/// Everything that `etinspect memory` computes.
fn predict(bytes: &[u8]) -> (u64, usize) {
    let file = File::parse(bytes).expect("a program");
    let method = file.method("forward").expect("a method");
    let memory = MethodMemory::new(&file, method, Abi::Arm32).expect("a prediction");
    (memory.our_plans().iter().map(|plan| plan.size).sum(), memory.suggestions().len())
}

fn memory(criterion: &mut Criterion) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    for model in ["softmax", "mv2_w010", "mv2_w010_q"] {
        let bytes = std::fs::read(models.join(model).join("model.pte")).expect("a fixture");
        criterion.bench_function(&format!("memory {model}"), |bencher| {
            bencher.iter(|| predict(black_box(&bytes)));
        });
    }
    let bytes = generate::program(INSTRUCTIONS);
    let mut group = criterion.benchmark_group("memory");
    group.sample_size(10).bench_function("100,000 instructions", |bencher| {
        bencher.iter(|| predict(black_box(&bytes)));
    });
}

criterion_group!(benches, memory);
criterion_main!(benches);
