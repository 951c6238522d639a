//! Tables: cells of numbers, names and shares, and sums below them.

use super::escape;
use crate::memory::words::html;
use std::fmt::Write;

/// What is said of a cell by more than its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
}

/// A cell; its text is escaped where it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
    /// A part and its whole, drawn as a bar.
    share: Option<(u64, u64)>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell { text, ..Cell::default() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::from(text.to_owned())
    }
}

impl Cell {
    /// A text that says something good, or bad.
    pub fn judged(text: impl Into<String>, is_good: bool) -> Self {
        let tone = if is_good { Tone::Good } else { Tone::Bad };
        Cell { tone, ..Cell::from(text.into()) }
    }

    /// A part of a whole, with a bar.
    pub fn share(part: u64, whole: u64) -> Self {
        let text = crate::report::share_of(part, whole);
        Cell { share: (whole > 0).then_some((part, whole)), ..Cell::from(text) }
    }
}

/// Units of the bar of a share.
const BAR: u64 = 64;

/// A table in the making.
pub struct Table<'a> {
    header: &'a [&'a str],
    rows: String,
    sums: String,
}

impl<'a> Table<'a> {
    /// A table with these columns. A name that begins with `#` is of numbers, one with
    /// `=` of names as they stand in the program.
    pub fn new(header: &'a [&'a str]) -> Self {
        Table { header, rows: String::new(), sums: String::new() }
    }

    /// With these rows.
    pub fn rows<C: Into<Cell>>(mut self, rows: impl IntoIterator<Item = Vec<C>>) -> Self {
        rows.into_iter().for_each(|row| write_row(&mut self.rows, self.header, row));
        self
    }

    /// With a row of sums, which stays below all others.
    pub fn sum<C: Into<Cell>>(mut self, row: Vec<C>) -> Self {
        write_row(&mut self.sums, self.header, row);
        self
    }

    /// Appends it to `page`.
    pub fn write(self, page: &mut String) {
        page.push_str("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
        for (column, name) in self.header.iter().enumerate() {
            let (class, name) = (class(self.header, column, Tone::Plain), plain(name));
            let _ = write!(page, "<th scope=\"col\"{class}>{}</th>", html(name));
        }
        let _ = write!(page, "</tr></thead>\n<tbody>\n{}</tbody>", self.rows);
        if !self.sums.is_empty() {
            let _ = write!(page, "\n<tfoot>\n{}</tfoot>", self.sums);
        }
        page.push_str("</table></div>\n");
    }
}

fn plain(name: &str) -> &str {
    name.trim_start_matches(['#', '='])
}

fn write_row<C: Into<Cell>>(rows: &mut String, header: &[&str], row: Vec<C>) {
    rows.push_str("<tr>");
    for (column, cell) in row.into_iter().enumerate() {
        let cell: Cell = cell.into();
        let _ = write!(rows, "<td{}>", class(header, column, cell.tone));
        if let Some((part, whole)) = cell.share {
            let width = u128::from(part.min(whole)) * u128::from(BAR) / u128::from(whole.max(1));
            let _ = write!(
                rows,
                "<svg class=\"part\" viewBox=\"0 0 {BAR} 8\" width=\"{BAR}\" height=\"8\" \
                 aria-hidden=\"true\"><rect class=\"room\" width=\"{BAR}\" height=\"8\"/>\
                 <rect class=\"{}\" width=\"{width}\" height=\"8\"/></svg>",
                if part > whole { "bar over" } else { "bar" }
            );
        }
        let _ = write!(rows, "{}</td>", escape(&cell.text));
    }
    rows.push_str("</tr>\n");
}

fn class(header: &[&str], column: usize, tone: Tone) -> &'static str {
    let name = header.get(column).copied().unwrap_or_default();
    match (name.as_bytes().first(), tone) {
        (Some(b'#'), Tone::Plain) => " class=\"n\"",
        (Some(b'#'), Tone::Good) => " class=\"n good\"",
        (Some(b'#'), Tone::Bad) => " class=\"n bad\"",
        (Some(b'='), _) => " class=\"c\"",
        (_, Tone::Plain) => "",
        (_, Tone::Good) => " class=\"good\"",
        (_, Tone::Bad) => " class=\"bad\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_and_told_apart() {
        let mut page = String::new();
        let row = vec![Cell::from("<b>"), Cell::judged("1 & 2", false), Cell::share(3, 4)];
        let table = Table::new(&["=name", "verdict", "#share"]).rows([row]);
        table.sum(vec!["all", "", ""]).write(&mut page);
        for part in [
            "<th scope=\"col\" class=\"c\">name</th>",
            "<td class=\"c\">&lt;b&gt;</td><td class=\"bad\">1 &amp; 2</td><td class=\"n\"><svg",
            "<rect class=\"bar\" width=\"48\" height=\"8\"/></svg>75.0 %</td>",
            "<tfoot>\n<tr><td class=\"c\">all</td>",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
}
