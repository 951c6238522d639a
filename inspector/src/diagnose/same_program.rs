//! Whether a log is of the program that was given: what it says of sizes,
//! methods, instructions, operators and backends against the program's own.

use super::Case;
use crate::findings::{Code, Finding};
use crate::log::{Failure, Run};
use crate::memory::operator_name;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::{Instruction, Method};

/// Whether the log is of the program that was given.
pub(super) fn is_same_program(case: &Case<'_>, run: &Run) -> bool {
    has_its_sizes(case, run) && contradiction(case, run).is_none()
}

/// Whether the log is of the program that was given, if there is a log.
pub(super) fn is_of_given_program(case: &Case<'_>) -> bool {
    case.run.is_some_and(|run| is_same_program(case, run))
}

/// Whether the sizes that the log has, if any, are the program's.
fn has_its_sizes(case: &Case<'_>, run: &Run) -> bool {
    let bytes = case.evidence.file.bytes().len() as u64;
    let given = case.memory.plan.buffers.iter().map(|b| b.size);
    run.program_bytes.is_none_or(|logged| logged == bytes)
        && (run.planned.is_empty() || given.eq(run.planned.iter().map(|p| p.bytes)))
}

/// What the log tells that the given program cannot do; looked for once.
fn contradiction<'c>(case: &'c Case<'_>, run: &Run) -> Option<&'c str> {
    case.contradiction.get_or_init(|| find_contradiction(case, run)).as_deref()
}

fn find_contradiction(case: &Case<'_>, run: &Run) -> Option<String> {
    let file = case.evidence.file;
    // Names of methods are those of Python functions; other words are no name.
    let is_name = |name: &&String| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if let Some(name) = run.method.as_ref().filter(is_name)
        && file.methods().all(|method| method.name() != name)
    {
        return Some(format!(
            "the log runs a method {name}, which the given program does not have"
        ));
    }
    let operators = || file.methods().flat_map(|method| method.operators());
    let missing = |name: &str| !operators().any(|known| is_operator(name, &known.to_string()));
    if let Some((_, name)) = run.missing_operators.iter().find(|(_, name)| missing(name)) {
        return Some(format!(
            "the log misses operator {name}, which the given program never calls"
        ));
    }
    let delegates = || file.methods().flat_map(|method| method.delegates());
    let missing = |id: &str| !delegates().any(|delegate| delegate.id() == id);
    if let Some(id) = run.missing_backends.iter().find(|id| missing(id)) {
        return Some(format!("the log misses backend {id}, which the given program does not use"));
    }
    run.failures.iter().find_map(|failed| other_instruction(&case.evidence.method, failed))
}

/// Whether `logged` names the operator `known`; some logs leave the overload out.
fn is_operator(logged: &str, known: &str) -> bool {
    known == logged || known.split_once('.').is_some_and(|(name, _)| name == logged)
}

/// An instruction that failed and that the method does not have in that place.
fn other_instruction(method: &Method<'_>, failed: &Failure) -> Option<String> {
    let (chain, index) = failed.at?;
    let place =
        || Some((ChainId(u32::try_from(chain).ok()?), InstructionId(u32::try_from(index).ok()?)));
    let at = |(chain, index)| method.chain(chain).ok()?.instruction(index);
    let delegate = failed.what == "delegate";
    if delegate {
        // The line has no chain: any chain may be meant.
        let called = method.chains().any(|chain| {
            let index = u32::try_from(index).ok().map(InstructionId);
            let found = index.and_then(|index| chain.instruction(index));
            matches!(found, Some(Instruction::DelegateCall { .. }))
        });
        return (!called).then(|| {
            format!(
                "in the log a delegate is called at instruction {index}, where the given program \
                 calls none"
            )
        });
    }
    match place().and_then(at) {
        None => Some(format!(
            "in the log instruction {chain}:{index} failed, which the given program does not have"
        )),
        Some(_) => {
            let logged = failed.operator.as_deref()?;
            let known = operator_name(method, place()?);
            (!is_operator(logged, &known)).then(|| {
                format!(
                    "in the log instruction {chain}:{index} is {logged}, in the given program it \
                     is {known}"
                )
            })
        }
    }
}

/// `ETF002`.
pub(super) fn other_program(case: &Case<'_>, run: &Run) -> Option<Finding> {
    let same_sizes = has_its_sizes(case, run);
    let contradiction = contradiction(case, run);
    if same_sizes && contradiction.is_none() {
        return None;
    }
    let sizes = |sizes: Vec<u64>| sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let logged = sizes(run.planned.iter().map(|p| p.bytes).collect());
    let given = sizes(case.memory.plan.buffers.iter().map(|b| b.size).collect());
    let bytes = case.evidence.file.bytes().len();
    let finding = Finding::new(
        Code::OtherProgram,
        match (run.program_bytes, contradiction) {
            (_, Some(contradiction)) if same_sizes => contradiction.to_owned(),
            (Some(logged), _) if logged != bytes as u64 => {
                format!("the log is of a program of {logged} bytes, the given one has {bytes}")
            }
            _ => format!(
                "the log's planned buffers have {logged} bytes, those of the given program {given}"
            ),
        },
        "give the .pte that was built into the firmware; what is said about instructions and \
         values is about the given one",
    );
    let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0, u64::saturating_add);
    let logged = sum(&mut run.planned.iter().map(|p| p.bytes));
    let given = sum(&mut case.memory.plan.buffers.iter().map(|b| b.size));
    Some(
        finding
            .with_some("log_program_bytes", run.program_bytes)
            .with("given_program_bytes", bytes)
            .with_some("log_planned_bytes", (!run.planned.is_empty()).then_some(logged))
            .with("given_planned_bytes", given),
    )
}
