//! The estimate of XNNPACK's heap against what the real runtime took.

use et_inspector::memory::MethodMemory;
use et_schema::layout::Abi;
use et_schema::pte::File;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// What the runtime itself keeps on the heap besides, measured with programs
/// without delegates.
const RUNTIME: f64 = 2900.0;

#[test]
fn nine_of_ten_programs_take_what_is_estimated_within_a_factor_of_two() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let measured = std::fs::read(fixtures.join("xnnpack_heap.json")).expect("the measurements");
    let measured: BTreeMap<String, f64> = serde_json::from_slice(&measured).expect("JSON");
    let archive = std::fs::File::open(fixtures.join("xnnpack_references.zip"));
    let mut archive = zip::ZipArchive::new(archive.expect("the archive")).expect("a zip archive");
    let mut ratios = Vec::new();
    for (name, bytes) in &measured {
        let mut program = Vec::new();
        let path = fixtures.join("models").join(name).join("model.pte");
        if let Ok(bytes) = std::fs::read(path) {
            program = bytes;
        } else if let Ok(mut file) = archive.by_name(&format!("{name}/model.pte")) {
            file.read_to_end(&mut program).expect("a program");
        } else {
            continue;
        }
        let file = File::parse(&program).expect("a program");
        let method = file.methods().next().expect("a method");
        let memory = MethodMemory::new(&file, method, Abi::X86_64).expect("a sound program");
        let heap: u64 = memory.delegates.iter().filter_map(|delegate| delegate.heap).sum();
        if heap > 0 {
            // The Python module takes its pools from the heap as well.
            let planned: i64 = method.planned_buffers().map(|(_, size)| size).sum();
            let pools = memory.loading.method_used as f64 + planned as f64;
            ratios.push((bytes - pools - RUNTIME) / heap as f64);
        }
    }
    ratios.sort_by(f64::total_cmp);
    assert!(ratios.len() > 100, "{}", ratios.len());
    let close = ratios.iter().filter(|ratio| (0.5..2.0).contains(*ratio)).count();
    assert!(close * 10 >= ratios.len() * 9, "{close} of {}: {ratios:?}", ratios.len());
}
