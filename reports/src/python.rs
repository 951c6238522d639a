//! Numbers as Python prints them, for files that must equal Python's.

/// `repr` of a Python float: the shortest digits that read back the same, in
/// scientific form below 1e-4 and from 1e16 on.
pub fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = shortest(value);
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..16).contains(&exponent) {
        return positional(digits, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The shortest digits that read back the same, such as `1.5e-3`. Where the
/// value lies in the middle of two of them, as a multiple of a power of two
/// may, Python takes the even one.
fn shortest(value: f64) -> String {
    let scientific = format!("{value:e}");
    let digits = scientific.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{value:.*e}", digits.saturating_sub(1));
    if even.parse() == Ok(value) { even } else { scientific }
}

/// Digits with a point, and at least one behind it.
fn positional(digits: &str, exponent: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
    if whole == 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    }
    let (before, behind) = digits.split_at(whole.min(digits.len()));
    let fill = "0".repeat(whole - before.len());
    format!("{sign}{before}{fill}.{}", if behind.is_empty() { "0" } else { behind })
}

/// `repr` of a Python truth value.
pub fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// The quotes of a `repr`: single ones, unless the text has those only.
fn quote(has: impl Fn(char) -> bool) -> char {
    if has('\'') && !has('"') { '"' } else { '\'' }
}

/// `repr` of Python bytes, such as `b'abc'`.
pub fn bytes(bytes: &[u8]) -> String {
    let quote = quote(|c| bytes.contains(&(c as u8)));
    let mut repr = String::with_capacity(bytes.len() + 3);
    repr.extend(['b', quote]);
    for &byte in bytes {
        match byte {
            b'\\' => repr.push_str("\\\\"),
            b'\n' => repr.push_str("\\n"),
            b'\r' => repr.push_str("\\r"),
            b'\t' => repr.push_str("\\t"),
            byte if char::from(byte) == quote => repr.extend(['\\', quote]),
            b' '..=b'~' => repr.push(char::from(byte)),
            byte => repr.push_str(&format!("\\x{byte:02x}")),
        }
    }
    repr.push(quote);
    repr
}

/// `repr` of a Python text.
pub fn text(text: &str) -> String {
    let quote = quote(|c| text.contains(c));
    let mut repr = String::with_capacity(text.len() + 2);
    repr.push(quote);
    for c in text.chars() {
        match c {
            '\\' => repr.push_str("\\\\"),
            '\n' => repr.push_str("\\n"),
            '\r' => repr.push_str("\\r"),
            '\t' => repr.push_str("\\t"),
            c if c == quote => repr.extend(['\\', c]),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                repr.push_str(&format!("\\x{:02x}", c as u32));
            }
            c => repr.push(c),
        }
    }
    repr.push(quote);
    repr
}

/// A float in Python's format `g`: six significant digits, no trailing zeros.
pub fn general(value: f64) -> String {
    if !value.is_finite() {
        return float(value);
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.into();
    }
    let scientific = format!("{value:.5e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        return trimmed(&format!("{value:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
}

/// `repr` of a Python list.
pub fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|i| i.to_string()).collect();
    format!("[{}]", items.join(", "))
}

/// `repr` of a Python list of integers.
pub fn integers(items: impl ExactSizeIterator<Item = u64>) -> String {
    let mut buffer = itoa::Buffer::new();
    let mut repr = String::with_capacity(2 + 12 * items.len());
    repr.push('[');
    for (index, item) in items.enumerate() {
        repr.push_str(if index > 0 { ", " } else { "" });
        repr.push_str(buffer.format(item));
    }
    repr.push(']');
    repr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_look_like_pythons() {
        for (value, text) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (0.0001, "0.0001"),
            (8.54e-05, "8.54e-05"),
            (6.166666666666666e-05, "6.166666666666666e-05"),
            (1e16, "1e+16"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (1e15, "1000000000000000.0"),
            (0.00034199999999999996, "0.00034199999999999996"),
            (5e-324, "5e-324"),
            (-0.0, "-0.0"),
            (-12.5, "-12.5"),
            (120.0, "120.0"),
            // In the middle of two texts of 16 digits.
            (8236.0 + 54984.0 / 65536.0, "8236.838989257812"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn general_format_has_six_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.27561, "0.27561"),
            (0.0003333333333, "0.000333333"),
            (8.54e-05, "8.54e-05"),
            (123456.0, "123456"),
            (1234567.0, "1.23457e+06"),
            (0.0999999999, "0.1"),
            (999999.9, "1e+06"),
            (39.593, "39.593"),
        ] {
            assert_eq!(general(value), text);
        }
    }

    #[test]
    fn text_is_quoted_as_python_does() {
        assert_eq!(text("aten.add"), "'aten.add'");
        assert_eq!(text("it's"), "\"it's\"");
        assert_eq!(text("a\nb\\"), "'a\\nb\\\\'");
    }

    #[test]
    fn bytes_are_quoted_as_python_does() {
        assert_eq!(bytes(b"abc"), "b'abc'");
        assert_eq!(bytes(b"it's"), "b\"it's\"");
        assert_eq!(bytes(b"\x00\xff\n\\'\""), r#"b'\x00\xff\n\\\'"'"#);
    }

    #[test]
    fn lists_are_separated_by_comma_and_space() {
        assert_eq!(list([1, 2]), "[1, 2]");
        assert_eq!(list([0u8; 0]), "[]");
        assert_eq!(integers([1, u64::MAX].into_iter()), "[1, 18446744073709551615]");
        assert_eq!(integers([].into_iter()), "[]");
    }
}
