//! Starts of the board before the one that tells most: how far they came, and
//! what they left in the log.

use super::{Case, fault};
use crate::findings::{Code, Finding};
use crate::log::Run;
use crate::log::Stage;
use et_schema::ErrorCode;

/// Runs before this one that did not end.
pub(super) fn findings(case: &Case<'_>) -> Option<Finding> {
    let runs = case.evidence.log.map(|log| log.runs.as_slice()).unwrap_or_default();
    let (_, before) = runs.split_last()?;
    let broken: Vec<&Run> =
        before.iter().filter(|r| r.stage > Stage::Started && r.stage < Stage::Executed).collect();
    let watchdog = runs.iter().find_map(|r| r.watchdog);
    // One that complained before the board started again is what did it.
    let watchdog = watchdog.or_else(|| before.iter().find_map(|r| r.barked));
    let brown_out = runs.iter().find_map(|r| r.brown_out);
    let furthest = broken.iter().max_by_key(|r| r.stage)?;
    let said = broken.iter().rev().find_map(|run| last_words(run));
    let (reached, count) = (furthest.happened(), times(broken.len()));
    let title = match (watchdog, brown_out, &said) {
        (Some(_), ..) => format!("the watchdog reset the board after {reached}, {count}"),
        (_, Some(_), _) => {
            format!("the supply's voltage fell and reset the board after {reached}, {count}")
        }
        (_, _, Some((_, said))) => {
            format!("the board started again after {reached}, {count}; before that, {said}")
        }
        _ => {
            format!("the board started again after {reached}, {count}, without a reason in the log")
        }
    };
    let remedy = match (watchdog, brown_out, &said) {
        (None, Some(_), _) => {
            "look at the supply: the model draws more current than what ran before; lower the clock \
             to see whether it is that"
        }
        (None, None, Some(_)) => {
            "repair what failed before the restart; an abort of the runtime (et_pal_abort) restarts \
             some boards"
        }
        _ => {
            "read the reset reason; if it is the watchdog and the model is slow, feed it from a timer"
        }
    };
    let finding = Finding::new(Code::Reset, title, remedy)
        .with("restarts", broken.len())
        .with_some("watchdog_line", watchdog)
        .with_some("brown_out_line", brown_out)
        .with_some("failed_line", said.as_ref().map(|(line, _)| *line))
        .with_some("failed", said.map(|(_, said)| said));
    let times = furthest.times.or(case.run.and_then(|run| run.times));
    Some(
        finding
            .with("reached", furthest.stage.name())
            .with_some("micros_of_run", times.map(|(first, last)| last.saturating_sub(first))),
    )
}

fn times(count: usize) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// The first thing that went wrong in a run, with its line: what follows it is
/// mostly its consequence.
fn last_words(run: &Run) -> Option<(usize, String)> {
    let name = |code: u64| {
        let error = u32::try_from(code).ok().and_then(ErrorCode::from_code);
        error.map_or_else(|| format!("{code:#x}"), |error| error.to_string())
    };
    let failures = run.failures.iter().map(|failed| {
        let what = match (failed.at, failed.what.as_str()) {
            (Some((chain, instruction)), _) => {
                let operator = failed.operator.as_deref().unwrap_or("a delegate");
                format!("instruction {chain}:{instruction} ({operator})")
            }
            (None, "load") => "loading the method".into(),
            (None, "inputs") => "preparing the inputs".into(),
            (None, "execute") => "executing the method".into(),
            (None, "program") => "loading the program".into(),
            (None, other) => other.to_owned(),
        };
        (failed.line, format!("{what} failed with {}", name(failed.code)))
    });
    let allocations = run.allocation_failures.iter().map(|failed| {
        let said = format!(
            "{} bytes were refused by an allocator that had {} left",
            failed.requested, failed.available
        );
        (failed.line, said)
    });
    let asserts = run.asserts.iter().map(|assert| {
        (assert.line, format!("the assertion {} in {}() failed", assert.condition, assert.function))
    });
    let crash = (!run.crash.is_empty()).then(|| (run.crash.line, fault::read(&run.crash).cause));
    let quotes = [&run.killed, &run.heap].into_iter().flatten();
    let quotes = quotes.map(|quote| (quote.line, format!("it said {}", quote.text)));
    let all = failures.chain(allocations).chain(asserts).chain(crash).chain(quotes);
    all.min_by_key(|(line, _)| *line)
}
