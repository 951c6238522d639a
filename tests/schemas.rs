//! What `--format json` prints is what the schemas in `docs/schemas` publish.

mod support;

use jsonschema::Validator;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use support::{etinspect, fixture};

/// The validator of a command's document.
fn validator(command: &str) -> Validator {
    let path = format!("docs/schemas/etinspect.{command}.1.json");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path));
    let schema: Value = serde_json::from_str(&text.expect("the schema")).expect("JSON");
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs a command, and checks its document if it prints one.
fn check(validator: &Validator, args: &[&str]) -> bool {
    let ran = etinspect(args.iter().chain(&["--format", "json"]));
    let Ok(document) = serde_json::from_str::<Value>(&ran.stdout) else { return false };
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{args:?}\n{}", errors.join("\n"));
    true
}

/// Files of a folder of the fixtures with an ending, in order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fixture(folder)).expect("the fixtures");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| if path.is_dir() { path.join("model.pte") } else { path })
        .filter(|path| path.extension().is_some_and(|found| found == ending) && path.exists())
        .collect();
    files.sort();
    files
}

#[test]
fn documents_of_programs_are_as_published() {
    let commands = ["show", "memory", "diagnose", "run"];
    let validators = commands.map(validator);
    let mut documents = 0;
    for program in files("models", "pte") {
        let program = program.to_string_lossy();
        for (command, validator) in commands.iter().zip(&validators) {
            documents += usize::from(check(validator, &[command, &program]));
        }
    }
    assert!(documents > 150, "{documents} documents");
    let program = fixture("models/mv2_w010_q/model.pte");
    let program = program.to_string_lossy();
    assert!(check(&validators[1], &["memory", &program, "--target", "corstone-300"]));
    assert!(check(&validators[2], &["diagnose", &program, "--target", "corstone-300"]));
    assert!(check(&validators[3], &["run", &program, "--method-pool", "1024"]));
}

#[test]
fn documents_of_traces_are_as_published() {
    let (events, show, diff) = (validator("events"), validator("show"), validator("diff"));
    let traces = files("traces", "etdp");
    let mut documents = 0;
    for (trace, next) in traces.iter().zip(traces.iter().cycle().skip(1)) {
        let (trace, next) = (trace.to_string_lossy(), next.to_string_lossy());
        documents += usize::from(check(&events, &["events", &trace]));
        documents += usize::from(check(&show, &["show", &trace]));
        documents += usize::from(check(&diff, &["diff", &trace, &next]));
    }
    assert!(documents > traces.len() * 2, "{documents} documents of {} traces", traces.len());
    let (trace, program) = (fixture("traces/lstm__it10.etdp"), fixture("models/lstm/model.pte"));
    let given = ["events", &*trace.to_string_lossy(), "--model", &program.to_string_lossy()]
        .map(str::to_owned);
    let with = |more: &[&'static str]| -> Vec<String> {
        given.iter().cloned().chain(more.iter().map(|&word| word.to_owned())).collect()
    };
    let groups = validator("event_groups");
    for by in ["op", "delegate", "instruction"] {
        let words = with(&["--group-by", by]);
        assert!(check(&groups, &words.iter().map(String::as_str).collect::<Vec<_>>()), "{by}");
    }
    let words = with(&["--roofline"]);
    assert!(check(&validator("roofline"), &words.iter().map(String::as_str).collect::<Vec<_>>()));
}

#[test]
fn documents_of_logs_and_tables_are_as_published() {
    let (program, log) =
        (fixture("user_report/toy_linear_3_3.pte"), fixture("user_report/linear.log"));
    let (program, log) = (program.to_string_lossy(), log.to_string_lossy());
    let folder = tempfile::tempdir().expect("a folder");
    let cut = folder.path().join("cut.log");
    let cut = cut.to_string_lossy();
    // As far as each line, for another program too.
    let text = fs::read_to_string(&*log).expect("the log");
    let other = fixture("models/q_cnn/model.pte");
    for end in 0..=text.lines().count() {
        let lines: Vec<&str> = text.lines().take(end).collect();
        fs::write(&*cut, lines.join("\n")).expect("a log");
        for program in [&*program, &*other.to_string_lossy()] {
            assert!(check(&validator("diagnose"), &["diagnose", program, "--log", &cut]));
        }
    }
    assert!(check(&validator("memory"), &["memory", &program, "--log", &log]));
    assert!(check(&validator("targets"), &["targets"]));
    assert!(check(&validator("explain"), &["explain", "0x21"]));
    assert!(check(&validator("explain"), &["explain", "ETD024"]));
}

#[test]
fn documents_of_runs_are_as_published() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let program = fixture("models/linear/model.pte");
    let program = program.to_string_lossy();
    let (trace, values, journal) = (path("run.etdp"), path("run.bin"), path("run.etj"));
    let traced = ["--etdump", &trace, "--debug-buffer", &values];
    assert_eq!(etinspect(["run", &program].iter().chain(&traced)).status, Some(0));
    assert_eq!(etinspect(["run", &*program, "--journal", &journal]).status, Some(0));
    let compare = ["compare", &trace, &trace];
    let buffers = ["--debug-buffer", &values, "--reference-buffer", &values];
    assert!(check(&validator("compare"), &[&compare[..], &buffers[..]].concat()));
    assert!(check(&validator("recover"), &["recover", &journal, "--list"]));
    assert!(check(&validator("diagnose"), &["diagnose", &program, "--dump", &journal]));
}
