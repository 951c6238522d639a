//! What rows a filter keeps: words, and what is said of their fields.
//!
//! ```text
//! conv                 the letters, in this order
//! 'conv                the word as it stands
//! !conv                not the word
//! module:layer1        a field that has the word
//! share>5              a number above another; also < >= <= and =
//! sum>=1.5ms bytes>64K with units of time or of bytes
//! ```
//!
//! All terms must hold. What is before `:` and is no field, as in `aten::add`,
//! is a word like others.

use crate::clock::Clock;
use crate::search;

/// What a row says of one of its fields.
pub enum Field<'r> {
    /// A text.
    Text(&'r str),
    /// A text that was made for it.
    Made(String),
    /// A number: bytes, ticks, or how many.
    Number(f64),
}

/// A filter that was typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    kind: Kind,
    /// Whether it must not hold.
    negated: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Fuzzy(String),
    Exact(String),
    Has(&'static str, String),
    Compares(&'static str, Comparison, f64),
    /// A number that is none yet, while it is typed.
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    More,
    Less,
    AtLeast,
    AtMost,
    Equal,
}

/// Ways to compare; those of two letters come first.
const COMPARISONS: [(&str, Comparison); 5] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::More),
    ("<", Comparison::Less),
    ("=", Comparison::Equal),
];

impl Query {
    /// What `text` asks of rows that have `fields`.
    pub fn parse(text: &str, fields: &[&'static str], clock: Clock) -> Self {
        let terms = text.split_whitespace().map(|term| {
            let (negated, term) = match term.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, term),
            };
            let kind =
                of_field(term, fields, clock).unwrap_or_else(|| match term.strip_prefix('\'') {
                    Some(exact) => Kind::Exact(exact.to_owned()),
                    // What must not be there would hardly ever be missing letter by letter.
                    None if negated => Kind::Exact(term.to_owned()),
                    None => Kind::Fuzzy(term.to_owned()),
                });
            Term { kind, negated }
        });
        Query { terms: terms.collect() }
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row with a text and fields is kept.
    pub fn keeps<'r>(&self, text: &str, field: &dyn Fn(&str) -> Option<Field<'r>>) -> bool {
        self.terms.iter().all(|term| term.kind.holds(text, field) != term.negated)
    }
}

impl Kind {
    fn holds<'r>(&self, text: &str, field: &dyn Fn(&str) -> Option<Field<'r>>) -> bool {
        match self {
            Kind::Open => true,
            Kind::Fuzzy(word) => search::score(word, text).is_some(),
            Kind::Exact(word) => search::contains(word, text),
            Kind::Has(name, word) => match field(name) {
                Some(Field::Text(text)) => search::contains(word, text),
                Some(Field::Made(text)) => search::contains(word, &text),
                Some(Field::Number(number)) => number.to_string() == *word,
                None => false,
            },
            Kind::Compares(name, comparison, wanted) => match field(name) {
                Some(Field::Number(number)) => comparison.holds(number, *wanted),
                _ => false,
            },
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, wanted: f64) -> bool {
        match self {
            Comparison::More => number > wanted,
            Comparison::Less => number < wanted,
            Comparison::AtLeast => number >= wanted,
            Comparison::AtMost => number <= wanted,
            Comparison::Equal => number == wanted,
        }
    }
}

/// A term that says something of one of the fields.
fn of_field(term: &str, fields: &[&'static str], clock: Clock) -> Option<Kind> {
    let end = term.find([':', '<', '>', '='])?;
    let name = *fields.iter().find(|field| field.eq_ignore_ascii_case(&term[..end]))?;
    let rest = &term[end..];
    if let Some(word) = rest.strip_prefix(':') {
        return Some(Kind::Has(name, word.to_owned()));
    }
    let (sign, comparison) = *COMPARISONS.iter().find(|(sign, _)| rest.starts_with(sign))?;
    let number = number(&rest[sign.len()..], clock);
    Some(number.map_or(Kind::Open, |number| Kind::Compares(name, comparison, number)))
}

/// A number with a unit of time, of bytes, or none.
fn number(text: &str, clock: Clock) -> Option<f64> {
    if let Some(ticks) = clock.parse(text) {
        return Some(ticks);
    }
    let text = text.trim_end_matches('%').trim_end_matches(['B', 'b']).trim_end_matches(['i', 'I']);
    let units = [('k', 1024.0), ('m', 1024.0 * 1024.0), ('g', 1024.0 * 1024.0 * 1024.0)];
    let last = text.chars().next_back()?.to_ascii_lowercase();
    match units.iter().find(|(unit, _)| *unit == last) {
        Some((_, factor)) => text[..text.len() - 1].parse::<f64>().ok().map(|n| n * factor),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps(filter: &str) -> bool {
        let query = Query::parse(filter, &["module", "sum", "share", "bytes"], Clock::default());
        query.keeps("aten::convolution.out 0:9", &|name| match name {
            "module" => Some(Field::Text("layer1.conv")),
            "sum" => Some(Field::Number(2_000_000.0)),
            "share" => Some(Field::Number(22.5)),
            "bytes" => Some(Field::Number(65_536.0)),
            _ => None,
        })
    }

    #[test]
    fn words_and_fields_keep_and_leave_out() {
        for (filter, kept) in [
            ("", true),
            ("conv", true),
            ("cvltn", true),
            ("'cvltn", false),
            ("!conv", false),
            ("!add", true),
            ("aten::conv", true),
            ("module:layer1", true),
            ("module:layer2", false),
            ("!module:layer2", true),
            ("sum>1.5ms", true),
            ("sum<1.5ms", false),
            ("share>=22.5%", true),
            ("share<10 conv", false),
            ("bytes=64K", true),
            ("bytes>64KiB", false),
            ("bytes<1MB", true),
            // While it is typed, nothing vanishes.
            ("sum>", true),
            ("sum>x", true),
            ("0:9", true),
        ] {
            assert_eq!(keeps(filter), kept, "{filter}");
        }
    }
}
