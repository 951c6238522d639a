//! Pages in use, in Chromium where it is installed: what is laid out is not cut, also on a
//! phone; tables sort and filter; a tensor lights up wherever it is; details stay in the
//! window. `support/check.js` does what a person would.

#[path = "support/chromium.rs"]
mod chromium;
mod support;

use chromium::{chromium, open_with, with_script};
use et_inspector::target::find;
use et_reports::report::html;
use std::path::Path;
use support::{Given, full, linear, model};

const CHECK: &str = include_str!("support/check.js");

/// Widths of a desktop and of a phone.
const WIDTHS: [u32; 2] = [1280, 390];

/// Pages with every kind of part: charts, wide tables, long names, many methods.
fn pages() -> Vec<(&'static str, String)> {
    let of = |name: &'static str| Given { name, program: model(name), ..Given::default() };
    let mut pages = vec![
        ("full", full().with(html)),
        ("delegated", Given { trace: Some("xnn_cnn__it3"), ..of("xnn_cnn") }.with(html)),
        ("methods", of("multi_method_forward").with(html)),
        (
            "state",
            Given { record: Some("kv_cache"), trace: Some("kv_cache__it3"), ..of("kv_cache") }
                .with(html),
        ),
        ("ethos", Given { target: find("corstone-300"), ..of("u55_add") }.with(html)),
    ];
    let long = "very_long_folder_name/".repeat(20) + "model.pte";
    let record = Some("linear");
    pages.push((
        "long",
        Given { name: &long, record, trace: Some("linear__it10"), ..linear() }.with(html),
    ));
    pages
}

/// The faults of each of `pages` at each width, in frames of one window.
fn faults(browser: &Path, name: &str, pages: &[(&str, String)], script: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut frames = String::from("<!DOCTYPE html><html><body>");
    for (part, page) in pages {
        let file = format!("{name}_{part}.html");
        std::fs::write(folder.join(&file), with_script(page, script)).expect("a file");
        for width in WIDTHS {
            frames += &format!("<iframe src=\"{file}\" width=\"{width}\" height=\"800\"></iframe>");
        }
    }
    let options = ["--window-size=1400,900", "--virtual-time-budget=20000"];
    let opened = open_with(browser, name, &(frames + "</body></html>"), &options);
    let told = opened.told("FAULTS ");
    assert_eq!(told.len(), pages.len() * WIDTHS.len(), "{}", opened.log);
    told.into_iter().filter(|told| told != "0").collect()
}

#[test]
fn pages_can_be_used_at_every_width() {
    let Some(browser) = chromium() else { return };
    let found = faults(&browser, "use", &pages(), CHECK);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What the test above would not see if it always found nothing.
#[test]
fn faults_of_use_are_found() {
    let Some(browser) = chromium() else { return };
    let page = full().with(html);
    let broken = [
        // Nothing sorts, lights up or shows details.
        ("dead", page.replace("\"use strict\";\n(() => {", "\"use strict\";\n(() => { return;")),
        // A chart's text begins outside.
        (
            "cut",
            page.replacen("<text class=\"strong\" x=\"0\"", "<text class=\"strong\" x=\"-90\"", 1),
        ),
        // A part is wider than a phone.
        ("wide", page.replace(".scroll{overflow-x:auto}", ".scroll{overflow-x:visible}")),
    ];
    for (name, page) in broken {
        let found = faults(&browser, name, &[(name, page)], CHECK);
        assert!(!found.is_empty(), "{name}");
    }
}
