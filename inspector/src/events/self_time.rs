//! Time of each event without the events inside it.
//!
//! A runtime logs `Method::execute`, in it `OPERATOR_CALL`, in it the kernel's
//! own event: a sum over all of them counts the same time three times. An
//! event's own ticks are those in which no event inside it ran. Each tick has
//! one owner, so that own ticks can be summed in any grouping, and their total
//! is that of the outermost events.
//!
//! A delegate may log its operations with a clock of its own. Those that lie
//! outside of their delegate call are not part of this sum: they own nothing.

use super::block::Block;

/// Ticks at which the runtime's 32-bit counters begin anew, by the Inspector's rule.
const COUNTER_MAX: u64 = u32::MAX as u64;

/// What an event is to a delegate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Nothing.
    Runtime,
    /// The call of the delegate at a place.
    DelegateCall(Place),
    /// An operation of the delegate at a place.
    Operation(Place),
}

/// Chain and instruction.
type Place = (i64, i32);

/// One sample as an interval.
#[derive(Clone, Copy, Debug)]
struct Interval {
    start: u64,
    end: u64,
    /// Row in the block, and sample in the row.
    row: u32,
    sample: u32,
}

/// Fills in [`super::Sample::own`] of all samples of `block`, run by run.
pub(super) fn measure(block: &mut Block<'_>) {
    let roles: Vec<Role> = block
        .events
        .iter()
        .map(|row| match row.delegate_id {
            Some(_) => Role::Operation((row.chain, row.instruction)),
            None if row.name == "DELEGATE_CALL" => Role::DelegateCall((row.chain, row.instruction)),
            None => Role::Runtime,
        })
        .collect();
    // Runs are alike: in the order of the run before, the next one is nearly sorted.
    let timed = |row: &u32| !block.events[*row as usize].samples.is_empty();
    let mut order: Vec<u32> = (0..roles.len() as u32).filter(timed).collect();
    let mut next = vec![0usize; roles.len()];
    let mut run = Run { roles: &roles, intervals: Vec::new(), own: Vec::new(), open: Vec::new() };
    for number in 0..block.runs {
        run.intervals.clear();
        for &row in &order {
            let event = &block.events[row as usize];
            let count = match event.iterations.is_empty() {
                true => 1,
                false => event.iterations.get(number).map_or(0, |count| *count as usize),
            };
            let first = next[row as usize];
            let samples = event.samples.iter().enumerate().skip(first).take(count);
            run.intervals.extend(samples.map(|(index, sample)| Interval {
                start: sample.start,
                end: sample.end,
                row,
                sample: index as u32,
            }));
            next[row as usize] += count;
        }
        run.measure();
        for (interval, own) in run.intervals.iter().zip(&run.own) {
            block.events[interval.row as usize].samples[interval.sample as usize].own = *own;
        }
        if run.intervals.len() == order.len() {
            order.clear();
            order.extend(run.intervals.iter().map(|interval| interval.row));
        }
    }
}

/// The events of one run.
struct Run<'r> {
    /// By row.
    roles: &'r [Role],
    intervals: Vec<Interval>,
    /// Ticks that each of the intervals owns.
    own: Vec<u64>,
    /// Indices of the intervals around the current one.
    open: Vec<usize>,
}

impl Run<'_> {
    /// Sorts the intervals and finds out what each of them owns.
    fn measure(&mut self) {
        self.unwrap_counter();
        // Events are logged at their end, so that of two equal ones the later is outside.
        self.intervals.sort_by_key(|i| (i.start, !i.end, !i.row));
        self.own.clear();
        self.open.clear();
        for index in 0..self.intervals.len() {
            let interval = self.intervals[index];
            while let Some(&outer) = self.open.last() {
                let outer = &self.intervals[outer];
                if outer.end > interval.start || spans(outer, &interval) {
                    break;
                }
                self.open.pop();
            }
            self.own.push(0);
            if self.is_elsewhere(&interval) {
                continue;
            }
            // What runs over the end of the event around it counts up to that end.
            let limit = self.open.last().map_or(u64::MAX, |&outer| self.intervals[outer].end);
            let end = interval.end.min(limit).max(interval.start);
            self.intervals[index].end = end;
            let ticks = end - interval.start;
            if let Some(&parent) = self.open.last() {
                self.own[parent] = self.own[parent].saturating_sub(ticks);
            }
            self.own[index] = ticks;
            self.open.push(index);
        }
    }

    /// Whether it is a delegate's operation outside of the delegate's call.
    fn is_elsewhere(&self, interval: &Interval) -> bool {
        let role = |interval: &Interval| self.roles[interval.row as usize];
        let Role::Operation(place) = role(interval) else { return false };
        let around = self.open.iter().map(|&index| role(&self.intervals[index]));
        !around.into_iter().any(|role| role == Role::DelegateCall(place))
    }

    /// Moves what happened after a 32-bit counter began anew behind what happened before.
    fn unwrap_counter(&mut self) {
        let wraps = |i: &&Interval| i.start > i.end && i.start <= COUNTER_MAX;
        let Some(first) = self.intervals.iter().filter(wraps).map(|i| i.start).min() else {
            return;
        };
        for interval in &mut self.intervals {
            if interval.start > interval.end {
                interval.end += COUNTER_MAX;
            } else if interval.start < first {
                interval.start += COUNTER_MAX;
                interval.end += COUNTER_MAX;
            }
        }
    }
}

/// Whether an event of no duration lies at the very end of `outer`.
fn spans(outer: &Interval, inner: &Interval) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && inner.start == inner.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(row: u32, start: u64, end: u64) -> Interval {
        Interval { start, end, row, sample: 0 }
    }

    fn own(intervals: &[Interval]) -> Vec<u64> {
        own_in_roles(intervals, &vec![Role::Runtime; intervals.len()])
    }

    fn own_in_roles(intervals: &[Interval], roles: &[Role]) -> Vec<u64> {
        let intervals = intervals.to_vec();
        let mut run = Run { roles, intervals, own: Vec::new(), open: Vec::new() };
        run.measure();
        let mut own = vec![0; roles.len()];
        for (interval, ticks) in run.intervals.iter().zip(&run.own) {
            own[interval.row as usize] = *ticks;
        }
        own
    }

    #[test]
    fn kernel_in_operator_in_method_each_own_the_rest() {
        // Logged in the order of their ends.
        let own = own(&[interval(0, 12, 20), interval(1, 10, 21), interval(2, 5, 40)]);
        assert_eq!(own, [8, 3, 24]);
    }

    #[test]
    fn of_two_equal_events_the_inner_owns_the_time() {
        assert_eq!(own(&[interval(0, 10, 20), interval(1, 10, 20)]), [10, 0]);
    }

    #[test]
    fn event_that_runs_over_its_outer_counts_to_the_end_of_that() {
        assert_eq!(own(&[interval(0, 8, 15), interval(1, 0, 10)]), [2, 8]);
    }

    #[test]
    fn counter_that_begins_anew_is_followed() {
        let before = COUNTER_MAX - 10;
        let own = own(&[interval(0, 2, 5), interval(1, before, 10)]);
        assert_eq!(own, [3, 17]);
    }

    #[test]
    fn operations_on_a_delegates_own_clock_own_nothing() {
        let roles = [Role::Operation((0, 3)), Role::DelegateCall((0, 3))];
        let call = interval(1, 5000, 6000);
        assert_eq!(own_in_roles(&[interval(0, 100, 900), call], &roles), [0, 1000]);
        assert_eq!(own_in_roles(&[interval(0, 5100, 5900), call], &roles), [800, 200]);
    }
}
