//! The JUnit XML is what its readers expect: it is valid by the schema that Jenkins' dtkit
//! published (`tests/fixtures/schemas/junit-4.xsd`), and by the rules of today's xUnit plugin
//! (`junit-10.xsd`, <https://github.com/jenkinsci/xunit-plugin>), which stand in [`RULES`].

mod support;
#[path = "support/xsd.rs"]
mod xsd;

use et_inspector::target::find;
use et_reports::report::{Baseline, junit};
use roxmltree::{Document, Node};
use support::{Given, fixtures, full, linear, model};
use xsd::Schema;

/// What may be in an element.
struct Rule {
    element: &'static str,
    children: &'static [&'static str],
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// Whether it may hold text.
    text: bool,
}

const RULES: [Rule; 6] = [
    Rule {
        element: "testsuites",
        children: &["testsuite"],
        required: &[],
        optional: &["name", "time", "tests", "failures", "errors"],
        text: false,
    },
    Rule {
        element: "testsuite",
        children: &["testsuite", "properties", "testcase", "system-out", "system-err"],
        required: &["name", "tests", "failures", "errors"],
        optional: &[
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
        ],
        text: false,
    },
    Rule {
        element: "testcase",
        children: &["skipped", "error", "failure", "system-out", "system-err"],
        required: &["name"],
        optional: &["time", "classname", "group"],
        text: false,
    },
    Rule {
        element: "failure",
        children: &[],
        required: &[],
        optional: &["type", "message"],
        text: true,
    },
    Rule {
        element: "error",
        children: &[],
        required: &[],
        optional: &["type", "message"],
        text: true,
    },
    Rule {
        element: "skipped",
        children: &[],
        required: &[],
        optional: &["type", "message"],
        text: true,
    },
];

/// What is wrong with `node` and what is in it.
fn faults(node: Node<'_, '_>, found: &mut Vec<String>) {
    let name = node.tag_name().name();
    let Some(rule) = RULES.iter().find(|rule| rule.element == name) else {
        return found.push(format!("<{name}> is none of the elements"));
    };
    for attribute in node.attributes() {
        let known = rule.required.iter().chain(rule.optional);
        if !known.clone().any(|known| *known == attribute.name()) {
            found.push(format!("<{name}> has no attribute {}", attribute.name()));
        }
    }
    for required in rule.required.iter().filter(|name| !node.has_attribute(**name)) {
        found.push(format!("<{name}> needs {required}"));
    }
    for child in node.children() {
        let inner = child.tag_name().name();
        match child.is_element() {
            true if rule.children.contains(&inner) => faults(child, found),
            true => found.push(format!("<{inner}> in <{name}>")),
            false if rule.text || child.text().is_none_or(|text| text.trim().is_empty()) => {}
            false => found.push(format!("text in <{name}>")),
        }
    }
}

/// The schema that was published.
fn published() -> Schema {
    let path = fixtures().join("schemas/junit-4.xsd");
    Schema::parse(&std::fs::read_to_string(path).expect("a fixture"))
}

fn faults_of(text: &str) -> Vec<String> {
    let xml = Document::parse(text).expect("XML");
    let root = xml.root_element();
    let mut found = published().faults(&xml);
    if !["testsuites", "testsuite"].contains(&root.tag_name().name()) {
        found.push(format!("<{}> is no root", root.tag_name().name()));
    }
    faults(root, &mut found);
    found
}

/// Numbers of a suite are those of its cases.
fn assert_counts(text: &str) {
    let xml = Document::parse(text).expect("XML");
    let number = |node: Node<'_, '_>, name: &str| -> usize {
        node.attribute(name).unwrap_or("0").parse().unwrap_or_else(|_| panic!("{name}"))
    };
    let suites = || xml.root_element().children().filter(|n| n.has_tag_name("testsuite"));
    for suite in suites() {
        let cases = || suite.children().filter(|n| n.has_tag_name("testcase"));
        let with = |name: &str| {
            cases().filter(|case| case.children().any(|n| n.has_tag_name(name))).count()
        };
        assert_eq!(number(suite, "tests"), cases().count());
        assert_eq!(number(suite, "failures"), with("failure"));
        assert_eq!(number(suite, "errors"), with("error"));
        assert_eq!(number(suite, "skipped"), with("skipped"));
    }
    for name in ["tests", "failures", "errors"] {
        let sum: usize = suites().map(|suite| number(suite, name)).sum();
        assert_eq!(number(xml.root_element(), name), sum, "{name}");
    }
}

#[test]
fn every_report_is_as_published() {
    let base: Baseline = linear().with(|report| report.figures());
    let limits =
        "[calls]\nfall_backs = 0\n[time]\ntotal = 1\n[findings]\nETM004 = 0\n[growth]\ntime = 1\n";
    let all = [
        linear(),
        full(),
        Given { baseline: Some(&base), ..full() },
        Given { budget: limits, trace: Some("linear__it10"), ..linear() },
        Given { budget: limits, baseline: Some(&base), ..linear() },
        Given { name: "<\"&'>]]>", target: find("stm32n6570-dk"), ..linear() },
        Given { name: "two", program: model("multi_method_forward"), ..linear() },
    ];
    for given in all {
        let text = given.with(junit);
        assert_eq!(faults_of(&text), Vec::<String>::new(), "{text}");
        assert_counts(&text);
    }
}

#[test]
fn what_is_not_as_published_is_found() {
    for (text, fault) in [
        ("<testsuites><testcase name=\"a\"/></testsuites>", "<testcase> in <testsuites>"),
        ("<testsuites><testsuite name=\"a\"/></testsuites>", "<testsuite> needs tests"),
        ("<testsuites x=\"1\"/>", "<testsuites> has no attribute x"),
        ("<testsuites>words</testsuites>", "text in <testsuites>"),
        ("<cases/>", "<cases> is no root"),
        ("<cases/>", "<cases> is none of the elements"),
        (
            "<testsuite name=\"a\" tests=\"1\"><system-out/><testcase name=\"a\"/></testsuite>",
            "<testcase> there in <testsuite>",
        ),
        ("<testcase name=\"a\"><skipped/><skipped/></testcase>", "2 <skipped> in <testcase>"),
        ("<skipped message=\"a\"/>", "<skipped> has no attribute message"),
    ] {
        let found = faults_of(text);
        assert!(found.iter().any(|found| found == fault), "{fault}: {found:?}");
    }
}
