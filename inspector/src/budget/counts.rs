//! Limits that may have nothing to be held against: memories of a board, calls, findings,
//! times.

use super::Budget;
use crate::target::Fit;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// Limits of calls in a method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Delegates: parts of the method that a backend runs.
    pub delegates: Option<u64>,
    /// Fall-back operators: kernel calls, which no delegate took.
    pub fall_backs: Option<u64>,
}

/// Limits of times, which need a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// The median of each kind of runs.
    pub total: Option<Time>,
    /// The median of a run of every operator.
    pub operator: Option<Time>,
    /// The same of one operator, by its name in the report.
    #[serde(default)]
    pub operators: BTreeMap<String, Time>,
}

/// A time: a number of ticks of the trace's clock, or a text such as `2.5ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// In the unit of the trace.
    Ticks(u64),
    /// In nanoseconds.
    Nanoseconds(u64),
}

impl Time {
    /// The time in ticks of `nanoseconds` each, rounded down; `None` if the
    /// clock counts no time (`cycles`).
    pub fn ticks(self, nanoseconds: Option<u64>) -> Option<u64> {
        match self {
            Time::Ticks(ticks) => Some(ticks),
            Time::Nanoseconds(time) => time.checked_div(nanoseconds?),
        }
    }
}

/// Units of times with their nanoseconds; longer names before those that end like them.
const UNITS: [(&str, f64); 5] = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }

        let wrong = || D::Error::custom("expected a time, such as \"2.5ms\", or a number of ticks");
        let text = match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Number(ticks) => return Ok(Time::Ticks(ticks)),
            Written::Text(text) => text,
        };
        let text = text.trim();
        let unit = UNITS.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)));
        let (digits, scale) = unit.ok_or_else(wrong)?;
        let time = digits.trim().parse::<f64>().map_err(|_| wrong())? * scale;
        // Of NaN, neither comparison holds.
        if !(0.0..=9e18).contains(&time) {
            return Err(wrong());
        }
        Ok(Time::Nanoseconds(time.round() as u64))
    }
}

/// What a [`Count`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Bytes of a memory of the board.
    Bytes,
    /// Delegates or fall-back operators.
    Calls,
    /// Findings of a code.
    Findings,
    /// Ticks of a clock with this unit.
    Time(&'static str),
}

impl Counted {
    /// The unit of the number: nothing for what is just counted.
    pub fn unit(self) -> &'static str {
        match self {
            Counted::Time(unit) => unit,
            Counted::Bytes => "bytes",
            Counted::Calls | Counted::Findings => "",
        }
    }
}

/// One limit that may have nothing to be held against, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Name of the limit, as in the budget.
    pub name: String,
    /// What is counted.
    pub counted: Counted,
    /// What it is of: a method, an operator, a kind of runs, or nothing.
    pub of: Option<String>,
    /// The number; `None` if nothing is known of it.
    pub found: Option<u64>,
    /// The most that is allowed.
    pub limit: u64,
}

impl Count {
    /// The amount above the limit.
    pub fn over(&self) -> u64 {
        self.found.unwrap_or(0).saturating_sub(self.limit)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Some(of) => write!(f, "{} ({of})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl Budget {
    /// The limits of calls for `method` with `delegates` delegates and `kernels` kernel calls.
    pub fn calls(&self, method: &str, delegates: u64, kernels: u64) -> Vec<Count> {
        let own = self.methods.get(method).map(|own| own.calls).unwrap_or_default();
        let mut counts = Vec::new();
        for (calls, place) in [(self.calls, String::new()), (own, format!("methods.{method}."))] {
            let both = [
                ("delegates", calls.delegates, delegates),
                ("fall_backs", calls.fall_backs, kernels),
            ];
            counts.extend(both.into_iter().filter_map(|(name, limit, found)| {
                Some(Count {
                    name: format!("{place}calls.{name}"),
                    counted: Counted::Calls,
                    of: Some(method.to_owned()),
                    found: Some(found),
                    limit: limit?,
                })
            }));
        }
        counts
    }

    /// The limits of a board's memories for `method`, which takes what `fit` says of them.
    pub fn memories(&self, method: &str, fit: Option<&Fit>) -> Vec<Count> {
        let one = |(name, limit): (&String, &u64)| {
            let memories = fit.iter().flat_map(|fit| &fit.memories);
            let takes = memories.clone().find(|memory| memory.name == *name).map(|m| m.takes);
            Count {
                name: format!("memories.{name}"),
                counted: Counted::Bytes,
                of: Some(method.to_owned()),
                found: takes,
                limit: *limit,
            }
        };
        self.memories.iter().map(one).collect()
    }

    /// The limits of findings; `count` says how many there are of a code.
    pub fn findings(&self, count: impl Fn(&str) -> u64) -> Vec<Count> {
        let one = |(code, limit): (&String, &u64)| Count {
            name: format!("findings.{code}"),
            counted: Counted::Findings,
            of: None,
            found: Some(count(code)),
            limit: *limit,
        };
        self.findings.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_spelling() {
        let text = "[time]\ntotal = '2.5ms'\noperator = 100\n[time.operators]\n\
                    'aten::add.out' = '10 us'\nb = '3µs'\nc = '1s'\nd = '7ns'\n";
        let time = Budget::parse(text).unwrap().time;
        assert_eq!(time.total, Some(Time::Nanoseconds(2_500_000)));
        assert_eq!(time.operator, Some(Time::Ticks(100)));
        let ticks = |name: &str| time.operators[name].ticks(Some(1)).unwrap();
        assert_eq!(["aten::add.out", "b", "c", "d"].map(ticks), [10_000, 3_000, 1_000_000_000, 7]);
        assert_eq!(time.total.unwrap().ticks(Some(1_000)), Some(2_500));
        assert_eq!(time.total.unwrap().ticks(None), None);
        assert_eq!(time.operator.unwrap().ticks(None), Some(100));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for wrong in ["'2 weeks'", "-1", "'nans'", "'1e30s'", "true"] {
            let error = Budget::parse(&format!("[time]\ntotal = {wrong}\n")).unwrap_err();
            assert!(error.to_string().starts_with("line 2: expected a time"), "{error}");
        }
        let error = Budget::parse("[findings]\nETM999 = 0\n").unwrap_err();
        assert!(error.to_string().contains("ETM999"), "{error}");
    }

    #[test]
    fn the_limits_of_a_method_hold_beside_those_of_all() {
        let text = "[calls]\ndelegates = 1\n[methods.forward.calls]\nfall_backs = 3\n";
        let budget = Budget::parse(text).unwrap();
        let counts = budget.calls("forward", 2, 3);
        let over: Vec<(&str, u64)> = counts.iter().map(|c| (c.name.as_str(), c.over())).collect();
        assert_eq!(over, [("calls.delegates", 1), ("methods.forward.calls.fall_backs", 0)]);
        assert_eq!(budget.calls("other", 2, 9).len(), 1);
    }
}
