//! What is known of the instruction that put out a value.

use et_inspector::correlate::{Correlation, Origin};
use et_inspector::events::{EventBlocks, EventRow};
use et_inspector::gap::Place;
use std::collections::HashMap;

/// Chain, instruction and delegate operation.
type Key = (i64, i32, Option<String>);

/// The events of a trace by their place.
pub(super) struct Names<'v, 'a> {
    /// Each with its block.
    rows: HashMap<Key, Vec<(usize, &'v EventRow<'a>)>>,
    /// The block of a run, by its number.
    runs: HashMap<usize, usize>,
    correlation: &'v Correlation<'v>,
}

impl<'v, 'a> Names<'v, 'a> {
    /// Of the events of `blocks`; `runs` are the blocks of the runs that have
    /// values, by the number of the run.
    pub fn new(
        blocks: &'v EventBlocks<'a>,
        runs: HashMap<usize, usize>,
        correlation: &'v Correlation<'v>,
    ) -> Self {
        let mut rows: HashMap<Key, Vec<(usize, &EventRow<'_>)>> = HashMap::new();
        for (index, block) in blocks.blocks.iter().enumerate() {
            let with_values = block.events.iter().filter(|row| !row.debug_events.is_empty());
            for row in with_values.filter(|row| !row.is_operator_call()) {
                let key = (row.chain, row.instruction, row.delegate_identifier());
                rows.entry(key).or_default().push((index, row));
            }
        }
        Names { rows, runs, correlation }
    }

    fn row(&self, place: &Place) -> Option<(usize, &'v EventRow<'a>)> {
        if place.is_output {
            return None;
        }
        let chain = i64::try_from(place.chain).ok()?;
        let key = (chain, place.instruction, place.delegate_id.clone());
        let rows = self.rows.get(&key)?;
        let block = self.runs.get(&place.run);
        let own = rows.iter().find(|(index, _)| Some(index) == block);
        own.or(rows.first()).copied()
    }

    /// Where the value comes from, as far as program and ETRecord tell.
    pub fn origin(&self, place: &Place) -> Option<Origin<'v>> {
        let (block, row) = self.row(place)?;
        Some(self.correlation.event(block, row))
    }

    /// Operator or delegate operation, not escaped.
    pub fn operator(&self, place: &Place) -> String {
        if place.is_output {
            return "method output".into();
        }
        let Some((_, row)) = self.row(place) else { return String::new() };
        if let (None, Some(facts)) =
            (row.delegate_id, self.origin(place).and_then(|o| o.instruction))
        {
            return facts.name().to_owned();
        }
        let name = row.display_name();
        name.strip_prefix("native_call_").unwrap_or(&name).to_owned()
    }
}
