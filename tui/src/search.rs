//! Fuzzy search: the letters of a pattern in their order.

/// How well `text` matches `pattern`, more for letters that follow each other
/// and for beginnings of words; nothing if a letter is missing.
pub fn score(pattern: &str, text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let whole = pattern.trim().to_ascii_lowercase();
    if let Some(at) = text.find(&whole) {
        // The letters as they stand, better at the beginning of a word.
        let before = text[..at].chars().next_back();
        let begins = before.is_none_or(|c| !c.is_alphanumeric());
        return Some(1000 + i64::from(begins) * 100 - text.len() as i64 / 16);
    }
    let text: Vec<char> = text.chars().collect();
    let (mut score, mut at, mut last) = (0i64, 0, None);
    for wanted in pattern.chars().filter(|c| !c.is_whitespace()) {
        let wanted = wanted.to_ascii_lowercase();
        let found = at + text.get(at..)?.iter().position(|c| *c == wanted)?;
        let begins = found == 0 || !text[found - 1].is_alphanumeric();
        score += match last {
            Some(last) if last + 1 == found => 8,
            _ if begins => 6,
            _ => 1,
        };
        score -= (found - at).min(8) as i64 / 4;
        last = Some(found);
        at = found + 1;
    }
    Some(score - text.len() as i64 / 16)
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn whole_words_are_better_than_scattered_letters() {
        assert!(score("add", "aten::add.out") > score("add", "a_dequantize_d"));
        assert_eq!(score("xyz", "aten::add.out"), None);
        assert!(score("", "anything").is_some());
    }
}
