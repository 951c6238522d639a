//! Values that a trace does not describe, from its debug buffer.
//!
//! ExecuTorch's runtime copies a tensor into the debug buffer before it finds
//! that its trace has no number for the element type (float16 and bfloat16, in
//! 1.5.1); what is left is a damaged trace ([`Damage`]) without these values.
//! Their bytes are in the buffer, and the program tells which tensors were
//! logged, in which order and of which size: [`restore`] makes a whole trace
//! of all three.
//!
//! [`Damage`]: et_schema::etdump::Damage

mod expected;
mod layout;
mod rebuilt;

use et_schema::etdump::{AllocationEvent, DebugEvent, Event, File, ProfileEvent, Run};
use et_schema::pte::{File as Program, Method};
use expected::{Expected, Logging, Logs, LostTensor};
use layout::Layout;
use std::cell::Cell;
use std::collections::VecDeque;

/// Empty tensors that a short trace may log.
const SPARE: usize = 4096;
/// Methods whose every try may look at all values.
const MOST_METHODS: usize = 16;

/// A trace with the values that another one has lost.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The trace (`.etdp`).
    pub trace: Vec<u8>,
    /// Its debug buffer.
    pub debug_buffer: Vec<u8>,
    /// Tensors that were found.
    pub values: usize,
    /// Lists of tensors that stay lost: the buffer has a part of them only.
    pub lost_lists: usize,
}

/// Why lost values cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The events are not those of the method.
    #[error("the values that the trace has are not those that the program logs at {0}")]
    OtherProgram(String),
    /// The size of a lost tensor is not in the program.
    #[error("the shape of tensor {0} is known at run time only")]
    Dynamic(u32),
    /// A delegate logged values of its own, of which the program knows nothing.
    #[error("a delegate logged values of its own")]
    Delegate,
    /// No place for the values fits the buffer's bytes.
    #[error("the debug buffer does not have them where the runtime puts them")]
    OtherBuffer,
    /// Several do.
    #[error("several places in the debug buffer fit them")]
    Ambiguous,
}

/// What a run recorded, lost values included.
enum Item<'a> {
    Profile(ProfileEvent<'a>),
    Allocation(AllocationEvent),
    Logged(DebugEvent<'a>),
    Lost(Lost),
    /// Bytes of the tensors that the buffer has of a list that stays lost.
    PartOfList(Vec<usize>),
}

/// A tensor that was logged and not described.
struct Lost {
    chain: i32,
    instruction: i32,
    is_output: bool,
    tensor: LostTensor,
}

/// Whole runs of a trace.
struct Recording<'a> {
    runs: Vec<(Run<'a>, Vec<Item<'a>>)>,
}

/// The trace with all values that were logged: those of `trace`, and those that
/// only `debug_buffer` has. Each run is taken to be of the first of `methods`
/// that it fits.
///
/// # Errors
/// See [`RestoreError`]: nothing is restored by half.
///
/// # Examples
/// ```
/// use et_inspector::restore::restore;
/// use et_schema::{etdump, pte};
///
/// # let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
/// let program = std::fs::read(format!("{fixtures}/models/dtype_fp16/model.pte"))?;
/// let trace = std::fs::read(format!("{fixtures}/traces/dtype_fp16__it1_dbg.etdp"))?;
/// let buffer = std::fs::read(format!("{fixtures}/traces/dtype_fp16__it1_dbg.debug.bin"))?;
///
/// let program = pte::File::parse(&program)?;
/// let trace = etdump::File::recover(&trace)?;
/// assert!(trace.damage().is_some());
/// let restored = restore(&trace, &[program.method("forward").unwrap()], &buffer)?;
/// // Three operators and three outputs.
/// assert_eq!(restored.values, 6);
/// assert!(etdump::File::parse(&restored.trace).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn restore(
    trace: &File<'_>,
    methods: &[Method<'_>],
    debug_buffer: &[u8],
) -> Result<Restored, RestoreError> {
    let all = attempt(trace, methods, debug_buffer, Logs::Everything);
    // The runtime may have been told to log the outputs of the method alone.
    all.or_else(|error| attempt(trace, methods, debug_buffer, Logs::Outputs).map_err(|_| error))
}

/// As [`restore`], by the method of `program` that is `asked` for, or all;
/// `None` if the trace is not damaged.
pub fn by_program(
    trace: &File<'_>,
    program: &Program<'_>,
    asked: Option<&str>,
    debug_buffer: &[u8],
) -> Option<Result<Restored, RestoreError>> {
    trace.damage()?;
    let is_asked = |method: &Method<'_>| asked.is_none_or(|name| method.name() == name);
    let methods: Vec<Method<'_>> = program.methods().filter(is_asked).collect();
    Some(restore(trace, &methods, debug_buffer))
}

fn attempt(
    trace: &File<'_>,
    methods: &[Method<'_>],
    debug_buffer: &[u8],
    logs: Logs,
) -> Result<Restored, RestoreError> {
    // Values that the trace describes, and no more lost ones than bytes.
    let described = trace.runs().map(|run| run.events().len()).sum::<usize>();
    let most = described.saturating_add(debug_buffer.len()).saturating_add(SPARE);
    let left = Cell::new(most.saturating_mul(methods.len().min(MOST_METHODS)));
    let mut runs = Vec::new();
    for run in trace.runs() {
        let items = items_of_any(&run, methods, logs, &left)?;
        runs.push((run, items));
    }
    let recording = Recording { runs };
    let layout = Layout::find(&recording, debug_buffer)?;
    Ok(rebuilt::rebuilt(&recording, &layout, debug_buffer))
}

/// What a run recorded, by the first method that it fits; why it does not fit
/// the first one if there is none.
fn items_of_any<'a>(
    run: &Run<'a>,
    methods: &[Method<'_>],
    logs: Logs,
    left: &Cell<usize>,
) -> Result<Vec<Item<'a>>, RestoreError> {
    let mut first = None;
    for method in methods {
        match items(run, &Logging::new(method, logs, left)) {
            Ok(items) => return Ok(items),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| RestoreError::OtherProgram("its beginning".to_owned())))
}

/// What a run recorded: its events, and the values that are expected between them.
fn items<'a>(run: &Run<'a>, logging: &Logging<'_>) -> Result<Vec<Item<'a>>, RestoreError> {
    let mut items = Vec::new();
    // Values are logged before the event of their call ends.
    let mut pending = VecDeque::new();
    let mut has_executed = false;
    for event in run.events() {
        match event {
            Event::Debug(event) if event.delegate_id.is_some() => {
                return Err(RestoreError::Delegate);
            }
            Event::Debug(event) => pending.push_back(event),
            Event::Allocation(event) => items.push(Item::Allocation(event)),
            Event::Profile(event) => {
                let values = logging.of_call(&event)?;
                merge(&mut items, &mut pending, values, place(&event), false)?;
                has_executed |= event.name == "Method::execute";
                items.push(Item::Profile(event));
            }
            Event::Empty => {}
        }
    }
    let outputs = if has_executed { logging.of_outputs()? } else { Vec::new() };
    merge(&mut items, &mut pending, outputs, (-1, 0), true)?;
    Ok(items)
}

fn place(event: &ProfileEvent<'_>) -> (i32, i32) {
    (event.chain_index, event.instruction_id)
}

/// Adds the values of a call: the `expected` ones, of which the trace has all
/// but the lost ones in `pending`.
fn merge<'a>(
    items: &mut Vec<Item<'a>>,
    pending: &mut VecDeque<DebugEvent<'a>>,
    expected: Vec<Expected>,
    (chain, instruction): (i32, i32),
    is_output: bool,
) -> Result<(), RestoreError> {
    let other = || {
        RestoreError::OtherProgram(match is_output {
            true => "its end".to_owned(),
            false => format!("instruction {chain}:{instruction}"),
        })
    };
    for value in expected {
        items.push(match value {
            Expected::Described => Item::Logged(pending.pop_front().ok_or_else(other)?),
            Expected::Lost(tensor) => Item::Lost(Lost { chain, instruction, is_output, tensor }),
            Expected::PartOfList(parts) => Item::PartOfList(parts),
        });
    }
    if pending.is_empty() { Ok(()) } else { Err(other()) }
}
