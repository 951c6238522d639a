//! Traces whose lists of runs and events are broken: of the real runtime, which
//! leaves them so when it logs float16 and bfloat16 tensors, and whole ones
//! whose root was overwritten.

mod support;

use et_schema::etdump::{Event, File, Run};
use std::fs;
use support::{fixture, path};

/// A run by its name, and its events but for their times.
fn names(run: &Run<'_>) -> Vec<String> {
    let name = |event| match event {
        Event::Profile(e) => format!("{} {}:{}", e.name, e.chain_index, e.instruction_id),
        Event::Debug(e) => format!("value {}:{}", e.chain_index as i64, e.instruction_id),
        Event::Allocation(e) => format!("allocation {} {}", e.allocator_id, e.size),
        Event::Empty => String::from("empty"),
    };
    std::iter::once(run.name().to_owned()).chain(run.events().map(name)).collect()
}

/// What an execution of kernels is, of which instructions log values that a trace has.
fn execution(kernels: &[&str], with_values: &[usize], outputs: usize) -> Vec<String> {
    let mut names = vec![String::from("Execute")];
    for (index, kernel) in kernels.iter().enumerate() {
        names.extend(with_values.contains(&index).then(|| format!("value 0:{index}")));
        names.push(format!("native_call_{kernel} 0:{index}"));
        names.push(format!("OPERATOR_CALL 0:{index}"));
    }
    names.push(String::from("Method::execute -1:0"));
    names.extend(std::iter::repeat_n(String::from("value -1:0"), outputs));
    names
}

const LOADING: [&str; 3] = ["Default", "Method::init -1:0", "Program::load_method -1:0"];

#[test]
fn traces_of_half_precision_have_their_events() {
    let copy = "_to_dim_order_copy.out";
    let mixed = execution(
        &[copy, copy, "mul.out", "relu.out", copy, "add.out", "sigmoid.out"],
        &[4, 5, 6],
        2,
    );
    let late = [["sin.out", copy, "add.out"]; 3].concat();
    let late = [late, vec![copy]].concat();
    let cases = [
        (
            "traces/dtype_fp16__it1_dbg.etdp",
            execution(&["add.out", "mul.out", "sub.out"], &[], 0),
            1,
        ),
        ("half_debug/mixed/trace.etdp", mixed, 3),
        ("half_debug/late/trace.etdp", execution(&late, &[0, 1, 2, 3, 4, 5, 6, 7, 8], 0), 2),
        ("half_debug/channels/trace.etdp", execution(&[copy, "add.out", "mul.out"], &[], 0), 2),
    ];
    for (trace, executed, runs) in cases {
        let bytes = fixture(trace);
        assert!(File::parse(&bytes).is_err(), "{trace}");
        let file = File::recover(&bytes).unwrap();
        let found: Vec<Vec<String>> = file.runs().map(|run| names(&run)).collect();
        assert_eq!(found[0], LOADING, "{trace}");
        assert_eq!(found.len(), 1 + runs, "{trace}");
        assert!(found[1..].iter().all(|run| *run == executed), "{trace}: {:?}", found[1]);
        let damage = file.damage().unwrap();
        assert_eq!((damage.events, damage.runs), (2 + runs * (executed.len() - 1), 1 + runs));
        assert!(file.truncation().is_none());
        assert_in_order(trace, &file);
    }
}

/// Events end one after the other.
fn assert_in_order(trace: &str, file: &File<'_>) {
    let mut last = 0;
    for event in file.runs().flat_map(|run| run.events()) {
        if let Event::Profile(event) = event {
            assert!(event.start_time <= event.end_time, "{trace}");
            assert!(last <= event.end_time, "{trace}: {} ends before another", event.name);
            last = event.end_time;
        }
    }
}

#[test]
fn a_trace_without_its_root_has_all_its_events() {
    let mut whole = 0;
    for entry in fs::read_dir(path("traces")).unwrap() {
        let trace = entry.unwrap().path();
        if trace.extension().is_none_or(|extension| extension != "etdp") {
            continue;
        }
        let mut bytes = fs::read(&trace).unwrap();
        let Ok(file) = File::parse(&bytes) else { continue };
        let describe = |file: &File<'_>| -> Vec<(Vec<String>, Vec<String>)> {
            let runs = file.runs().filter(|run| run.events().len() > 0);
            runs.map(|run| (names(&run), run.allocators().map(str::to_owned).collect())).collect()
        };
        let expected = describe(&file);
        // The reference to the root leads outside of the file.
        let prefix = if file.is_size_prefixed() { 4 } else { 0 };
        bytes[prefix..prefix + 4].copy_from_slice(&0x7fff_fff0u32.to_le_bytes());
        // Without a size the file may as well be cut off.
        if prefix == 0 || expected.is_empty() {
            continue;
        }
        let found = File::recover(&bytes).unwrap_or_else(|e| panic!("{}: {e}", trace.display()));
        assert_eq!(describe(&found), expected, "{}", trace.display());
        whole += 1;
    }
    assert!(whole > 20, "{whole}");
}
