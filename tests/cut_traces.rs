//! Every command that takes a trace takes one that is cut off: it uses what
//! lies before the cut, says what is missing, and concludes nothing from that.

#![cfg(unix)]

mod support;

use et_schema::ids::{ChainId, InstructionId};
use etdump::{Contents, EtDumpWriter, Place, Ticks, Tracer};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use support::{Ran, etinspect, fixture, model};

/// Where traces are cut, in percent of their size.
const CUTS: [usize; 6] = [35, 50, 65, 80, 92, 99];

/// A cut trace in a folder that is gone with it.
struct Cut {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn cut(trace: &str, percent: usize) -> Cut {
    let bytes = fs::read(fixture("traces").join(trace)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.etdp");
    fs::write(&path, &bytes[..bytes.len() * percent / 100]).unwrap();
    Cut { path, _folder: folder }
}

fn run(arguments: &[&str], files: &[&PathBuf]) -> Ran {
    let words = arguments.iter().map(|word| {
        let index = word.strip_prefix('@').and_then(|index| index.parse::<usize>().ok());
        index.map_or_else(|| word.into(), |index| files[index].clone().into_os_string())
    });
    etinspect(words)
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr))
}

fn names(events: &Value) -> Vec<&str> {
    events.as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect()
}

#[test]
fn show_counts_the_events_before_the_cut() {
    for trace in ["lstm__it10.etdp", "linear__it3_dbg.etdp", "lstm__runner_alloc.etdp"] {
        let whole =
            json(&run(&["show", "@0", "--format", "json"], &[&fixture("traces").join(trace)]));
        assert_eq!(whole["truncated"], Value::Null);
        for percent in CUTS {
            let cut = cut(trace, percent);
            let ran = run(&["show", "@0", "--format", "json"], &[&cut.path]);
            assert_eq!(ran.status, Some(0), "{trace} {percent}: {}", ran.stderr);
            assert!(ran.stderr.contains("cut off"), "{trace} {percent}: {}", ran.stderr);
            let document = json(&ran);
            let kinds = ["profile_events", "allocation_events", "debug_events"];
            let mut events = 0;
            for found in document["runs"].as_array().unwrap() {
                // The run of the same number of the whole trace has what was lost as well.
                let index = found["index"].as_u64().unwrap() as usize;
                let count =
                    |run: &Value| kinds.map(|kind| run[kind].as_u64().unwrap()).iter().sum();
                let (here, there): (u64, u64) = (count(found), count(&whole["runs"][index]));
                // Its name may lie behind the cut.
                let names = [&whole["runs"][index]["name"], &Value::from("")];
                assert!(names.contains(&&found["name"]), "{trace} {percent}");
                assert_eq!(here + found["lost_events"].as_u64().unwrap(), there);
                events += here;
            }
            assert_eq!(document["truncated"]["events"], events, "{trace} {percent}");
            let text = run(&["show", "@0", "--all"], &[&cut.path]).stdout;
            let runs = document["runs"].as_array().unwrap();
            let is_cut = runs.iter().any(|run| run["lost_events"] != 0);
            assert_eq!(text.contains("before them cut off"), is_cut, "{text}");
        }
    }
}

#[test]
fn diff_takes_nothing_that_the_cut_took_for_a_change() {
    for trace in ["lstm__it10.etdp", "add__it10.etdp", "linear__it10.etdp"] {
        let whole = fixture("traces").join(trace);
        let all = json(&run(&["diff", "@0", "@0", "--format", "json"], &[&whole]));
        let all = all["changes"].as_array().unwrap().len();
        for percent in CUTS {
            let cut = cut(trace, percent);
            for (order, sides) in [[&whole, &cut.path], [&cut.path, &whole]].into_iter().enumerate()
            {
                let ran = run(&["diff", "@0", "@1", "--format", "json"], &sides);
                let what = format!("{trace} {percent} {order}: {}", ran.stderr);
                assert_eq!(ran.status, Some(0), "{what}");
                assert_eq!(ran.stderr.matches("cut off").count(), 1, "{what}");
                let document = json(&ran);
                assert_eq!(names(&document["gone"]), [""; 0], "{what}");
                assert_eq!(names(&document["added"]), [""; 0], "{what}");
                let (changes, unknown) = (&document["changes"], names(&document["unknown"]).len());
                assert_eq!(changes.as_array().unwrap().len() + unknown, all, "{what}");
                assert!(unknown < all, "{what}");
                let cut = ["base_truncated", "new_truncated"].map(|side| !document[side].is_null());
                assert_eq!(cut, [order == 1, order == 0], "{what}");
            }
        }
    }
}

#[test]
fn diff_still_finds_what_is_gone_from_whole_runs() {
    let folder = tempfile::tempdir().unwrap();
    let trace = |name: &str, operators: u32, share: usize| {
        let mut now = 1_000;
        let clock = move || {
            now += 10;
            Ticks(now)
        };
        let mut writer = EtDumpWriter::new(clock, Contents::InspectorCompatible);
        for _ in 0..6 {
            writer.begin_run("Execute", &[]);
            for index in 0..operators {
                let place = Place::Instruction(ChainId(0), InstructionId(index));
                let kernel = format!("native_call_{index}.out");
                let begun = writer.begin(&kernel, place);
                writer.end(&kernel, place, begun);
            }
        }
        let bytes = writer.finish().bytes;
        let path = folder.path().join(name);
        fs::write(&path, &bytes[..bytes.len() * share / 100]).unwrap();
        path
    };
    let (base, cut) = (trace("base.etdp", 5, 100), trace("cut.etdp", 4, 80));
    let document = json(&run(&["diff", "@0", "@1", "--format", "json"], &[&base, &cut]));
    assert_eq!(names(&document["gone"]), ["native_call_4.out"], "{document:#}");
    assert_eq!(names(&document["unknown"]), [""; 0], "{document:#}");
}

#[test]
fn diff_does_not_take_the_other_branch_for_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let program = model("cond");
    let trace = |case: &str| {
        let path = folder.path().join(format!("{case}.etdp"));
        let inputs = ["in_0.npy", "in_1.npy"]
            .map(|name| fixture("models/cond/io/forward").join(case).join(name));
        let arguments =
            ["run", "@0", "--input", "@1", "--input", "@2", "--iterations", "6", "--etdump", "@3"];
        let ran = run(&arguments, &[&program, &inputs[0], &inputs[1], &path]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        path
    };
    let (one, other) = (trace("case0"), trace("case1"));
    let whole = json(&run(&["diff", "@0", "@1", "--format", "json"], &[&one, &other]));
    let of_branches = names(&whole["gone"]).len() + names(&whole["added"]).len();
    assert!(of_branches > 4, "{whole:#}");
    let bytes = fs::read(&one).unwrap();
    let cut = folder.path().join("cut.etdp");
    fs::write(&cut, &bytes[..bytes.len() * 7 / 10]).unwrap();
    // What the cut took may have run the other branch.
    let document = json(&run(&["diff", "@0", "@1", "--format", "json"], &[&cut, &other]));
    assert_eq!(names(&document["added"]), [""; 0], "{document:#}");
    assert_eq!(document["gone"], whole["gone"]);
    let unknown = document["unknown"].as_array().unwrap();
    let added = whole["added"].as_array().unwrap();
    assert!(added.iter().all(|event| unknown.contains(event)), "{document:#}");
}

#[test]
fn memory_compares_no_loading_that_is_cut() {
    for name in ["lstm", "linear", "transformer"] {
        let trace = format!("{name}__runner_alloc.etdp");
        let program = model(name);
        let arguments = ["memory", "@0", "--trace", "@1", "--format", "json"];
        let whole = json(&run(&arguments, &[&program, &fixture("traces").join(&trace)]));
        let measured = &whole["methods"][0]["measured"];
        assert_eq!(measured["equal"], true);
        assert_eq!(measured["loading_cut_off"], false);
        for percent in CUTS {
            let cut = cut(&trace, percent);
            let ran = run(&arguments, &[&program, &cut.path]);
            assert!(ran.stderr.contains("cut off"), "{name} {percent}: {}", ran.stderr);
            let document = json(&ran);
            // Nothing that is missing is held against the prediction.
            let findings = document["findings"].as_array().unwrap();
            assert!(
                findings.iter().all(|f| f["code"] != "ETM006"),
                "{name} {percent}: {document:#}"
            );
            let measured = &document["methods"][0]["measured"];
            if measured.is_null() {
                assert!(ran.stderr.contains("nothing is compared"), "{name} {percent}");
                continue;
            }
            assert_eq!(measured["equal"], true, "{name} {percent}: {measured:#}");
            assert_eq!(measured["loading_cut_off"], true, "{name} {percent}");
            let method = &measured["allocators"][0];
            assert_eq!(
                (&method["name"], &method["measured_bytes"]),
                (&"method".into(), &Value::Null)
            );
            let text = run(&["memory", "@0", "--trace", "@1"], &[&program, &cut.path]).stdout;
            assert!(text.contains("the loading lies behind the cut"), "{text}");
        }
    }
}

#[test]
fn diagnose_and_report_take_what_is_there() {
    let program = model("lstm");
    let diagnose = ["diagnose", "@0", "--trace", "@1", "--format", "json"];
    let report = ["report", "@0", "--trace", "@1", "--format", "json"];
    for arguments in [diagnose, report] {
        let whole = run(&arguments, &[&program, &fixture("traces").join("lstm__it10.etdp")]);
        assert_eq!((whole.status, whole.stderr.as_str()), (Some(0), ""));
        for percent in CUTS {
            let cut = cut("lstm__it10.etdp", percent);
            let ran = run(&arguments, &[&program, &cut.path]);
            assert_eq!(ran.status, whole.status, "{percent}: {}", ran.stderr);
            assert!(ran.stderr.contains("cut off"), "{percent}: {}", ran.stderr);
            assert_eq!(json(&ran)["findings"], json(&whole)["findings"], "{percent}");
        }
    }
}

#[test]
fn a_trace_cut_before_its_first_event_is_refused() {
    let cut = cut("lstm__it10.etdp", 0);
    let bytes = fs::read(fixture("traces/lstm__it10.etdp")).unwrap();
    fs::write(&cut.path, &bytes[..40]).unwrap();
    let program = model("lstm");
    for arguments in [
        &["show", "@1"][..],
        &["diff", "@1", "@1"],
        &["diagnose", "@0", "--trace", "@1"],
        &["memory", "@0", "--trace", "@1"],
        &["report", "@0", "--trace", "@1"],
    ] {
        let ran = run(arguments, &[&program, &cut.path]);
        assert_eq!(ran.status, Some(2), "{arguments:?}");
        assert!(support::message(&ran).contains("truncated"), "{arguments:?}: {}", ran.stderr);
    }
}
