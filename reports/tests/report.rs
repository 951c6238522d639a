//! Reports of real programs and traces, in every form.

mod support;

use et_inspector::correlate::Correlation;
use et_inspector::events::{EventBlocks, TimeScale};
use et_inspector::memory::MethodMemory;
use et_inspector::target::find;
use et_reports::report::{
    Baseline, Entry, History, Made, Report, Row, Subject, TraceTimes, badge, github, gitlab, html,
    index, json, junit, markdown, sarif,
};
use et_schema::etdump;
use et_schema::layout::Abi;
use et_schema::pte::File;
use serde_json::Value;
use std::path::Path;
use support::{Given, full, linear, model, parsed, read};

/// The body of a page as a tree: fails if a tag is not closed.
fn assert_well_formed(page: &str) {
    // A script is no markup.
    let body = &page[page.find("<body>").expect("a body")..page.find("<script>").expect("an end")];
    roxmltree::Document::parse(&format!("{body}</body>")).expect("every tag is closed");
}

#[test]
fn a_budget_line_is_a_test_case() {
    full().with(|report| {
        let text = junit(report);
        let xml = roxmltree::Document::parse(&text).expect("XML");
        let root = xml.root_element();
        assert_eq!(root.tag_name().name(), "testsuites");
        let suite = root
            .children()
            .find(|n| n.attribute("name") == Some("etinspect.budget"))
            .expect("the suite of the budget");
        let cases: Vec<_> = suite.children().filter(|n| n.has_tag_name("testcase")).collect();
        let names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
        assert_eq!(names, ["program", "memory.planned", "memory.peak"]);
        let failed: Vec<_> = cases
            .iter()
            .filter(|case| case.children().any(|n| n.has_tag_name("failure")))
            .filter_map(|case| case.attribute("name"))
            .collect();
        assert_eq!(failed, ["memory.peak"]);
        assert_eq!(suite.attribute("failures"), Some("1"));
        let counted = xml.descendants().filter(|n| n.has_tag_name("testcase")).count();
        assert_eq!(root.attribute("tests"), Some(counted.to_string().as_str()));
        assert!(!report.meets_budget());
    });
}

#[test]
fn sarif_has_what_its_readers_need() {
    full().with(|report| {
        let document = parsed(&sarif(report));
        assert_eq!(document["version"], "2.1.0");
        assert!(document["$schema"].as_str().expect("a schema").contains("sarif-2.1.0"));
        let run = &document["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), report.findings().len());
        assert!(results.iter().any(|result| result["ruleId"] == "ETM007"));
        for result in results {
            let rule = &rules[result["ruleIndex"].as_u64().expect("an index") as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(
                ["error", "warning", "note"].contains(&result["level"].as_str().expect("text"))
            );
            assert!(!result["message"]["text"].as_str().expect("text").is_empty());
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "mv2_w010.pte");
            assert_eq!(place["region"]["startLine"], 1);
        }
        let prints: std::collections::BTreeSet<&str> = results
            .iter()
            .map(|r| r["partialFingerprints"]["etinspect/1"].as_str().expect("a hash"))
            .collect();
        assert_eq!(prints.len(), results.len(), "every finding has its own");
    });
}

#[test]
fn the_page_has_every_section_and_needs_nothing_else() {
    let given = Given { record: Some("linear"), trace: Some("linear__it10"), ..linear() };
    for (name, given) in [("linear", given), ("mv2", full())] {
        given.with(|report| {
            let page = html(report);
            let again = html(report);
            assert_eq!(page, again, "byte for byte");
            assert_well_formed(&page);
            assert!(page.contains("default-src 'none'; style-src 'sha256-"));
            assert_eq!(page.matches("<script").count(), 1, "its own");
            assert!(page.contains("; script-src 'sha256-"));
            let page = &page[..page.find("<script").expect("a script")];
            for foreign in ["src=", "url(", "@import", "<link", "style=\""] {
                assert!(!page.contains(foreign), "{foreign}");
            }
            let links = page.split("href=\"").skip(1);
            for link in links.map(|link| link.split('"').next().expect("an end")) {
                let place = link.strip_prefix('#').expect("a link within the page");
                assert!(page.contains(&format!("<section id=\"{place}\"")), "{link}");
            }
            for part in [
                "class=\"verdict",
                "<h2>Findings</h2>",
                "Live bytes of planned tensors",
                "<h3>Peak: ",
                "<h3>Largest planned tensors</h3>",
                "<h3>Delegates and kernels</h3>",
                "<h3>Time of a run by operator: ",
                "<h3>Largest weights</h3>",
                "<h2>How this was made</h2>",
                "What this report cannot see",
            ] {
                assert!(page.contains(part), "{name}: no {part}");
            }
            assert!(page.len() < 2 << 20, "{} bytes", page.len());
            // To look at.
            let page = html(report);
            let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report_{name}.html"));
            std::fs::write(to, page).expect("a folder to write to");
        });
    }
    full().with(|report| {
        let page = html(report);
        assert!(
            page.contains("<h3>Predicted and measured, by allocator</h3>")
                && page.contains("nucleo-h743zi")
        );
        assert!(page.contains("EXCEEDS 1 of 3 limits"));
    });
}

#[test]
fn operators_and_what_belongs_to_none_add_up_to_the_trace() {
    for (name, trace) in [("linear", "linear__it10"), ("xnn_cnn", "xnn_cnn__it3")] {
        let given = Given { name, program: model(name), trace: Some(trace), ..Given::default() };
        let document = given.with(|report| parsed(&json(report)));
        assert_eq!(document["schema"], "etinspect.report/1");
        let trace = &document["trace"];
        let operators = trace["operators"].as_array().expect("a list");
        let ticks = |value: &Value| value["ticks"].as_u64().expect("ticks");
        let sum: u64 = operators.iter().map(ticks).sum();
        let rest = trace["unattributed_ticks"].as_u64().expect("ticks");
        assert_eq!(sum + rest, trace["total_ticks"].as_u64().expect("ticks"), "{name}");
        let delegated = trace["in_delegates_ticks"].as_u64().expect("ticks");
        assert_eq!(delegated > 0, name.starts_with("xnn"));
        let calls = &document["methods"][0]["instructions"];
        assert_eq!(calls["delegate_calls"].as_u64() > Some(0), name.starts_with("xnn"));
    }
}

#[test]
fn parts_of_the_program_add_up_to_the_file() {
    let names = ["linear", "mv2_w010_q", "mlp_ptd", "xnn_transformer", "multi_method_forward"];
    for name in names {
        let given = Given { name, program: model(name), ..Given::default() };
        given.with(|report| {
            let program = &report.program;
            assert_eq!(program.constants + program.delegates + program.rest(), program.bytes);
            assert_eq!(program.external > 0, name == "mlp_ptd", "{name}");
            let sum: u64 = program.weights.iter().map(|weight| weight.bytes).sum();
            assert_eq!(sum, program.constants + program.external, "{name}");
        });
    }
}

#[test]
fn the_same_program_and_trace_have_not_changed() {
    let base = Given { trace: Some("linear__it10"), ..linear() }.with(|report| report.figures());
    let base = Baseline::parse(base.text().as_bytes()).expect("what was written");
    let given = Given { trace: Some("linear__it10"), baseline: Some(&base), ..linear() };
    given.with(|report| {
        let changes = report.changes.as_ref().expect("a comparison");
        assert_eq!(changes.changes, []);
        // Loading happens once in a trace.
        let [note] = &changes.notes[..] else { panic!("{:?}", changes.notes) };
        assert!(note.contains("fewer than 5 runs: run ") && !note.contains("more."), "{note}");
        assert!(changes.compared > 10, "{}", changes.compared);
        assert!(markdown(report).contains("None of "));
    });
}

#[test]
fn a_larger_program_is_worse_than_the_base() {
    let base = linear().with(|report| report.figures());
    let given = Given {
        name: "mv2_w010.pte",
        program: model("mv2_w010"),
        baseline: Some(&base),
        ..Given::default()
    };
    given.with(|report| {
        let changes = report.changes.as_ref().expect("a comparison");
        let worse: Vec<&str> = changes.regressions().map(|c| c.figure.as_str()).collect();
        assert!(worse.contains(&"program") && worse.contains(&"memory.peak"), "{worse:?}");
        let text = markdown(report);
        let row = text.lines().find(|line| line.starts_with("| forward: memory.peak |"));
        assert!(row.expect("a row").ends_with("| **worse** |"), "{text}");
        assert!(text.len() < 65_536, "a comment of GitHub");
        let page = html(report);
        assert!(page.contains("base against new") && page.contains("WORSE"));
        let document = parsed(&json(report));
        let count = worse.len() as u64;
        assert_eq!(document["verdict"]["regressions"].as_u64(), Some(count));
    });
}

#[test]
fn a_limit_of_growth_is_a_test_case() {
    let base = linear().with(|report| report.figures());
    let given = Given {
        name: "mv2_w010.pte",
        program: model("mv2_w010"),
        baseline: Some(&base),
        budget: "[growth]\nprogram = 2\ntime = 10\n",
        ..Given::default()
    };
    given.with(|report| {
        let text = junit(report);
        let xml = roxmltree::Document::parse(&text).expect("XML");
        let fails = |name: &str| {
            let case = xml.descendants().find(|n| n.attribute("name") == Some(name));
            case.expect(name).children().any(|n| n.has_tag_name("failure"))
        };
        assert!(fails("growth of program"));
        // There are no times to have grown.
        assert!(!fails("growth of time"));
    });
}

#[test]
fn names_in_programs_are_markup_in_no_form() {
    let mut program = model("transformer");
    let name = b"forward";
    let places: Vec<usize> =
        (0..program.len() - name.len()).filter(|at| program[*at..].starts_with(name)).collect();
    for at in places {
        program[at..at + name.len()].copy_from_slice(b"<b>]]>\n");
    }
    let hostile = "<script>alert(1)</script>]]>\"'|`\u{1b}[31m\u{202e}";
    let given =
        Given { name: hostile, program, budget: "[memory]\npeak = 1\n", ..Given::default() };
    given.with(|report| {
        let page = html(report);
        assert_well_formed(&page);
        let end = page.find("<script>").expect("the page's own");
        let texts = [page[..end].to_owned(), junit(report), markdown(report)];
        for text in &texts {
            assert!(!text.contains("<script") && !text.contains("<b>"), "{text}");
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        }
        roxmltree::Document::parse(&texts[1]).expect("XML");
        let uri = &parsed(&sarif(report))["runs"][0]["artifacts"][0]["location"]["uri"];
        assert!(uri.as_str().expect("text").bytes().all(|b| b.is_ascii_graphic()), "{uri}");
        assert_eq!(parsed(&json(report))["model"], hostile);
    });
}

#[test]
fn damaged_programs_and_traces_never_end_in_a_panic() {
    let (mut shown, mut timed) = (0, 0);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    let mut damage = |whole: &[u8]| {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + next(3) {
            let at = next(bytes.len());
            bytes[at] = [0, 0xff, 0x7f, 0x80, next(256) as u8][next(5)];
        }
        bytes
    };
    let target = find("nucleo-h743zi").expect("a board");
    for (name, trace) in [("linear", "linear__it10"), ("xnn_cnn", "xnn_cnn__it3")] {
        let (whole, trace) = (model(name), read(&format!("traces/{trace}.etdp")));
        for _ in 0..200 {
            let (bytes, trace) = (damage(&whole), damage(&trace));
            let Ok(file) = File::parse(&bytes) else { continue };
            let methods = file.methods().map(|m| MethodMemory::new(&file, m, Abi::Arm32));
            let Ok(methods) = methods.collect::<Result<Vec<_>, _>>() else { continue };
            let times = etdump::File::recover(&trace).ok().map(|dump| {
                let blocks = EventBlocks::of(&dump);
                let correlation = Correlation::new(&blocks, Some(&file), None, None);
                let correlation = correlation.expect("no method was asked for");
                TraceTimes::new(&blocks, &correlation, TimeScale::Nanoseconds, None)
            });
            timed += usize::from(times.is_some());
            let report = Report::new(Subject {
                model: name.to_owned(),
                file: &file,
                methods: &methods,
                abi: Abi::Arm32,
                target: Some(&target),
                budget: None,
                measured: &[],
                trace: times,
                baseline: None,
                history: &[],
                made: Made::default(),
            });
            let lengths = [html, json, junit, markdown, sarif, github, gitlab, badge]
                .map(|write| write(&report).len());
            assert!(lengths.iter().all(|length| *length > 0), "{name}");
            shown += 1;
        }
    }
    assert!(shown > 100 && timed > 30, "only {shown} were readable, {timed} with a trace");
}

#[test]
fn calls_findings_and_times_have_limits() {
    let budget = "[calls]\ndelegates = 0\nfall_backs = 1\n[findings]\nETM004 = 0\n\
                  [time]\ntotal = '1ns'\noperator = '1s'\n[time.operators]\nnone = 0\n";
    let given = Given { trace: Some("linear__it10"), budget, ..linear() };
    given.with(|report| {
        let document = parsed(&json(report));
        let limits = document["limits"].as_array().expect("a list");
        let met = |name: &str| {
            let mut named = limits.iter().filter(|limit| limit["name"] == name);
            let all: Vec<bool> = named.by_ref().filter_map(|l| l["met"].as_bool()).collect();
            assert!(!all.is_empty(), "{name}");
            all.iter().all(|met| *met)
        };
        assert!(met("calls.delegates") && met("time.operator") && met("time.operators.none"));
        let kernels = report.shares[0].kernel_calls();
        assert_eq!(met("calls.fall_backs"), kernels <= 1);
        assert!(!met("time.total"));
        assert!(!report.meets_budget());
        assert!(report.findings().iter().any(|f| f.title.starts_with("time.total (")));
        assert!(html(report).contains("OVER by") && junit(report).contains("time.total ("));
    });
    // Without a trace nothing is known of times, and the report says so.
    let given = Given { budget: "[time]\ntotal = '1ns'\n", ..linear() };
    given.with(|report| {
        assert!(report.meets_budget());
        assert!(junit(report).contains("<skipped"));
        assert!(report.blind_spots().iter().any(|spot| spot.contains("time.total")));
    });
}

#[test]
fn memories_of_the_board_have_limits() {
    let budget = "[memories]\nAXI_SRAM = '64K'\nFLASH = '64K'\nOTHER = 1\n";
    let program = || model("mv2_w010");
    let board = find("nucleo-h743zi");
    let on_board = Given { target: board, program: program(), budget, ..linear() };
    on_board.with(|report| {
        let document = parsed(&json(report));
        let limits = document["limits"].as_array().expect("a list").iter();
        let limits = limits.map(|limit| (limit["name"].as_str(), limit["met"].as_bool()));
        let all = [
            (Some("memories.AXI_SRAM"), Some(false)),
            (Some("memories.FLASH"), Some(false)),
            (Some("memories.OTHER"), None),
        ];
        assert_eq!(limits.collect::<Vec<_>>(), all);
        let fit = report.memory.methods[0].fit.as_ref().expect("a board");
        let memory = fit.memories.iter().find(|memory| memory.name == "AXI_SRAM");
        assert_eq!(report.counts[0].found, memory.map(|memory| memory.takes));
        assert!(html(report).contains("OVER by ") && !report.meets_budget());
        assert!(report.blind_spots().iter().any(|spot| spot.contains("memories.OTHER")));
    });
    // Without a board nothing is known of its memories.
    Given { program: program(), budget, ..linear() }.with(|report| {
        assert!(report.counts.iter().all(|count| count.found.is_none()));
        assert!(report.meets_budget());
    });
}

#[test]
fn many_programs_have_an_index_with_their_history() {
    let entry = |given: &Given<'_>| given.with(|report| (Entry::of(report), report.verdict()));
    let hostile = "<script>x</script>\u{202e}\"";
    let given = [
        linear(),
        Given { trace: None, ..full() },
        Given { name: hostile, trace: Some("linear__it10"), ..linear() },
    ];
    let (mut lines, mut rows) = (String::new(), Vec::new());
    for (number, given) in given.iter().enumerate() {
        let (entry, sentence) = entry(given);
        let mut older = entry.clone();
        older.peak_bytes /= 2;
        lines += &(older.line() + &entry.line());
        rows.push(Row { entry, sentence, page: format!("{number}.html") });
    }
    assert_eq!(lines.lines().count(), 6, "{lines}");
    assert!(!lines.contains('\u{202e}'));
    let history = History::parse(&lines).expect("what was written");
    let page = index(&rows, &history, "0.1.0");
    assert_well_formed(&page);
    assert!(!page.contains("<script>x") && !page.contains('\u{202e}'));
    assert!(page.contains("1 of 3 are bad") && page.contains("href=\"1.html\""));
    assert_eq!(page.matches("class=\"spark\"").count(), 4, "peaks, and times of one");
    assert!(page.contains("2 runs, from 52 B to 104 B"));
    let error = History::parse(&(lines + "{}\n")).expect_err("no entry");
    assert!(error.starts_with("line 7: expected an entry"), "{error}");
}
