//! The account of the method allocator equals what the real runtime allocated.

mod support;

use et_runtime::{LoadOptions, Method, Program};
use et_schema::ReadError;
use et_schema::layout::Abi;
use et_schema::layout::{LoadSettings, Pool, Step, method_allocations};
use et_schema::pte::File;
use serde_json::Value;
use std::fs;
use support::fixtures;

/// Size and alignment of each allocation while `forward` of `model` loads.
fn predicted(bytes: &[u8]) -> Vec<(u64, u64)> {
    let file = File::parse(bytes).unwrap();
    let method = file.method("forward").unwrap();
    let settings = LoadSettings {
        abi: Abi::X86_64,
        temp_pool: Some(1 << 26),
        external_data: false,
        input_flags: true,
    };
    let mut allocations = Vec::new();
    method_allocations::<ReadError>(&file, &method, settings, &mut |step| {
        if let Step::Allocate(a) = step
            && a.pool == Pool::Method
        {
            allocations.push((a.size, a.align.into()));
        }
        Ok(())
    })
    .unwrap();
    allocations
}

#[test]
fn method_allocations_are_those_of_the_real_runtime() {
    let mut checked = 0;
    for entry in fs::read_dir(fixtures().join("allocations")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().trim_end_matches(".alloc.json");
        let recorded: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let bytes = fs::read(fixtures().join("models").join(name).join("model.pte")).unwrap();
        let file = File::parse(&bytes).unwrap();
        // Backends allocate on their own, and a data file changes the loader's path.
        let has_delegates = file.method("forward").unwrap().delegates().len() > 0;
        if has_delegates || recorded["rc"] != 0 {
            continue;
        }
        let expected: Vec<(u64, u64)> = recorded["method"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| (a[0].as_u64().unwrap(), a[1].as_u64().unwrap()))
            .collect();
        assert_eq!(predicted(&bytes), expected, "{name}");
        checked += 1;
    }
    assert!(checked >= 20, "only {checked} programs were checked");
}

#[test]
fn loading_uses_what_the_real_runtime_uses() {
    let bytes = fs::read(fixtures().join("models/softmax/model.pte")).unwrap();
    let program = Program::new(File::parse(&bytes).unwrap());
    let method =
        Method::load(&program, "forward", LoadOptions::default(), &mut etdump::NoTracer).unwrap();
    let recorded: Value = serde_json::from_slice(
        &fs::read(fixtures().join("allocations/softmax.alloc.json")).unwrap(),
    )
    .unwrap();
    let usage = method.pool_usage();
    assert_eq!(usage[0].name, "method");
    assert_eq!(usage[0].used, recorded["method_allocator_used"].as_u64().unwrap());
    assert_eq!(usage[1].limit, recorded["planned_buffers"][0].as_u64());
}
