//! `etinspect report`: what it writes, and when it fails.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{etinspect, fixture, message, model};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn a_regression_fails_and_the_same_program_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let [base, out] = ["base.json", "out.json"].map(|name| folder.path().join(name));
    let program = model("q_cnn");
    let ran = etinspect([
        "report",
        text(&program),
        "--format",
        "json",
        "--save-baseline",
        text(&base),
        "-o",
        text(&out),
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert_eq!(json(&base)["schema"], "etinspect.baseline/1");
    assert_eq!(json(&out)["schema"], "etinspect.report/1");

    let larger = model("mv2_w010");
    let args = |program: &Path| {
        ["report", "--model", text(program), "--baseline", text(&base), "--format", "json"]
            .map(str::to_owned)
            .to_vec()
    };
    assert_eq!(etinspect(args(&program)).status, Some(0));
    let ran = etinspect(args(&larger));
    assert_eq!(ran.status, Some(1));
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(document["verdict"]["regressions"].as_u64() > Some(0));
    let mut allowed = args(&larger);
    allowed.push("--allow-regressions".to_owned());
    assert_eq!(etinspect(allowed).status, Some(0));
}

#[test]
fn an_exceeded_budget_fails_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let budget = folder.path().join("budget.toml");
    std::fs::write(&budget, "[memory]\npeak = 1\n").expect("a file");
    let program = model("q_cnn");
    for format in ["html", "json", "markdown", "junit", "sarif", "github", "gitlab"] {
        let args = ["report", text(&program), "--budget", text(&budget), "--format", format];
        let ran = etinspect(args);
        assert_eq!(ran.status, Some(1), "{format}: {}", ran.stderr);
        assert!(ran.stdout.contains("memory.peak"), "{format}");
    }
}

#[test]
fn other_documents_are_no_baseline() {
    let trace = fixture("traces/linear__it10.etdp");
    let ran = etinspect(["report", text(&model("linear")), "--baseline", text(&trace)]);
    assert_eq!(ran.status, Some(2));
    assert!(message(&ran).contains("expected a baseline"), "{}", message(&ran));
}

#[test]
fn a_folder_gets_a_page_for_each_program_and_a_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let [pages, history] = ["pages", "history.jsonl"].map(|name| folder.path().join(name));
    let models = model("softmax").parent().expect("a folder").to_owned();
    let more = model("linear");
    let args = ["report", text(&models), text(&more), "--history", text(&history), "-o"];
    for run in 1..=2 {
        let ran = etinspect(args.into_iter().chain([text(&pages)]));
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        let lines = std::fs::read_to_string(&history).expect("a history");
        assert_eq!(lines.lines().count(), 2 * run);
    }
    let index = std::fs::read_to_string(pages.join("index.html")).expect("an index");
    let links: Vec<&str> = index.split("href=\"").skip(1).collect();
    assert_eq!(links.len(), 2);
    for link in links {
        let name = link.split('"').next().expect("a name");
        let page = std::fs::read_to_string(pages.join(name)).expect("a page");
        assert!(page.contains("How this was made"), "{name}");
    }
    assert!(index.contains("2 runs, from "));
    let ran = etinspect(["report", text(&models), text(&more)]);
    assert_eq!(ran.status, Some(2));
    assert!(message(&ran).contains("-o FOLDER"), "{}", message(&ran));
}

#[test]
fn what_goes_with_each_of_several_programs_is_found_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["programs/a", "traces/a"] {
        std::fs::create_dir_all(path(name)).expect("a folder");
    }
    let copy = |from: std::path::PathBuf, to: &str| {
        std::fs::copy(from, path(to)).expect("a fixture");
    };
    copy(model("linear"), "programs/a/linear.pte");
    copy(model("softmax"), "programs/softmax.pte");
    copy(fixture("traces/linear__it10.etdp"), "traces/a/linear.etdp");
    let [programs, traces, bases, pages] = ["programs", "traces", "bases", "pages"].map(path);
    let run = |more: &[&str]| {
        let args = ["report", text(&programs), "--trace", text(&traces), "-o", text(&pages)];
        etinspect(args.into_iter().chain(more.iter().copied()))
    };
    let ran = run(&["--save-baseline", text(&bases)]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("--trace: nothing of 1 of 2 programs"), "{}", ran.stderr);
    assert_eq!(json(&path("bases/a/linear.json"))["unit"], "ns");
    assert_eq!(json(&path("bases/softmax.json"))["unit"], Value::Null);
    let page = |name: &str| {
        let pages = std::fs::read_dir(&pages).expect("pages").map(|e| e.expect("a page").path());
        let page = pages.into_iter().find(|page| text(page).contains(name)).expect(name);
        std::fs::read_to_string(page).expect("a page")
    };
    assert!(page("linear").contains("<h2>Times</h2>") && !page("softmax").contains("<h2>Times"));

    // The same against what was kept, and a program that has grown.
    assert_eq!(run(&["--baseline", text(&bases)]).status, Some(0));
    copy(model("mv2_w010"), "programs/softmax.pte");
    assert_eq!(run(&["--baseline", text(&bases)]).status, Some(1));
    assert!(page("softmax").contains("WORSE") && !page("linear").contains("WORSE"));

    let ran = run(&["--baseline", text(&path("bases/softmax.json"))]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("goes with FOLDER/a/linear.json"), "{}", ran.stderr);
    let ran = run(&["--baseline", text(&traces)]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("as a/linear.json; found none"), "{}", ran.stderr);
}

#[test]
fn a_page_shows_its_earlier_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let [page, history] = ["page.html", "history.jsonl"].map(|name| folder.path().join(name));
    let program = model("softmax");
    for run in 1..=3 {
        let args = ["report", text(&program), "--history", text(&history), "-o", text(&page)];
        assert_eq!(etinspect(args).status, Some(0));
        let page = std::fs::read_to_string(&page).expect("a page");
        let runs = format!("Peak of the latest {run} runs");
        assert_eq!(page.contains(&runs), run > 1, "{run}");
    }
}

#[test]
fn nothing_is_written_if_not_all_can_be_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let nowhere = folder.path().join("missing/file");
    let program = model("linear");
    for option in ["--history", "--save-baseline"] {
        let ran = etinspect(["report", text(&program), option, text(&nowhere), "-o", text(&page)]);
        assert_eq!(ran.status, Some(2), "{option}: {}", ran.stderr);
        assert!(message(&ran).contains("missing"), "{option}: {}", ran.stderr);
        assert!(!page.exists(), "{option}");
    }
}
