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
use crate::memory::words::{cut, short, size};
use crate::page::{document, escape};
use std::fmt::Write;

/// Rows of a table; the sums are those of all.
const ROWS: usize = 100;

/// Bytes of all parts together: no page has more than 5 MB.
const MOST: usize = 4_700_000;

/// Bytes of a part that is never left out.
const SMALL: usize = 400;

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

/// Replaces the largest parts by a word of what they were, until all have no more than
/// `most` bytes.
fn fit(parts: &mut [Part], most: usize) {
    let all = |parts: &[Part]| parts.iter().map(|part| part.body.len()).sum::<usize>();
    while all(parts) > most {
        let Some(part) = parts.iter_mut().max_by_key(|part| part.body.len()) else { return };
        let note = format!(
            "<p>This part is left out, as the page would be too large with its {}; \
             <code>--format json</code> has the figures.</p>\n",
            size(part.body.len() as u64)
        );
        // What is as small as that is not what makes the page large.
        if part.body.len() <= SMALL {
            return;
        }
        part.body = note;
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
    fit(&mut parts, MOST);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_parts_make_way_and_say_so() {
        let part = |bytes: usize| Part { body: "x".repeat(bytes), ..Part::new("a", "a", "a") };
        let mut parts = [part(900), part(5_000), part(3_000)];
        fit(&mut parts, 9_000);
        assert_eq!(parts.iter().map(|part| part.body.len()).sum::<usize>(), 8_900);
        fit(&mut parts, 4_500);
        assert!(parts[1].body.contains("left out") && parts[1].body.contains("5,000 B"));
        assert_eq!([parts[0].body.len(), parts[2].body.len()], [900, 3_000]);
        // Less than it takes to say so is left as it is.
        fit(&mut parts, 10);
        assert!(parts.iter().all(|part| part.body.contains("left out")));
    }
}
