//! `etinspect compare`: where the numbers of a run leave those of a reference.

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::tensors::Array;
use crate::text::escape;
use crate::trace;
use clap::{Args, ValueEnum};
use et_inspector::correlate::Correlation;
use et_inspector::events::EventBlocks;
use et_inspector::gap::Tolerance;
use et_inspector::restore::Restored;
use et_schema::bundled::File as Bundle;
use et_schema::{Format as Kind, ReadError, etdump, etrecord, pte};
use judged::Judged;
use std::path::{Path, PathBuf};

mod host;
mod json;
mod judged;
mod names;
mod references;
mod text;

/// Compare the values of a debug trace with a reference, instruction by instruction
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Our runtime as the reference for a device: it runs the program on the same input:
    etinspect compare device.etdp model.pte --input x.npy

  On the inputs of a test case that was bundled with the program:
    etinspect compare device.etdp model.bpte --testset 1

  Another trace as the reference, of another device or of last week:
    etinspect compare device.etdp before.etdp --model model.pte

  With debug buffers that lie elsewhere than beside their traces:
    etinspect compare device.etdp host.etdp --debug-buffer d.bin --reference-buffer h.bin

  Tensors of the PyTorch model, each under its debug handle:
    etinspect compare device.etdp eager.npz --etrecord model.etrecord")]
pub struct CompareArgs {
    /// The trace to judge (.etdp), with a debug buffer
    #[arg(value_name = "TRACE.etdp")]
    trace: PathBuf,

    /// What is right: the program (.pte, .bpte), which our runtime runs; a trace (.etdp) with a
    /// debug buffer; or tensors (.npz) that are named by instruction (`0:3`, its second output
    /// `0:3:1`) or by debug handle (`7`, `3,4`, the second output `3,4#1`)
    #[arg(value_name = "REFERENCE")]
    reference: PathBuf,

    /// The values of TRACE [default: beside it, with the ending .debug.bin or .bin]
    #[arg(long, value_name = "FILE.bin")]
    debug_buffer: Option<PathBuf>,

    /// The values of REFERENCE [default: beside it, with the ending .debug.bin or .bin]
    #[arg(long, value_name = "FILE.bin")]
    reference_buffer: Option<PathBuf>,

    /// The program that ran: names operators and source lines [default: REFERENCE, if it is one]
    #[arg(long, value_name = "MODEL.pte")]
    model: Option<PathBuf>,

    /// An input of the program that is REFERENCE, as a .npy file or a number; repeat in the order
    /// of the inputs [default: all ones, or those that are bundled with it]
    #[arg(long, value_name = "FILE.npy")]
    input: Vec<String>,

    /// All its inputs from one file, in the order of the numbers in their names
    #[arg(long, value_name = "FILE.npz", conflicts_with = "input")]
    inputs: Option<PathBuf>,

    /// Test case of the bundled program that is REFERENCE
    #[arg(long, value_name = "N", default_value_t = 0)]
    testset: usize,

    /// Tensors that the program keeps outside (.ptd); repeat for several files
    #[arg(long, value_name = "FILE.ptd")]
    data: Vec<PathBuf>,

    /// The exporter's record of the program: names modules, source lines and debug handles
    #[arg(long, value_name = "FILE.etrecord")]
    etrecord: Option<PathBuf>,

    /// The method that ran [default: the one whose operators the trace names]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Follow the rules of another tool
    #[arg(long, value_enum, value_name = "TOOL")]
    compat: Option<Compat>,

    /// Relative part of the tolerance: a number may be off by atol + rtol * |reference|
    #[arg(long, default_value_t = 1e-3, value_name = "NUMBER")]
    rtol: f64,

    /// Absolute part of the tolerance
    #[arg(long, default_value_t = 1e-5, value_name = "NUMBER")]
    atol: f64,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Tools whose rules can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compat {
    /// ExecuTorch's Inspector: tensors of TRACE are compared in the order of memory, whatever
    /// their order of dimensions is
    Inspector,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.compare/1`
    Json,
}

/// What is done with the events before a cut.
const COMPARED: &str = "are looked at";

/// Runs the command.
pub fn run(args: &CompareArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.trace)?;
    let opened = trace::open(&args.trace, &bytes, COMPARED, global)?;
    let buffer = debug_buffer(&args.trace, args.debug_buffer.as_deref(), "--debug-buffer")?;
    let reference = input::open(&args.reference)?;
    let reference = Reference::detect(args, &reference)?;
    let model = args.model.as_deref().map(input::open).transpose()?;
    let (model_path, model) = match (&args.model, model.as_deref()) {
        (Some(path), Some(bytes)) => (path, Some(bytes)),
        _ => (&args.reference, reference.program()),
    };
    let model = parsed(Some(model_path), model, pte::File::parse)?;
    let program = model.as_ref().map(|model| (model, args.method.as_deref()));
    let restored = trace::restored(&args.trace, &opened, program, Some(&buffer), global);
    let (trace, buffer) = whole(&args.trace, &opened, &buffer, restored.as_ref())?;
    let blocks = EventBlocks::of(&trace);
    let record = args.etrecord.as_deref().map(input::open).transpose()?;
    let record = parsed(args.etrecord.as_deref(), record.as_deref(), etrecord::File::parse)?;
    let correlation =
        Correlation::new(&blocks, model.as_ref(), record.as_ref(), args.method.as_deref())
            .map_err(|error| {
                let file = args.etrecord.as_ref().or(args.model.as_ref());
                Failure::input(file.unwrap_or(&args.trace), error)
            })?;
    let mut judged = Judged::new(args, &trace, buffer, &blocks, &correlation)?;
    let comparison = match &reference {
        Reference::Trace(file) => {
            let option = args.reference_buffer.as_deref();
            let buffer = debug_buffer(&args.reference, option, "--reference-buffer")?;
            if let Some(warning) = trace::incomplete(&args.reference, file, COMPARED) {
                global.warn(&warning);
            }
            let restored = trace::restored(&args.reference, file, program, Some(&buffer), global);
            let (file, buffer) = whole(&args.reference, file, &buffer, restored.as_ref())?;
            judged.against_trace(&file, buffer)
        }
        Reference::Program(bytes, bundle) => {
            let methods = judged.methods(&correlation);
            let host = host::run(args, bytes, bundle.as_ref(), &methods)?;
            let file =
                etdump::File::parse(&host.bytes).map_err(|e| Failure::input(&args.reference, e))?;
            judged.against_host(&file, &host.debug_buffer, methods.len())
        }
        Reference::Tensors(arrays) => {
            let (comparison, unused) = judged.against_tensors(arrays, &correlation);
            if !unused.is_empty() {
                global.warn(&references::unused_message(&args.reference, &unused));
            }
            comparison
        }
    };
    if comparison.gaps.is_empty() {
        let message = "it has none of the values of the trace; a trace must be of the same \
                       program, tensors must be named by instruction (`0:3`) or, with \
                       --etrecord, by debug handle";
        return Err(Failure::input(&args.reference, message));
    }
    let names = judged.names(&correlation);
    let text = match args.format {
        Format::Text => text::text(&comparison, &names, args.tolerance()),
        Format::Json => {
            json::json(&comparison, &names, args.tolerance(), &opened, reference.trace())
        }
    };
    let mut output = global.open_output()?;
    output.text(&text)?;
    output.finish()?;
    let diverges = comparison.first_divergence().is_some();
    Ok(if diverges { Status::NotMet } else { Status::Done })
}

impl CompareArgs {
    fn tolerance(&self) -> Tolerance {
        Tolerance { rtol: self.rtol, atol: self.atol }
    }
}

/// What the values are compared with.
enum Reference<'b> {
    Trace(etdump::File<'b>),
    Tensors(Vec<(String, Array)>),
    /// A program, and the bundle that it is in.
    Program(&'b [u8], Option<Bundle<'b>>),
}

impl<'b> Reference<'b> {
    fn detect(args: &CompareArgs, bytes: &'b [u8]) -> Result<Self, Failure> {
        let path = &args.reference;
        let fail = |e: ReadError| Failure::input(path, e);
        let kind = Kind::detect(bytes);
        let is_program = matches!(kind, Some(Kind::Program | Kind::BundledProgram));
        let gives_inputs = !args.input.is_empty() || args.inputs.is_some() || !args.data.is_empty();
        if gives_inputs && !is_program {
            let message = "--input, --inputs and --data are for a program as the reference: give \
                           a .pte or .bpte file in the place of REFERENCE";
            return Err(Failure::Usage(message.into()));
        }
        Ok(match kind {
            Some(Kind::EtDump) => Reference::Trace(etdump::File::recover(bytes).map_err(fail)?),
            Some(Kind::Program) => Reference::Program(bytes, None),
            Some(Kind::BundledProgram) => {
                Reference::Program(bytes, Some(Bundle::parse(bytes).map_err(fail)?))
            }
            _ => Reference::Tensors(references::read(path, bytes)?),
        })
    }

    /// The bytes of the program, if it is one.
    fn program(&self) -> Option<&'b [u8]> {
        match self {
            Reference::Program(bytes, bundle) => {
                Some(bundle.as_ref().map_or(*bytes, |bundle| bundle.program()))
            }
            _ => None,
        }
    }

    /// The trace, if it is one.
    fn trace(&self) -> Option<&etdump::File<'b>> {
        match self {
            Reference::Trace(file) => Some(file),
            _ => None,
        }
    }
}

/// A trace and its debug buffer, both with the values that were restored.
fn whole<'b>(
    path: &Path,
    trace: &etdump::File<'b>,
    buffer: &'b [u8],
    restored: Option<&'b Restored>,
) -> Result<(etdump::File<'b>, &'b [u8]), Failure> {
    let Some(restored) = restored else { return Ok((trace.clone(), buffer)) };
    let whole = etdump::File::parse(&restored.trace).map_err(|e| Failure::input(path, e))?;
    Ok((whole, &restored.debug_buffer))
}

/// The debug buffer that was named, or the one beside the trace.
fn debug_buffer(trace: &Path, named: Option<&Path>, option: &str) -> Result<input::Input, Failure> {
    if let Some(path) = named {
        return input::open(path);
    }
    let beside = ["debug.bin", "bin"].map(|ending| trace.with_extension(ending));
    match beside.iter().find(|path| path.is_file()) {
        Some(path) => input::open(path),
        None => Err(Failure::Usage(format!(
            "{} has no debug buffer beside it ({} or {}): name it with {option}",
            escape(&trace.to_string_lossy()),
            escape(&beside[0].to_string_lossy()),
            escape(&beside[1].to_string_lossy()),
        ))),
    }
}

/// A file that was given, parsed.
fn parsed<'b, T>(
    path: Option<&Path>,
    bytes: Option<&'b [u8]>,
    parse: impl Fn(&'b [u8]) -> Result<T, ReadError>,
) -> Result<Option<T>, Failure> {
    match (path, bytes) {
        (Some(path), Some(bytes)) => parse(bytes).map(Some).map_err(|e| Failure::input(path, e)),
        _ => Ok(None),
    }
}
