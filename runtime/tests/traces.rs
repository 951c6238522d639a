//! Our traces have the events of the real runtime's: names, order, places, values.

mod support;

use ::etdump::{Contents, DebugLevel, EtDumpWriter, SystemClock};
use et_runtime::{LoadOptions, Method, Program};
use et_schema::etdump::{self, Event, Value};
use et_schema::pte::File;
use etdump::File as Trace;
use std::fs;
use support::fixtures;

/// An event without its times.
fn describe(event: &Event<'_>) -> String {
    match event {
        Event::Profile(e) => {
            format!("{} at {}:{} {:?}", e.name, e.chain_index, e.instruction_id, e.delegate_id)
        }
        Event::Allocation(e) => format!("allocation {} of {}", e.size, e.allocator_id),
        Event::Debug(e) => {
            let place = (e.chain_index as i64, e.instruction_id);
            format!("{} at {place:?} output {}", value(e.value.as_ref()), e.is_output)
        }
        Event::Empty => "empty".into(),
    }
}

fn value(value: Option<&Value<'_>>) -> String {
    let tensor = |t: &etdump::Tensor<'_>| {
        let sizes: Vec<i64> = t.sizes().iter().collect();
        let strides: Vec<i64> = t.strides().iter().collect();
        format!("{:?}{sizes:?}{strides:?}", t.scalar_type())
    };
    match value {
        Some(Value::Tensor(t)) => tensor(t),
        Some(Value::TensorList(list)) => {
            list.iter().map(|t| tensor(&t)).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    }
}

fn runs(trace: &[u8]) -> Vec<(String, Vec<String>)> {
    let file = Trace::parse(trace).unwrap();
    file.runs().map(|r| (r.name().into(), r.events().map(|e| describe(&e)).collect())).collect()
}

/// Runs `model` once on its first case, as the recorded traces were made.
fn record(model: &str) -> Vec<u8> {
    let dir = fixtures().join("models").join(model);
    let bytes = fs::read(dir.join("model.pte")).unwrap();
    let program = Program::new(File::parse(&bytes).unwrap());
    let mut writer = EtDumpWriter::new(SystemClock::default(), Contents::InspectorCompatible);
    writer.log_values(DebugLevel::IntermediateOutputs, None);
    let mut method =
        Method::load(&program, "forward", LoadOptions::default(), &mut writer).unwrap();
    support::set_inputs(&mut method, &dir.join("io/forward/case0")).unwrap();
    method.execute(&mut writer).unwrap();
    writer.finish().bytes
}

macro_rules! traces {
    ($($name:ident;)+) => {
        $(#[test]
        fn $name() {
            let name = stringify!($name);
            let recorded = fixtures().join("traces").join(format!("{name}__it1_dbg.etdp"));
            assert_eq!(runs(&record(name)), runs(&fs::read(recorded).unwrap()));
        })+
    };
}

traces! {
    softmax;
    linear;
    add;
    add_mul;
    channels_last;
    activations;
    pools;
    mlp_align4k;
    mlp_stacktrace;
    mlp_viewcopy;
    mv2_w010;
    map_loop;
    dtype_int8;
    dtype_int32;
    lstm;
    q_cnn;
    q_mlp_dynamic;
    q_mlp_per_tensor;
    scalar_inputs;
    transformer;
    dynamic_mlp;
    norms;
    cond;
    data_movement;
    int_ops;
    scatter_ops;
}
