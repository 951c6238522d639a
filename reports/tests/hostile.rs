//! Names that would be markup, commands or other text, in every form of a report.

#[path = "support/hostile.rs"]
mod made;
mod support;

use et_inspector::target::find;
use et_reports::report::{
    OperatorTime, Report, RunTime, Spread, TraceTimes, badge, github, gitlab, html, json, junit,
    markdown, sarif,
};
use std::collections::BTreeSet;
use support::{Given, parsed};

/// Names that none may get out with.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onload='x' \" autofocus onfocus=\"x",
        "]]>]]&gt;--><!--",
        "\u{202e}txet\u{2066}\u{200f}",
        "a\0b\u{1b}[31mred\u{9b}2J\u{7}",
        "a\n::error::b\r\n::set-output name=x::y",
        "| a | b |\n\n# heading\n\n<details open><iframe>@someone ![x](http://x.y/z)`",
        "</title></style></textarea></svg><b>",
        "&lt;script&gt;%0A::error::\u{fffe}\u{ffff}",
        "```\n<b>x</b>\n```",
        "{{constructor}}${7*7}",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("<script>x</script>\u{202e}".repeat(1 << 20 >> 4));
    names
}

/// Times in which the operators, modules and runs have this name as well.
fn times(name: &str) -> TraceTimes {
    let spread = Spread::of(&[10, 11, 12, 13, 14, 15]);
    let name = name.to_owned();
    let one = || OperatorTime { name: name.clone(), count: 6, ticks: 75, spread };
    TraceTimes {
        unit: "ns",
        runs: vec![RunTime { name: name.clone(), spread }],
        operators: vec![one()],
        modules: Some(vec![one()]),
        unattributed: 0,
        total: 75,
        in_delegates: 0,
        warning: Some(name.clone()),
    }
}

/// Shows what is reported of a program and a trace with this name, which got worse.
fn with(name: &str, look: impl FnOnce(&Report<'_>)) {
    let base = Given { program: made::program("forward"), name, ..Given::default() };
    let mut base = base.with(|report| report.figures());
    base.program_bytes = 1;
    base.unit = Some("ns".to_owned());
    base.times.insert(name.to_owned(), Spread::of(&[1, 1, 1, 1, 1, 1]));
    let given = Given {
        name,
        program: made::program(name),
        target: find("nucleo-h743zi"),
        budget: "program = 1\n[memory]\npeak = 1\n[calls]\nfall_backs = 0\n[time]\ntotal = 1\n\
                 operator = 1\n",
        baseline: Some(&base),
        times: Some(times(name)),
        ..Given::default()
    };
    given.with(|report| {
        assert!(report.findings().len() >= 5, "{}", report.findings().len());
        look(report);
    });
}

#[track_caller]
fn assert_plain(text: &str, form: &str) {
    for c in text.chars().filter(|c| *c != '\n' && *c != '\t') {
        let reorders = matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!c.is_control() && !reorders, "{form} has {c:?}");
    }
}

#[test]
fn the_page_has_no_element_and_attribute_of_a_name() {
    let mut known: Option<BTreeSet<String>> = None;
    for name in ["forward".to_owned()].into_iter().chain(names()) {
        with(&name, |report| {
            let page = html(report);
            assert!(page.len() < 5 << 20, "{} bytes", page.len());
            let body = &page[page.find("<body>").expect("a body")..];
            let body = &body[..body.find("<script>").expect("the page's own")];
            assert_plain(body, "the page");
            assert_eq!(page.matches("<script").count(), 1);
            let body = format!("{body}</body>");
            let tree = roxmltree::Document::parse(&body).expect("every tag is closed");
            let mut found = BTreeSet::new();
            for node in tree.descendants().filter(|node| node.is_element()) {
                let element = node.tag_name().name();
                found.insert(element.to_owned());
                found.extend(node.attributes().map(|a| format!("{element} {}", a.name())));
            }
            // Those of a program with a harmless name are the page's own.
            let known = known.get_or_insert_with(|| found.clone());
            let foreign: Vec<&String> = found.difference(known).collect();
            assert!(foreign.is_empty(), "{foreign:?}");
        });
    }
}

#[test]
fn xml_stays_xml() {
    for name in names() {
        with(&name, |report| {
            for (form, text) in [("JUnit", junit(report)), ("badge", badge(report))] {
                assert_plain(&text, form);
                roxmltree::Document::parse(&text).unwrap_or_else(|e| panic!("{form}: {e}"));
            }
        });
    }
}

#[test]
fn markdown_has_no_markup_of_a_name() {
    for name in names() {
        with(&name, |report| {
            let text = markdown(report);
            assert_plain(&text, "Markdown");
            assert!(text.len() < 65_536, "a comment of GitHub: {}", text.len());
            let own = ["details>", "/details>", "summary>", "/summary>"];
            // Code between fences is shown as it is.
            let outside: Vec<&str> = text.split("```").step_by(2).collect();
            let outside = outside.concat();
            for (at, _) in outside.match_indices('<') {
                let rest = &outside[at + 1..];
                assert!(own.iter().any(|tag| rest.starts_with(tag)), "<{:.20}", rest);
            }
            assert!(!text.contains("@someone") && !text.contains("![x]"));
            assert!(!text.lines().any(|line| line.starts_with("# ")));
        });
    }
}

#[test]
fn a_name_is_no_command_of_a_workflow() {
    for name in names() {
        with(&name, |report| {
            let text = github(report);
            assert_plain(&text, "GitHub");
            for line in text.lines() {
                let own = ["::error file=", "::warning file=", "::notice file=", "::notice title="];
                assert!(own.iter().any(|command| line.starts_with(command)), "{line:.80}");
                assert!(line.len() < 4_096, "{} bytes", line.len());
            }
        });
    }
}

#[test]
fn json_keeps_names_and_shows_no_control() {
    for name in names() {
        with(&name, |report| {
            let texts = [json(report), sarif(report), gitlab(report), report.figures().text()];
            for text in &texts {
                assert_plain(text, "JSON");
            }
            let [report, sarif, gitlab, _] = texts.map(|text| parsed(&text));
            assert_eq!(report["model"], name);
            assert_eq!(report["methods"][0]["name"], name);
            assert_eq!(gitlab[0]["location"]["lines"]["begin"], 1);
            let uri = &sarif["runs"][0]["artifacts"][0]["location"]["uri"];
            assert!(uri.as_str().expect("text").bytes().all(|b| b.is_ascii_graphic()));
        });
    }
}
