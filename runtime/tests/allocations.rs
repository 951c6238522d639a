//! Nothing is allocated while instructions run, once a program has run before.

mod support;

use et_runtime::{ExternalTensor, LoadOptions, Method, Program};
use et_schema::pte::File;
use et_schema::{bundled, ptd};
use etdump::NoTracer;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use support::bundled::set_input;
use support::fixtures;

thread_local! {
    /// Allocations of this thread.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting neither
// allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise is the one asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the one asked for.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Programs for processors that this runtime only stands in for.
const NOT_RUN: &str = "u55_ u85_";

/// Programs whose delegate allocates: its graph is another runtime's business.
const DELEGATED: &str = "xnn_";

/// Kernels that allocate: those of training, which keep means and deviations.
const ALLOCATING: &[&str] =
    &["aten._native_batch_norm_legit.out", "aten._native_batch_norm_legit.no_stats_out"];

fn is_any(name: &str, prefixes: &str) -> bool {
    prefixes.split(' ').any(|prefix| name.starts_with(prefix))
}

/// Allocations of the third of some runs; `None` if a run fails.
fn allocations<'p>(
    program: &Program<'p>,
    name: &str,
    mut set_inputs: impl FnMut(&mut Method<'p>) -> Result<(), et_runtime::Error>,
) -> Option<u64> {
    let mut method = Method::load(program, name, LoadOptions::default(), &mut NoTracer).ok()?;
    let mut count = 0;
    for _ in 0..3 {
        // A run may use the memory of its inputs for something else.
        set_inputs(&mut method).ok()?;
        let before = COUNT.get();
        method.execute(&mut NoTracer).ok()?;
        count = COUNT.get() - before;
    }
    Some(count)
}

#[test]
fn warm_runs_of_programs_allocate_nothing() {
    let (mut counts, mut methods) = (Vec::new(), 0);
    for entry in fs::read_dir(fixtures().join("models")).unwrap() {
        let folder = entry.unwrap().path();
        let model = folder.file_name().unwrap().to_str().unwrap().to_owned();
        if is_any(&model, NOT_RUN) || is_any(&model, DELEGATED) {
            continue;
        }
        let bytes = fs::read(folder.join("model.pte")).unwrap();
        let data = fs::read(folder.join("_default_external_constant.ptd")).ok();
        let mut program = Program::new(File::parse(&bytes).unwrap());
        if let Some(data) = &data {
            let file = ptd::File::parse(data).unwrap();
            for entry in file.entries() {
                let scalar_type = entry.tensor_layout().unwrap().scalar_type().unwrap();
                let data = file.data(&entry).unwrap();
                program.add_external(entry.key(), ExternalTensor { scalar_type, data });
            }
        }
        let names: Vec<&str> = program.file().methods().map(|method| method.name()).collect();
        for name in names {
            let count = allocations(&program, name, Method::set_inputs_to_ones);
            methods += 1;
            if count != Some(0) {
                counts.push(format!("{model} {name}: {count:?}"));
            }
        }
    }
    assert!(counts.is_empty(), "{counts:?}");
    assert!(methods >= 38, "{methods} methods");
}

#[test]
fn warm_calls_of_kernels_allocate_nothing() {
    let (mut counts, mut calls) = (Vec::new(), 0);
    for entry in fs::read_dir(fixtures().join("kernels")).unwrap() {
        let path = entry.unwrap().path();
        let operator = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_none_or(|e| e != "bpte") || ALLOCATING.contains(&operator) {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let bundled = bundled::File::parse(&bytes).unwrap();
        let program = Program::new(File::parse(bundled.program()).unwrap());
        let names: Vec<&str> = program.file().methods().map(|method| method.name()).collect();
        for name in names {
            let Some(case) = bundled.suite(name).unwrap().case(0) else { continue };
            let count = allocations(&program, name, |method| {
                let mut inputs = case.inputs().enumerate();
                inputs.try_for_each(|(index, input)| set_input(method, index, &input))
            });
            calls += usize::from(count.is_some());
            if count.is_some_and(|count| count > 0) {
                counts.push(format!("{operator} {name}: {count:?}"));
            }
        }
    }
    assert!(counts.is_empty(), "{} of {calls}:\n{}", counts.len(), counts.join("\n"));
    assert!(calls > 1000, "{calls} calls");
}
