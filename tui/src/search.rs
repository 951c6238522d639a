//! Fuzzy search: the letters of each word of a pattern in their order.

/// How well `text` matches `pattern`, more for letters that follow each other
/// and for beginnings of words; nothing if a letter is missing. The words of
/// the pattern may stand in any order.
pub fn score(pattern: &str, text: &str) -> Option<i64> {
    let mut sum = 0;
    for word in pattern.split_whitespace() {
        sum += of_word(word, text, &mut |_| ())?;
    }
    Some(sum - text.len() as i64 / 16)
}

/// Which bytes of `text` the pattern found, where characters begin.
pub fn positions(pattern: &str, text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for word in pattern.split_whitespace() {
        let _ = of_word(word, text, &mut |at| found.push(at));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether `part` is in `text`, in letters of any case.
pub fn contains(part: &str, text: &str) -> bool {
    find(part, text).is_some()
}

/// Where `part` begins in `text`: bytes, as ASCII alone has its cases levelled.
fn find(part: &str, text: &str) -> Option<usize> {
    let (part, text) = (part.as_bytes(), text.as_bytes());
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window.eq_ignore_ascii_case(part))
}

fn of_word(word: &str, text: &str, found: &mut dyn FnMut(usize)) -> Option<i64> {
    if let Some(at) = find(word, text) {
        // The letters as they stand, better at the beginning of a word.
        let begins = text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let end = at + word.len();
        text.char_indices().filter(|(i, _)| (at..end).contains(i)).for_each(|(i, _)| found(i));
        return Some(1000 + i64::from(begins) * 100);
    }
    let mut score = 0;
    let mut letters = text.char_indices().enumerate();
    let (mut last, mut before) = (None, None);
    for wanted in word.chars() {
        let mut skipped = 0;
        let (number, at, begins) = loop {
            let (number, (at, letter)) = letters.next()?;
            let begins = before.is_none_or(|c: char| !c.is_alphanumeric());
            before = Some(letter);
            if letter.eq_ignore_ascii_case(&wanted) {
                break (number, at, begins);
            }
            skipped += 1;
        };
        score += match last {
            Some(last) if last + 1 == number => 8,
            _ if begins => 6,
            _ => 1,
        };
        score -= skipped.min(8) / 4;
        last = Some(number);
        found(at);
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_better_than_scattered_letters() {
        assert!(score("add", "aten::add.out") > score("add", "a_dequantize_d"));
        assert!(score("add", "aten::add.out") > score("add", "aten::padded.out"));
        assert_eq!(score("xyz", "aten::add.out"), None);
        assert!(score("", "anything").is_some());
    }

    #[test]
    fn words_stand_in_any_order() {
        assert!(score("out conv", "aten::convolution.out 0:9").is_some());
        assert_eq!(score("conv zzz", "aten::convolution.out"), None);
    }

    #[test]
    fn what_was_found_can_be_shown() {
        assert_eq!(positions("ADD", "aten::add.out"), [6, 7, 8]);
        assert_eq!(positions("ao", "日a本o"), [3, 7]);
        assert!(positions("", "x").is_empty());
    }
}
