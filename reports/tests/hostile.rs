//! Names that would be markup, commands or other text, in every form of a report.

#[path = "support/hostile.rs"]
mod made;
mod support;

use comrak::nodes::NodeValue;
use et_inspector::target::find;
use et_reports::memory;
use et_reports::report::{
    Entry, History, OperatorTime, Report, Row, RunTime, Spread, TraceTimes, badge, github, gitlab,
    html, index, json, junit, markdown, sarif,
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
        "\u{61c}\u{200b}a\u{2028}b\u{2029}\u{feff}\u{ad}\u{e0041}",
        "http://evil.example www.evil.example me@evil.example #1 !1 @everyone [a]: http://x",
        "1. a\n- b\n+ c\n===\n> d <!-- <?php ?>",
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
        executing: 75,
        warning: Some(name.clone()),
        findings: Vec::new(),
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
        let is_unseen = matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        );
        assert!(!c.is_control() && !is_unseen, "{form} has {c:?}");
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

/// What GitHub makes of `text`: the kinds of all nodes, and the words between them.
fn rendered(text: &str) -> (BTreeSet<String>, String) {
    let mut options = comrak::Options::default();
    let extension = &mut options.extension;
    extension.autolink = true;
    extension.table = true;
    extension.strikethrough = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.math_dollars = true;
    let arena = comrak::Arena::new();
    let root = comrak::parse_document(&arena, text, &options);
    let (mut kinds, mut words) = (BTreeSet::new(), String::new());
    for node in root.descendants() {
        let value = &node.data.borrow().value;
        let kind = format!("{value:?}");
        let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
        match value {
            NodeValue::Text(text) => words += text,
            // Code is shown as it is.
            NodeValue::CodeBlock(_) => {}
            // Of the report itself, where it names an option.
            NodeValue::Code(_) => continue,
            NodeValue::HtmlBlock(block) => {
                kinds.insert(format!("{kind} {}", block.literal.trim()));
            }
            NodeValue::HtmlInline(tag) => {
                kinds.insert(format!("{kind} {tag}"));
            }
            _ => {}
        }
        kinds.insert(kind);
    }
    (kinds, words)
}

#[test]
fn markdown_has_no_markup_of_a_name() {
    let summary = |kind: &str| kind.contains("<summary>");
    let mut known: Option<BTreeSet<String>> = None;
    for name in ["forward".to_owned()].into_iter().chain(names()) {
        with(&name, |report| {
            let text = markdown(report);
            assert_plain(&text, "Markdown");
            assert!(text.len() < 65_536, "a comment of GitHub: {}", text.len());
            let (kinds, words) = rendered(&text);
            // The summary of a part names its method.
            let own: Vec<&String> = kinds.iter().filter(|kind| summary(kind)).collect();
            for own in own {
                let inner = own.split_once("<summary>").expect("its own").1;
                let inner = inner.split_once("</summary>").expect("its end").0;
                assert!(!inner.contains('<') && !inner.contains('>'), "{own}");
            }
            let kinds: BTreeSet<String> = kinds.into_iter().filter(|kind| !summary(kind)).collect();
            // Those of a program with a harmless name are the report's own.
            let known = known.get_or_insert_with(|| kinds.clone());
            let foreign: Vec<&String> = kinds.difference(known).collect();
            assert!(foreign.is_empty(), "{name:.60}: {foreign:?}");
            // GitHub looks for these in the words that are left.
            for mark in ["@everyone", "@someone", "me@evil", "#1", "http://", "www.evil"] {
                assert!(!words.contains(mark), "{mark} of {name:.60}");
            }
        });
    }
}

#[test]
fn an_index_and_its_history_have_no_name_as_markup() {
    for name in names() {
        with(&name, |report| {
            let entry = Entry::of(report);
            assert_plain(&entry.line(), "history");
            let history = History::parse(&(entry.line() + &entry.line())).expect("its own lines");
            assert_eq!(history.of(&name).len(), 2);
            let row = Row { entry, sentence: name.clone(), page: name.clone() };
            let page = index(&[row], &history, &name);
            assert!(page.len() < 1 << 20, "{} bytes", page.len());
            let body = &page[page.find("<body>").expect("a body")..];
            let body = &body[..body.find("<script>").expect("the page's own")];
            assert_plain(body, "the index");
            let body = format!("{body}</body>");
            let tree = roxmltree::Document::parse(&body).expect("every tag is closed");
            for node in tree.descendants().filter(|node| node.is_element()) {
                let element = node.tag_name().name();
                assert!(!["script", "img", "iframe", "b"].contains(&element), "{element}");
                assert!(!node.attributes().any(|a| a.name().starts_with("on")), "{element}");
            }
        });
    }
}

#[test]
fn documents_of_memory_have_no_name_as_markup() {
    for name in names() {
        with(&name, |report| {
            let document = &report.memory;
            let page = memory::html(document);
            let end = page.find("<script>").expect("the page's own");
            assert_plain(&page[..end], "the page of memory");
            assert_eq!(page.matches("<script").count(), 1);
            let picture = memory::svg(document);
            assert_plain(&picture, "SVG");
            roxmltree::Document::parse(&picture).expect("XML");
            let (kinds, _) = rendered(&memory::markdown(document));
            for foreign in ["Link", "Image", "HtmlInline <img", "HtmlBlock <script"] {
                assert!(!kinds.iter().any(|kind| kind.starts_with(foreign)), "{foreign}");
            }
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
