//! `etinspect events`: the Inspector's table of a trace.

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::text::escape;
use crate::trace;
use clap::{ArgAction, Args, ValueEnum};
use et_inspector::correlate::{CorrelateError, Correlation, find_total_for_module, module_time};
use et_inspector::debug_data::{Fault, Value};
use et_inspector::events::{Block, EventBlocks, EventRow, GroupBy, Groups, TimeScale, Times};
use et_inspector::roofline::{Roof, points};
use et_reports::events::{self, Timeline};
use et_schema::etdump::File;
use et_schema::{etrecord, pte};
use std::path::{Path, PathBuf};

mod groups;
mod roofline;
mod table;

/// Print the events of a trace with their statistics
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The table, longest events first:
    etinspect events trace.etdp --sort sum

  The file that ExecuTorch's Inspector writes with save_data_to_tsv:
    etinspect events trace.etdp --format tsv -o events.tsv

  Time by operator, and by module of the PyTorch model:
    etinspect events trace.etdp --group-by op
    etinspect events trace.etdp --etrecord model.etrecord --group-by module

  With operators, tensors and their memory from the program, as JSON:
    etinspect events trace.etdp --model model.pte --format json

  What the instructions put out, with statistics of each tensor:
    etinspect events trace.etdp --debug-buffer debug.bin --format json

  The table that ExecuTorch's Inspector prints with print_data_tabular:
    etinspect events trace.etdp --etrecord model.etrecord --compat inspector

  What operators compute and move, and whether arithmetic or memory holds them back:
    etinspect events trace.etdp --model model.pte --roofline

  A trace in clock cycles, from a microcontroller:
    etinspect events etdump.bin --source-time-scale cycles --time-scale cycles

  Open it in ui.perfetto.dev, with delegates and memory as tracks:
    etinspect events trace.etdp --format perfetto -o trace.pftrace

  One row per event, for a database or a data frame:
    etinspect events trace.etdp --format parquet -o trace.parquet")]
pub struct EventsArgs {
    /// The trace (.etdp), `-` for standard input
    #[arg(value_name = "TRACE.etdp")]
    trace: PathBuf,

    /// The program that ran: names its operators, tensors, delegates and source lines
    #[arg(long, value_name = "MODEL.pte")]
    model: Option<PathBuf>,

    /// The exporter's record of the program: names modules, source lines and edge operators
    #[arg(long, value_name = "FILE.etrecord")]
    etrecord: Option<PathBuf>,

    /// What was logged of the values, beside the trace: adds statistics of tensors to JSON
    #[arg(long, value_name = "FILE.bin")]
    debug_buffer: Option<PathBuf>,

    /// The method that ran [default: the one whose operators the trace names]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Only print the mean time of a run in this module of the model and in those inside it
    #[arg(long, value_name = "PATH", conflicts_with = "group_by")]
    module: Option<String>,

    /// Follow the rules of another tool
    #[arg(long, value_enum, value_name = "TOOL")]
    compat: Option<Compat>,

    /// Order of the table's rows [default: as they happened]
    #[arg(long, value_enum, value_name = "COLUMN")]
    sort: Option<Sort>,

    /// Only events whose name contains TEXT
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Sum the events up
    #[arg(long, value_enum, value_name = "WHAT")]
    group_by: Option<GroupArg>,

    /// Operations, bytes and arithmetic intensity of operators against the machine's roofline
    #[arg(long, requires = "model", conflicts_with_all = ["group_by", "module"])]
    roofline: bool,

    /// What the machine computes at most, in GFLOP/s [default: the best in the trace]
    #[arg(long, value_name = "N", requires = "roofline")]
    peak_gflops: Option<f64>,

    /// What its memory moves at most, in GB/s [default: the best in the trace]
    #[arg(long, value_name = "N", requires = "roofline")]
    peak_gbs: Option<f64>,

    /// Unit of the trace's clock
    #[arg(long, value_enum, default_value_t = Scale::Ns, value_name = "SCALE")]
    source_time_scale: Scale,

    /// Unit of the times that are printed
    #[arg(long, value_enum, default_value_t = Scale::Ms, value_name = "SCALE", alias = "target-time-scale")]
    time_scale: Scale,

    /// Whether column names of a TSV file carry the unit
    #[arg(long, action = ArgAction::Set, default_value_t = true, value_name = "BOOL")]
    include_units: bool,

    /// Add what delegates attached to their events to a TSV file or the Inspector's table
    #[arg(long)]
    include_delegate_debug_data: bool,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Tools whose rules can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compat {
    /// ExecuTorch's Inspector: its table, of a loop the last iteration only, and with --module
    /// its find_total_for_module
    Inspector,
}

/// Columns to sort by, largest first.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    /// Sum of all runs
    Sum,
    /// Mean
    Avg,
    /// Most
    Max,
    /// Median
    P50,
    /// Name, in alphabetical order
    Name,
}

/// What to sum over.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroupArg {
    /// Operators
    Op,
    /// Modules of the PyTorch model (needs --etrecord)
    Module,
    /// Lines of the model's source (needs --etrecord, or a --model with stack traces)
    Source,
    /// Instructions
    Instruction,
    /// Operations inside of delegates
    Delegate,
}

/// Time scales by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Scale {
    /// Nanoseconds
    Ns,
    /// Microseconds
    Us,
    /// Milliseconds
    Ms,
    /// Seconds
    S,
    /// Clock cycles
    Cycles,
}

impl From<Scale> for TimeScale {
    fn from(scale: Scale) -> Self {
        match scale {
            Scale::Ns => TimeScale::Nanoseconds,
            Scale::Us => TimeScale::Microseconds,
            Scale::Ms => TimeScale::Milliseconds,
            Scale::S => TimeScale::Seconds,
            Scale::Cycles => TimeScale::Cycles,
        }
    }
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// The Inspector's own file
    Tsv,
    /// All statistics, for spreadsheets
    Csv,
    /// `etinspect.events/1`
    Json,
    /// Trace for Perfetto and chrome://tracing
    Chrome,
    /// Perfetto's own format (binary)
    Perfetto,
    /// For speedscope.app
    Speedscope,
    /// One row per event, for fleets (binary)
    Parquet,
    /// Node data for Model Explorer
    ModelExplorer,
}

impl Format {
    fn is_binary(self) -> bool {
        matches!(self, Format::Perfetto | Format::Parquet)
    }
}

impl EventsArgs {
    /// Whether all events are printed in `format`.
    fn is_plain(&self, format: Format) -> bool {
        self.format == format && self.module.is_none() && self.group_by.is_none() && !self.roofline
    }

    /// Whether the output has any event's own time or a sum of such.
    fn shows_self_time(&self) -> bool {
        !self.is_plain(Format::Tsv)
    }

    fn columns(&self) -> events::Columns {
        events::Columns {
            units: self.include_units,
            delegate_metadata: self.include_delegate_debug_data,
        }
    }
}

/// So many bytes of a trace are read before their memory is given back.
const RELEASED: usize = 4 << 20;

/// Has memory that was freed stay with the process, as far as it is no more than this.
///
/// Each row takes and frees memory for all of its samples, and to get it from the system
/// anew costs more than to compute with it. The GNU C library keeps what is not larger
/// than the largest block that was ever freed (its dynamic threshold of `mmap`, see
/// `mallopt(3)`), so that one block which nobody uses is enough; others do not mind.
const KEPT: usize = 8 << 20;

fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT)));
}

/// Runs the command.
pub fn run(args: &EventsArgs, global: &Global) -> Result<Status, Failure> {
    keep_freed_memory();
    let bytes = input::open(&args.trace)?;
    let mut released = 0;
    let mut release = |visited: usize| {
        if visited - released >= RELEASED {
            released = visited;
            bytes.release();
        }
    };
    let read = if args.shows_self_time() { EventBlocks::read } else { EventBlocks::read_times };
    let (file, mut blocks) =
        read(&bytes, &mut release).map_err(|e| Failure::input(&args.trace, e))?;
    bytes.release();
    if let Some(warning) = trace::incomplete(&args.trace, &file, "are shown") {
        global.warn(&warning);
    }
    let times = times(args, args.time_scale)?;
    if args.format.is_binary() {
        global.refuse_terminal()?;
    }
    let model = args.model.as_deref().map(input::open).transpose()?;
    let model = parsed(&args.model, model.as_deref(), pte::File::parse)?;
    let record = args.etrecord.as_deref().map(input::open).transpose()?;
    let record = parsed(&args.etrecord, record.as_deref(), etrecord::File::parse)?;
    let debug_buffer = args.debug_buffer.as_deref().map(input::open).transpose()?;
    let program = model.as_ref().map(|model| (model, args.method.as_deref()));
    let mut debug_buffer = debug_buffer.as_deref();
    let restored = trace::restored(&args.trace, &file, program, debug_buffer, global);
    if let Some(restored) = &restored {
        let whole = File::parse(&restored.trace).map_err(|e| Failure::input(&args.trace, e))?;
        blocks = EventBlocks::of(&whole);
        debug_buffer = Some(&restored.debug_buffer);
    }
    if args.compat == Some(Compat::Inspector) {
        blocks.keep_last_iterations();
    }
    let correlation =
        Correlation::new(&blocks, model.as_ref(), record.as_ref(), args.method.as_deref())
            .map_err(|error| mismatch(args, error))?;
    if let [first, others @ ..] = correlation.tied_methods()
        && !others.is_empty()
    {
        global.warn(&format!(
            "the trace fits method {} as well as {}, and is taken to be of {0}: name the one that \
             ran with --method",
            escape(first),
            escape(&others.join(", "))
        ));
    }
    warn_of_missing_tensors(args, global, &blocks, debug_buffer);
    if let Some(filter) = &args.filter {
        for block in &mut blocks.blocks {
            block.events.retain(|row| row.display_name().contains(filter.as_str()));
        }
    }
    for block in &mut blocks.blocks {
        sort(block, args.sort, &times);
    }
    let view = View { blocks: &blocks, correlation: &correlation, times: &times };
    if args.is_plain(Format::Tsv) {
        // May be most of a large trace's size: not all of it is held at once.
        let mut output = global.open_output()?;
        for line in events::tsv_lines(view.blocks, view.correlation, view.times, args.columns()) {
            output.text(&line)?;
        }
        output.finish()?;
        return Ok(Status::Done);
    }
    let text: Vec<u8> = match (&args.module, args.group_by) {
        (None, None) if args.roofline => roofline_text(args, &view, model.as_ref())?.into(),
        (Some(module), _) => module_text(args, &view, module)?.into(),
        (None, Some(by)) => grouped_text(args, &view, by)?.into(),
        (None, None) => result(args, &view, &file, debug_buffer)?,
    };
    let mut output = global.open_output()?;
    output.bytes(&text)?;
    output.finish()?;
    Ok(Status::Done)
}

/// What is printed.
struct View<'v, 'a> {
    blocks: &'v EventBlocks<'a>,
    correlation: &'v Correlation<'v>,
    times: &'v Times,
}

fn result(
    args: &EventsArgs,
    view: &View<'_, '_>,
    file: &File<'_>,
    debug_buffer: Option<&[u8]>,
) -> Result<Vec<u8>, Failure> {
    let View { blocks, correlation, times } = *view;
    let columns = args.columns();
    Ok(match args.format {
        Format::Table if args.compat == Some(Compat::Inspector) => {
            // Names come from the trace and go to a screen.
            let table = events::inspector_table(blocks, correlation, times, columns);
            table.lines().map(|line| escape(line) + "\n").collect::<String>().into()
        }
        Format::Table => table::table(view).into(),
        Format::Tsv => {
            events::tsv_lines(blocks, correlation, times, columns).collect::<String>().into()
        }
        Format::Csv => events::csv(blocks, correlation, times).into(),
        Format::Json => events::json(blocks, correlation, debug_buffer, times, file).into(),
        Format::Chrome => {
            let scale = match args.source_time_scale {
                Scale::Cycles => Scale::Cycles,
                _ => Scale::Us,
            };
            events::chrome(blocks, &self::times(args, scale)?).into()
        }
        Format::ModelExplorer => events::model_explorer(blocks, times).into(),
        Format::Perfetto | Format::Speedscope | Format::Parquet => {
            if args.filter.is_some() || args.sort.is_some() {
                let message = "this format has all events in the order of time: it goes without \
                               --filter and --sort";
                return Err(Failure::Usage(message.into()));
            }
            over_time(args, file)?
        }
    })
}

/// The formats that have every event of the file, in nanoseconds or cycles.
fn over_time(args: &EventsArgs, file: &File<'_>) -> Result<Vec<u8>, Failure> {
    let scale = match args.source_time_scale {
        Scale::Cycles => Scale::Cycles,
        _ => Scale::Ns,
    };
    let times = times(args, scale)?;
    Ok(match args.format {
        Format::Perfetto => events::perfetto(&Timeline::of(file), &times),
        Format::Speedscope => events::speedscope(&Timeline::of(file), &times).into(),
        _ => {
            let mut bytes = Vec::new();
            events::parquet(file, &times, &mut bytes)
                .map_err(|e| Failure::input(&args.trace, format!("not written: {e}")))?;
            bytes
        }
    })
}

fn grouped_text(args: &EventsArgs, view: &View<'_, '_>, by: GroupArg) -> Result<String, Failure> {
    let by = match by {
        GroupArg::Op => GroupBy::Operator,
        GroupArg::Module => GroupBy::Module,
        GroupArg::Source => GroupBy::Source,
        GroupArg::Instruction => GroupBy::Instruction,
        GroupArg::Delegate => GroupBy::Delegate,
    };
    if by == GroupBy::Module && args.etrecord.is_none() {
        let message = "--group-by module needs --etrecord: only that names modules of the model";
        return Err(Failure::Usage(message.into()));
    }
    if by == GroupBy::Source && args.etrecord.is_none() && args.model.is_none() {
        let message = "--group-by source needs --etrecord, or --model with stack traces";
        return Err(Failure::Usage(message.into()));
    }
    let groups = Groups::of(view.blocks, view.correlation, by);
    match args.format {
        Format::Table => Ok(groups::table(&groups, view.times)),
        Format::Json => Ok(events::groups_json(&groups, view.times)),
        Format::Csv => Ok(events::groups_csv(&groups, view.times)),
        _ => Err(Failure::Usage("--group-by goes with --format table, csv or json".into())),
    }
}

/// The operators against the machine's roofline.
fn roofline_text(
    args: &EventsArgs,
    view: &View<'_, '_>,
    model: Option<&pte::File<'_>>,
) -> Result<String, Failure> {
    let Some(model) = model else {
        return Err(Failure::Usage("--roofline needs --model".into()));
    };
    if matches!(args.source_time_scale, Scale::Cycles) {
        let message = "--roofline needs times: a trace in clock cycles has none";
        return Err(Failure::Usage(message.into()));
    }
    let seconds = times(args, Scale::S)?;
    let points = points(view.blocks, view.correlation, model, &seconds);
    let seen = Roof::seen(&points);
    let (compute, memory) = (args.peak_gflops, args.peak_gbs);
    let roof = Roof {
        operations: compute.map_or(seen.operations, |peak| peak * 1e9),
        bytes: memory.map_or(seen.bytes, |peak| peak * 1e9),
    };
    let given = compute.is_some() && memory.is_some();
    match args.format {
        Format::Table => Ok(roofline::table(&points, roof, given)),
        Format::Json => Ok(roofline::json(&points, roof, given)),
        _ => Err(Failure::Usage("--roofline goes with --format table or json".into())),
    }
}

fn module_text(args: &EventsArgs, view: &View<'_, '_>, module: &str) -> Result<String, Failure> {
    if args.etrecord.is_none() {
        return Err(Failure::Usage("--module needs --etrecord: only that names modules".into()));
    }
    let total = match args.compat {
        Some(Compat::Inspector) => find_total_for_module,
        None => module_time,
    };
    let time = total(view.blocks, view.correlation, module, view.times);
    match args.format {
        Format::Table => Ok(format!("{} {}\n", table::number(time), view.times.target().name())),
        _ => Err(Failure::Usage("--module goes with --format table".into())),
    }
}

/// A file that was given, parsed.
fn parsed<'b, T>(
    path: &Option<PathBuf>,
    bytes: Option<&'b [u8]>,
    parse: impl Fn(&'b [u8]) -> et_schema::Result<T>,
) -> Result<Option<T>, Failure> {
    match (path, bytes) {
        (Some(path), Some(bytes)) => {
            parse(bytes).map(Some).map_err(|error| Failure::input(path, error))
        }
        _ => Ok(None),
    }
}

fn mismatch(args: &EventsArgs, error: CorrelateError) -> Failure {
    let unnamed = PathBuf::new();
    let path = match error {
        CorrelateError::Record(_) => args.etrecord.as_ref(),
        CorrelateError::NoMethod { .. } => args.model.as_ref().or(args.etrecord.as_ref()),
    };
    Failure::input(path.unwrap_or(&unnamed), error)
}

/// Tensors that the trace has and the debug buffer has not.
fn warn_of_missing_tensors(
    args: &EventsArgs,
    global: &Global,
    blocks: &EventBlocks<'_>,
    debug_buffer: Option<&[u8]>,
) {
    let Some(buffer) = debug_buffer else { return };
    let mut faults: Vec<Fault> = Vec::new();
    for block in &blocks.blocks {
        let logged = block.events.iter().flat_map(|row| &row.debug_events).chain(&block.outputs);
        for value in logged.map(|event| Value::of(event, Some(buffer))) {
            faults.extend(value.tensors().iter().filter_map(|t| t.bytes().err().cloned()));
        }
    }
    if let Some(first) = faults.first() {
        let path = args.debug_buffer.as_deref().unwrap_or(Path::new(""));
        global.warn(&format!(
            "{}: {} tensors of the trace are not in this debug buffer ({first})",
            escape(&path.to_string_lossy()),
            faults.len(),
        ));
    }
}

fn times(args: &EventsArgs, target: Scale) -> Result<Times, Failure> {
    Times::new(args.source_time_scale.into(), target.into()).ok_or_else(|| {
        Failure::Usage(
            "clock cycles convert to no other unit: set both --source-time-scale and \
             --time-scale to cycles, or neither"
                .into(),
        )
    })
}

fn sort(block: &mut Block<'_>, by: Option<Sort>, times: &Times) {
    let number = |row: &EventRow<'_>, pick: fn(&et_inspector::events::Statistics) -> f64| {
        row.statistics(times).map_or(f64::NEG_INFINITY, |s| pick(&s))
    };
    let pick: fn(&et_inspector::events::Statistics) -> f64 = match by {
        None => return,
        Some(Sort::Name) => return block.events.sort_by_key(EventRow::display_name),
        Some(Sort::Sum) => |s| s.sum,
        Some(Sort::Avg) => |s| s.avg,
        Some(Sort::Max) => |s| s.max,
        Some(Sort::P50) => |s| s.p50,
    };
    block.events.sort_by(|a, b| number(b, pick).total_cmp(&number(a, pick)));
}
