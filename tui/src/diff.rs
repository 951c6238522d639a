//! Two traces or two programs, as rows: the most significant first.

use crate::clock::Clock;
use crate::events::site;
use crate::query::Field;
use crate::text::{bytes, escape, thousands};
use et_inspector::correlate::Site;
use et_inspector::diff::{Change, Changed, EventKey, ProgramDiff, TraceDiff, Verdict};
use et_inspector::events::EventBlocks;
use et_schema::ReadError;
use et_schema::etdump::File as Trace;
use et_schema::layout::Abi;
use et_schema::pte::File;

/// Share of the base's median below which a change of time is none, as the
/// `diff` command has it.
const MIN_EFFECT: f64 = 0.02;

/// What changed.
pub struct DiffTable {
    /// What was compared, and what came out.
    pub title: String,
    /// What the numbers are.
    pub columns: [&'static str; 2],
    /// The rows.
    pub rows: Vec<DiffRow>,
}

/// A number on both sides.
pub struct DiffRow {
    /// Name, safe to draw.
    pub name: String,
    /// Its instruction in the new trace.
    pub site: Option<Site>,
    /// In the base.
    pub base: String,
    /// In the new one.
    pub new: String,
    /// New over base, less 1.
    pub relative: Option<f64>,
    /// Probability of the difference by chance, of times.
    pub p_value: Option<f64>,
    /// What is concluded.
    pub mark: Mark,
}

/// Names of what a filter can ask of differences.
pub const FIELDS: [&str; 4] = ["name", "verdict", "change", "p"];

impl DiffRow {
    /// A field of a filter.
    pub fn field(&self, name: &str) -> Option<Field<'_>> {
        match name {
            "name" => Some(Field::Text(&self.name)),
            "verdict" => Some(Field::Text(self.verdict())),
            "change" => Some(Field::Number(self.relative? * 100.0)),
            "p" => Some(Field::Number(self.p_value?)),
            _ => None,
        }
    }

    /// What is concluded, in a word.
    pub fn verdict(&self) -> &'static str {
        match (self.mark, self.p_value.is_some()) {
            (Mark::More, true) => "slower",
            (Mark::Less, true) => "faster",
            (Mark::More, false) => "more",
            (Mark::Less, false) => "less",
            (Mark::Gone, _) => "gone",
            (Mark::Added, _) => "new",
            (Mark::Unsure, _) => "few runs",
            (Mark::Same, _) => "same",
        }
    }
}

/// What is concluded of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Slower, or more.
    More,
    /// Faster, or less.
    Less,
    /// Only the base has it.
    Gone,
    /// Only the new one has it.
    Added,
    /// Too few runs to tell.
    Unsure,
    /// No difference that counts.
    Same,
}

impl DiffTable {
    /// Two traces on the same clock. What may lie behind the cut of one that
    /// is cut off is neither gone nor new.
    pub fn of_traces(
        base: (&Trace<'_>, &EventBlocks<'_>),
        new: (&Trace<'_>, &EventBlocks<'_>),
        clock: Clock,
    ) -> Self {
        let diff = TraceDiff::of_traces(base, new, &clock.times(), MIN_EFFECT);
        let mut rows: Vec<(f64, DiffRow)> =
            diff.changes.iter().map(|change| of_change(change, clock)).collect();
        rows.extend(diff.gone.iter().map(|key| (0.0, one_sided(key, Mark::Gone))));
        rows.extend(diff.added.iter().map(|key| (0.0, one_sided(key, Mark::Added))));
        rows.sort_by(|(a_size, a), (b_size, b)| {
            let rank = |row: &DiffRow| match row.mark {
                Mark::More | Mark::Less => 0,
                Mark::Gone | Mark::Added => 1,
                Mark::Unsure | Mark::Same => 2,
            };
            let p = |row: &DiffRow| row.p_value.unwrap_or(1.0);
            let by_rank = rank(a).cmp(&rank(b)).then(p(a).total_cmp(&p(b)));
            by_rank.then(b_size.total_cmp(a_size)).then_with(|| a.name.cmp(&b.name))
        });
        let count = |verdict| diff.changes.iter().filter(|c| c.verdict == verdict).count();
        let title = format!(
            "{} events in both: {} slower, {} faster, {} with too few runs; {} gone, {} new",
            diff.changes.len(),
            count(Verdict::Slower),
            count(Verdict::Faster),
            count(Verdict::TooFewRuns),
            diff.gone.len(),
            diff.added.len()
        );
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        DiffTable { title, columns: ["base median", "new median"], rows }
    }

    /// Two programs.
    ///
    /// # Errors
    /// An index in a program that points nowhere.
    pub fn of_programs(base: &File<'_>, new: &File<'_>, abi: Abi) -> Result<Self, ReadError> {
        let diff = ProgramDiff::of(base, new, abi)?;
        let mut rows: Vec<DiffRow> = diff.changed.iter().map(of_fact).collect();
        rows.sort_by(|a, b| {
            let size = |row: &DiffRow| row.relative.map_or(f64::INFINITY, f64::abs);
            size(b).total_cmp(&size(a)).then(a.mark.cmp(&b.mark)).then(a.name.cmp(&b.name))
        });
        let title = format!("{} numbers differ, {} are the same", rows.len(), diff.same);
        Ok(DiffTable { title, columns: ["base", "new"], rows })
    }
}

fn of_change(change: &Change, clock: Clock) -> (f64, DiffRow) {
    let row = DiffRow {
        name: escape(&change.key.name),
        site: site(change.key.chain, change.key.instruction),
        base: clock.text(change.base.p50),
        new: clock.text(change.new.p50),
        relative: change.relative(),
        p_value: Some(change.p_value),
        mark: match change.verdict {
            Verdict::Slower => Mark::More,
            Verdict::Faster => Mark::Less,
            Verdict::TooFewRuns => Mark::Unsure,
            Verdict::Same => Mark::Same,
        },
    };
    ((change.new.p50 - change.base.p50).abs(), row)
}

fn one_sided(key: &EventKey, mark: Mark) -> DiffRow {
    let there = |own: Mark| if mark == own { "yes" } else { "-" };
    DiffRow {
        name: escape(&key.name),
        site: site(key.chain, key.instruction),
        base: there(Mark::Gone).into(),
        new: there(Mark::Added).into(),
        relative: None,
        p_value: None,
        mark,
    }
}

fn of_fact(changed: &Changed) -> DiffRow {
    let text = |number: Option<u64>| match number {
        None => "-".to_owned(),
        Some(number) if changed.fact.is_bytes() => bytes(number),
        Some(number) => thousands(number),
    };
    let mark = match (changed.base, changed.new) {
        (None, _) => Mark::Added,
        (_, None) => Mark::Gone,
        (base, new) if new > base => Mark::More,
        _ => Mark::Less,
    };
    let both = changed.base.zip(changed.new).filter(|(base, _)| *base > 0);
    DiffRow {
        name: escape(&changed.fact.name()),
        site: None,
        base: text(changed.base),
        new: text(changed.new),
        relative: both.map(|(base, new)| new as f64 / base as f64 - 1.0),
        p_value: None,
        mark,
    }
}
