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

/// One sample as an interval.
#[derive(Clone, Copy, Debug)]
struct Interval {
    start: u64,
    end: u64,
    row: usize,
    sample: usize,
    /// Chain and instruction of a delegate's own operation.
    inside_delegate: Option<(i64, i32)>,
    /// Chain and instruction of a delegate call.
    delegate_call: Option<(i64, i32)>,
}

/// Fills in [`super::Sample::own`] of all samples of `block`.
pub(super) fn measure(block: &mut Block<'_>) {
    let mut runs: Vec<Vec<Interval>> = vec![Vec::new(); block.runs];
    for (row_index, row) in block.events.iter().enumerate() {
        let place = (row.chain, row.instruction);
        for (sample_index, sample) in row.samples.iter().enumerate() {
            let Some(run) = runs.get_mut(sample.run as usize) else { continue };
            run.push(Interval {
                start: sample.start,
                end: sample.end,
                row: row_index,
                sample: sample_index,
                inside_delegate: row.delegate_id.map(|_| place),
                delegate_call: (row.name == "DELEGATE_CALL").then_some(place),
            });
        }
    }
    for mut run in runs {
        unwrap_counter(&mut run);
        for (interval, own) in own_ticks(&mut run) {
            block.events[interval.row].samples[interval.sample].own = own;
        }
    }
}

/// Moves what happened after a 32-bit counter began anew behind what happened before.
fn unwrap_counter(run: &mut [Interval]) {
    let wraps = |i: &&Interval| i.start > i.end && i.start <= COUNTER_MAX;
    let Some(first) = run.iter().filter(wraps).map(|i| i.start).min() else { return };
    for interval in run.iter_mut() {
        if interval.start > interval.end {
            interval.end += COUNTER_MAX;
        } else if interval.start < first {
            interval.start += COUNTER_MAX;
            interval.end += COUNTER_MAX;
        }
    }
}

/// The intervals with the ticks that each of them owns.
fn own_ticks(run: &mut [Interval]) -> Vec<(Interval, u64)> {
    // Events are logged at their end, so that of two equal ones the later is outside.
    run.sort_by_key(|i| (i.start, std::cmp::Reverse(i.end), std::cmp::Reverse(i.row)));
    let mut done: Vec<(Interval, u64)> = Vec::with_capacity(run.len());
    // Indices in `done` of the intervals around the current one.
    let mut open: Vec<usize> = Vec::new();
    for interval in run.iter().copied() {
        while open
            .last()
            .is_some_and(|&i| done[i].0.end <= interval.start && !spans(&done[i].0, &interval))
        {
            open.pop();
        }
        if let Some(place) = interval.inside_delegate
            && !open.iter().any(|&i| done[i].0.delegate_call == Some(place))
        {
            done.push((interval, 0));
            continue;
        }
        // What runs over the end of the event around it counts up to that end.
        let limit = open.last().map_or(u64::MAX, |&i| done[i].0.end);
        let end = interval.end.min(limit).max(interval.start);
        let clipped = Interval { end, ..interval };
        let ticks = end - interval.start;
        if let Some(&parent) = open.last() {
            done[parent].1 = done[parent].1.saturating_sub(ticks);
        }
        open.push(done.len());
        done.push((clipped, ticks));
    }
    done
}

/// Whether an event of no duration lies at the very end of `outer`.
fn spans(outer: &Interval, inner: &Interval) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && inner.start == inner.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(row: usize, start: u64, end: u64) -> Interval {
        Interval { start, end, row, sample: 0, inside_delegate: None, delegate_call: None }
    }

    fn own(intervals: &[Interval]) -> Vec<u64> {
        let mut run = intervals.to_vec();
        unwrap_counter(&mut run);
        let mut own = vec![0; intervals.len()];
        for (interval, ticks) in own_ticks(&mut run) {
            own[interval.row] = ticks;
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
        let mut operation = interval(0, 100, 900);
        operation.inside_delegate = Some((0, 3));
        let mut call = interval(1, 5000, 6000);
        call.delegate_call = Some((0, 3));
        assert_eq!(own(&[operation, call]), [0, 1000]);
        (operation.start, operation.end) = (5100, 5900);
        assert_eq!(own(&[operation, call]), [800, 200]);
    }
}
