//! Columns of the event table: their names, which are shown, and the order.

use crate::events::{RowRef, Spread};
use std::cmp::Ordering;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Name of the event.
    Event,
    /// Its chain and instruction.
    At,
    /// How often it was recorded.
    Calls,
    /// Mean of its times.
    Mean,
    /// Their median, as NumPy and the Inspector have it.
    Median,
    /// Their 90th percentile.
    P90,
    /// Their 99th percentile.
    P99,
    /// Least.
    Min,
    /// Most.
    Max,
    /// Standard deviation of the sample.
    Deviation,
    /// All together.
    Sum,
    /// Of those, what no event inside of it has.
    Own,
    /// Own time as a share of the executions.
    Share,
    /// Module of the PyTorch model.
    Module,
    /// Block of the trace.
    Block,
}

/// All columns, in the order in which they stand.
pub const COLUMNS: [Column; 15] = [
    Column::Event,
    Column::At,
    Column::Module,
    Column::Block,
    Column::Calls,
    Column::Mean,
    Column::Median,
    Column::P90,
    Column::P99,
    Column::Min,
    Column::Max,
    Column::Deviation,
    Column::Sum,
    Column::Own,
    Column::Share,
];

/// Names of what a filter can ask of events.
pub const FIELDS: [&str; 16] = [
    "event", "at", "module", "block", "calls", "mean", "median", "p90", "p99", "min", "max",
    "stddev", "sum", "own", "share", "delegate",
];

impl Column {
    /// Its name, in the head of the table and in files.
    pub fn name(self) -> &'static str {
        match self {
            Column::Event => "event",
            Column::At => "at",
            Column::Calls => "calls",
            Column::Mean => "mean",
            Column::Median => "median",
            Column::P90 => "p90",
            Column::P99 => "p99",
            Column::Min => "min",
            Column::Max => "max",
            Column::Deviation => "stddev",
            Column::Sum => "sum",
            Column::Own => "own",
            Column::Share => "share",
            Column::Module => "module",
            Column::Block => "block",
        }
    }

    /// The column with a name.
    pub fn named(name: &str) -> Option<Self> {
        COLUMNS.into_iter().find(|column| column.name() == name)
    }

    /// Whether it is at the left of its room.
    pub fn is_text(self) -> bool {
        matches!(self, Column::Event | Column::At | Column::Module | Column::Block)
    }

    /// Columns of the screen that it takes, the space before it included; the
    /// event takes what is left.
    pub fn width(self) -> usize {
        match self {
            Column::Event => 0,
            Column::At => 9,
            Column::Calls => 8,
            Column::Share => 9,
            Column::Module => 22,
            Column::Block => 10,
            _ => 10,
        }
    }

    /// What goes first where there is no room for all.
    fn rank(self) -> usize {
        const KEPT: [Column; 15] = [
            Column::Event,
            Column::Sum,
            Column::At,
            Column::Share,
            Column::Median,
            Column::Calls,
            Column::Module,
            Column::Min,
            Column::Max,
            Column::P90,
            Column::Deviation,
            Column::Own,
            Column::P99,
            Column::Mean,
            Column::Block,
        ];
        KEPT.iter().position(|column| *column == self).unwrap_or(KEPT.len())
    }

    /// How two rows stand to each other in this column, the lesser first.
    pub fn compare(self, a: &RowRef<'_>, b: &RowRef<'_>) -> Ordering {
        let of = |spread: fn(&Spread) -> f64| spread(&a.spread).total_cmp(&spread(&b.spread));
        match self {
            Column::Event => a.name.cmp(b.name),
            Column::At => a.site.cmp(&b.site),
            Column::Calls => a.count.cmp(&b.count),
            Column::Mean => of(|spread| spread.mean),
            Column::Median => of(|spread| spread.median),
            Column::P90 => of(|spread| spread.p90),
            Column::P99 => of(|spread| spread.p99),
            Column::Min => of(|spread| spread.min),
            Column::Max => of(|spread| spread.max),
            Column::Deviation => of(|spread| spread.deviation),
            Column::Sum => a.sum.cmp(&b.sum),
            Column::Own | Column::Share => a.own.cmp(&b.own),
            Column::Module => a.module.cmp(b.module),
            Column::Block => a.block.cmp(b.block),
        }
    }
}

/// The order of a table; without a column it is that of the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub column: Option<Column>,
    /// Whether the least comes first.
    pub ascending: bool,
}

impl Order {
    /// By a column: numbers begin with the most, texts with `a`.
    pub fn by(column: Column) -> Self {
        Order { column: Some(column), ascending: column.is_text() }
    }
}

/// Which columns the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen(Vec<Column>);

impl Default for Chosen {
    fn default() -> Self {
        use Column::{At, Calls, Deviation, Event, Max, Median, Min, Module, P90, Share, Sum};
        Chosen(vec![Event, At, Module, Calls, Median, P90, Min, Max, Deviation, Sum, Share])
    }
}

impl Chosen {
    /// The named ones; the event is always among them.
    pub fn named(names: &[String]) -> Self {
        let mut chosen = Chosen(names.iter().filter_map(|name| Column::named(name)).collect());
        if !chosen.has(Column::Event) {
            chosen.0.push(Column::Event);
        }
        chosen
    }

    /// Whether a column is one of them.
    pub fn has(&self, column: Column) -> bool {
        self.0.contains(&column)
    }

    /// Shows a column or no longer does.
    pub fn toggle(&mut self, column: Column) {
        match self.0.iter().position(|other| *other == column) {
            Some(index) if column != Column::Event => drop(self.0.remove(index)),
            Some(_) => {}
            None => {
                self.0.push(column);
                self.0.sort_by_key(|column| COLUMNS.iter().position(|other| other == column));
            }
        }
    }

    /// All of them, in their order.
    pub fn all(&self) -> impl Iterator<Item = Column> {
        COLUMNS.into_iter().filter(|column| self.has(*column))
    }

    /// Those that there is room for beside a name, in their order. What nobody
    /// has anything in is left out.
    pub fn fitting(&self, width: usize, has_modules: bool) -> Vec<Column> {
        let least = if width >= 100 { 32 } else { 22 };
        let mut wanted: Vec<Column> =
            self.all().filter(|column| *column != Column::Module || has_modules).collect();
        wanted.sort_by_key(|column| column.rank());
        let mut used = least;
        wanted.retain(|column| {
            used += column.width();
            let fits = *column == Column::Event || used <= width;
            used -= if fits { 0 } else { column.width() };
            fits
        });
        COLUMNS.into_iter().filter(|column| wanted.contains(column)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_matter_stay_where_it_is_narrow() {
        let chosen = Chosen::default();
        let narrow = chosen.fitting(60, false);
        assert_eq!(narrow[0], Column::Event);
        assert!(narrow.contains(&Column::Sum) && !narrow.contains(&Column::Deviation));
        let wide = chosen.fitting(200, true);
        assert_eq!(wide.len(), chosen.all().count());
        assert!(!chosen.fitting(200, false).contains(&Column::Module));
    }

    #[test]
    fn every_column_has_a_name_of_its_own_and_a_field() {
        for column in COLUMNS {
            assert_eq!(Column::named(column.name()), Some(column));
            assert!(FIELDS.contains(&column.name()));
        }
        let mut chosen = Chosen::named(&["sum".into(), "nothing".into()]);
        chosen.toggle(Column::Event);
        assert_eq!(chosen.all().collect::<Vec<_>>(), [Column::Event, Column::Sum]);
        chosen.toggle(Column::Sum);
        assert!(!chosen.has(Column::Sum));
    }
}
