//! Pages in Chromium, where it is installed: no console error, nothing is loaded,
//! the script runs, and the figures are those of the JSON.

#[path = "support/chromium.rs"]
mod chromium;
mod support;

use chromium::{chromium, open};
use et_inspector::target::find;
use et_reports::report::{Entry, History, Report, Row, html, index, json};
use et_schema::etdump;
use serde_json::Value;
use std::path::Path;
use support::{Given, fixtures, full, linear, model, parsed, read};

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}

/// Texts of the cells of the page.
fn cells(document: &str) -> Vec<String> {
    let cells = document.split("<td").skip(1);
    let text = |cell: &str| {
        let cell = cell.split_once("</td>")?.0.split_once('>')?.1;
        let parts = cell.split('<').enumerate();
        let parts = parts.map(|(i, part)| match i {
            0 => part,
            _ => part.split_once('>').map_or("", |(_, text)| text),
        });
        Some(parts.collect::<String>())
    };
    cells.filter_map(text).collect()
}

#[track_caller]
fn assert_figures(name: &str, document: &str, json: &Value) {
    let cells = cells(document);
    let has = |what: &str, bytes: &Value| {
        let bytes = grouped(bytes.as_u64().unwrap_or_else(|| panic!("{what} of {name}")));
        let forms = [bytes.clone(), format!("{bytes} B")];
        let found = cells
            .iter()
            .any(|cell| forms.contains(cell) || cell.starts_with(&format!("{bytes} B (")));
        assert!(found, "{name}: {what} {bytes} is in no cell");
    };
    for part in ["bytes", "constants_bytes", "delegates_bytes", "rest_bytes"] {
        has(part, &json["program"][part]);
    }
    for method in json["methods"].as_array().expect("methods") {
        for (figure, bytes) in method["sizes"].as_object().expect("sizes") {
            if figure.starts_with("memory.") {
                has(figure, bytes);
            }
        }
        let peak = grouped(method["peak"]["bytes"].as_u64().expect("bytes"));
        let heading = format!("Peak: {peak} B live at ");
        assert!(peak == "0" || document.contains(&heading), "{name}: {heading}");
        for live in method["peak"]["live"].as_array().expect("a list").iter().take(20) {
            has("live", &live["bytes"]);
        }
        for (operator, count) in method["instructions"]["kernels"].as_object().expect("kernels") {
            assert!(cells.contains(operator), "{name}: no row of {operator}");
            has(operator, count);
        }
        for limit in method["budget"].as_array().expect("limits") {
            has("limit", &limit["limit_bytes"]);
            has("need", &limit["required_bytes"]);
        }
    }
    if let Some(operators) = json["trace"]["operators"].as_array() {
        for operator in operators.iter().take(100) {
            has("calls", &operator["count"]);
            let name = operator["name"].as_str().expect("text");
            assert!(cells.iter().any(|cell| cell == name), "no row of {name}");
        }
    }
}

fn check(browser: &Path, name: &str, report: &Report<'_>) {
    let opened = open(browser, name, &html(report));
    opened.assert_quiet(name);
    let document = &opened.document;
    assert_figures(name, document, &parsed(&json(report)));
    assert!(document.contains("<button type=\"button\">"), "{name}: tables cannot be sorted");
    for foreign in [" src=", "href=\"http", "href=\"file", "<link", "<iframe", "<img"] {
        let end = document.find("<script").expect("the page's own");
        assert!(!document[..end].contains(foreign), "{name}: {foreign}");
    }
}

#[test]
fn pages_open_without_a_word_and_show_the_figures_of_the_json() {
    let Some(browser) = chromium() else { return };
    let base = linear().with(|report| report.figures());
    let timed = Given {
        trace: Some("linear__it10"),
        record: Some("linear"),
        baseline: Some(&base),
        budget: "[calls]\nfall_backs = 1\n[time]\ntotal = '1ms'\n",
        ..linear()
    };
    let of = |name: &'static str| Given { name, program: model(name), ..Given::default() };
    let all = [
        ("timed", timed),
        ("full", full()),
        ("delegated", Given { trace: Some("xnn_cnn__it3"), ..of("xnn_cnn") }),
        ("methods", of("multi_method_forward")),
        ("quantized", Given { target: find("stm32n6570-dk"), ..of("mv2_w010_q") }),
        ("ethos", of("u55_add")),
        ("transformer", of("transformer")),
    ];
    for (name, given) in all {
        given.with(|report| check(&browser, name, report));
    }
}

/// Every program among the fixtures, with a trace and an ETRecord where there are some.
fn all_fixtures() -> Vec<(String, Option<String>, Option<String>)> {
    let names = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(fixtures().join(folder)).expect("a folder");
        let name = |e: std::fs::DirEntry| e.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    };
    let traces = names("traces");
    let of = |model: String| {
        let start = format!("{model}__");
        // Of float16 with a debug buffer ExecuTorch itself writes traces that none can read.
        let is_trace = |name: &&String| {
            name.starts_with(&start)
                && name.ends_with(".etdp")
                && etdump::File::parse(&read(&format!("traces/{name}"))).is_ok()
        };
        let trace = traces.iter().find(is_trace);
        let trace = trace.and_then(|name| name.strip_suffix(".etdp")).map(str::to_owned);
        let record = traces.contains(&format!("{model}.etrecord")).then(|| model.clone());
        (model, trace, record)
    };
    names("models").into_iter().map(of).collect()
}

/// All pages in the frames of one, so that the browser starts once.
#[test]
fn pages_of_all_fixtures_open_without_a_word() {
    let browser = chromium();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut frames = String::from("<!DOCTYPE html><html><body>");
    let fixtures = all_fixtures();
    assert!(fixtures.len() > 40 && fixtures.iter().filter(|f| f.1.is_some()).count() > 15);
    for (name, trace, record) in &fixtures {
        let given = Given {
            name,
            program: model(name),
            trace: trace.as_deref(),
            record: record.as_deref(),
            target: find("nucleo-h743zi"),
            ..Given::default()
        };
        given.with(|report| {
            let page = html(report);
            // What the script does to tables changes none of their cells.
            assert_figures(name, &page, &parsed(&json(report)));
            std::fs::write(folder.join(format!("frame_{name}.html")), page).expect("a file");
        });
        frames += &format!("<iframe src=\"frame_{name}.html\"></iframe>");
    }
    let Some(browser) = browser else { return };
    let opened = open(&browser, "frames", &(frames.clone() + "</body></html>"));
    opened.assert_quiet("frames");
    // A fault in a frame would have been seen.
    let bad = "<script>document.title=1</script>";
    let page = linear().with(html).replace("</main>", &format!("</main>{bad}"));
    std::fs::write(folder.join("frame_bad.html"), page).expect("a file");
    let frames = frames + "<iframe src=\"frame_bad.html\"></iframe></body></html>";
    let opened = open(&browser, "bad_frame", &frames);
    let said: Vec<&str> = opened.log.lines().filter(|l| l.contains("CONSOLE")).collect();
    assert!(said.len() == 1 && said[0].contains("frame_bad.html"), "{said:?}");
}

#[test]
fn the_index_opens_without_a_word() {
    let Some(browser) = chromium() else { return };
    let (mut history, mut rows) = (History::default(), Vec::new());
    for given in [linear(), full(), Given { name: "<b>", ..linear() }] {
        let row = given.with(|report| Row {
            entry: Entry::of(report),
            sentence: report.verdict(),
            page: "page.html".to_owned(),
        });
        for part in [3, 2, 4] {
            let mut entry = row.entry.clone();
            entry.peak_bytes = entry.peak_bytes * part / 4;
            history.add(entry);
        }
        rows.push(row);
    }
    let opened = open(&browser, "index", &index(&rows, &history, "0.1.0"));
    opened.assert_quiet("index");
    let cells = cells(&opened.document);
    for row in &rows {
        for bytes in [row.entry.program_bytes, row.entry.peak_bytes, row.entry.total_bytes] {
            let start = format!("{} B", grouped(bytes));
            assert!(cells.iter().any(|cell| cell.starts_with(&start)), "{start}");
        }
    }
    assert!(opened.document.contains("<button type=\"button\">"));
}

/// What the tests above would not see if the browser said nothing.
#[test]
fn a_page_with_a_fault_is_noticed() {
    let Some(browser) = chromium() else { return };
    let page = linear().with(html);
    // A script that the policy does not name.
    let foreign = page.replace("</main>", "</main><script>document.title=1</script>");
    let opened = open(&browser, "foreign", &foreign);
    assert!(opened.log.contains("CONSOLE"), "the policy let a script run: {}", opened.log);
    assert!(!opened.document.contains("<title>1</title>"));
    let loading = page.replace("</main>", "</main><img src=\"http://example.invalid/x.png\">");
    let opened = open(&browser, "loading", &loading);
    assert!(opened.log.contains("CONSOLE"), "the policy let a picture load: {}", opened.log);
}
