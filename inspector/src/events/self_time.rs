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

use super::block::{Block, EventRow, Sample};

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
    /// Row in the block.
    row: u32,
    /// Sample in the run.
    sample: u32,
}

/// What the rows of a block are to delegates.
fn roles(block: &Block<'_>) -> Vec<Role> {
    let role = |row: &EventRow<'_>| match row.delegate_id {
        Some(_) => Role::Operation((row.chain, row.instruction)),
        None if row.name == "DELEGATE_CALL" => Role::DelegateCall((row.chain, row.instruction)),
        None => Role::Runtime,
    };
    block.events.iter().map(role).collect()
}

/// Measures runs, one at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct SelfTime {
    /// What the rows of the block that was measured last are.
    roles: Vec<Role>,
    /// The rows of the samples of the run before.
    rows: Vec<u32>,
    /// Ticks that each of the samples owns.
    own: Vec<u64>,
    /// Of the run, in the order of their begin.
    intervals: Vec<Interval>,
    /// Ticks that each of the intervals owns.
    interval_own: Vec<u64>,
    /// Indices of the intervals around the current one.
    open: Vec<usize>,
    /// The innermost of them for each interval that has any; fewer than
    /// intervals if one of those is elsewhere.
    parents: Vec<Option<usize>>,
    /// Samples of the run before in the order of their begin: runs are alike.
    order: Vec<u32>,
    /// For each sample of the run before the one around it, or [`NONE`]; empty
    /// if that does not say all ([`SelfTime::measure_alike`]).
    around: Vec<u32>,
}

/// No sample.
const NONE: u32 = u32::MAX;

impl SelfTime {
    /// Finds the own ticks of the samples of the last run of `block`.
    pub fn measure_last_run(&mut self, block: &mut Block<'_>) {
        self.roles = roles(block);
        let last = block.runs.saturating_sub(1);
        let (mut rows, mut samples) = (Vec::new(), Vec::new());
        for (index, row) in (0u32..).zip(&block.events) {
            let first = row.samples.len().saturating_sub(row.samples_of(last));
            samples.extend_from_slice(&row.samples[first..]);
            rows.resize(samples.len(), index);
        }
        for (row, own) in rows.iter().zip(self.measure(&rows, &samples)) {
            block.events[*row as usize].own.push(*own);
        }
    }

    /// The own ticks of the samples of a run. `rows` are the rows that they
    /// belong to, in the block that was given to [`SelfTime::measure_last_run`] last.
    pub fn measure(&mut self, rows: &[u32], samples: &[Sample]) -> &[u64] {
        if self.rows != rows {
            // Its samples have other numbers, and what they are to delegates may differ.
            self.rows = rows.to_vec();
            self.order = (0..samples.len() as u32).collect();
            self.around.clear();
        }
        self.own.clear();
        self.own.resize(samples.len(), 0);
        if self.measure_alike(samples).is_none() {
            self.measure_any(samples);
        }
        &self.own
    }

    /// Measures a run whatever its events are.
    fn measure_any(&mut self, samples: &[Sample]) {
        self.intervals.clear();
        self.intervals.extend(self.order.iter().map(|&index| {
            let Sample { start, end } = samples[index as usize];
            Interval { start, end, row: self.rows[index as usize], sample: index }
        }));
        self.measure_intervals();
        for (interval, own) in self.intervals.iter().zip(&self.interval_own) {
            self.own[interval.sample as usize] = *own;
        }
        self.note_around();
        for (place, interval) in self.order.iter_mut().zip(&self.intervals) {
            *place = interval.sample;
        }
    }

    /// The same for a run whose events begin in the order of those of the run
    /// before, and lie in each other as they did. `None` if that is not so, or
    /// not plain: events without duration, or that run over others.
    fn measure_alike(&mut self, samples: &[Sample]) -> Option<()> {
        if self.around.len() != samples.len() {
            return None;
        }
        let mut before = (0, u64::MAX);
        let mut last = NONE;
        for &index in &self.order {
            let Sample { start, end } = *samples.get(index as usize)?;
            let in_order = start > before.0 || (start == before.0 && end < before.1);
            if !in_order || start >= end {
                return None;
            }
            before = (start, end);
            let around = *self.around.get(index as usize)?;
            // All that was open and is not around this one must have ended.
            while last != around {
                if samples.get(last as usize)?.end > start {
                    return None;
                }
                last = *self.around.get(last as usize)?;
            }
            if around != NONE {
                if end > samples.get(around as usize)?.end {
                    return None;
                }
                let outer = self.own.get_mut(around as usize)?;
                *outer = outer.saturating_sub(end - start);
            }
            *self.own.get_mut(index as usize)? = end - start;
            last = index;
        }
        Some(())
    }

    /// Keeps what lies in what, of the intervals that were just measured.
    fn note_around(&mut self) {
        self.around.clear();
        // One that is elsewhere has no place among them.
        if self.parents.len() != self.intervals.len() {
            return;
        }
        self.around.resize(self.intervals.len(), NONE);
        for (interval, parent) in self.intervals.iter().zip(&self.parents) {
            let sample = |parent: &usize| self.intervals[*parent].sample;
            self.around[interval.sample as usize] = parent.as_ref().map_or(NONE, sample);
        }
    }

    /// Sorts the intervals and finds out what each of them owns.
    fn measure_intervals(&mut self) {
        self.unwrap_counter();
        // Events are logged at their end, so that of two equal ones the later is outside.
        let key = |i: &Interval| (i.start, !i.end, !i.row);
        if !self.intervals.is_sorted_by_key(key) {
            self.intervals.sort_by_key(key);
        }
        self.interval_own.clear();
        self.open.clear();
        self.parents.clear();
        for index in 0..self.intervals.len() {
            let interval = self.intervals[index];
            while let Some(&outer) = self.open.last() {
                let outer = &self.intervals[outer];
                if outer.end > interval.start || spans(outer, &interval) {
                    break;
                }
                self.open.pop();
            }
            self.interval_own.push(0);
            if self.is_elsewhere(&interval) {
                continue;
            }
            // What runs over the end of the event around it counts up to that end.
            let limit = self.open.last().map_or(u64::MAX, |&outer| self.intervals[outer].end);
            let end = interval.end.min(limit).max(interval.start);
            self.intervals[index].end = end;
            let ticks = end - interval.start;
            if let Some(&parent) = self.open.last() {
                self.interval_own[parent] = self.interval_own[parent].saturating_sub(ticks);
            }
            self.interval_own[index] = ticks;
            self.parents.push(self.open.last().copied());
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

    type Times = (u64, u64);

    fn own(times: &[Times]) -> Vec<u64> {
        own_in_roles(times, &vec![Role::Runtime; times.len()])
    }

    /// Ticks that the samples own, each of a row of its own.
    fn own_in_roles(times: &[Times], roles: &[Role]) -> Vec<u64> {
        let mut self_time = SelfTime { roles: roles.to_vec(), ..SelfTime::default() };
        // The second time in the order of the first.
        run(&mut self_time, times);
        run(&mut self_time, times)
    }

    fn run(self_time: &mut SelfTime, times: &[Times]) -> Vec<u64> {
        let rows: Vec<u32> = (0..times.len() as u32).collect();
        let samples: Vec<Sample> =
            times.iter().map(|&(start, end)| Sample { start, end }).collect();
        self_time.measure(&rows, &samples).to_vec()
    }

    #[test]
    fn a_run_like_the_one_before_is_measured_as_any_other() {
        // Kernels in calls in a method, one after the other.
        let base: [Times; 5] = [(12, 20), (10, 22), (25, 30), (23, 33), (5, 40)];
        let mut number = 1u64;
        for round in 0..20_000u64 {
            let times: Vec<Times> = base
                .iter()
                .map(|&(start, end)| {
                    number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let move_by = |shift: u64| number >> shift & if round % 2 == 0 { 1 } else { 7 };
                    (start + move_by(40), end - 2 + move_by(50))
                })
                .collect();
            let roles = vec![Role::Runtime; base.len()];
            let mut self_time = SelfTime { roles: roles.clone(), ..SelfTime::default() };
            run(&mut self_time, &base);
            let after_other = run(&mut self_time, &times);
            let alone = run(&mut SelfTime { roles, ..SelfTime::default() }, &times);
            assert_eq!(after_other, alone, "{times:?}");
        }
    }

    #[test]
    fn kernel_in_operator_in_method_each_own_the_rest() {
        // Logged in the order of their ends.
        let own = own(&[(12, 20), (10, 21), (5, 40)]);
        assert_eq!(own, [8, 3, 24]);
    }

    #[test]
    fn of_two_equal_events_the_inner_owns_the_time() {
        assert_eq!(own(&[(10, 20), (10, 20)]), [10, 0]);
    }

    #[test]
    fn event_that_runs_over_its_outer_counts_to_the_end_of_that() {
        assert_eq!(own(&[(8, 15), (0, 10)]), [2, 8]);
    }

    #[test]
    fn counter_that_begins_anew_is_followed() {
        let before = COUNTER_MAX - 10;
        let own = own(&[(2, 5), (before, 10)]);
        assert_eq!(own, [3, 17]);
    }

    #[test]
    fn operations_on_a_delegates_own_clock_own_nothing() {
        let roles = [Role::Operation((0, 3)), Role::DelegateCall((0, 3))];
        let call = (5000, 6000);
        assert_eq!(own_in_roles(&[(100, 900), call], &roles), [0, 1000]);
        assert_eq!(own_in_roles(&[(5100, 5900), call], &roles), [800, 200]);
    }
}
