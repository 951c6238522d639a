//! Sizes and times for people.

use super::Change;
pub use crate::memory::words::size;
use crate::memory::words::{is_deceptive, number};
use serde::Serialize;

/// A JSON document. Characters that hide or reorder text are written as escapes:
/// the document may be printed to a terminal.
pub fn document(value: &impl Serialize) -> String {
    plain(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// The same on one line.
pub fn line(value: &impl Serialize) -> String {
    plain(&serde_json::to_string(value).unwrap_or_default())
}

fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Outside of strings there are none but line ends.
        if c != '\n' && is_deceptive(c) {
            // Those beyond 16 bits are two escapes (RFC 8259, 7).
            for unit in c.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe.push('\n');
    safe
}

/// A time in `unit`; nanoseconds in the unit that suits them.
pub fn time(ticks: u64, unit: &str) -> String {
    if unit != "ns" {
        return format!("{} {unit}", number(ticks));
    }
    let (divisor, unit) = match ticks {
        0..1_000 => return format!("{ticks} ns"),
        1_000..1_000_000 => (1e3, "µs"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let value = ticks as f64 / divisor;
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} {unit}")
}

/// A figure with its unit: bytes, a count, or a time.
pub fn figure(value: u64, unit: &str) -> String {
    match unit {
        "bytes" => size(value),
        "" => number(value),
        unit => time(value, unit),
    }
}

/// A difference from `base` to `new`, with its sign and its share of the base.
pub fn difference(base: u64, new: u64, unit: &str) -> String {
    let sign = if new >= base { "+" } else { "-" };
    let by = figure(base.abs_diff(new), unit);
    if base == 0 {
        return format!("{sign}{by}");
    }
    let share = (new as f64 / base as f64 - 1.0) * 100.0;
    format!("{sign}{by}, {share:+.1} %")
}

/// A change as a line of text.
pub fn change(change: &Change) -> String {
    let method = change.method.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
    let value =
        |value: Option<u64>| value.map_or_else(|| "none".to_owned(), |v| figure(v, &change.unit));
    let by = change.base.zip(change.new).map(|(base, new)| difference(base, new, &change.unit));
    let by = by.map(|by| format!(" ({by})")).unwrap_or_default();
    format!("{method}{}: base {}, new {}{by}", change.figure, value(change.base), value(change.new))
}

/// A part of a whole in percent.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1} %", part as f64 / whole as f64 * 100.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_a_sign() {
        assert_eq!(difference(100, 110, "bytes"), "+10 B, +10.0 %");
        assert_eq!(difference(2_000, 1_000, "ns"), "-1.00 µs, -50.0 %");
        assert_eq!(difference(0, 5, "cycles"), "+5 cycles");
    }
}
