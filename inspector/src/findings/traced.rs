//! `ETF002` and `ETF003`: which program and which method a trace is of.

use super::{Code, Finding};
use crate::correlate::Correlation;
use crate::events::EventBlocks;
use et_schema::etdump::LOST_NAME;

/// The findings about a trace that is not of the program which `correlation`
/// knows, or that may be of another of its methods.
pub fn traced_program(blocks: &EventBlocks<'_>, correlation: &Correlation<'_>) -> Vec<Finding> {
    match other_program(blocks, correlation) {
        Some(finding) => vec![finding],
        None => several_methods(correlation).into_iter().collect(),
    }
}

fn other_program(blocks: &EventBlocks<'_>, correlation: &Correlation<'_>) -> Option<Finding> {
    let (mut events, mut others, mut first) = (0_usize, 0_usize, None);
    for (index, block) in blocks.blocks.iter().enumerate() {
        let of_instructions = block.events.iter().filter(|row| row.chain >= 0);
        for row in of_instructions.filter(|row| row.name != LOST_NAME) {
            events += 1;
            if let Some(reason) = correlation.event(index, row).mismatch {
                others += 1;
                first.get_or_insert_with(|| {
                    let place = format!("{}:{}", row.chain, row.instruction);
                    format!("{} at {place}: {reason}", row.display_name())
                });
            }
        }
    }
    let first = first?;
    let finding = Finding::new(
        Code::OtherProgram,
        format!(
            "the trace is of another program than the one that was given: {others} of {events} \
             events are of no instruction of it, the first {first}"
        ),
        "give the .pte that ran; what is said about instructions is about the given one",
    );
    Some(finding.with("events", events).with("events_of_another_program", others))
}

fn several_methods(correlation: &Correlation<'_>) -> Option<Finding> {
    let [first, others @ ..] = correlation.tied_methods() else { return None };
    let other = others.first()?;
    let finding = Finding::new(
        Code::SeveralMethods,
        format!(
            "the trace fits method {first} as well as {}, and is taken to be of {first}",
            others.join(", ")
        ),
        format!("name the method that ran: --method {first}, or --method {other}"),
    );
    Some(finding.with("methods", correlation.tied_methods().join(", ")))
}
