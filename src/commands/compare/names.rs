//! What is known of the instruction that put out a value.

use et_inspector::correlate::{Correlation, Origin};
use et_inspector::events::{EventBlocks, EventRow};
use et_inspector::gap::Place;
use std::collections::HashMap;

/// Chain, instruction and delegate operation.
type Key = (i64, i32, Option<String>);

/// The events of a trace by their place.
pub(super) struct Names<'v, 'a> {
    rows: HashMap<Key, (usize, &'v EventRow<'a>)>,
    correlation: &'v Correlation<'v>,
}

impl<'v, 'a> Names<'v, 'a> {
    pub fn new(blocks: &'v EventBlocks<'a>, correlation: &'v Correlation<'v>) -> Self {
        let mut rows: HashMap<Key, (usize, &EventRow<'_>)> = HashMap::new();
        for (index, block) in blocks.blocks.iter().enumerate() {
            let with_values = block.events.iter().filter(|row| !row.debug_events.is_empty());
            for row in with_values.filter(|row| !row.is_operator_call()) {
                let key = (row.chain, row.instruction, row.delegate_identifier());
                rows.entry(key).or_insert((index, row));
            }
        }
        Names { rows, correlation }
    }

    fn row(&self, place: &Place) -> Option<(usize, &'v EventRow<'a>)> {
        if place.is_output {
            return None;
        }
        let chain = i64::try_from(place.chain).ok()?;
        self.rows.get(&(chain, place.instruction, place.delegate_id.clone())).copied()
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
