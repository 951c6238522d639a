//! Speed of XNNPACK delegates on one thread: the quantized MobileNetV2 of the
//! fixtures, and every program that `XNNPACK_MODELS` names, separated by colons.
//! `benches/against_executorch.sh` has the real delegate's times beside ours.

use criterion::{Criterion, criterion_group, criterion_main};
use et_schema::pte::{File, Value};
use et_schema::xnnpack::Payload;
use et_xnnpack::{Graph, Observer};
use std::fs;
use std::path::Path;

const MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/models/xnn_mv2_w010_qs8/model.pte");

/// Nobody looks at the operations.
struct Unseen;

impl Observer for Unseen {
    fn begin(&mut self, _name: &str) -> u64 {
        0
    }

    fn end(&mut self, _name: &str, _begun: u64) {}
}

/// The first delegate of `forward`, whose inputs are ones.
fn load(bytes: &[u8]) -> Graph {
    let file = File::parse(bytes).expect("a program");
    let method = file.method("forward").expect("a method");
    let delegate = method.delegates().next().expect("a delegate");
    let payload = Payload::parse(delegate.payload(&file).expect("a payload")).expect("a graph");
    let named = |key: &str| file.find_named_data(key).ok().flatten();
    let mut graph = Graph::load(&payload, &named, 1).expect("loads");
    for (argument, id) in method.inputs().enumerate() {
        let Ok(Value::Tensor(tensor)) = method.value(id) else { panic!("a tensor") };
        let dims: Vec<usize> = tensor.sizes().iter().map(|size| size as usize).collect();
        let ones = 1_f32.to_le_bytes().repeat(dims.iter().product());
        graph.set_input(argument as u32, &dims, &ones).expect("an input");
    }
    graph
}

fn run(criterion: &mut Criterion) {
    let more = std::env::var("XNNPACK_MODELS").unwrap_or_default();
    for path in std::iter::once(MODEL).chain(more.split(':').filter(|path| !path.is_empty())) {
        let bytes = fs::read(path).expect("the program");
        let mut graph = load(&bytes);
        let folder = Path::new(path).parent().and_then(Path::file_name).unwrap_or_default();
        criterion.bench_function(&format!("run {}, one thread", folder.to_string_lossy()), |b| {
            b.iter(|| graph.run(&mut Unseen).expect("runs"));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = run
}
criterion_main!(benches);
