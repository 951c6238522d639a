//! The rows of the event table, filtered and sorted.

use crate::clock::Clock;
use crate::columns::{FIELDS, Order};
use crate::events::{EventRows, RowRef};
use crate::groups::{GroupTable, GroupTables};
use crate::later::Work;
use crate::query::Query;
use et_inspector::events::GroupBy;
use std::sync::Arc;

/// Rows that are sorted between two questions whether to go on.
const PART: usize = 16_384;

/// What is to be shown of which events.
#[derive(Clone)]
pub(crate) struct Request {
    pub events: Arc<EventRows>,
    pub groups: Arc<GroupTables>,
    pub order: Order,
    pub grouping: Option<GroupBy>,
    pub filter: String,
    pub clock: Clock,
}

/// The row number `index` of the groups, or of the events if there are none.
pub(crate) fn row<'r>(
    events: &'r EventRows,
    groups: Option<&'r GroupTable>,
    index: u32,
) -> Option<RowRef<'r>> {
    match groups {
        Some(table) => table.rows.get(index as usize).map(|row| row.shown()),
        None => events.rows.get(index as usize).map(|row| row.shown()),
    }
}

impl Request {
    fn table(&self) -> Option<&GroupTable> {
        self.grouping.and_then(|kind| self.groups.get(kind))
    }

    /// Rows in their order, and their ticks together.
    pub fn rows(&self, work: &Work) -> (Vec<u32>, u64) {
        let table = self.table();
        let of = |index: u32| row(&self.events, table, index);
        let query = Query::parse(&self.filter, &FIELDS, self.clock);
        let total = table.map_or(self.events.total, |table| table.total);
        // To sort them takes about as long as to look at them.
        let steps = self.len() * (1 + usize::from(self.order.column.is_some()));
        let keeps = |index: &u32| {
            query.is_empty()
                || of(*index)
                    .is_some_and(|row| query.keeps(row.name, &|name| row.field(name, total)))
        };
        let all = (0..self.len() as u32).take_while(|index| work.goes_on(*index as usize, steps));
        let mut rows: Vec<u32> = all.filter(keeps).collect();
        let sums = rows.iter().filter_map(|index| of(*index)).map(|row| row.sum);
        let sum = sums.fold(0, u64::saturating_add);
        let Some(column) = self.order.column else { return (rows, sum) };
        // Equal ones stay in the order of the trace, whichever end comes first.
        let compare = |a: &u32, b: &u32| match (of(*a), of(*b)) {
            (Some(a), Some(b)) if self.order.ascending => column.compare(&a, &b),
            (Some(a), Some(b)) => column.compare(&b, &a),
            _ => std::cmp::Ordering::Equal,
        };
        for (number, part) in rows.chunks_mut(PART).enumerate() {
            if !work.goes_on(self.len() + number * PART, steps) {
                return (Vec::new(), 0);
            }
            part.sort_by(compare);
        }
        // What is in order in parts is merged.
        rows.sort_by(compare);
        (rows, sum)
    }

    /// Rows that have to be looked at.
    pub fn len(&self) -> usize {
        self.table().map_or(self.events.rows.len(), |table| table.rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Column;
    use crate::events::{EventRow, Spread};

    fn request(count: u64, filter: &str) -> Request {
        let row = |index: u64| EventRow {
            name: format!("op{index}"),
            block: "".into(),
            module: "".into(),
            site: None,
            delegated: false,
            sum: index * 7919 % 10_007,
            own: 0,
            times: Vec::new(),
            spread: Spread::default(),
        };
        let mut events = EventRows::default();
        events.rows = (0..count).map(row).collect();
        Request {
            events: Arc::new(events),
            groups: Arc::default(),
            order: Order::by(Column::Sum),
            grouping: None,
            filter: filter.into(),
            clock: Clock::default(),
        }
    }

    #[test]
    fn rows_are_filtered_sorted_and_summed() {
        let (rows, sum) = request(500, "1").rows(&Work::default());
        let ticks = |index: u32| u64::from(index) * 7919 % 10_007;
        assert!(rows.windows(2).all(|pair| ticks(pair[0]) >= ticks(pair[1])) && rows.len() > 100);
        assert_eq!(sum, rows.iter().map(|index| ticks(*index)).sum::<u64>());
    }

    #[test]
    fn what_is_cancelled_is_not_filtered_to_its_end() {
        let request = request(100_000, "op");
        assert!(request.rows(&Work::cancelled()).0.len() < 10_000);
    }
}
