//! Texts for people: what comes from a file made safe, and numbers in groups.

/// Whether a character can hide, end or reorder what stands around it: controls, marks
/// and embeddings of direction, separators of lines and paragraphs, and what is not seen
/// at all (Unicode 16, categories Cc, Cf, Zl and Zp). The joiner of emoji is none of them.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Text from a file or the command line, safe to print: control characters,
/// terminal escapes, characters that change the direction of text and those that
/// nobody can see become `\u{…}`.
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

/// Digits in groups of three.
pub fn thousands(number: u64) -> String {
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

/// A number of bytes with its unit, and exact: `1,785,600 B`.
pub fn bytes(count: u64) -> String {
    thousands(count) + " B"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_from_the_right() {
        let numbers = [0, 999, 1_000, 1_785_600, u64::MAX];
        let grouped = ["0", "999", "1,000", "1,785,600", "18,446,744,073,709,551,615"];
        assert_eq!(numbers.map(thousands), grouped);
        assert_eq!(bytes(1_024), "1,024 B");
    }

    #[test]
    fn escapes_of_terminals_are_shown_and_not_sent() {
        assert_eq!(escape("a\u{1b}[31m\u{202e}b日"), "a\\u{1b}[31m\\u{202e}b日");
    }

    #[test]
    fn marks_and_controls_are_found_and_letters_are_not() {
        assert!(
            "\0\u{1b}\n\u{9b}\u{61c}\u{200f}\u{202e}\u{2028}\u{2066}\u{feff}\u{e0041}"
                .chars()
                .all(is_deceptive)
        );
        assert!(!"aten::add.out µ日本語 עברית 🙂".chars().any(is_deceptive));
    }
}
