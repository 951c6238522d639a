//! What is looked at, as rows to draw: computed once, when files are opened.

use crate::allocations::Curve;
use crate::clock::Clock;
use crate::diff::DiffTable;
use crate::events::EventRows;
use crate::groups::GroupTables;
use crate::live::{Cancelled, Progress};
use crate::spans::Spans;
use crate::tensors::{Bytes, Tensors};
use crate::text::escape;
use et_inspector::correlate::{
    CorrelateError, Correlation, InstructionFacts, Instructions, Role, Site,
};
use et_inspector::diagnose::{Diagnosis, Evidence, NoSymbols, diagnose};
use et_inspector::events::EventBlocks;
use et_inspector::findings::Finding;
use et_inspector::log::Log;
use et_inspector::memory::MethodMemory;
use et_inspector::target::{Fit, Needs, Target};
use et_schema::ReadError;
use et_schema::etdump::File as Trace;
use et_schema::etrecord::File as Record;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::layout::Abi;
use et_schema::pte::{File, Method, Value};
use etdump::journal::Snapshot;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// What was given.
#[derive(Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// Name to show.
    pub title: &'a str,
    /// The program.
    pub program: Option<&'a File<'a>>,
    /// Its method, `forward` or the only one if none is named.
    pub method: Option<&'a str>,
    /// A trace.
    pub trace: Option<&'a Trace<'a>>,
    /// What the journal has of one, which is shown if there is none.
    pub replayed: Option<&'a Trace<'a>>,
    /// The exporter's record, which names modules.
    pub record: Option<&'a Record<'a>>,
    /// A journal.
    pub journal: Option<&'a Snapshot>,
    /// A device's log.
    pub log: Option<&'a Log>,
    /// The board.
    pub target: Option<&'a Target>,
    /// The bytes that the program was parsed from, for constants.
    pub program_bytes: Option<&'a Bytes>,
    /// The debug buffer of the trace.
    pub debug_buffer: Option<&'a Bytes>,
    /// A trace to compare the trace with.
    pub base_trace: Option<&'a Trace<'a>>,
    /// A program to compare the program with.
    pub base_program: Option<&'a File<'a>>,
    /// What the ticks of the trace are.
    pub clock: Clock,
    /// Told how far it is, and asked whether to go on.
    pub progress: Option<&'a Progress>,
}

impl Inputs<'_> {
    fn reach(&self, step: u8) -> Result<(), Cancelled> {
        self.progress.map_or(Ok(()), |progress| progress.reach(step))
    }
}

/// Why there is no session.
#[derive(Clone, Debug)]
pub enum SessionError {
    /// An index in the program points nowhere, or the record is damaged.
    Read(ReadError),
    /// The user did not want to wait.
    Cancelled,
}

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SessionError::Read(error) => error.fmt(f),
            SessionError::Cancelled => f.write_str("opening was cancelled"),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<ReadError> for SessionError {
    fn from(error: ReadError) -> Self {
        SessionError::Read(error)
    }
}

impl From<Cancelled> for SessionError {
    fn from(_: Cancelled) -> Self {
        SessionError::Cancelled
    }
}

/// What is looked at.
pub struct Session {
    /// Name to show.
    pub title: String,
    /// Name of the method.
    pub method: String,
    /// What the program is.
    pub facts: Option<Facts>,
    /// What the ticks of the trace are.
    pub clock: Clock,
    /// Whether the events are those that a journal still has.
    pub is_replayed: bool,
    /// Values that the caller gives.
    pub inputs: Vec<ValueId>,
    /// Instructions of all chains in one row.
    pub instructions: Vec<Row>,
    /// Which of them belong to which chain.
    pub chains: Vec<Range<usize>>,
    /// Ticks of the instructions of each chain together.
    pub chain_ticks: Vec<u64>,
    by_site: BTreeMap<Site, usize>,
    /// Memory of the method.
    pub memory: Option<Memory>,
    /// Events of the trace.
    pub events: Arc<EventRows>,
    /// Sums over them.
    pub groups: Arc<GroupTables>,
    /// The same, over time.
    pub spans: Spans,
    /// What is live over time, by allocator.
    pub curves: Vec<Curve>,
    /// Tensors, and where their elements are.
    pub tensors: Tensors,
    /// What changed since a base.
    pub diff: Option<DiffTable>,
    /// What is concluded of it all.
    pub diagnosis: Option<Diagnosis>,
    /// The findings, the most severe first.
    pub findings: Vec<Finding>,
}

/// What a program is, in a few lines.
pub struct Facts {
    /// Bytes of the file.
    pub bytes: u64,
    /// All methods, safe to draw.
    pub methods: Vec<String>,
    /// Different operators of the method.
    pub operators: usize,
    /// Backends of its delegates, safe to draw.
    pub backends: Vec<String>,
    /// What it takes, such as `float32[1,8]`.
    pub inputs: Vec<String>,
    /// What it gives.
    pub outputs: Vec<String>,
    /// Bytes of the constants that it uses.
    pub constants: u64,
}

/// An instruction.
pub struct Row {
    /// Where it is.
    pub site: Site,
    /// Operator, safe to draw.
    pub name: String,
    /// Its tensors.
    pub arguments: Vec<Argument>,
    /// Instructions that wrote its inputs.
    pub producers: Vec<Site>,
    /// Instructions that read its outputs.
    pub consumers: Vec<Site>,
    /// Python file and line, if the program has them.
    pub source: Option<String>,
}

/// A tensor of an instruction.
pub struct Argument {
    /// Its value.
    pub value: ValueId,
    /// Its place in a planned buffer: memory id and offset.
    pub place: Option<(u32, u64)>,
    /// `%3 float32[1,8]`, with its place.
    pub text: String,
    /// Whether the instruction writes it.
    pub output: bool,
}

/// Planned memory over instructions.
pub struct Memory {
    /// Planned buffers: id, size, peak, lower bound.
    pub buffers: Vec<Buffer>,
    /// Tensors in them.
    pub tensors: Vec<Tensor>,
    /// Bytes that are live at each instruction.
    pub live: Vec<u64>,
    /// The instruction at which most is live.
    pub peak: usize,
    /// Tensors that are live at an instruction at most.
    pub most: usize,
    /// Bytes of the method allocator.
    pub method_allocator: u64,
    /// Bytes of the temp allocator.
    pub temp: u64,
    /// The board's memories: name, used, size.
    pub board: Vec<(String, u64, u64)>,
    /// What would save memory, with the bytes.
    pub suggestions: Vec<(u64, String)>,
}

/// A planned buffer.
pub struct Buffer {
    /// Memory id.
    pub id: u32,
    /// Bytes that the program asks for.
    pub size: u64,
    /// Bytes that any plan needs.
    pub lower_bound: u64,
}

/// A tensor in a planned buffer.
pub struct Tensor {
    /// What it is, safe to draw.
    pub label: String,
    /// Memory id.
    pub buffer: u32,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub bytes: u64,
    /// First and last instruction of each time that it is live.
    pub ranges: Vec<(usize, usize)>,
}

impl Tensor {
    /// Whether it is live at an instruction.
    pub fn is_live(&self, step: usize) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&step))
    }
}

impl Session {
    /// Computes what there is to see of `inputs`.
    ///
    /// # Errors
    /// An index in the program that points nowhere, or the work was cancelled.
    pub fn new(inputs: Inputs<'_>) -> Result<Self, SessionError> {
        let mut session = Session {
            title: escape(inputs.title),
            method: String::new(),
            facts: None,
            clock: inputs.clock,
            is_replayed: false,
            instructions: Vec::new(),
            inputs: Vec::new(),
            chains: Vec::new(),
            chain_ticks: Vec::new(),
            by_site: BTreeMap::new(),
            memory: None,
            events: Arc::default(),
            groups: Arc::default(),
            spans: Spans::default(),
            curves: Vec::new(),
            tensors: Tensors::default(),
            diff: None,
            diagnosis: None,
            findings: Vec::new(),
        };
        session.is_replayed = inputs.trace.is_none() && inputs.replayed.is_some();
        if let Some(trace) = inputs.trace.or(inputs.replayed) {
            session.add_trace(trace, inputs)?;
        }
        inputs.reach(4)?;
        match inputs.program {
            Some(file) => session.add_program(file, inputs)?,
            None => {
                if let Some(trace) = inputs.trace {
                    session.tensors.add_logged(trace, None, inputs.debug_buffer);
                }
            }
        }
        let mut data = session.tensors.rows.iter().flat_map(|row| &row.data);
        session.tensors.has_elements = data.any(|data| data.place.is_ok());
        Ok(session)
    }

    fn add_trace(&mut self, trace: &Trace<'_>, inputs: Inputs<'_>) -> Result<(), SessionError> {
        inputs.reach(1)?;
        let blocks = EventBlocks::of(trace);
        inputs.reach(2)?;
        let correlation = correlation(&blocks, inputs)?;
        self.events = Arc::new(EventRows::of(&blocks, &correlation, inputs.clock));
        self.groups = Arc::new(GroupTables::of(&blocks, &correlation));
        inputs.reach(3)?;
        self.spans = Spans::of(&blocks);
        self.curves = crate::allocations::curves(trace);
        if let Some(base) = inputs.base_trace {
            let of_base = EventBlocks::of(base);
            let (base, new) = ((base, &of_base), (trace, &blocks));
            self.diff = Some(DiffTable::of_traces(base, new, inputs.clock));
        }
        Ok(())
    }

    fn add_program(&mut self, file: &File<'_>, inputs: Inputs<'_>) -> Result<(), SessionError> {
        let logged = inputs.log.and_then(Log::last).and_then(|run| run.method.as_deref());
        let named = inputs.method.or(logged).or(Some("forward"));
        // Names of methods are shown escaped, and chosen so.
        let by_name = |name: &str| {
            file.method(name).or_else(|| file.methods().find(|m| escape(m.name()) == name))
        };
        let method = named.and_then(by_name).or_else(|| file.methods().next());
        let Some(method) = method else { return Ok(()) };
        self.method = escape(method.name());
        let facts = Instructions::of(&method);
        self.add_instructions(&method, &facts);
        self.inputs = method.inputs().collect();
        self.facts = Some(self.facts_of(file, &method));
        self.tensors = Tensors::of(file, &method, &facts, inputs.program_bytes);
        if let Some(trace) = inputs.trace {
            self.tensors.add_logged(trace, Some((&method, &facts)), inputs.debug_buffer);
        }
        let abi = inputs.target.map_or(Abi::Arm32, |target| target.abi);
        // Of traces and programs, the traces say what matters.
        if let Some(base) = inputs.base_program.filter(|_| self.diff.is_none()) {
            self.diff = Some(DiffTable::of_programs(base, file, abi)?);
        }
        let memory = MethodMemory::new(file, method, abi)?;
        for storage in &memory.plan.storages {
            self.tensors.share_uses(&storage.values);
        }
        self.memory = Some(memory_of(file, &memory, inputs.target));
        let evidence = Evidence {
            file,
            method,
            abi,
            target: inputs.target,
            log: inputs.log,
            journal: inputs.journal,
            trace: inputs.trace,
            symbols: &NoSymbols,
        };
        let diagnosis = diagnose(evidence)?;
        self.findings.clone_from(&diagnosis.findings);
        self.diagnosis = Some(diagnosis);
        Ok(())
    }

    fn add_instructions(&mut self, method: &Method<'_>, facts: &Instructions) {
        for (chain, instructions) in method.chains().enumerate() {
            let first = self.instructions.len();
            for index in 0..instructions.instruction_count() {
                let instruction = InstructionId(index as u32);
                let site = Site { chain: ChainId(chain as u32), instruction };
                if let Some(facts) = facts.get(site) {
                    self.by_site.insert(site, self.instructions.len());
                    self.instructions.push(row(site, facts));
                }
            }
            let own = &self.instructions[first..];
            let ticks = own.iter().filter_map(|row| self.events.time_of(row.site));
            self.chain_ticks.push(ticks.fold(0, u64::saturating_add));
            self.chains.push(first..self.instructions.len());
        }
    }

    fn facts_of(&self, file: &File<'_>, method: &Method<'_>) -> Facts {
        let tensor = |id: ValueId| match method.value(id) {
            Ok(Value::Tensor(tensor)) => {
                let sizes: Vec<String> = tensor.sizes().iter().map(|s| s.to_string()).collect();
                let dtype = tensor.scalar_type().map_or("unknown", |dtype| dtype.name());
                format!("{dtype}[{}]", sizes.join(","))
            }
            Ok(Value::Int(_)) => "int".into(),
            Ok(Value::Bool(_)) => "bool".into(),
            Ok(Value::Double(_)) => "float".into(),
            _ => "other".into(),
        };
        let operators: BTreeSet<&str> =
            self.instructions.iter().map(|row| row.name.as_str()).collect();
        let backends: BTreeSet<String> =
            method.delegates().map(|delegate| escape(delegate.id())).collect();
        let constants = method.values().filter_map(|value| match value {
            Value::Tensor(tensor) if tensor.allocation().is_none() => {
                tensor.data_buffer_idx().and_then(|_| tensor.nbytes())
            }
            _ => None,
        });
        Facts {
            bytes: file.bytes().len() as u64,
            methods: file.methods().map(|method| escape(method.name())).collect(),
            operators: operators.len(),
            backends: backends.into_iter().collect(),
            inputs: method.inputs().map(tensor).collect(),
            outputs: method.outputs().map(tensor).collect(),
            constants: constants.fold(0, u64::saturating_add),
        }
    }

    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.instructions.is_empty() && self.events.rows.is_empty() && self.diagnosis.is_none()
    }

    /// The instruction that wrote what `step` reads as `argument`: the last one
    /// before it, or any. A view that nobody writes lies where its base was written.
    pub fn definition(&self, step: usize, argument: &Argument) -> Option<Site> {
        let row = self.tensors.of_value(argument.value)?;
        let before = row.producers.iter().rev().find(|site| self.step(**site) < Some(step));
        if let Some(site) = before.or(row.producers.last()) {
            return Some(*site);
        }
        let writes_there = |site: &&Site| {
            let row = self.step(**site).and_then(|step| self.instructions.get(step));
            let same = |other: &Argument| other.output && other.place == argument.place;
            row.is_some_and(|row| row.arguments.iter().any(same))
        };
        argument.place?;
        self.instructions.get(step)?.producers.iter().find(writes_there).copied()
    }

    /// The instructions that read what `step` writes as `argument`, also as a view of it.
    pub fn uses(&self, step: usize, argument: &Argument) -> Vec<Site> {
        let direct = self.tensors.of_value(argument.value).map_or(&[][..], |row| &row.consumers);
        let Some(place) = argument.place.filter(|_| argument.output) else {
            return direct.to_vec();
        };
        let reads_there = |site: &&Site| {
            let row = self.step(**site).and_then(|step| self.instructions.get(step));
            let same = |other: &Argument| !other.output && other.place == Some(place);
            row.is_some_and(|row| row.arguments.iter().any(same))
        };
        let others = self.instructions.get(step).map_or(&[][..], |row| &row.consumers);
        let mut all = direct.to_vec();
        all.extend(others.iter().filter(reads_there).filter(|site| !direct.contains(site)));
        all
    }

    /// The row of the tensor that belongs to an instruction best: its output, or its input.
    pub fn tensor_of(&self, site: Site) -> Option<usize> {
        let Some(row) = self.step(site).and_then(|step| self.instructions.get(step)) else {
            return self.tensors.logged_at(site);
        };
        let of = |output: bool| {
            let own = row.arguments.iter().filter(|argument| argument.output == output);
            own.filter_map(|argument| self.tensors.index_of(argument.value)).min()
        };
        of(true).or_else(|| of(false))
    }

    /// The row of the instruction at `site`.
    pub fn step(&self, site: Site) -> Option<usize> {
        self.by_site.get(&site).copied()
    }

    /// The instruction that never ended.
    pub fn in_flight(&self) -> Option<Site> {
        let in_flight = self.diagnosis.as_ref()?.in_flight.as_ref()?;
        Some(Site { chain: in_flight.chain, instruction: in_flight.instruction })
    }
}

/// What the program and the record say of the events. A method that neither
/// has is left to be found by the operators.
fn correlation<'a>(
    blocks: &EventBlocks<'_>,
    inputs: Inputs<'a>,
) -> Result<Correlation<'a>, ReadError> {
    let of = |method| Correlation::new(blocks, inputs.program, inputs.record, method);
    let found = match of(inputs.method) {
        Err(CorrelateError::NoMethod { .. }) => of(None),
        found => found,
    };
    match found {
        Ok(correlation) => Ok(correlation),
        Err(CorrelateError::Record(error)) => Err(error),
        Err(CorrelateError::NoMethod { .. }) => Ok(Correlation::default()),
    }
}

fn row(site: Site, facts: &InstructionFacts) -> Row {
    let argument = |argument: &et_inspector::correlate::Argument| {
        let sizes: Vec<String> = argument.sizes.iter().map(|size| size.to_string()).collect();
        let mut text = format!("%{} {}[{}]", argument.value, argument.dtype, sizes.join(","));
        if let Some(place) = argument.allocation {
            text += &format!(" @{}+0x{:x}", place.memory_id, place.offset);
        }
        if let Some(name) = &argument.name {
            text += &format!(" {}", escape(name));
        }
        let place = argument.allocation.map(|place| (place.memory_id.0, place.offset));
        Argument { value: argument.value, place, text, output: argument.role == Role::Output }
    };
    Row {
        site,
        name: escape(facts.name()),
        arguments: facts.arguments.iter().map(argument).collect(),
        producers: facts.producers.clone(),
        consumers: facts.consumers.clone(),
        source: facts.source.as_ref().map(|(file, line)| format!("{}:{line}", escape(file))),
    }
}

fn memory_of(file: &File<'_>, memory: &MethodMemory<'_>, target: Option<&Target>) -> Memory {
    let plan = &memory.plan;
    let needs = Needs::of(memory, file.bytes().len() as u64);
    let tensors = plan.storages.iter().map(|storage| Tensor {
        label: escape(&memory.label(storage)),
        buffer: storage.memory_id.0,
        offset: storage.offset,
        bytes: storage.bytes,
        ranges: storage
            .ranges
            .iter()
            .map(|(first, last)| (*first as usize, *last as usize))
            .collect(),
    });
    let buffers = plan.buffers.iter().map(|buffer| Buffer {
        id: buffer.memory_id.0,
        size: buffer.size,
        lower_bound: buffer.lower_bound,
    });
    Memory {
        buffers: buffers.collect(),
        tensors: tensors.collect(),
        live: plan.live_bytes(),
        peak: plan.peak.step as usize,
        most: most_at_once(plan.storages.iter().flat_map(|s| &s.ranges).copied()),
        method_allocator: memory.method_used(),
        temp: memory.temp_required(),
        board: target.map(|target| board(target, &needs)).unwrap_or_default(),
        suggestions: memory
            .suggestions()
            .iter()
            .map(|suggestion| (suggestion.saves, escape(&suggestion.title)))
            .collect(),
    }
}

/// How many of some times, each from a step to a step, have a step in common.
fn most_at_once(times: impl Iterator<Item = (u32, u32)>) -> usize {
    let mut changes: Vec<(u32, bool)> =
        times.flat_map(|(first, last)| [(first, false), (last, true)]).collect();
    // A time has its last step as well: beginnings come first.
    changes.sort_unstable();
    let (mut now, mut most) = (0usize, 0);
    for (_, ends) in changes {
        now = if ends { now.saturating_sub(1) } else { now + 1 };
        most = most.max(now);
    }
    most
}

fn board(target: &Target, needs: &Needs) -> Vec<(String, u64, u64)> {
    let fit = Fit::new(needs, target);
    fit.memories
        .iter()
        .map(|memory| {
            (escape(&memory.name), memory.takes, memory.size.saturating_sub(memory.reserved))
        })
        .collect()
}
