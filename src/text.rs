//! Text for people: escaped names, sizes and times.

use et_inspector::text::is_deceptive;

/// Text from a file or the command line, safe to print: control characters,
/// terminal escapes and characters that change the direction of text become
/// `\u{…}`.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A number of bytes with its unit, and exact: `1,785,600 B`.
pub fn bytes(count: u64) -> String {
    format!("{} B", thousands(count))
}

/// Digits in groups of three.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

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
    fn terminal_escapes_do_not_reach_the_screen() {
        assert_eq!(escape("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(escape("fünf\u{202e}"), "fünf\\u{202e}");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(bytes(1_785_600), "1,785,600 B");
        assert_eq!(bytes(12), "12 B");
    }

    #[test]
    fn times_have_three_digits() {
        assert_eq!(nanoseconds(999), "999 ns");
        assert_eq!(nanoseconds(1_234), "1.23 µs");
        assert_eq!(nanoseconds(45_678_000), "45.7 ms");
    }
}
