//! Nothing is allocated while instructions run, once a program has run before.

use et_runtime::{LoadOptions, Method, Program};
use et_schema::pte::File;
use etdump::NoTracer;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

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

/// Portable, quantized and Cortex-M programs, in float32, float16 and integers.
const MODELS: &[&str] = &[
    "activations",
    "add",
    "channels_last",
    "cm55_mv2_w010",
    "dtype_bf16",
    "kv_cache",
    "linear",
    "lstm",
    "mv2_w010",
    "mv2_w010_q",
    "norms",
    "pools",
    "q_cnn",
    "softmax",
    "transformer",
    "transformer_fp16",
];

/// Allocations of the third run of a program on ones.
fn allocations(model: &str) -> u64 {
    let path = format!("{}/../tests/fixtures/models/{model}/model.pte", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(path).expect("the fixture");
    let program = Program::new(File::parse(&bytes).expect("a program"));
    let mut method =
        Method::load(&program, "forward", LoadOptions::default(), &mut NoTracer).expect("loads");
    let mut count = 0;
    for _ in 0..3 {
        // A run may use the memory of its inputs for something else.
        method.set_inputs_to_ones().expect("inputs");
        let before = COUNT.get();
        method.execute(&mut NoTracer).expect("runs");
        count = COUNT.get() - before;
    }
    count
}

#[test]
fn warm_runs_allocate_nothing() {
    let counts: Vec<(&str, u64)> =
        MODELS.iter().map(|model| (*model, allocations(model))).filter(|(_, n)| *n > 0).collect();
    assert_eq!(counts, []);
}
