//! Python writes `NaN` and `Infinity` into JSON, which JSON does not have.

/// Replaces them by 0, in place. They only occur among constants of a graph,
/// which nothing here depends on. Text between quotes stays as it is.
pub(super) fn make_finite(json: &mut [u8]) {
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => at = string_end(json, at + 1),
            b'N' | b'I' => at = replace(json, at),
            _ => at += 1,
        }
    }
}

/// Behind the quote that ends the text that begins at `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

/// Overwrites the word at `at`, if it is one of them; returns where to go on.
fn replace(json: &mut [u8], at: usize) -> usize {
    for word in ["NaN", "Infinity"] {
        if let Some(found) = json.get_mut(at..at + word.len())
            && found == word.as_bytes()
        {
            found.fill(b' ');
            found[0] = b'0';
            return at + word.len();
        }
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::make_finite;

    #[test]
    fn only_numbers_are_replaced() {
        let mut json =
            br#"{"Infinity": [-Infinity, NaN, Infinity], "a\"NaN": "NaN", "b": N"#.to_vec();
        make_finite(&mut json);
        let text = String::from_utf8(json).unwrap();
        assert_eq!(text, r#"{"Infinity": [-0       , 0  , 0       ], "a\"NaN": "NaN", "b": N"#);
    }
}
