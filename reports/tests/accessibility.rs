//! Pages before axe-core, in Chromium: no fault of accessibility, in light and dark, on a
//! desktop and on a phone. It needs npm, which fetches axe-core once; where there is none,
//! or no network, the test says so.

#[path = "support/chromium.rs"]
mod chromium;
mod support;

use chromium::{chromium, open_with, with_script};
use et_inspector::target::find;
use et_reports::memory;
use et_reports::report::{Entry, History, Row, html, index};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use support::{Given, linear, model};

/// Runs axe-core with all its rules and tells what it finds, in a line for each.
const RUN: &str = "
axe.run(document, { resultTypes: ['violations'] }).then((found) => {
  for (const fault of found.violations) {
    const where = fault.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ');
    console.log('AXE ' + fault.impact + ' ' + fault.id + ' (' + fault.nodes.length + '): ' + where);
  }
  console.log('AXE DONE');
}).catch((error) => console.log('AXE ERROR ' + error));
";

/// The text of axe-core, which the first test that asks fetches.
fn axe() -> Option<&'static str> {
    static AXE: OnceLock<Option<String>> = OnceLock::new();
    AXE.get_or_init(fetch).as_deref()
}

/// The text of axe-core: the file that `AXE_CORE` names, or else what npm fetches.
fn fetch() -> Option<String> {
    if let Some(file) = std::env::var_os("AXE_CORE") {
        return Some(std::fs::read_to_string(file).expect("the file of AXE_CORE"));
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe");
    let file: PathBuf = folder.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/axe");
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(given.join(name), folder.join(name)).expect("a file");
        }
        let ran = Command::new("npm")
            .args(["ci", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=0"])
            .current_dir(&folder)
            .output();
        if !ran.is_ok_and(|ran| ran.status.success()) {
            eprintln!("there is no npm here, or no network: axe-core does not see the pages");
            return None;
        }
    }
    std::fs::read_to_string(file).ok()
}

/// A scheme of colours, and the width of a window.
#[derive(Clone, Copy, Debug)]
enum View {
    LightDesktop,
    DarkPhone,
}

/// What axe-core says of `pages`, each in a frame.
fn faults(
    browser: &Path,
    axe: &str,
    name: &str,
    pages: &[(&str, String)],
    view: View,
) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (scheme, width) = match view {
        View::DarkPhone => (0, 390),
        View::LightDesktop => (1, 1280),
    };
    let mut frames = String::from("<!DOCTYPE html><html><body>");
    for (part, page) in pages {
        let file = format!("axe_{name}_{part}.html");
        let page = with_script(page, &format!("{axe}\n{RUN}"));
        std::fs::write(folder.join(&file), page).expect("a file");
        frames += &format!("<iframe src=\"{file}\" width=\"{width}\" height=\"800\"></iframe>");
    }
    let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
    let options = ["--window-size=1400,900", "--virtual-time-budget=60000", &scheme];
    let opened = open_with(browser, &format!("axe_{name}"), &(frames + "</body></html>"), &options);
    let (done, found): (Vec<_>, Vec<_>) =
        opened.told("AXE ").into_iter().partition(|told| told == "DONE");
    assert_eq!(done.len(), pages.len(), "{}", opened.log);
    found
}

#[test]
fn axe_finds_no_fault() {
    let Some((browser, axe)) = chromium().zip(axe()) else { return };
    let of = |name: &'static str| Given { name, program: model(name), ..Given::default() };
    // Too large for its board, over its budget, worse than its base.
    let mut bad = of("q_cnn");
    bad.target = find("nrf54l15-dk");
    bad.budget = "program = 1\n[memory]\npeak = 1000\nplanned = '64M'\n[time]\ntotal = '1ms'\n";
    let mut base = bad.with(|report| report.figures());
    base.program_bytes /= 2;
    bad.baseline = Some(&base);
    let row = bad.with(|report| Row {
        entry: Entry::of(report),
        sentence: report.verdict(),
        page: "page.html".to_owned(),
    });
    let mut history = History::default();
    history.add(row.entry.clone());
    let timed = Given { record: Some("linear"), trace: Some("linear__it10"), ..linear() };
    let pages = [
        ("bad", bad.with(html)),
        ("timed", timed.with(html)),
        ("delegated", Given { target: find("corstone-300"), ..of("xnn_cnn") }.with(html)),
        ("methods", of("multi_method_forward").with(html)),
        ("index", index(&[row.clone(), row], &history, "0.1.0")),
        ("memory", bad.with(|report| memory::html(&report.memory))),
    ];
    for (name, view) in [("light", View::LightDesktop), ("dark", View::DarkPhone)] {
        let found = faults(&browser, axe, name, &pages, view);
        assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
    }
}

/// What the test above would not see if axe-core always found nothing.
#[test]
fn faults_of_accessibility_are_found() {
    let Some((browser, axe)) = chromium().zip(axe()) else { return };
    let page = linear().with(html);
    let page = page.replace("--ink:#1b1f24", "--ink:#eeeeee").replace(" lang=\"en\"", "");
    let found = faults(&browser, axe, "faulty", &[("faulty", page)], View::LightDesktop);
    let has = |id: &str| found.iter().any(|fault| fault.contains(id));
    assert!(has("html-has-lang") && has("color-contrast"), "{found:?}");
}
