//! Limits against a baseline: by how much a figure may grow.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// How much figures may grow, in percent of the base. What has no limit may
/// not grow at all; of times, by no more than noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// The program file.
    pub program: Option<Percent>,
    /// Method allocator without planned buffers.
    pub method: Option<Percent>,
    /// Planned buffers, each and all together.
    pub planned: Option<Percent>,
    /// Temp allocator.
    pub temp: Option<Percent>,
    /// All memory that the runners set aside.
    pub total: Option<Percent>,
    /// Planned tensors that are live at one moment.
    pub peak: Option<Percent>,
    /// Time of each operator and of each run.
    pub time: Option<Percent>,
}

/// A share of a base, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(u32);

impl Percent {
    /// The share of `base`, rounded down.
    pub fn of(self, base: u64) -> u64 {
        let share = u128::from(base) * u128::from(self.0) / 10_000;
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }

        const MOST: f64 = 10_000.0;
        let wrong = || D::Error::custom("expected percent from 0 to 10000, such as 2 or \"+2%\"");
        let percent = match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Number(number) => number,
            Written::Text(text) => {
                let text = text.trim().trim_start_matches('+').trim_end_matches('%');
                text.trim().parse().map_err(|_| wrong())?
            }
        };
        // Of NaN, neither comparison holds.
        if !(0.0..=MOST).contains(&percent) {
            return Err(wrong());
        }
        Ok(Percent((percent * 100.0).round() as u32))
    }
}

impl Growth {
    /// The limit of a figure, by its name in a baseline; `time` is that of all times.
    pub fn limit(&self, figure: &str) -> Option<Percent> {
        match figure {
            "program" => self.program,
            "memory.method" => self.method,
            "memory.planned" => self.planned,
            "memory.temp" => self.temp,
            "memory.total" => self.total,
            "memory.peak" => self.peak,
            "time" => self.time,
            _ if figure.starts_with("memory.planned_by_id.") => self.planned,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Budget;

    #[test]
    fn percent_is_read_in_every_spelling() {
        let text = "[growth]\nprogram = 2\npeak = '+2%'\ntime = 0.5\nplanned = '10 %'\n";
        let growth = Budget::parse(text).unwrap().growth;
        let of = |figure: &str| growth.limit(figure).map(|percent| percent.of(1000));
        assert_eq!([of("program"), of("memory.peak"), of("time")], [Some(20), Some(20), Some(5)]);
        assert_eq!(of("memory.planned_by_id.2"), Some(100));
        assert_eq!(of("memory.temp"), None);
        assert_eq!(growth.limit("program").unwrap().of(u64::MAX), u64::MAX / 50);
    }

    #[test]
    fn other_growth_is_refused_with_its_place() {
        for wrong in ["-1", "'two'", "nan", "inf", "20000"] {
            let error = Budget::parse(&format!("[growth]\npeak = {wrong}\n")).unwrap_err();
            assert!(error.to_string().starts_with("line 2: expected percent"), "{error}");
        }
        let error = Budget::parse("[growth]\npeek = 1\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2: unknown field `peek`"), "{error}");
    }
}
