//! The one sentence.

use super::Case;
use super::candidates::{Candidate, Likelihood};
use super::execution::or_later;
use super::in_flight::InFlight;
use super::pace::Pace;
use super::same_program::is_same_program;
use crate::findings::{Code, Finding, Severity};
use crate::log::Stage;

/// How sure the sentence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// The evidence shows it.
    High,
    /// It is the best reading of the evidence.
    Medium,
    /// Other readings are as good.
    Low,
}

impl Confidence {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        }
    }
}

/// A sentence and how sure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The sentence, without a full stop.
    pub sentence: String,
    /// How sure.
    pub confidence: Confidence,
}

/// Findings that explain a stop, the first cause first.
const CAUSES: [Code; 17] = [
    Code::ProgramUnaligned,
    Code::PoolExhausted,
    Code::OutsideBuffer,
    Code::NullWrite,
    Code::MissingOperator,
    Code::MissingBackend,
    Code::NpuPayload,
    Code::NpuConfiguration,
    Code::InstructionFailed,
    Code::RunsAway,
    Code::StackOverrun,
    Code::ProcessorFault,
    Code::NpuSilent,
    Code::OutputsDiffer,
    Code::StatusReported,
    Code::AssertFailed,
    Code::Killed,
];

/// Findings whose title says by itself when it happened.
const WHOLE: [Code; 5] = [
    Code::AssertFailed,
    Code::Killed,
    Code::ProcessorFault,
    Code::StackOverrun,
    Code::OutputsDiffer,
];

pub(super) fn of(
    case: &Case<'_>,
    findings: &[Finding],
    in_flight: Option<&InFlight>,
    candidates: &[Candidate],
) -> Verdict {
    let confidence = |best| match case.run {
        Some(run) if !is_same_program(case, run) => Confidence::Medium,
        _ => best,
    };
    let says = |sentence: String, best| Verdict { sentence, confidence: confidence(best) };
    let first = |code: &Code| findings.iter().find(|f| f.code == *code);
    let Some(run) = case.run else {
        let evidence = &case.evidence;
        let executions = match (evidence.journal, evidence.trace) {
            (Some(journal), _) => Executions {
                begun: journal.executions,
                ended: journal.last_execution_ended(),
                cut: false,
            },
            // An event of a trace is logged at its end.
            (None, trace) => Executions {
                begun: trace.map_or(0, super::trace::executions),
                ended: true,
                cut: trace.is_some_and(|trace| trace.truncation().is_some()),
            },
        };
        return match in_flight {
            Some(hung) => stuck(hung, findings),
            None => without_log(findings, executions),
        };
    };
    if run.stage == Stage::Silent && run.crash.is_empty() && run.failures.is_empty() {
        return says("the log has no line of an ExecuTorch runner".into(), Confidence::Low);
    }
    if let Some(cause) = CAUSES.iter().find_map(first) {
        let stage = match run.stage {
            _ if run.load_failure().is_some() => "the method did not load".to_owned(),
            Stage::Silent => return says(cause.title.clone(), Confidence::Medium),
            _ if WHOLE.contains(&cause.code) && cause.at.is_none() => {
                return says(cause.title.clone(), Confidence::High);
            }
            _ => run.happened(),
        };
        return says(format!("{stage}: {}", cause.title), Confidence::High);
    }
    if let Some(hung) = in_flight.filter(|hung| hung.since.is_some()) {
        return stuck(hung, findings);
    }
    if let Some(hung) = in_flight {
        let likely = candidates.iter().find(|c| c.likelihood == Likelihood::Likely);
        let because = likely.map_or_else(String::new, |c| format!("; most probably {}", c.cause));
        let best = if hung.or_later { Confidence::Medium } else { Confidence::High };
        let began = run.happened();
        return says(format!("{began}, {} never ended{because}", or_later(hung)), best);
    }
    match first(&Code::SilentBefore).or_else(|| first(&Code::Reset)) {
        Some(finding) => says(finding.title.clone(), Confidence::Medium),
        None if run.stage >= Stage::Executed => says(
            format!("the model ran: {}", run.stage.happened()),
            if run.stage == Stage::Complete { Confidence::High } else { Confidence::Medium },
        ),
        None => says(run.stage.happened().to_owned(), Confidence::Medium),
    }
}

/// From a journal.
fn stuck(hung: &InFlight, findings: &[Finding]) -> Verdict {
    let fault = CAUSES.iter().find_map(|code| {
        let known = findings.iter().find(|f| f.code == *code)?;
        (known.at == Some((hung.chain, hung.instruction))).then_some(known)
    });
    let confidence = if hung.or_later { Confidence::Medium } else { Confidence::High };
    if let Some(fault) = fault {
        return Verdict { sentence: fault.title.clone(), confidence };
    }
    let doubt = if hung.or_later { ", or one whose record is lost," } else { "" };
    let time = |ticks: u64| match hung.since {
        Some((_, scale)) if scale > 0 => format!("{:.3} s", ticks as f64 / scale as f64),
        _ => format!("{ticks} ticks"),
    };
    let since = hung.since.filter(|(ticks, scale)| *ticks > 0 && *ticks >= scale / 1000);
    // Without heartbeats the beginning is the last that is known of it.
    let after = since.map_or_else(String::new, |(ticks, scale)| match scale {
        0 => format!(", {ticks} ticks after it began"),
        _ => format!(", at least {} after it began", time(ticks)),
    });
    let place = hung.place();
    let sentence = match hung.pace {
        Pace::Slow { usual, measured } => {
            let before = if measured { "it took before" } else { "it may take" };
            let so_far = hung.since.map_or(0, |(ticks, _)| ticks);
            format!(
                "slow, or stopped too early, rather than hung: in instruction {place}{doubt} for {} \
                 of up to {} that {before}",
                time(so_far),
                time(usual)
            )
        }
        Pace::Hung { usual, measured: true } => {
            format!(
                "stuck in instruction {place}{doubt}{after}, where it took up to {}",
                time(usual)
            )
        }
        Pace::Hung { usual, measured: false } => format!(
            "stuck in instruction {place}{doubt}{after}, where its work is at most {}",
            time(usual)
        ),
        Pace::Unknown => format!("stuck in instruction {place}{doubt}{after}"),
    };
    Verdict { sentence, confidence }
}

/// What is known of executions.
struct Executions {
    begun: u32,
    /// Whether the last of them came to its end.
    ended: bool,
    /// Whether there were more, of which nothing is left.
    cut: bool,
}

/// From the program, a board, a trace and a journal in which nothing is open.
fn without_log(findings: &[Finding], executions: Executions) -> Verdict {
    match findings.first().filter(|f| f.code.page().severity > Severity::Info) {
        Some(worst) => Verdict { sentence: worst.title.clone(), confidence: Confidence::High },
        None if executions.begun > 0 && executions.ended && executions.cut => Verdict {
            sentence: match executions.begun {
                1 => "the execution that is left of the trace came to its end".into(),
                count => {
                    format!("the {count} executions that are left of the trace came to their end")
                }
            },
            confidence: Confidence::Medium,
        },
        None if executions.begun > 0 && executions.ended => Verdict {
            sentence: match executions.begun {
                1 => "the execution came to its end".into(),
                count => format!("all {count} executions came to their end"),
            },
            confidence: Confidence::High,
        },
        None if executions.begun > 0 => Verdict {
            sentence: format!(
                "execution {} began, and nothing that is left of the journal says how it ended",
                executions.begun
            ),
            confidence: Confidence::Low,
        },
        None => Verdict {
            sentence: "nothing is wrong with the program as far as it can be seen without a run"
                .into(),
            confidence: Confidence::Medium,
        },
    }
}
