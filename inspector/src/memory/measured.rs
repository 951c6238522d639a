//! What a device measured of its allocators, beside the prediction.
//!
//! The numbers are those of the Arm runner's memory block
//! (`method_allocator_loaded: 290 bytes` and its neighbours).

use super::{Firmware, MethodMemory};
use crate::log::{Measure, Run};

/// A measured number, the predicted one, and why they differ if they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The runner's name for it.
    pub what: &'static str,
    /// Bytes on the device.
    pub measured: u64,
    /// Bytes as predicted; `None` where nothing predicts them.
    pub predicted: Option<u64>,
    /// What the numbers say together.
    pub note: String,
}

impl Comparison {
    /// Whether prediction and device agree.
    pub fn agrees(&self) -> bool {
        self.predicted.is_none_or(|predicted| predicted == self.measured)
    }
}

/// The numbers of `run` beside the prediction `memory` of its method.
pub fn compare(run: &Run, memory: &MethodMemory<'_>) -> Vec<Comparison> {
    let measure = |what| run.measure(what).map(|m| m.bytes);
    let mut all = Vec::new();
    if let Some(measured) = measure(Measure::MethodPlanned) {
        all.push(planned(measured, memory));
    }
    if let Some(measured) = measure(Measure::MethodLoaded) {
        all.push(loaded(measured, run, memory));
    }
    if let Some(measured) = measure(Measure::MethodInput) {
        let predicted = memory.loading.inputs.saturating_add(memory.unplanned_inputs);
        let padding = measured.abs_diff(predicted) < 16;
        all.push(Comparison {
            what: "method_allocator_input",
            measured,
            predicted: Some(if padding { measured } else { predicted }),
            note: if padding && measured != predicted {
                format!("{predicted} bytes of EValues and the padding before them")
            } else {
                "EValues of the inputs, and inputs that the program does not plan".into()
            },
        });
    }
    if let Some(measured) = measure(Measure::MethodExecutor) {
        all.push(Comparison {
            what: "method_allocator_executor",
            measured,
            predicted: Some(0),
            note: if measured == 0 {
                "executing takes nothing of the method allocator".into()
            } else {
                "a backend or the ETDump takes memory while the method runs".into()
            },
        });
    }
    all
}

fn planned(measured: u64, memory: &MethodMemory<'_>) -> Comparison {
    let predicted = memory.plan.buffers.iter().fold(0u64, |sum, buffer| {
        let start = sum.checked_next_multiple_of(16).unwrap_or(u64::MAX);
        start.saturating_add(buffer.size)
    });
    // The pool's own base may need up to 15 bytes to be aligned.
    let agrees = measured.checked_sub(predicted).is_some_and(|padding| padding < 16);
    Comparison {
        what: "method_allocator_planned",
        measured,
        predicted: Some(if agrees { measured } else { predicted }),
        note: if agrees {
            "the program's planned buffers".into()
        } else {
            "the log is of another program, or planned buffers lie elsewhere as well".into()
        },
    }
}

/// The firmware whose rule gives `measured`, or the difference to the usual one.
fn loaded(measured: u64, run: &Run, memory: &MethodMemory<'_>) -> Comparison {
    let rules = [
        (Firmware::TempPool, memory.loading.method_used, "a temp allocator that is large enough"),
        (
            Firmware::EmptyTempPool,
            memory.used_without_temp_pool,
            "a temp allocator that is too small",
        ),
        (Firmware::NoTempAllocator, memory.used_without_temp_allocator, "no temp allocator"),
        (Firmware::Release0_5, memory.used_in_release_0_5, "release 0.5 without a temp allocator"),
    ];
    // The padding between planned buffers and loader counts to one of them.
    let fits = |bytes: u64| measured.checked_sub(bytes).is_some_and(|padding| padding < 16);
    let exact = rules.iter().find(|(_, bytes, _)| *bytes == measured);
    let close = || rules.iter().find(|(_, bytes, _)| fits(*bytes));
    match exact.or_else(close) {
        Some((_, bytes, why)) => Comparison {
            what: "method_allocator_loaded",
            measured,
            predicted: Some(measured),
            note: match measured - bytes {
                0 => format!("as predicted for {why}"),
                padding => format!("as predicted for {why}, and {padding} bytes of padding"),
            },
        },
        None => {
            let predicted = if run.old_runner {
                memory.used_in_release_0_5
            } else {
                memory.loading.method_used
            };
            let delegates: Vec<&str> = memory.delegates.iter().map(|d| d.id.as_str()).collect();
            Comparison {
                what: "method_allocator_loaded",
                measured,
                predicted: Some(predicted),
                note: if delegates.is_empty() {
                    "no firmware that is known gives this number: the log may be of another program"
                        .into()
                } else {
                    format!(
                        "what {} takes while it starts is not in the prediction",
                        delegates.join(", ")
                    )
                },
            }
        }
    }
}
