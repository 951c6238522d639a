//! Sentences that end in one of ExecuTorch's error codes, as applications,
//! Java and Swift print them, in hexadecimal and in decimal.
//!
//! ```text
//! Execution of method forward failed with status 0x12
//! Load failed: 34
//! Error: failed to load model: 32
//! [ExecuTorch Error 0x20] Failed to load
//! Error Domain=org.pytorch.executorch.error Code=32
//! ```

use super::message::Message;
use super::pattern::number;
use et_schema::ErrorCode;

/// What a code stands behind, the longest first.
const MARKS: [&str; 17] = [
    "executorch error ",
    "errorcode: ",
    "errorcode=",
    "errorcode ",
    "error code: ",
    "error code ",
    "error: ",
    "error ",
    "status: ",
    "status ",
    "code: ",
    "code=",
    "code ",
    "failed: ",
    "model: ",
    "method: ",
    "rc=",
];

/// Words of which one must be there, so that a decimal number counts as a code.
const CONTEXT: [&str; 7] =
    ["load", "execut", "forward", "method", "inference", "program", "module"];

/// The failure that `text` reports, if it does.
pub(super) fn message(text: &str) -> Option<Message> {
    let (what, code) = code(text).or_else(|| at_the_end(text))?;
    Some(Message::Failed { what: kind(what), code })
}

/// The text before a code of ExecuTorch's, and the code.
fn code(text: &str) -> Option<(&str, u64)> {
    let small = text.to_ascii_lowercase();
    let context = CONTEXT.iter().any(|word| small.contains(word));
    MARKS.iter().find_map(|mark| {
        small.match_indices(mark).find_map(|(at, _)| {
            // `encode: ` has no code in it.
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                return None;
            }
            let digits = &text[at + mark.len()..];
            let hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
            let value = number(digits)?;
            let known = u32::try_from(value).ok().and_then(ErrorCode::from_code);
            let ends = !decimal_goes_on(digits);
            let is = hexadecimal || context && ends && known.is_some_and(|e| e != ErrorCode::Ok);
            is.then(|| (&text[..at], value))
        })
    })
}

/// Words of which one must be there, so that a number behind a blank counts.
const FAILED: [&str; 4] = ["fail", "error", "could not", "cannot"];

/// `Could not prepare inputs: 0x12`, `Failed to prepare inputs 0x12`.
fn at_the_end(text: &str) -> Option<(&str, u64)> {
    let (what, code) = text.rsplit_once(" 0x")?;
    let value = u32::from_str_radix(code.trim_end_matches(['.', ' ']), 16).ok()?;
    let small = what.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| small.contains(word));
    let context = has(&FAILED) || what.ends_with(':') && (has(&["input"]) || has(&CONTEXT));
    let known = ErrorCode::from_code(value).is_some_and(|error| error != ErrorCode::Ok);
    (context && known).then_some((what, value.into()))
}

/// Whether a decimal number is part of something else: `3.5`, `20ms`, `12:30`.
fn decimal_goes_on(digits: &str) -> bool {
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let mut chars = rest.chars();
    match chars.next() {
        Some(c) if c.is_alphanumeric() || c == '_' || c == '/' || c == '%' => true,
        Some('.' | ':' | ',') => chars.next().is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    }
}

/// `Failed to load` of `Check failed (status == Error::Ok): Failed to load`.
fn without_condition(what: &str) -> &str {
    let condition = what.strip_prefix("Check failed ").unwrap_or(what);
    match condition.split_once("): ") {
        Some((_, said)) if condition.starts_with('(') => said,
        _ => what,
    }
}

/// `load`, `execute` or `inputs`, or what the sentence says.
fn kind(what: &str) -> String {
    let what = without_condition(what);
    let small = what.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| small.contains(word));
    let kind = if has(&["input"]) {
        "inputs"
    } else if has(&["program"]) && has(&["load"]) {
        "program"
    } else if has(&["load"]) {
        "load"
    } else if has(&["execution", "execute(", "execute ", "forward", "inference", "run "]) {
        "execute"
    } else {
        let what = what.trim_end_matches([' ', ':', ',', '(', '[']);
        return what.strip_suffix(" failed with").unwrap_or(what).to_owned();
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, u64)> {
        match message(text)? {
            Message::Failed { what, code } => Some((what, code)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn codes_stand_in_decimal_and_in_hexadecimal() {
        let known = [
            ("Load failed: 34", "load", 34),
            ("Error: Failed to load model: 32", "load", 32),
            ("Execution failed with error 18", "execute", 18),
            ("forward() returned error code 0x12", "execute", 0x12),
            ("[ExecuTorch Error 0x20] Failed", "", 0x20),
            (
                "Error Domain=org.pytorch.executorch.error Code=32",
                "Error Domain=org.pytorch.executorch.error",
                32,
            ),
            ("Could not prepare inputs, status 0x12", "inputs", 0x12),
            ("Could not prepare inputs: 0x12", "inputs", 0x12),
            ("Failed to prepare inputs 0x12", "inputs", 0x12),
            ("Check failed (status == Error::Ok): Failed to prepare inputs 0x12", "inputs", 0x12),
            (
                "(status == Error::Ok): get_program_data() from bundle PTE failed: 0x23",
                "get_program_data() from bundle PTE",
                0x23,
            ),
            ("Failed to decode: 0x12", "Failed to decode", 0x12),
            (
                "Failed to get method_meta for encode: 0x12",
                "Failed to get method_meta for encode",
                0x12,
            ),
            ("ErrorCode: 32 in load", "", 32),
        ];
        for (text, what, code) in known {
            let expected = (what.to_owned(), code);
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_codes() {
        for text in [
            "Model load took error 20ms",
            "loading: status 3.5",
            "execution rate, code 12:30",
            "status 1700",
            "sensor status 33",
            "Error 0 in load",
            "error loading",
            "PTE loaded at: 0x70000000",
            "PTE loaded at 0x20",
            "decode: 33 of 40 executed",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
