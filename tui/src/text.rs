//! Text for cells: safe, and as wide as there is room.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text from a file, safe to draw: control characters and those that change
/// the direction of text become `\u{…}`.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let bidirectional = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || bidirectional {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The beginning of `text` that fits into `width` columns, with a mark if
/// something is left out, and filled up with blanks.
pub fn fit(text: &str, width: usize) -> String {
    let full = text.width();
    let room = if full > width { width.saturating_sub(1) } else { width };
    let mut cut = String::with_capacity(width);
    let mut used = 0;
    for c in text.chars() {
        let own = c.width().unwrap_or(0);
        if used + own > room {
            break;
        }
        cut.push(c);
        used += own;
    }
    if full > width && width > 0 {
        cut.push('…');
        used += 1;
    }
    cut.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    cut
}

/// As [`fit`], at the right end of the columns.
pub fn fit_right(text: &str, width: usize) -> String {
    let full = text.width();
    if full >= width { fit(text, width) } else { format!("{}{text}", " ".repeat(width - full)) }
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

/// Bytes, exact.
pub fn bytes(count: u64) -> String {
    format!("{} B", thousands(count))
}

/// A time with three significant digits and its unit.
pub fn nanoseconds(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

/// A text in lines of at most `width` columns, broken between words.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.width() + 1 + word.width() > width.max(1) {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_wide_as_they_should_be() {
        for text in ["short", "日本語のモデル", "e\u{301}te\u{301}", "a long name that is cut"]
        {
            for width in [0, 1, 5, 9] {
                assert_eq!(fit(text, width).width(), width, "{text:?} in {width}");
            }
        }
        assert_eq!(fit_right("42", 5), "   42");
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(escape("a\u{1b}[31mb\u{202e}"), "a\\u{1b}[31mb\\u{202e}");
    }
}
