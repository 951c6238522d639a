//! The report as one page: what is decided on top, then why, then everything.
//!
//! ```text
//! overview.rs  the verdict, figures in tiles, the memories of the board
//! checks.rs    findings, limits of the budget, what changed
//! method.rs    memory and delegates of each method
//! times.rs     times of runs, operators and modules
//! program.rs   the program file, earlier runs, what is not seen, how it was made
//! ```

mod checks;
mod method;
mod overview;
mod program;
mod times;

use super::Report;
use crate::memory::words::{cut, short};
use crate::page::{document, escape};
use std::fmt::Write;

/// Rows of a table; the sums are those of all.
const ROWS: usize = 100;

/// Letters of the name of a part in a link.
const LETTERS: usize = 30;

/// A part of the page: its place, its name in links, its title, and what it says.
struct Part {
    id: String,
    name: String,
    title: String,
    body: String,
}

impl Part {
    fn new(id: &str, name: &str, title: impl Into<String>) -> Self {
        Part { id: id.to_owned(), name: name.to_owned(), title: title.into(), body: String::new() }
    }
}

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let mut body = overview::header(report);
    let mut parts: Vec<Part> = overview::boards(report).into_iter().collect();
    parts.push(checks::findings(report.findings()));
    parts.extend(checks::budget(report));
    parts.extend(checks::changes(report));
    parts.extend(method::all(report));
    parts.extend(report.trace.as_ref().map(times::part));
    parts.push(program::part(report));
    parts.extend(program::history(report));
    parts.push(program::blind_spots(report));
    parts.push(program::made(report));
    body.push_str("<nav aria-label=\"parts of this report\">\n");
    for Part { id, name, .. } in &parts {
        let _ = writeln!(body, "<a href=\"#{id}\">{}</a>", escape(&cut(name, LETTERS)));
    }
    body.push_str("</nav>\n<main>\n");
    for Part { id, title, body: part, .. } in &parts {
        let linked = if id.starts_with("method") { " data-method=\"\"" } else { "" };
        let title = escape(title);
        let _ = write!(body, "<section id=\"{id}\"{linked}>\n<h2>{title}</h2>\n{part}</section>\n");
    }
    let title = format!("Report on {}", short(&report.memory.model));
    document(&title, &(body + "</main>\n"))
}
