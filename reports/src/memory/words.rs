//! Numbers and texts in documents.

use std::borrow::Cow;

/// Digits in groups of three.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes, exact, with its unit.
pub fn bytes(count: u64) -> String {
    number(count) + " B"
}

/// Characters of a text from a file that people are shown.
const MOST: usize = 300;

/// A text from a file, cut where nobody would read on: a name of a megabyte
/// stands in many places. Says how much is left out.
pub fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let more = number(text[end..].chars().count() as u64);
            Cow::Owned(format!("{}… ({more} more characters)", &text[..end]))
        }
    }
}

/// Whether a character can hide or reorder what stands around it.
pub(crate) fn is_deceptive(c: char) -> bool {
    let reorders =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders
}

/// Text from a file, safe in HTML and SVG, between tags and in attributes.
pub fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Not allowed in XML, not even as a reference.
            '\u{fffe}' | '\u{ffff}' => safe.extend(c.escape_default()),
            c if is_deceptive(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

/// Text from a file, safe in a cell of a Markdown table: nothing in it is
/// markup, a link or a mention.
pub fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '@' => safe.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => safe.extend(['\\', c]),
            c if is_deceptive(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_files_are_no_markup() {
        assert_eq!(html("<b a='\"&'>\u{1b}"), "&lt;b a=&#39;&quot;&amp;&#39;&gt;\\u{1b}");
        assert_eq!(markdown("a|b [x](y) <i> @me\n"), "a\\|b \\[x\\](y) &lt;i&gt; &#64;me\\n");
    }

    #[test]
    fn long_names_are_cut_and_say_so() {
        assert_eq!(short("é"), "é");
        let cut = short(&"é".repeat(1_300)).into_owned();
        assert!(cut.ends_with("é… (1,000 more characters)") && cut.chars().count() < 340, "{cut}");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!([bytes(0), bytes(999), bytes(1_785_600)], ["0 B", "999 B", "1,785,600 B"]);
    }
}
