//! Prediction of memory: loading, plan, our planners and suggestions.

use criterion::{Criterion, criterion_group, criterion_main};
use et_inspector::memory::MethodMemory;
use et_schema::layout::Abi;
use et_schema::pte::File;
use std::hint::black_box;
use std::path::Path;

fn memory(criterion: &mut Criterion) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    for model in ["softmax", "mv2_w010", "mv2_w010_q"] {
        let bytes = std::fs::read(models.join(model).join("model.pte")).expect("a fixture");
        criterion.bench_function(&format!("memory {model}"), |bencher| {
            bencher.iter(|| {
                let file = File::parse(black_box(&bytes)).expect("a program");
                let method = file.method("forward").expect("a method");
                let memory = MethodMemory::new(&file, method, Abi::Arm32).expect("a prediction");
                (memory.our_plans(), memory.suggestions())
            });
        });
    }
}

criterion_group!(benches, memory);
criterion_main!(benches);
