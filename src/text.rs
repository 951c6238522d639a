//! Text for people: escaped names, sizes and times.

pub use et_inspector::text::{bytes, escape, thousands};

/// A time with three significant digits and its unit.
pub fn nanoseconds(ns: u64) -> String {
    let ns_f = ns as f64;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", three_digits(ns_f / 1e3)),
        1_000_000..1_000_000_000 => format!("{} ms", three_digits(ns_f / 1e6)),
        _ => format!("{} s", three_digits(ns_f / 1e9)),
    }
}

fn three_digits(value: f64) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

/// Columns of wrapped text, as of the help.
const WIDTH: usize = 100;

/// Appends `paragraph` behind `lead`, in lines of at most [`WIDTH`] columns
/// that are indented like the first.
pub fn wrap(text: &mut String, lead: &str, paragraph: &str) {
    wrap_to(text, lead, paragraph, WIDTH);
}

/// As [`wrap`], in lines of at most `width` columns.
pub fn wrap_to(text: &mut String, lead: &str, paragraph: &str, width: usize) {
    let mut column = lead.chars().count();
    let indent = column;
    text.push_str(lead);
    for (i, word) in paragraph.split(' ').enumerate() {
        let length = word.chars().count();
        if i > 0 && column + 1 + length > width {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if i > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        assert_eq!(nanoseconds(999), "999 ns");
        assert_eq!(nanoseconds(1_234), "1.23 µs");
        assert_eq!(nanoseconds(45_678_000), "45.7 ms");
    }
}
