//! The rows of the event table: filtered and sorted at once if they are few,
//! and on a thread of their own if they are many.

use crate::clock::Clock;
use crate::columns::{FIELDS, Order};
use crate::events::{EventRows, RowRef};
use crate::groups::{GroupTable, GroupTables};
use crate::query::Query;
use et_inspector::events::GroupBy;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// Rows up to which nobody notices that they are sorted.
const FEW: usize = 20_000;

/// Rows looked at between two questions whether to go on.
const BETWEEN: usize = 4096;

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

    /// Rows in their order; once `cancelled` nobody looks at them.
    fn rows(&self, cancelled: &AtomicBool) -> Vec<u32> {
        let table = self.table();
        let of = |index: u32| row(&self.events, table, index);
        let query = Query::parse(&self.filter, &FIELDS, self.clock);
        let total = table.map_or(self.events.total, |table| table.total);
        let goes_on = |index: &u32| {
            !(*index as usize).is_multiple_of(BETWEEN) || !cancelled.load(Ordering::Relaxed)
        };
        let keeps = |index: &u32| {
            query.is_empty()
                || of(*index)
                    .is_some_and(|row| query.keeps(row.name, &|name| row.field(name, total)))
        };
        let all = 0..self.len() as u32;
        let mut rows: Vec<u32> = all.take_while(goes_on).filter(keeps).collect();
        let Some(column) = self.order.column else { return rows };
        // Equal ones stay in the order of the trace, whichever end comes first.
        let compare = |a: &u32, b: &u32| match (of(*a), of(*b)) {
            (Some(a), Some(b)) if self.order.ascending => column.compare(&a, &b),
            (Some(a), Some(b)) => column.compare(&b, &a),
            _ => std::cmp::Ordering::Equal,
        };
        for part in rows.chunks_mut(BETWEEN * 16) {
            if cancelled.load(Ordering::Relaxed) {
                return Vec::new();
            }
            part.sort_by(compare);
        }
        // What is in order in parts is merged.
        rows.sort_by(compare);
        rows
    }

    /// Rows that have to be looked at.
    fn len(&self) -> usize {
        self.table().map_or(self.events.rows.len(), |table| table.rows.len())
    }
}

/// Work on a thread of its own, which nobody has to wait for.
pub(crate) struct Later<T> {
    made: Receiver<T>,
    cancelled: Arc<AtomicBool>,
    /// Rows that are looked at.
    pub count: usize,
}

impl<T: Send + 'static> Later<T> {
    /// Begins the work, which asks now and then whether it was cancelled.
    pub fn start(count: usize, work: impl FnOnce(&AtomicBool) -> T + Send + 'static) -> Self {
        let cancelled = Arc::new(AtomicBool::new(false));
        let (sender, made) = channel();
        let own = Arc::clone(&cancelled);
        std::thread::spawn(move || {
            // Nobody may wait for it any longer.
            let _ = sender.send(work(&own));
        });
        Later { made, cancelled, count }
    }

    /// What was made, when it is there; `None` in it if the work broke off.
    pub fn take(&self) -> Option<Option<T>> {
        match self.made.try_recv() {
            Ok(made) => Some(Some(made)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(None),
        }
    }
}

impl<T> Drop for Later<T> {
    /// Whoever asks for something else does not want this any more.
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

/// Lets go of something large on a thread of its own: to free millions of
/// pieces takes longer than a frame.
pub(crate) fn discard<T: Send + 'static>(large: T) {
    std::thread::spawn(move || drop(large));
}

/// Rows, or the work that leads to them.
pub(crate) enum Table {
    Now(Vec<u32>),
    Later(Later<Vec<u32>>),
}

impl Table {
    /// Of a request, at once if it is small.
    pub fn of(request: Request) -> Self {
        Table::of_more_than(request, FEW)
    }

    fn of_more_than(request: Request, few: usize) -> Self {
        let count = request.len();
        if count <= few {
            return Table::Now(request.rows(&AtomicBool::new(false)));
        }
        Table::Later(Later::start(count, move |cancelled| request.rows(cancelled)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Column;
    use crate::events::{EventRow, Spread};
    use std::time::{Duration, Instant};

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
    fn rows_are_the_same_on_both_threads() {
        let Table::Now(now) = Table::of(request(500, "1")) else { panic!("few") };
        let Table::Later(later) = Table::of_more_than(request(500, "1"), 10) else {
            panic!("many");
        };
        assert_eq!(later.count, 500);
        let begun = Instant::now();
        let rows = loop {
            if let Some(rows) = later.take() {
                break rows.expect("it does not break off");
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "never sorted");
            std::thread::sleep(Duration::from_millis(2));
        };
        assert_eq!(rows, now);
        let sum = |index: u32| u64::from(index) * 7919 % 10_007;
        assert!(now.windows(2).all(|pair| sum(pair[0]) >= sum(pair[1])) && now.len() > 100);
    }

    #[test]
    fn what_is_cancelled_is_not_filtered_to_its_end() {
        let request = request(100_000, "op");
        assert!(request.rows(&AtomicBool::new(true)).len() < 10_000);
    }

    #[test]
    fn work_that_breaks_off_is_not_waited_for() {
        let later: Later<u32> = Later::start(1, |_| panic!("as a test"));
        let begun = Instant::now();
        let taken = loop {
            if let Some(taken) = later.take() {
                break taken;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "still waiting");
            std::thread::sleep(Duration::from_millis(2));
        };
        assert_eq!(taken, None);
    }
}
