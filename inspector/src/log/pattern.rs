//! Patterns of log lines: text with `{}` where the line has a value.

/// How a line fits a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit<'t> {
    /// To its end, with the values.
    Whole(Vec<&'t str>),
    /// The line ends within the pattern; the values before that are there.
    Cut(Vec<&'t str>),
}

/// Characters of a pattern that a line must have before it can count as cut off.
const CUT_MINIMUM: usize = 12;

/// Fits `text`, with single blanks between its words, to `pattern`. What
/// follows a pattern that ends in text is left alone.
pub fn fit<'t>(pattern: &str, text: &'t str) -> Option<Fit<'t>> {
    let mut values = Vec::new();
    let mut rest = text;
    let mut pieces = pattern.split("{}");
    let first = pieces.next().unwrap_or_default();
    match rest.strip_prefix(first) {
        Some(after) => rest = after,
        None if text.len() >= CUT_MINIMUM && first.starts_with(text) => {
            return Some(Fit::Cut(values));
        }
        None => return None,
    }
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if piece.is_empty() && pieces.peek().is_none() {
            values.push(rest);
            return Some(Fit::Whole(values));
        }
        match rest.find(piece) {
            Some(at) => {
                values.push(&rest[..at]);
                rest = &rest[at + piece.len()..];
            }
            None if text.len() >= CUT_MINIMUM && first.len() >= CUT_MINIMUM => {
                values.push(rest);
                return Some(Fit::Cut(values));
            }
            None => return None,
        }
    }
    Some(Fit::Whole(values))
}

/// The number that `text` begins with, decimal, or hexadecimal after `0x`.
pub fn number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => hexadecimal(hex),
        None => {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..end].parse().ok()
        }
    }
}

/// The hexadecimal number that `text` begins with, with `0x` or without.
pub fn hexadecimal(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    u64::from_str_radix(&text[..end], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_braces_are() {
        let fitted =
            fit("Setting up planned buffer {}, size {}.", "Setting up planned buffer 0, size 32.");
        assert_eq!(fitted, Some(Fit::Whole(vec!["0", "32"])));
        assert_eq!(fit("Model in {}", "Model in 200014B0 <"), Some(Fit::Whole(vec!["200014B0 <"])));
        assert_eq!(fit("Model in {}", "Module in"), None);
    }

    #[test]
    fn a_line_that_is_cut_off_still_fits() {
        let pattern = "Starting the model execution...";
        assert_eq!(fit(pattern, "Starting the mod"), Some(Fit::Cut(vec![])));
        assert_eq!(fit(pattern, "Start"), None);
        let pattern = "Setup Method allocator pool. Size: {} bytes.";
        assert_eq!(
            fit(pattern, "Setup Method allocator pool. Size: 10"),
            Some(Fit::Cut(vec!["10"]))
        );
    }

    #[test]
    fn numbers_are_read_to_their_end() {
        assert_eq!(number("1024 bytes"), Some(1024));
        assert_eq!(number("0x21"), Some(33));
        assert_eq!(hexadecimal("200014B0 <"), Some(0x2000_14b0));
        assert_eq!(number("none"), None);
        assert_eq!(number("99999999999999999999999"), None);
    }
}
