//! Characters in texts from files that must not reach a reader as they are.

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

#[cfg(test)]
mod tests {
    use super::is_deceptive;

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
