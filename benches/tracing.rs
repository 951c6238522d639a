//! What tracing costs: the same runs with and without a trace, taken in turns
//! so that both meet the same machine. Prints the share of the time and the
//! nanoseconds per event, of the fastest and of the middle round. `TRACED_MODELS` names
//! more programs, separated by colons.

use et_runtime::{LoadOptions, Method, Program};
use et_schema::pte::File;
use etdump::{Contents, EtDumpWriter, NoTracer, SystemClock, Tracer};
use std::fs;
use std::path::Path;
use std::time::Instant;

const ROUNDS: usize = 400;
/// Rounds after which a trace is begun anew.
const ROUNDS_OF_A_TRACE: usize = 20;

fn main() {
    for (model, runs) in [("lstm", 50), ("mv2_w010", 5)] {
        let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models");
        measure(&format!("{models}/{model}/model.pte"), runs);
    }
    let more = std::env::var("TRACED_MODELS").unwrap_or_default();
    more.split(':').filter(|path| !path.is_empty()).for_each(|path| measure(path, 1));
}

fn measure(path: &str, runs: usize) {
    let bytes = fs::read(path).expect("the program");
    let folder = Path::new(path).parent().and_then(Path::file_name).unwrap_or_default();
    let model = folder.to_string_lossy();
    let program = Program::new(File::parse(&bytes).expect("a program"));
    let mut method =
        Method::load(&program, "forward", LoadOptions::default(), &mut NoTracer).expect("loads");
    method.set_inputs_to_ones().expect("inputs");
    let mut time = |tracer: &mut dyn Tracer| {
        let begun = Instant::now();
        for _ in 0..runs {
            method.execute(tracer).expect("runs");
        }
        begun.elapsed().as_nanos() as f64 / runs as f64
    };
    let (mut plain, mut traced) = (Vec::new(), Vec::new());
    let mut events = 0;
    for _ in 0..ROUNDS / ROUNDS_OF_A_TRACE {
        let mut trace = EtDumpWriter::new(SystemClock::default(), Contents::Full);
        for _ in 0..ROUNDS_OF_A_TRACE {
            plain.push(time(&mut NoTracer));
            traced.push(time(&mut trace));
        }
        let bytes = trace.finish().bytes;
        let file = et_schema::etdump::File::parse(&bytes).expect("a trace");
        events = file.runs().next().map_or(0, |run| run.events().count());
    }
    plain.sort_by(f64::total_cmp);
    traced.sort_by(f64::total_cmp);
    for (which, index) in [("fastest", 0), ("middle", ROUNDS / 2)] {
        let cost = traced[index] - plain[index];
        println!(
            "{model}, {which} round: {:.1} µs, {:.2} % more with a trace, {:.0} ns per event",
            plain[index] / 1e3,
            cost * 100.0 / plain[index],
            cost / events as f64
        );
    }
}
