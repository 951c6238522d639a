//! Instructions that run together give what they give one by one, to the last bit,
//! and a trace has the same events.

mod support;

use et_runtime::{LoadOptions, Method, OutputRef, Program, Rounding};
use et_schema::etdump::{Event, File as Trace};
use et_schema::pte::File;
use etdump::{Contents, DebugLevel, EtDumpWriter, NoTracer, Place, SystemClock, Ticks, Tracer};
use std::fs;
use support::{fixtures, set_inputs};

/// Fixtures with convolutions, in which some run together and some may not.
const MODELS: &[&str] = &["mv2_w010", "mv2_w010_q", "q_cnn", "channels_last", "pools"];

/// Takes no spans, as a flight recorder; counts those that it gets all the same.
#[derive(Default)]
struct OneByOne {
    instructions: usize,
    spans: usize,
}

impl Tracer for OneByOne {
    fn takes_spans(&self) -> bool {
        false
    }

    fn span(&mut self, _: &str, _: Place, _: Ticks, _: Ticks) {
        self.spans += 1;
    }

    fn end(&mut self, name: &str, _: Place, _: Ticks) {
        self.instructions += usize::from(name == "OPERATOR_CALL");
    }
}

/// Counts instructions that were reported together.
#[derive(Default)]
struct Spans(usize);

impl Tracer for Spans {
    fn now(&mut self) -> Option<Ticks> {
        Some(Ticks(0))
    }

    fn span(&mut self, name: &str, _: Place, _: Ticks, _: Ticks) {
        self.0 += usize::from(name == "OPERATOR_CALL");
    }
}

/// The outputs' bytes of a run of the first case.
fn outputs(model: &str, threads: usize, tracer: &mut dyn Tracer) -> Vec<Vec<u8>> {
    outputs_with(LoadOptions { threads, ..LoadOptions::default() }, model, tracer)
}

/// The same with options.
fn outputs_with(options: LoadOptions, model: &str, tracer: &mut dyn Tracer) -> Vec<Vec<u8>> {
    let dir = fixtures().join("models").join(model);
    let bytes = fs::read(dir.join("model.pte")).expect("the fixture");
    let program = Program::new(File::parse(&bytes).expect("a program"));
    let mut method = Method::load(&program, "forward", options, tracer).expect("loads");
    set_inputs(&mut method, &dir.join("io/forward/case0")).expect("inputs");
    method.execute(tracer).expect("runs");
    let bytes = |output| match output {
        OutputRef::Tensor(tensor) => tensor.bytes().to_vec(),
        other => panic!("{other:?}"),
    };
    method.outputs().map(bytes).collect()
}

#[test]
fn results_are_the_same_to_the_last_bit() {
    for rounding in [Rounding::Twice, Rounding::Once] {
        for model in MODELS {
            let mut one_by_one = OneByOne::default();
            let options = LoadOptions { rounding, ..LoadOptions::default() };
            let expected = outputs_with(options, model, &mut one_by_one);
            assert_eq!(one_by_one.spans, 0, "{model}");
            for threads in [1, 3] {
                let options = LoadOptions { threads, ..options };
                // A trace has a sample of the first channels run one by one.
                let traced = outputs_with(options, model, &mut Spans::default());
                assert!(traced == expected, "{model} {rounding:?}");
                let untraced = outputs_with(options, model, &mut NoTracer);
                assert!(untraced == expected, "{model} {rounding:?} untraced");
            }
        }
    }
}

/// Processors without the instruction round as ever.
#[test]
fn rounding_once_changes_last_digits_where_it_can() {
    #[cfg(target_arch = "x86_64")]
    let can = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let can = cfg!(target_arch = "aarch64");
    for model in ["mv2_w010", "channels_last", "transformer", "mlp_stacktrace"] {
        let of = |rounding| {
            let options = LoadOptions { rounding, ..LoadOptions::default() };
            outputs_with(options, model, &mut Spans::default())
        };
        assert_eq!(of(Rounding::Once) != of(Rounding::Twice), can, "{model}");
    }
}

#[test]
fn most_of_a_mobile_net_runs_together() {
    let (mut one_by_one, mut spans) = (OneByOne::default(), Spans::default());
    outputs("mv2_w010", 1, &mut one_by_one);
    outputs("mv2_w010", 1, &mut spans);
    assert!(
        spans.0 * 10 > one_by_one.instructions * 9,
        "{} of {}",
        spans.0,
        one_by_one.instructions
    );
}

/// Name, chain and instruction of an event.
type Happening = (String, i32, i32);

/// Every event of the execution, and when each began and ended.
fn events(level: DebugLevel) -> (Vec<Happening>, Vec<(u64, u64)>) {
    let mut trace = EtDumpWriter::new(SystemClock::default(), Contents::Full);
    trace.log_values(level, None);
    outputs("mv2_w010", 1, &mut trace);
    let bytes = trace.finish().bytes;
    let file = Trace::parse(&bytes).expect("a trace");
    let run = file.runs().find(|run| run.name() == "Execute").expect("an execution");
    let profile = run.events().filter_map(|event| match event {
        Event::Profile(event) => Some(event),
        _ => None,
    });
    profile
        .map(|event| {
            let place = (event.name.to_string(), event.chain_index, event.instruction_id);
            (place, (event.start_time, event.end_time))
        })
        .unzip()
}

#[test]
fn traces_have_the_same_events_and_times_that_follow_each_other() {
    let (together, times) = events(DebugLevel::None);
    // A debug buffer takes every tensor in between, so all run one by one.
    let (one_by_one, _) = events(DebugLevel::IntermediateOutputs);
    assert_eq!(together, one_by_one);
    let whole = together.iter().position(|(name, ..)| name == "Method::execute").expect("whole");
    let mut before = times[whole].0;
    for ((name, ..), (begun, ended)) in together.iter().zip(&times) {
        if name == "OPERATOR_CALL" {
            assert!(before <= *begun && begun <= ended, "{name}: {begun} to {ended}");
            before = *ended;
        }
    }
    assert!(before <= times[whole].1);
}
