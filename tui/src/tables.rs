//! The rows of the event table: filtered and sorted at once if they are few,
//! and on a thread of their own if they are many.

use crate::app::Order;
use crate::events::EventRows;
use crate::groups::GroupTables;
use crate::view::events::{Shown, rows};
use et_inspector::events::GroupBy;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

/// Rows up to which nobody notices that they are sorted.
const FEW: usize = 20_000;

/// What is to be shown of which events.
#[derive(Clone)]
pub(crate) struct Request {
    pub events: Arc<EventRows>,
    pub groups: Arc<GroupTables>,
    pub order: Order,
    pub grouping: Option<GroupBy>,
    pub filter: String,
}

impl Request {
    fn rows(&self, cancelled: &AtomicBool) -> Vec<Shown> {
        let table = self.grouping.and_then(|kind| self.groups.get(kind));
        rows(&self.events, table, self.order, &self.filter, &|| cancelled.load(Ordering::Relaxed))
    }

    /// Rows that have to be looked at.
    fn len(&self) -> usize {
        let table = self.grouping.and_then(|kind| self.groups.get(kind));
        table.map_or(self.events.rows.len(), |table| table.rows.len())
    }
}

/// Rows that are being sorted.
pub(crate) struct Sorting {
    made: Receiver<Vec<Shown>>,
    cancelled: Arc<AtomicBool>,
    /// How many.
    pub count: usize,
}

/// Rows, or the work that leads to them.
pub(crate) enum Table {
    Now(Vec<Shown>),
    Later(Sorting),
}

impl Table {
    /// Of a request, at once if it is small.
    pub fn of(request: Request) -> Self {
        Table::of_more_than(request, FEW)
    }

    fn of_more_than(request: Request, few: usize) -> Self {
        let cancelled = Arc::new(AtomicBool::new(false));
        let count = request.len();
        if count <= few {
            return Table::Now(request.rows(&cancelled));
        }
        let (sender, made) = channel();
        let own = Arc::clone(&cancelled);
        std::thread::spawn(move || {
            // Nobody may wait for it any longer.
            let _ = sender.send(request.rows(&own));
        });
        Table::Later(Sorting { made, cancelled, count })
    }
}

impl Sorting {
    /// The rows, when they are there.
    pub fn take(&self) -> Option<Vec<Shown>> {
        self.made.try_recv().ok()
    }
}

impl Drop for Sorting {
    /// Whoever asks for something else does not want this any more.
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{EventRow, Spread};
    use std::time::{Duration, Instant};

    fn request(count: u64, filter: &str) -> Request {
        let row = |index: u64| EventRow {
            name: format!("op{index}"),
            block: String::new(),
            site: None,
            delegated: false,
            count: 1,
            sum: index * 7919 % 10_007,
            own: 0,
            times: Vec::new(),
            spread: Spread::default(),
        };
        let events = EventRows { rows: (0..count).map(row).collect(), ..EventRows::default() };
        Request {
            events: Arc::new(events),
            groups: Arc::default(),
            order: Order::Sum,
            grouping: None,
            filter: filter.into(),
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
                break rows;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "never sorted");
            std::thread::sleep(Duration::from_millis(2));
        };
        let names = |rows: &[Shown]| rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&rows), names(&now));
        assert!(now.windows(2).all(|pair| pair[0].sum >= pair[1].sum) && now.len() > 100);
    }

    #[test]
    fn what_is_cancelled_is_not_filtered_to_its_end() {
        let request = request(100_000, "op");
        assert!(request.rows(&AtomicBool::new(true)).len() < 10_000);
    }
}
