//! Predicted allocations beside measured ones.
//!
//! Equal lists are the rule. Where they part, the nearest place at which both
//! go on alike tells what was added, left out or resized.

/// How far a place is looked for at which both lists go on alike.
const REACH: usize = 24;

/// How many sizes must be alike there, so that no chance equality counts.
const ALIKE: usize = 3;

/// Where the lists part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Measured and not predicted.
    Extra {
        /// Which of the measured allocations.
        index: usize,
        /// Its bytes.
        bytes: u64,
        /// The predicted allocation before which it was made.
        before: usize,
    },
    /// Predicted and not measured.
    Absent {
        /// Which of the predicted allocations.
        predicted: usize,
    },
    /// Of another size than predicted.
    Resized {
        /// Which of the predicted allocations.
        predicted: usize,
        /// Which of the measured allocations.
        index: usize,
        /// Its measured bytes.
        bytes: u64,
    },
}

/// The places at which `measured` differs from `predicted`.
pub fn differences(predicted: &[u64], measured: &[u64]) -> Vec<Difference> {
    let mut found = Vec::new();
    let (mut p, mut m) = (0, 0);
    while p < predicted.len() && m < measured.len() {
        if predicted[p] == measured[m] {
            (p, m) = (p + 1, m + 1);
            continue;
        }
        let (absent, extra) = resume(&predicted[p..], &measured[m..]);
        let resized = absent.min(extra);
        found.extend((0..resized).map(|i| Difference::Resized {
            predicted: p + i,
            index: m + i,
            bytes: measured[m + i],
        }));
        found.extend((resized..absent).map(|i| Difference::Absent { predicted: p + i }));
        found.extend((resized..extra).map(|i| Difference::Extra {
            index: m + i,
            bytes: measured[m + i],
            before: p + absent,
        }));
        (p, m) = (p + absent, m + extra);
    }
    found.extend((p..predicted.len()).map(|predicted| Difference::Absent { predicted }));
    found.extend((m..measured.len()).map(|index| Difference::Extra {
        index,
        bytes: measured[index],
        before: predicted.len(),
    }));
    found
}

/// How many of each list to pass over so that both go on alike; one of each
/// if there is no such place near.
fn resume(predicted: &[u64], measured: &[u64]) -> (usize, usize) {
    for passed in 1..=2 * REACH {
        // As many of both as possible first: sizes differ more often than counts.
        for apart in (passed % 2..=passed).step_by(2) {
            let few = (passed - apart) / 2;
            for (p, m) in [(few, few + apart), (few + apart, few)] {
                if few + apart <= REACH && is_alike(predicted, measured, p, m) {
                    return (p, m);
                }
            }
        }
    }
    (1, 1)
}

fn is_alike(predicted: &[u64], measured: &[u64], p: usize, m: usize) -> bool {
    let (Some(predicted), Some(measured)) = (predicted.get(p..), measured.get(m..)) else {
        return false;
    };
    let count = ALIKE.min(predicted.len()).min(measured.len());
    let ends_together = predicted.len() == measured.len();
    (count == ALIKE || ends_together) && predicted[..count] == measured[..count]
}

#[cfg(test)]
mod tests {
    use super::{Difference, differences};

    #[test]
    fn equal_lists_have_no_differences() {
        assert_eq!(differences(&[16, 4, 32], &[16, 4, 32]), []);
        assert_eq!(differences(&[], &[]), []);
    }

    #[test]
    fn additions_omissions_and_other_sizes_are_told_apart() {
        let predicted = [144, 1, 16, 64, 8, 24, 16, 48];
        let extra = [144, 1, 16, 272, 64, 8, 24, 16, 48];
        let found = differences(&predicted, &extra);
        assert_eq!(found, [Difference::Extra { index: 3, bytes: 272, before: 3 }]);
        let absent = [144, 16, 64, 8, 24, 16, 48];
        assert_eq!(differences(&predicted, &absent), [Difference::Absent { predicted: 1 }]);
        let resized = [144, 1, 16, 32, 8, 24, 16, 48];
        let found = differences(&predicted, &resized);
        assert_eq!(found, [Difference::Resized { predicted: 3, index: 3, bytes: 32 }]);
    }

    #[test]
    fn differences_at_the_end_are_seen() {
        assert_eq!(
            differences(&[1, 2], &[1, 2, 9]),
            [Difference::Extra { index: 2, bytes: 9, before: 2 }]
        );
        assert_eq!(differences(&[1, 2, 9], &[1, 2]), [Difference::Absent { predicted: 2 }]);
    }

    #[test]
    fn lists_without_likeness_take_no_quadratic_time() {
        let (a, b): (Vec<u64>, Vec<u64>) = ((0..50_000).collect(), (50_000..100_000).collect());
        assert_eq!(differences(&a, &b).len(), 50_000);
    }
}
