//! JUnit XML: a test case for each limit of the budget and each memory of the
//! target, and one for the baseline and the findings each. The elements are those that Jenkins,
//! GitLab and the usual GitHub actions read.

use super::Report;
use super::words::{figure, size};
use crate::memory::words::{html, short_to};
use crate::page::escape;
use et_inspector::findings::Severity;
use std::fmt::Write;

/// Characters of a line of details.
const MOST: usize = 2_000;

/// A test case: its class, its name, and why it failed.
struct Case {
    class: String,
    name: String,
    /// A short message, and the details.
    failure: Option<(String, String)>,
    /// Whether nothing is known of it.
    unknown: bool,
}

/// Figures that `[growth]` of a budget can limit.
const LIMITS: [&str; 7] = [
    "program",
    "memory.method",
    "memory.planned",
    "memory.temp",
    "memory.total",
    "memory.peak",
    "time",
];

/// The document.
pub fn junit(report: &Report<'_>) -> String {
    let suites = [
        ("budget", budget(report)),
        ("target", target(report)),
        ("baseline", baseline(report)),
        ("findings", vec![findings(report)]),
    ];
    let suites = suites.into_iter().filter(|(_, cases)| !cases.is_empty());
    let (mut body, mut tests, mut failures) = (String::new(), 0, 0);
    for (name, cases) in suites {
        let failed = cases.iter().filter(|case| case.failure.is_some()).count();
        let _ = writeln!(
            body,
            "  <testsuite name=\"etinspect.{name}\" tests=\"{}\" failures=\"{failed}\" \
             errors=\"0\" skipped=\"{}\">",
            cases.len(),
            cases.iter().filter(|case| case.unknown).count()
        );
        cases.iter().for_each(|case| write_case(&mut body, case));
        body.push_str("  </testsuite>\n");
        tests += cases.len();
        failures += failed;
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"etinspect\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n{body}</testsuites>\n"
    )
}

fn write_case(body: &mut String, case: &Case) {
    let (class, name) = (escape(&case.class), escape(&case.name));
    let _ = write!(body, "    <testcase classname=\"{class}\" name=\"{name}\"");
    match &case.failure {
        None if case.unknown => {
            body.push_str(">\n      <skipped>nothing is known of it</skipped>\n    </testcase>\n");
        }
        None => body.push_str("/>\n"),
        Some((message, details)) => {
            let line = |line: &str| html(&short_to(line, MOST));
            let details: Vec<String> = details.lines().map(line).collect();
            let _ = writeln!(
                body,
                ">\n      <failure message=\"{}\" type=\"etinspect\">{}</failure>\n    </testcase>",
                escape(message),
                details.join("\n")
            );
        }
    }
}

/// Class of a method's cases.
fn class(report: &Report<'_>, method: &str) -> String {
    format!("{}.{method}", report.memory.model)
}

fn budget(report: &Report<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    for page in &report.memory.methods {
        for check in &page.budget {
            let over = check.over();
            let failure = (over > 0).then(|| {
                let message = format!("{} over its limit by {}", check.name, size(over));
                let [needs, limit] = [check.needs, check.limit].map(size);
                (message, format!("needs {needs}\nallowed {limit}"))
            });
            let class = class(report, page.memory.method.name());
            cases.push(Case { class, name: check.name.clone(), failure, unknown: false });
        }
    }
    cases.extend(report.counts.iter().map(|count| {
        let unit = count.counted.unit();
        let failure = (count.over() > 0).then(|| {
            let [found, limit, over] =
                [count.found.unwrap_or(0), count.limit, count.over()].map(|v| figure(v, unit));
            (format!("{count} over its limit by {over}"), format!("is {found}\nallowed {limit}"))
        });
        let unknown = count.found.is_none();
        Case { class: report.memory.model.clone(), name: count.to_string(), failure, unknown }
    }));
    cases
}

fn target(report: &Report<'_>) -> Vec<Case> {
    let Some(target) = report.memory.target else { return Vec::new() };
    let mut cases = Vec::new();
    for page in &report.memory.methods {
        let Some(fit) = &page.fit else { continue };
        let class = class(report, page.memory.method.name());
        for memory in fit.memories.iter().filter(|memory| memory.takes > 0) {
            let failure = (!memory.fits()).then(|| {
                let message = format!("{} are missing in {}", size(memory.missing()), memory.name);
                let [takes, all, reserved] = [memory.takes, memory.size, memory.reserved].map(size);
                (message, format!("needs {takes}\nhas {all}, of which {reserved} are reserved"))
            });
            let name = format!("{} {}", target.name, memory.name);
            cases.push(Case { class: class.clone(), name, failure, unknown: false });
        }
        for pool in fit.pools.iter().filter(|pool| pool.size.is_some()) {
            let failure = (!pool.fits()).then(|| {
                let message = format!("the {} pool is too small", pool.name);
                let [needs, has] = [pool.needs, pool.size.unwrap_or(0)].map(size);
                (message, format!("needs {needs}\nhas {has}"))
            });
            let name = format!("{} pool {}", target.name, pool.name);
            cases.push(Case { class: class.clone(), name, failure, unknown: false });
        }
    }
    cases
}

fn baseline(report: &Report<'_>) -> Vec<Case> {
    let Some(changes) = &report.changes else { return Vec::new() };
    let worse: Vec<String> = changes.regressions().map(super::words::change).collect();
    let failure = (!worse.is_empty())
        .then(|| (format!("{} figures got worse", worse.len()), worse.join("\n")));
    let class = &report.memory.model;
    let name = "nothing is worse than in the base".to_owned();
    let mut cases = vec![Case { class: class.clone(), name, failure, unknown: false }];
    for limit in LIMITS.into_iter().filter(|limit| changes.growth.limit(limit).is_some()) {
        let over = changes.regressions().filter(|change| change.limit_name() == limit);
        let over: Vec<String> = over.map(super::words::change).collect();
        let failure = (!over.is_empty())
            .then(|| (format!("{limit} grew by more than its budget allows"), over.join("\n")));
        cases.push(Case {
            class: class.clone(),
            name: format!("growth of {limit}"),
            failure,
            unknown: false,
        });
    }
    cases
}

fn findings(report: &Report<'_>) -> Case {
    let errors = report.findings().iter().filter(|f| f.code.page().severity == Severity::Error);
    let lines: Vec<String> = errors
        .map(|f| format!("{}: {} Remedy: {}", f.code.page().code, f.title, f.remedy))
        .collect();
    Case {
        class: report.memory.model.clone(),
        name: "no finding is an error".to_owned(),
        failure: (!lines.is_empty()).then(|| (format!("{} errors", lines.len()), lines.join("\n"))),
        unknown: false,
    }
}
