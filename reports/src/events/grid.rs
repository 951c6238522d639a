//! A table in `tabulate`'s style `fancy_grid`, in which the Inspector prints.

/// Text of a cell.
pub(super) enum Cell {
    /// Aligned to the left.
    Text(String),
    /// Aligned at the decimal point; may be missing, then it is empty.
    Number(String),
}

impl Cell {
    fn text(&self) -> &str {
        match self {
            Cell::Text(text) => text.trim(),
            Cell::Number(text) => text,
        }
    }
}

/// The table. A column is at least two wider than its name.
pub(super) fn fancy(header: &[String], rows: &[Vec<Cell>]) -> String {
    let columns: Vec<Vec<String>> =
        (0..header.len()).map(|c| column(&header[c], c, rows)).collect();
    let widths: Vec<usize> = columns.iter().map(|c| c.first().map_or(0, |h| width(h))).collect();
    let rule = |left: char, fill: &str, middle: &str, right: char| {
        let parts: Vec<String> = widths.iter().map(|w| fill.repeat(w + 2)).collect();
        format!("{left}{}{right}\n", parts.join(middle))
    };
    let mut text = rule('╒', "═", "╤", '╕');
    for line in 0..=rows.len() {
        let cells: Vec<&str> = columns.iter().map(|c| c[line].as_str()).collect();
        text += &format!("│ {} │\n", cells.join(" │ "));
        text += &match line {
            0 => rule('╞', "═", "╪", '╡'),
            _ if line == rows.len() => String::new(),
            _ => rule('├', "─", "┼", '┤'),
        };
    }
    text + &rule('╘', "═", "╧", '╛')
}

/// The cells of a column, header first, all equally wide.
fn column(header: &str, index: usize, rows: &[Vec<Cell>]) -> Vec<String> {
    let cells = || rows.iter().filter_map(|row| row.get(index));
    let decimals = cells().map(|cell| decimals(cell.text())).max().flatten();
    let is_number = |cell: &Cell| matches!(cell, Cell::Number(number) if !number.is_empty());
    let numeric = cells().any(is_number);
    let texts = cells().map(|cell| match (numeric, decimals) {
        (true, Some(most)) => {
            let missing = most + 1 - self::decimals(cell.text()).map_or(0, |d| d + 1);
            format!("{}{}", cell.text(), " ".repeat(missing))
        }
        _ => cell.text().to_owned(),
    });
    let texts: Vec<String> = texts.collect();
    let widest = texts.iter().map(|t| width(t)).max().unwrap_or(0).max(width(header) + 2);
    let padded = |text: &str| {
        let space = " ".repeat(widest - width(text));
        if numeric { format!("{space}{text}") } else { format!("{text}{space}") }
    };
    std::iter::once(padded(header)).chain(texts.iter().map(|t| padded(t))).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Characters behind the decimal point, or behind the exponent's `e` of a
/// number without a point; `None` without either.
fn decimals(number: &str) -> Option<usize> {
    let point = number.rfind('.').or_else(|| number.rfind('e'))?;
    Some(number.len() - point - 1)
}
