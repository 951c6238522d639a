//! Damaged programs, through the whole library: read, loaded and executed
//! until something refuses them. Whatever happens, it is an error or a result,
//! never a panic, and soon.

use et_runtime::{LoadOptions, Method, Program};
use et_schema::pte::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// Small programs that between them have all kinds of values, instructions,
/// constants and delegates.
const PROGRAMS: [&str; 12] = [
    "add_mul",
    "channels_last",
    "cond",
    "dynamic_mlp",
    "kv_cache",
    "linear",
    "map_loop",
    "multi_method_forward",
    "pools",
    "scalar_inputs",
    "softmax",
    "xnn_inline_delegate",
];

/// Longest run of a damaged program, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A flip can make an endless loop. The ten million instructions after which
/// the runtime stops it as ExecuTorch does are too many for a test.
const MAX_INSTRUCTIONS: u64 = 20_000;

fn program(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name);
    std::fs::read(path.join("model.pte")).expect("a fixture")
}

/// How far a program got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Refused,
    Failed,
    Done,
}

fn run(bytes: &[u8]) -> Reached {
    let Ok(file) = File::parse(bytes) else { return Reached::Refused };
    let program = Program::new(file);
    let mut reached = Reached::Failed;
    for method in file.methods() {
        let mut tracer = etdump::NoTracer;
        let options = LoadOptions { max_instructions: MAX_INSTRUCTIONS, ..LoadOptions::default() };
        let loaded = Method::load(&program, method.name(), options, &mut tracer);
        let Ok(mut loaded) = loaded else { continue };
        if loaded.set_inputs_to_ones().is_ok() && loaded.execute(&mut tracer).is_ok() {
            reached = Reached::Done;
        }
    }
    reached
}

/// Runs the program that `damage` describes, and fails the test with it.
fn check(bytes: &[u8], damage: impl FnOnce() -> String) -> Reached {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| run(bytes)));
    let Ok(reached) = result else { panic!("panicked on {}", damage()) };
    assert!(start.elapsed() < SOON, "took {:?} on {}", start.elapsed(), damage());
    reached
}

#[test]
fn truncated_programs_are_refused() {
    for name in PROGRAMS {
        let bytes = program(name);
        for step in 0..64 {
            let length = bytes.len() * step / 64;
            let reached = check(&bytes[..length], || format!("{name}, first {length} bytes"));
            assert!(reached == Reached::Refused, "{name}: ran from its first {length} bytes");
        }
    }
}

#[test]
fn flipped_bits_are_an_error_or_harmless() {
    for (seed, name) in (1u64..).zip(PROGRAMS) {
        let bytes = program(name);
        let whole = check(&bytes, || name.to_owned());
        let mut damaged = bytes.clone();
        let mut state = seed;
        let (mut refused, mut done) = (0, 0);
        for _ in 0..2000 {
            // A linear congruential generator, Knuth's MMIX; its high bits are good.
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % bytes.len();
            let bit = 1 << (state >> 30 & 7);
            damaged[at] ^= bit;
            match check(&damaged, || format!("{name}, byte {at} xor {bit:#04x}")) {
                Reached::Refused => refused += 1,
                Reached::Failed => {}
                Reached::Done => done += 1,
            }
            damaged[at] = bytes[at];
        }
        assert!(refused > 0, "{name}: no flip was noticed");
        assert!(done > 0 || whole != Reached::Done, "{name}: no flip was harmless");
    }
}
