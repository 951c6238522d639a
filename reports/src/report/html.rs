//! One page that needs no other file and no network, and can be read without its
//! script. Everything from files is escaped, and the policy allows this page's own
//! style and script only, by their hashes.

use super::made::policy_hash;
use super::words::{difference, figure, share, size, time};
use super::{Change, Entry, OperatorTime, Report, Share, TraceTimes, Verdict};
use super::{flame, sparkline, spread};
use crate::chart::STYLE;
use crate::memory::html::{PAGE_STYLE, TENSOR_HEADER, chart, section, table, tensor_row};
use crate::memory::words::{html, number, short};
use et_inspector::findings::{Finding, Severity};
use et_inspector::memory::MethodMemory;
use et_inspector::target::Fit;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Rows of a table; the sums are those of all.
const ROWS: usize = 100;

/// Changes that are listed.
const CHANGES: usize = 1_000;

/// Runs of the history that are listed.
const RUNS: usize = 20;

/// Planned tensors that are listed by size.
const TENSORS: usize = 20;

/// What this page has besides the page of memory: the verdict, evidence, and print.
const REPORT_STYLE: &str = "\
.verdict{font-size:1.1rem;padding:.7rem 1rem;border-left:.4rem solid var(--good);\
background:var(--soft)}
.verdict.bad{border-color:var(--bad)}
dl{display:grid;grid-template-columns:fit-content(40%) 1fr;gap:.1rem .8rem;margin:.3rem 0;\
font-size:.87rem}
dd{margin:0;overflow-wrap:anywhere}
meter{width:8rem;max-width:40vw}
td{overflow-wrap:break-word;max-width:36rem}
code,p,h2,h3,li,dt{overflow-wrap:anywhere}
nav a{margin-right:.8rem;color:inherit}
th button{all:unset;cursor:pointer;font-weight:600;text-decoration:underline dotted}
th button:focus-visible{outline:2px solid var(--ink)}
th[aria-sort=descending] button::after{content:\" \\2193\"}
th[aria-sort=ascending] button::after{content:\" \\2191\"}
.filter{margin:.3rem 0}
.filter input{font:inherit;color:inherit;background:var(--soft);border:1px solid var(--line);\
padding:.1rem .4rem}
tr.lit{background:var(--soft);outline:2px solid var(--bad)}
g.lit>rect{stroke:var(--over);stroke-width:3}
.tip{position:fixed;top:.5rem;left:.5rem;max-width:min(36rem,45vw);background:var(--paper);\
border:1px solid var(--ink);padding:.3rem .6rem;font-size:.85rem;overflow-wrap:anywhere}
.tip.left{left:.5rem}
.tip:not(.left){left:auto;right:.5rem}
.tip.bottom{top:auto;bottom:.5rem}
@media print{:root{--ink:#000;--paper:#fff;--soft:#fff;--line:#999}\
svg{--tone:72%;--text:#000;--faint:#444;--ground:#fff;break-inside:avoid}\
body{max-width:none;font-size:10pt}nav{display:none}tr{break-inside:avoid}}
";

/// What sorts and filters tables and shows details; the page can be read without it.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// Bytes of a page from which on parts of it are left out and counted.
const MOST: usize = 4 << 20;

/// Text from a file, cut and safe.
pub(super) fn escape(text: &str) -> String {
    html(&short(text))
}

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let title = escape(&report.memory.model);
    let style = format!("\n{PAGE_STYLE}{STYLE}{REPORT_STYLE}");
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Report on {title}</title>\n<style>{style}</style>\n</head>\n\
         <body>\n<main>\n<h1>Report on {title}</h1>\n",
        policy_hash(style.as_bytes()),
        policy_hash(SCRIPT.as_bytes())
    );
    verdict(&mut page, report);
    findings(&mut page, report.findings());
    limits(&mut page, report);
    changes(&mut page, report);
    methods(&mut page, report);
    if let Some(trace) = &report.trace {
        times(&mut page, trace);
    }
    program(&mut page, report);
    history(&mut page, report);
    made(&mut page, report);
    page + "</main>\n<script>" + SCRIPT + "</script>\n</body>\n</html>\n"
}

/// Every method; once the page is large, the rest in a row each, and in sums.
fn methods(page: &mut String, report: &Report<'_>) {
    let figures = report.figures();
    let mut left: Vec<&MethodMemory<'_>> = Vec::new();
    for (method, share) in report.memory.methods.iter().zip(&report.shares) {
        let mut part = String::from("<section>\n");
        if left.is_empty() {
            section(&mut part, &report.memory, method);
            sizes(&mut part, figures.methods.get(method.memory.method.name()));
            largest(&mut part, method.memory);
            delegates(&mut part, share);
            part.push_str("</section>\n");
        }
        if !left.is_empty() || page.len() + part.len() > MOST {
            left.push(method.memory);
        } else {
            page.push_str(&part);
        }
    }
    if left.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "<h2>{} more methods</h2>\n<p>The page would be too large with all that is known of them; \
         <code>--method NAME</code> shows one, <code>--format json</code> all.</p>",
        number(left.len() as u64)
    );
    let sum = |of: fn(&MethodMemory<'_>) -> u64| {
        left.iter().fold(0u64, |sum, memory| sum.saturating_add(of(memory)))
    };
    let instructions = |memory: &MethodMemory<'_>| u64::from(memory.plan.steps.count());
    let row = |name: &str, count: u64, planned: u64, peak: u64| {
        vec![name.to_owned(), number(count), number(planned), number(peak)]
    };
    let rows = left.iter().take(ROWS).map(|memory| {
        let plan = &memory.plan;
        row(memory.method.name(), instructions(memory), plan.size(), plan.peak.bytes)
    });
    let all = row(
        "sum of all of them",
        sum(|memory| u64::from(memory.plan.steps.count())),
        sum(|memory| memory.plan.size()),
        sum(|memory| memory.plan.peak.bytes),
    );
    table(page, &["method", "#instructions", "#planned", "#peak"], rows.chain([all]));
}

fn verdict(page: &mut String, report: &Report<'_>) {
    let class = if report.is_bad() { "verdict bad" } else { "verdict good" };
    let _ = writeln!(
        page,
        "<p class=\"{class}\">{}</p>\n<p>Program of {}, objects of {}.</p>",
        escape(&report.verdict()),
        size(report.memory.program),
        escape(report.memory.abi)
    );
    for method in &report.memory.methods {
        if let Some((target, fit)) = report.memory.target.zip(method.fit.as_ref()) {
            let name = escape(method.memory.method.name());
            let _ = writeln!(
                page,
                "<h2>Method {name} on {} ({})</h2>",
                escape(&target.name),
                escape(&target.title)
            );
            memories(page, fit);
        }
    }
    page.push_str("<details><summary>What this report cannot see</summary>\n<ul>\n");
    for spot in report.blind_spots() {
        let _ = writeln!(page, "<li>{}</li>", escape(&spot));
    }
    page.push_str("</ul>\n</details>\n");
}

/// The target's memories as bars, each with the pools that it is the sum of.
fn memories(page: &mut String, fit: &Fit) {
    page.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">memory</th>\
         <th scope=\"col\">fill</th><th scope=\"col\" class=\"n\">taken</th>\
         <th scope=\"col\" class=\"n\">available</th><th scope=\"col\" class=\"n\">left</th>\
         <th scope=\"col\">sum of</th></tr></thead>\n<tbody>\n",
    );
    for memory in fit.memories.iter().filter(|memory| memory.takes > 0) {
        let available = memory.size.saturating_sub(memory.reserved);
        let pools = fit.pools.iter().filter(|pool| pool.memory == memory.name);
        let pools: Vec<String> =
            pools.map(|pool| format!("{} {}", pool.name, number(pool.takes()))).collect();
        let left = match memory.missing() {
            0 => format!("<span class=\"good\">{}</span>", size(available - memory.takes)),
            missing => format!("<span class=\"bad\">{} MISSING</span>", size(missing)),
        };
        let name = escape(&memory.name);
        let _ = writeln!(
            page,
            "<tr><td>{name}</td><td><meter min=\"0\" max=\"{}\" low=\"{}\" high=\"{available}\" \
             optimum=\"0\" value=\"{}\" aria-label=\"{name}\">{}</meter></td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{left}</td><td>{}</td></tr>",
            available.max(memory.takes),
            available / 10 * 9,
            memory.takes,
            share(memory.takes, available),
            size(memory.takes),
            size(available),
            escape(&pools.join(" + "))
        );
    }
    page.push_str("</tbody></table></div>\n");
}

fn findings(page: &mut String, findings: &[Finding]) {
    page.push_str("<h2>Findings</h2>\n");
    if findings.is_empty() {
        page.push_str("<p class=\"good\">Nothing was found to be wrong.</p>\n");
    }
    for finding in findings.iter().take(ROWS) {
        let facts = finding.code.page();
        let class = if facts.severity == Severity::Error { " class=\"bad\"" } else { "" };
        let _ = writeln!(
            page,
            "<h3><span{class}>{} {}</span>: {}</h3>\n<p>{}</p>",
            facts.severity.name(),
            facts.code,
            escape(&finding.title),
            escape(&finding.remedy)
        );
        let at = finding.at.map(|(chain, at)| {
            ("at", format!("{chain}:{at} {}", finding.operator.clone().unwrap_or_default()))
        });
        let evidence = finding.evidence.iter().cloned().chain(at);
        let evidence: Vec<String> = evidence
            .map(|(name, value)| {
                format!("<dt>{}</dt><dd>{}</dd>\n", escape(&name.replace('_', " ")), escape(&value))
            })
            .collect();
        if !evidence.is_empty() {
            let _ = write!(
                page,
                "<details><summary>Evidence</summary>\n<dl>\n{}</dl>\n</details>\n",
                evidence.concat()
            );
        }
    }
    if findings.len() > ROWS {
        let _ = writeln!(
            page,
            "<p>and {} more, in <code>--format json</code></p>",
            findings.len() - ROWS
        );
    }
}

/// Limits of the budget on calls, findings and times; those of bytes stand with their method.
fn limits(page: &mut String, report: &Report<'_>) {
    if report.counts.is_empty() {
        return;
    }
    page.push_str("<h2>Limits of calls, findings and times</h2>\n");
    let rows = report.counts.iter().map(|count| {
        let value = |value: u64| figure(value, count.counted.unit());
        let verdict = match (count.found, count.over()) {
            (None, _) => "not known".to_owned(),
            (_, 0) => "met".to_owned(),
            (_, over) => format!("OVER by {}", value(over)),
        };
        let found = count.found.map_or_else(|| "-".to_owned(), value);
        let of = count.of.clone().unwrap_or_default();
        vec![count.name.clone(), of, found, value(count.limit), verdict]
    });
    table(page, &["limit", "of", "#found", "#allowed", "verdict"], rows);
}

fn changes(page: &mut String, report: &Report<'_>) {
    let Some(changes) = &report.changes else { return };
    let _ = writeln!(
        page,
        "<h2>What changed</h2>\n<p>{} of {} figures, base against new.</p>",
        changes.changes.len(),
        changes.compared
    );
    let row = |change: &Change| {
        let value =
            |value: Option<u64>| value.map_or_else(|| "-".into(), |v| figure(v, &change.unit));
        let by = change.base.zip(change.new).map(|(base, new)| difference(base, new, &change.unit));
        let verdict = match change.verdict {
            Verdict::Worse => "WORSE",
            other => other.name(),
        };
        vec![
            change.method.clone().unwrap_or_default(),
            change.figure.clone(),
            value(change.base),
            value(change.new),
            by.unwrap_or_default(),
            figure(change.least, &change.unit),
            verdict.to_owned(),
        ]
    };
    if !changes.changes.is_empty() {
        let header =
            ["method", "figure", "#base", "#new", "#difference", "#counts from", "verdict"];
        table(page, &header, changes.changes.iter().take(CHANGES).map(row));
        if let Some(more) = changes.changes.len().checked_sub(CHANGES).filter(|more| *more > 0) {
            let _ = writeln!(page, "<p>and {} more</p>", number(more as u64));
        }
    }
    for note in &changes.notes {
        let _ = writeln!(page, "<p>{}</p>", escape(note));
    }
}

/// The sizes of a method, under the names that budgets and baselines have for them.
fn sizes(page: &mut String, sizes: Option<&BTreeMap<String, u64>>) {
    let what = |name: &str| match name {
        "memory.method" => "method allocator: loading, and preparing inputs",
        "memory.peak" => "planned tensors that are live at one moment",
        "memory.planned" => "sum of the planned buffers",
        "memory.temp" => "temp allocator",
        "memory.total" => "planned buffers, method and temp allocator",
        _ => "planned buffer",
    };
    page.push_str("<h3>Sizes under the names of a budget</h3>\n");
    let rows = sizes.into_iter().flatten();
    let rows = rows.map(|(name, bytes)| vec![name.clone(), size(*bytes), what(name).to_owned()]);
    table(page, &["figure", "#bytes", "of"], rows);
}

/// The largest planned tensors, and the sum of the others.
fn largest(page: &mut String, memory: &MethodMemory<'_>) {
    let storages = &memory.plan.storages;
    let mut order: Vec<usize> = (0..storages.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(storages[*index].bytes));
    page.push_str("<h3>Largest planned tensors</h3>\n");
    let rows = order.iter().take(TENSORS).map(|index| tensor_row(memory, *index));
    table(page, &TENSOR_HEADER, rows);
    if let Some(rest) = order.get(TENSORS..).filter(|rest| !rest.is_empty()) {
        let bytes = rest.iter().fold(0u64, |sum, i| sum.saturating_add(storages[*i].bytes));
        let _ = writeln!(page, "<p>and {} smaller ones of {}</p>", rest.len(), size(bytes));
    }
}

/// What delegates run of a method, and what they leave to kernels.
fn delegates(page: &mut String, shares: &Share) {
    let (by_delegates, by_kernels) = (shares.delegate_calls(), shares.kernel_calls());
    let all = by_delegates + by_kernels + shares.other;
    let _ = writeln!(
        page,
        "<h3>Delegates and kernels</h3>\n<p>{} instructions = {} delegate calls + {} kernel calls \
         + {} others</p>",
        number(all),
        number(by_delegates),
        number(by_kernels),
        number(shares.other)
    );
    let rows = |calls: &std::collections::BTreeMap<String, u64>, by: &str| {
        let mut rows: Vec<(String, u64, String)> =
            calls.iter().map(|(name, count)| (name.clone(), *count, by.to_owned())).collect();
        rows.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        rows
    };
    let mut all = rows(&shares.delegates, "delegate");
    all.extend(rows(&shares.kernels, if by_delegates > 0 { "fall-back" } else { "kernel" }));
    let shown = all.into_iter().take(ROWS).map(|(name, count, by)| vec![name, number(count), by]);
    table(page, &["operator", "#calls", "run by"], shown);
}

fn times(page: &mut String, trace: &TraceTimes) {
    let unit = trace.unit;
    page.push_str("<h2>Times</h2>\n");
    if let Some(warning) = &trace.warning {
        let _ = writeln!(page, "<p class=\"bad\">{}</p>", escape(warning));
    }
    let runs = trace.runs.iter().take(ROWS).map(|run| {
        let s = &run.spread;
        let mut row = vec![run.name.clone(), number(s.runs as u64)];
        row.extend([s.min, s.p50, s.p90, s.max].map(|ticks| time(ticks, unit)));
        row
    });
    table(page, &["runs", "#number", "#least", "#median", "#p90", "#most"], runs);
    let _ = writeln!(
        page,
        "<h3>By operator</h3>\n<p>{} in all, {} of it ({}) in delegate calls</p>",
        time(trace.total, unit),
        time(trace.in_delegates, unit),
        share(trace.in_delegates, trace.total)
    );
    chart(page, &spread::chart(trace, &trace.operators));
    operators(page, trace, &trace.operators, "operator");
    if let Some(modules) = &trace.modules {
        page.push_str("<h3>By module of the model</h3>\n");
        chart(page, &flame::chart(trace, modules));
        operators(page, trace, modules, "module");
    }
}

/// Times that add up to the whole.
fn operators(page: &mut String, trace: &TraceTimes, list: &[OperatorTime], what: &str) {
    let unit = trace.unit;
    let shown = list.iter().take(ROWS);
    let left =
        shown.clone().fold(trace.total, |left, operator| left.saturating_sub(operator.ticks));
    let rows = shown.map(|operator| {
        let s = &operator.spread;
        let mut row = vec![
            operator.name.clone(),
            number(operator.count as u64),
            time(operator.ticks, unit),
            share(operator.ticks, trace.total),
        ];
        row.extend([s.min, s.p50, s.p90, s.max].map(|ticks| time(ticks, unit)));
        row
    });
    let last = |name: &str, ticks: u64| {
        let mut row = vec![name.to_owned(), String::new(), time(ticks, unit)];
        row.push(share(ticks, trace.total));
        row.resize(8, String::new());
        row
    };
    let others = match list.len().saturating_sub(ROWS) {
        0 => "outside of instructions".to_owned(),
        more => format!("{more} more, and outside of instructions"),
    };
    let rows = rows.chain([last(&others, left), last("sum", trace.total)]);
    let header = [what, "#calls", "#time", "#share", "#least run", "#median", "#p90", "#most"];
    table(page, &header, rows);
}

fn program(page: &mut String, report: &Report<'_>) {
    let program = &report.program;
    page.push_str("<h2>Program and weights</h2>\n");
    let part =
        |name: &str, bytes: u64| vec![name.to_owned(), size(bytes), share(bytes, program.bytes)];
    let mut parts = vec![
        part("constant tensors", program.constants),
        part("payloads of delegates", program.delegates),
        part("values, instructions, named data and padding", program.rest()),
        part("the file", program.bytes),
    ];
    if program.external > 0 {
        parts.push(vec!["constants in other files".into(), size(program.external), String::new()]);
    }
    table(page, &["part", "#bytes", "#share"], parts.into_iter());
    let count = program.weights.len();
    let _ = writeln!(page, "<h3>Largest weights</h3>\n<p>{} in all</p>", number(count as u64));
    let rows = program.weights.iter().take(ROWS).map(|weight| {
        vec![
            weight.method.clone(),
            weight.value.to_string(),
            size(weight.bytes),
            weight.kind.clone(),
            weight.name.clone().unwrap_or_default(),
        ]
    });
    table(page, &["method", "#value", "#bytes", "type", "name"], rows);
    if let Some(rest) = program.weights.get(ROWS..).filter(|rest| !rest.is_empty()) {
        let sum = rest.iter().fold(0u64, |sum, weight| sum.saturating_add(weight.bytes));
        let _ = writeln!(page, "<p>and {} smaller ones of {}</p>", rest.len(), size(sum));
    }
}

/// Earlier runs, the latest first, under this one.
fn history(page: &mut String, report: &Report<'_>) {
    if report.history.is_empty() {
        return;
    }
    let now = Entry::of(report);
    let mut runs = report.history.to_vec();
    runs.push(now);
    let _ = writeln!(
        page,
        "<h2>Earlier runs</h2>\n<p>Peak of the latest {} runs: {}</p>",
        runs.len().min(sparkline::POINTS),
        sparkline::chart(&runs)
    );
    let before = runs.len() - 1;
    let rows = runs.iter().enumerate().rev().take(RUNS).map(|(index, run)| {
        let ticks = run.run_ticks.zip(run.unit.as_deref());
        vec![
            if index == before { "this one".to_owned() } else { number(index as u64 + 1) },
            run.verdict.clone(),
            size(run.program_bytes),
            size(run.peak_bytes),
            size(run.total_bytes),
            ticks.map_or_else(|| "-".to_owned(), |(ticks, unit)| time(ticks, unit)),
            run.sha256.chars().take(12).collect(),
        ]
    });
    let header = ["run", "verdict", "#file", "#peak", "#all memory", "#time", "SHA-256"];
    table(page, &header, rows);
    if let Some(more) = runs.len().checked_sub(RUNS).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p>and {} before</p>", number(more as u64));
    }
}

fn made(page: &mut String, report: &Report<'_>) {
    let _ = writeln!(
        page,
        "<h2>How this was made</h2>\n<p>etinspect {}; the same inputs make the same page.</p>",
        escape(&report.made.version)
    );
    let rows = report.made.inputs.iter().map(|input| {
        vec![input.role.to_owned(), input.name.clone(), size(input.bytes), input.sha256.clone()]
    });
    table(page, &["input", "name", "#bytes", "SHA-256"], rows);
    if !report.made.options.is_empty() {
        let _ =
            writeln!(page, "<pre tabindex=\"0\">{}</pre>", escape(&report.made.options.join(" ")));
    }
}
