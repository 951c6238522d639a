//! The prediction of memory as documents, on real programs.

use et_inspector::memory::MethodMemory;
use et_inspector::target::{Fit, Needs, find, settings};
use et_reports::memory::{Document, Page, chrome, html, markdown, svg};
use et_schema::layout::Abi;
use et_schema::pte::File;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn read(model: &str) -> Vec<u8> {
    std::fs::read(fixtures().join("models").join(model).join("model.pte")).expect("a fixture")
}

/// Shows `write` the document of the program `bytes` on a board.
fn with_document<T>(bytes: &[u8], name: &str, write: impl Fn(&Document<'_>) -> T) -> T {
    let file = File::parse(bytes).expect("a program");
    let target = find("nucleo-h743zi").expect("a board");
    let program = bytes.len() as u64;
    let memories: Vec<MethodMemory<'_>> = file
        .methods()
        .map(|method| MethodMemory::new(&file, method, Abi::Arm32).expect("a prediction"))
        .collect();
    let pages = memories.iter().map(|memory| {
        let needs = Needs::of(memory, program);
        Page {
            memory,
            fit: Some(Fit::new(&needs, &target)),
            settings: settings(&needs, Some(&target)),
            needs,
            trace: None,
            budget: Vec::new(),
            measured: None,
        }
    });
    write(&Document {
        model: name.to_owned(),
        program,
        abi: "arm32",
        target: Some(&target),
        methods: pages.collect(),
        findings: memories.iter().flat_map(|memory| memory.findings.clone()).collect(),
    })
}

/// A program whose method has a name that is markup, and ends a line.
fn hostile() -> Vec<u8> {
    let mut bytes = read("transformer");
    let name = b"forward";
    let places: Vec<usize> =
        (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + name.len()].copy_from_slice(b"<b>\"&|\n");
    }
    bytes
}

#[test]
fn the_chrome_trace_holds_what_executorch_s_own_holds() {
    let text = std::fs::read(fixtures().join("memory/planning_traces.json")).expect("a fixture");
    let real: serde_json::Map<String, Value> = serde_json::from_slice(&text).expect("JSON");
    assert!(real.len() > 40);
    for (model, real) in &real {
        let trace = with_document(&read(model), model, chrome);
        let trace: Value = serde_json::from_str(&trace).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("events").iter();
        let events = events.filter(|event| event["ph"] == "X");
        let ours: BTreeSet<[u64; 3]> =
            events.map(|e| ["ts", "dur", "pid"].map(|f| e[f].as_u64().expect(f))).collect();
        for tensor in real.as_array().expect("a list") {
            let tensor: [u64; 3] = serde_json::from_value(tensor.clone()).expect("three numbers");
            assert!(ours.contains(&tensor), "{model}: no {tensor:?} in {ours:?}");
        }
    }
}

#[test]
fn counters_of_the_chrome_trace_reach_the_peak() {
    let bytes = read("mv2_w010_q");
    let trace: Value =
        serde_json::from_str(&with_document(&bytes, "mv2_w010_q", chrome)).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events").iter();
    let most = events.filter(|e| e["ph"] == "C").map(|e| e["args"]["bytes"].as_u64()).max();
    assert_eq!(most, Some(Some(1_044_096)));
}

#[test]
fn pictures_are_well_formed_and_show_every_tensor_once() {
    for model in ["linear", "kv_cache", "multi_method_forward", "mv2_w010_q", "u55_mv2_w010"] {
        let bytes = read(model);
        let picture = with_document(&bytes, model, svg);
        let picture = roxmltree::Document::parse(&picture).expect("XML");
        let boxes = picture.descendants().filter(|node| {
            let class = node.attribute("class").unwrap_or_default();
            let in_title = node
                .parent()
                .is_some_and(|p| p.first_element_child().is_some_and(|c| c.has_tag_name("title")));
            node.has_tag_name("rect")
                && in_title
                && ["tensor", "input", "output", "state"].contains(&class)
        });
        let file = File::parse(&bytes).expect("a program");
        let ranges: usize = file
            .methods()
            .map(|method| {
                let memory = MethodMemory::new(&file, method, Abi::Arm32).expect("a prediction");
                let storages = memory.plan.storages.iter().filter(|s| s.bytes > 0);
                storages.map(|s| s.ranges.len()).sum::<usize>()
            })
            .sum();
        assert_eq!(boxes.count(), ranges, "{model}");
    }
}

#[test]
fn names_in_programs_are_no_markup() {
    let bytes = hostile();
    let name = "<script>alert(1)</script>|`\u{1b}[31m";
    let page = with_document(&bytes, name, html);
    let page = &page[..page.find("<script>").expect("the page's own")];
    assert!(!page.contains("<script") && !page.contains("<b>"), "escaped");
    assert!(page.contains("Method &lt;b&gt;&quot;&amp;|\\n"));
    assert!(!page.contains('\u{1b}'));
    let picture = with_document(&bytes, name, svg);
    roxmltree::Document::parse(&picture).expect("XML");
    let text = with_document(&bytes, name, markdown);
    assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
    assert!(text.contains("### Method &lt;b&gt;\"&amp;\\|\\n "), "{text}");
    let trace = with_document(&bytes, name, chrome);
    serde_json::from_str::<Value>(&trace).expect("JSON");
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = with_document(&read("q_cnn"), "q_cnn", html);
    assert!(page.contains("default-src 'none'"));
    for foreign in ["src=", "href=", "url(", "@import", "<link", "<iframe", "style=\""] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("prefers-color-scheme:dark"));
    // Every part is closed: what stands between the tags parses as XML.
    assert_eq!(page.matches("<script").count(), 1, "its own");
    let body = &page[page.find("<body>").expect("a body")..page.find("<script>").expect("an end")];
    roxmltree::Document::parse(&format!("{body}</body>")).expect("every tag is closed");
}

#[test]
fn markdown_tables_have_as_many_cells_as_their_header() {
    for model in ["linear", "mv2_w010_q", "multi_method_forward"] {
        let text = with_document(&read(model), model, markdown);
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut columns = None;
        for line in text.lines() {
            match (line.starts_with('|'), columns) {
                (true, Some(columns)) => assert_eq!(cells(line), columns, "{model}: {line}"),
                (true, None) => columns = Some(cells(line)),
                (false, _) => columns = None,
            }
        }
        assert!(text.contains("| planned\\_1 |"), "{text}");
    }
}

#[test]
fn damaged_programs_never_end_in_a_panic() {
    let mut shown = 0;
    for model in ["linear", "cond", "kv_cache", "pools", "u55_softmax", "q_cnn"] {
        let whole = read(model);
        let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ whole.len() as u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        for _ in 0..120 {
            let mut bytes = whole.clone();
            for _ in 0..1 + next(3) {
                let at = next(bytes.len());
                bytes[at] = [0, 0xff, 0x7f, 0x80, next(256) as u8][next(5)];
            }
            let Ok(file) = File::parse(&bytes) else { continue };
            let methods: Result<Vec<_>, _> =
                file.methods().map(|method| MethodMemory::new(&file, method, Abi::Arm32)).collect();
            if methods.is_err() {
                continue;
            }
            with_document(&bytes, model, |document| {
                let lengths = [html, svg, markdown, chrome].map(|write| write(document).len());
                assert!(lengths.iter().all(|length| *length > 0), "{model}");
            });
            shown += 1;
        }
    }
    assert!(shown > 100, "only {shown} were readable");
}
