//! Which method a block of events is of.

use super::origin::Origin;
use super::program::{Call, Instructions, Site};
use super::record::Record;
use crate::events::{EventBlocks, EventRow};
use et_schema::etrecord;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::{ReadError, pte};
use std::cmp::Reverse;

/// The method that the Inspector assumes.
const FORWARD: &str = "forward";

/// What is known of one method.
#[derive(Clone, Debug)]
struct Known<'a> {
    name: String,
    instructions: Option<Instructions>,
    record: Option<Record<'a>>,
}

/// Resolves events of a trace with a program, an ETRecord, both, or neither.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use et_inspector::correlate::Correlation;
/// use et_inspector::events::EventBlocks;
/// use et_schema::{etdump, etrecord, pte};
///
/// # let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
/// let trace = std::fs::read(format!("{fixtures}/traces/linear__it3.etdp"))?;
/// let program = std::fs::read(format!("{fixtures}/models/linear/model.pte"))?;
/// let record = std::fs::read(format!("{fixtures}/traces/linear.etrecord"))?;
///
/// let blocks = EventBlocks::of(&etdump::File::parse(&trace)?);
/// let program = pte::File::parse(&program)?;
/// let record = etrecord::File::parse(&record)?;
/// let correlation = Correlation::new(&blocks, Some(&program), Some(&record), None)?;
///
/// let execute = &blocks.blocks[1];
/// let kernel = &execute.events[0];
/// let origin = correlation.event(1, kernel);
/// assert_eq!(origin.instruction.unwrap().name(), "aten::permute_copy.out");
/// assert_eq!(origin.module(), Some("linear"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Correlation<'a> {
    methods: Vec<Known<'a>>,
    /// Index of each block's method.
    of_block: Vec<Option<usize>>,
    /// Whether it can be of no other.
    is_certain: Vec<bool>,
    /// Methods that a block fits as well as its own.
    tied: Vec<String>,
    has_program: bool,
    has_record: bool,
}

/// Why a trace and its program or record do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrelateError {
    /// The record's graph cannot be read.
    Record(ReadError),
    /// Neither program nor record have the method that was asked for.
    NoMethod {
        /// What was asked for.
        asked: String,
        /// The methods that there are.
        available: Vec<String>,
    },
}

impl std::fmt::Display for CorrelateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CorrelateError::Record(error) => error.fmt(f),
            CorrelateError::NoMethod { asked, available } => {
                write!(f, "no method {asked:?}; there are {}", available.join(", "))
            }
        }
    }
}

impl std::error::Error for CorrelateError {}

impl<'a> Correlation<'a> {
    /// Finds out the method of each block; all blocks are of `method` if it is given.
    ///
    /// # Errors
    /// There is no such method, or the ETRecord's graph is damaged.
    pub fn new(
        blocks: &EventBlocks<'_>,
        program: Option<&pte::File<'_>>,
        record: Option<&'a etrecord::File<'a>>,
        method: Option<&str>,
    ) -> Result<Self, CorrelateError> {
        let mut names: Vec<String> = Vec::new();
        names.extend(program.iter().flat_map(|p| p.methods()).map(|m| m.name().to_owned()));
        names.extend(record.iter().flat_map(|r| r.methods()).map(str::to_owned));
        names.sort_by_key(|name| (name != FORWARD, name.clone()));
        names.dedup();
        if let Some(asked) = method {
            if (program.is_some() || record.is_some()) && !names.iter().any(|name| name == asked) {
                return Err(CorrelateError::NoMethod { asked: asked.into(), available: names });
            }
            names.retain(|name| name == asked);
        }
        let known = |name: String| -> Result<Known<'a>, CorrelateError> {
            let instructions = program.and_then(|p| p.method(&name)).map(|m| Instructions::of(&m));
            let graph = |file: &'a etrecord::File<'a>| {
                let graph = file.edge_program(&name).map_err(CorrelateError::Record)?;
                Ok(Record { file, graph: graph.unwrap_or_default() })
            };
            let record = record.map(graph).transpose()?;
            Ok(Known { name, instructions, record })
        };
        let methods = names.into_iter().map(known).collect::<Result<Vec<_>, _>>()?;
        let found: Vec<Fit> = blocks.blocks.iter().map(|b| Fit::of(&methods, &b.events)).collect();
        // A block that names no operator, as of loading, is of the method that runs after it.
        let known = |block: usize| {
            let of = |fits: &[Fit]| fits.iter().find(|fit| fit.agreement > 0).map(|fit| fit.method);
            of(&found[block..]).or_else(|| of(&found[..block]))
        };
        let of_block = (0..found.len())
            .map(|block| known(block).or((!methods.is_empty()).then_some(0)))
            .collect();
        let is_certain = |fit: &Fit| methods.len() < 2 || fit.agreement > 0 && fit.tied.is_empty();
        let is_certain = found.iter().map(is_certain).collect();
        let mut tied: Vec<usize> = found.into_iter().flat_map(|fit| fit.tied).collect();
        tied.sort_unstable();
        tied.dedup();
        Ok(Correlation {
            tied: tied.into_iter().map(|index| methods[index].name.clone()).collect(),
            methods,
            of_block,
            is_certain,
            has_program: program.is_some(),
            has_record: record.is_some(),
        })
    }

    /// Whether there is a program.
    pub fn has_program(&self) -> bool {
        self.has_program
    }

    /// Whether there is an ETRecord.
    pub fn has_record(&self) -> bool {
        self.has_record
    }

    /// Methods between which the operators of a block do not decide: it was
    /// taken to be of the first of them. Empty if there was no doubt.
    pub fn tied_methods(&self) -> &[String] {
        &self.tied
    }

    /// The method of block number `block`.
    pub fn method(&self, block: usize) -> Option<&str> {
        self.known(block).map(|known| known.name.as_str())
    }

    /// Whether the operators of block number `block` say of which method it is,
    /// or no two methods are known.
    pub fn is_certain(&self, block: usize) -> bool {
        self.is_certain.get(block).copied().unwrap_or(false)
    }

    /// Where `row` of block number `block` comes from.
    pub fn event(&self, block: usize, row: &EventRow<'_>) -> Origin<'_> {
        let mut origin = Origin::default();
        let Some(known) = self.known(block) else { return origin };
        origin.method = Some(&known.name);
        if let (Some(instructions), Some(site)) = (&known.instructions, site(row)) {
            match instructions.get(site) {
                Some(facts) => {
                    origin.mismatch = mismatch(&facts.call, row);
                    if origin.mismatch.is_none() {
                        origin.instruction = Some(facts);
                    }
                    if let Call::Delegate { backend, .. } = &facts.call
                        && (row.delegate_id.is_some() || row.name == "DELEGATE_CALL")
                    {
                        origin.backend = Some(backend);
                    }
                }
                None => {
                    origin.mismatch = Some(format!("method {} has no such instruction", known.name))
                }
            }
        }
        if let Some(record) = &known.record {
            record.describe(&known.name, row, &mut origin);
        }
        origin
    }

    fn known(&self, block: usize) -> Option<&Known<'a>> {
        self.methods.get((*self.of_block.get(block)?)?)
    }
}

/// The method that fits the events of a block best.
struct Fit {
    method: usize,
    /// Events that agree with it.
    agreement: usize,
    /// With it, those that fit as well; none if there are no others.
    tied: Vec<usize>,
}

impl Fit {
    fn of(methods: &[Known<'_>], rows: &[EventRow<'_>]) -> Self {
        // Of methods that begin alike, the one that has no more than what ran.
        let instructions =
            |known: &Known<'_>| known.instructions.as_ref().map_or(0, Instructions::count);
        let fits: Vec<_> =
            methods.iter().map(|m| (m.agreement(rows), Reverse(instructions(m)))).collect();
        let best = fits.iter().copied().max();
        let agreement = best.map_or(0, |(agreement, _)| agreement);
        let mut tied: Vec<usize> =
            (0..methods.len()).filter(|&index| Some(fits[index]) == best).collect();
        let method = tied.first().copied().unwrap_or(0);
        if tied.len() == 1 || agreement == 0 {
            tied.clear();
        }
        Fit { method, agreement, tied }
    }
}

impl Known<'_> {
    /// How many of `rows` fit this method.
    fn agreement(&self, rows: &[EventRow<'_>]) -> usize {
        let by_program = self.instructions.as_ref().map_or(0, |instructions| {
            let fits = |row: &&EventRow<'_>| {
                let facts = site(row).and_then(|site| instructions.get(site));
                facts.is_some_and(|facts| mismatch(&facts.call, row).is_none())
            };
            rows.iter().filter(fits).count()
        });
        by_program + self.record.as_ref().map_or(0, |record| record.agreement(&self.name, rows))
    }
}

/// The instruction that an event is of; none for events outside of chains.
pub(super) fn site(row: &EventRow<'_>) -> Option<Site> {
    Some(Site {
        chain: ChainId(u32::try_from(row.chain).ok()?),
        instruction: InstructionId(u32::try_from(row.instruction).ok()?),
    })
}

/// Whether `kernel`, in the name of an event (`add.out`), is that of `operator`
/// (`aten::add.out`): the runtime leaves out the namespace.
pub(crate) fn is_kernel_of(operator: &str, kernel: &str) -> bool {
    operator.rsplit("::").next() == Some(kernel)
}

/// Why the instruction cannot be the one that the event names.
///
/// The runtime names a kernel's event after the operator without its namespace
/// (`native_call_add.out`), and the instruction's event after its kind.
fn mismatch(call: &Call, row: &EventRow<'_>) -> Option<String> {
    let expected = match (call, row.delegate_id) {
        (Call::Delegate { .. }, _) if row.name == "DELEGATE_CALL" => return None,
        (Call::Delegate { .. }, Some(_)) => return None,
        (Call::Delegate { .. }, None) => row.name.starts_with("native_call_"),
        (Call::Kernel { operator }, None) => match row.name.strip_prefix("native_call_") {
            Some(kernel) => !is_kernel_of(operator, kernel),
            None => matches!(row.name, "DELEGATE_CALL" | "MOVE_CALL" | "JF_CALL" | "FREE_CALL"),
        },
        (_, Some(_)) => true,
        (Call::Move, None) => !row.name.is_empty() && row.name != "MOVE_CALL",
        (Call::JumpFalse, None) => !row.name.is_empty() && row.name != "JF_CALL",
        (Call::Free, None) => !row.name.is_empty() && row.name != "FREE_CALL",
        (Call::Unknown, None) => false,
    };
    let name = match call {
        Call::Kernel { operator } => format!("a call of {operator}"),
        Call::Delegate { backend, .. } => format!("a call of {backend}"),
        other => format!("{other:?}"),
    };
    expected.then(|| format!("the program has {name} there"))
}
