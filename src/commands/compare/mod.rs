//! `etinspect compare`: where the numbers of a run leave those of a reference.

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use clap::{Args, ValueEnum};
use et_inspector::correlate::Correlation;
use et_inspector::debug_data::Value;
use et_inspector::events::EventBlocks;
use et_inspector::gap::{self, Place, Tolerance};
use et_schema::{Format as Kind, ReadError, etdump, etrecord, pte};
use names::Names;
use std::path::{Path, PathBuf};

mod json;
mod names;
mod references;
mod text;

/// Compare the values of a debug trace with a reference, instruction by instruction
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Our runtime as the reference for a device:
    etinspect run model.pte --input x.npy --etdump host.etdp --debug-buffer host.debug.bin
    etinspect compare device.etdp host.etdp --model model.pte

  With debug buffers that lie elsewhere than beside their traces:
    etinspect compare device.etdp host.etdp --debug-buffer d.bin --reference-buffer h.bin

  Tensors of the PyTorch model, each under its debug handle:
    etinspect compare device.etdp eager.npz --etrecord model.etrecord")]
pub struct CompareArgs {
    /// The trace to judge (.etdp), with a debug buffer
    #[arg(value_name = "TRACE.etdp")]
    trace: PathBuf,

    /// What is right: a trace (.etdp) with a debug buffer, or tensors (.npz) that are named by
    /// instruction (`0:3`, its second output `0:3:1`) or by debug handle (`7`, `3,4`)
    #[arg(value_name = "REFERENCE")]
    reference: PathBuf,

    /// The values of TRACE [default: beside it, with the ending .debug.bin or .bin]
    #[arg(long, value_name = "FILE.bin")]
    debug_buffer: Option<PathBuf>,

    /// The values of REFERENCE [default: beside it, with the ending .debug.bin or .bin]
    #[arg(long, value_name = "FILE.bin")]
    reference_buffer: Option<PathBuf>,

    /// The program that ran: names operators and source lines
    #[arg(long, value_name = "MODEL.pte")]
    model: Option<PathBuf>,

    /// The exporter's record of the program: names modules, source lines and debug handles
    #[arg(long, value_name = "FILE.etrecord")]
    etrecord: Option<PathBuf>,

    /// The method that ran [default: the one whose operators the trace names]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

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

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.compare/1`
    Json,
}

/// Runs the command.
pub fn run(args: &CompareArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.trace)?;
    let trace = etdump::File::parse(&bytes).map_err(|e| Failure::input(&args.trace, e))?;
    let buffer = debug_buffer(&args.trace, args.debug_buffer.as_deref(), "--debug-buffer")?;
    let blocks = EventBlocks::of(&trace);
    let model = args.model.as_deref().map(input::open).transpose()?;
    let model = parsed(args.model.as_deref(), model.as_deref(), pte::File::parse)?;
    let record = args.etrecord.as_deref().map(input::open).transpose()?;
    let record = parsed(args.etrecord.as_deref(), record.as_deref(), etrecord::File::parse)?;
    let correlation =
        Correlation::new(&blocks, model.as_ref(), record.as_ref(), args.method.as_deref())
            .map_err(|error| {
                let file = args.etrecord.as_ref().or(args.model.as_ref());
                Failure::input(file.unwrap_or(&args.trace), error)
            })?;
    let names = Names::new(&blocks, &correlation);
    let logged = gap::logged(&trace);
    if logged.is_empty() {
        let message = "the trace has no values; record it with a debug buffer (with etinspect: \
                       `run --etdump FILE --debug-buffer FILE`)";
        return Err(Failure::input(&args.trace, message));
    }
    let found: Vec<(Place, Value<'_>)> =
        logged.iter().map(|l| (l.place.clone(), Value::of(&l.event, Some(&buffer)))).collect();

    let reference = input::open(&args.reference)?;
    let tolerance = Tolerance { rtol: args.rtol, atol: args.atol };
    let comparison = if Kind::detect(&reference) == Some(Kind::EtDump) {
        let file =
            etdump::File::parse(&reference).map_err(|e| Failure::input(&args.reference, e))?;
        let option = args.reference_buffer.as_deref();
        let buffer = debug_buffer(&args.reference, option, "--reference-buffer")?;
        let values: Vec<(Place, Value<'_>)> = gap::logged(&file)
            .iter()
            .map(|l| (l.place.clone(), Value::of(&l.event, Some(&buffer))))
            .collect();
        gap::compare(&found, &values, tolerance)
    } else {
        let arrays = references::read(&args.reference, &reference)?;
        let (values, unused) = references::values(&arrays, &found, &names);
        if !unused.is_empty() {
            global.warn(&references::unused_message(&args.reference, &unused));
        }
        gap::compare(&found, &values, tolerance)
    };
    if comparison.gaps.is_empty() {
        let message = "it has none of the values of the trace; a trace must be of the same \
                       program, tensors must be named by instruction (`0:3`) or, with \
                       --etrecord, by debug handle";
        return Err(Failure::input(&args.reference, message));
    }
    let text = match args.format {
        Format::Text => text::text(&comparison, &names, tolerance),
        Format::Json => json::json(&comparison, &names, tolerance),
    };
    let mut output = global.open_output()?;
    output.text(&text)?;
    output.finish()?;
    let diverges = comparison.first_divergence().is_some();
    Ok(if diverges { Status::NotMet } else { Status::Done })
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
            crate::text::escape(&trace.to_string_lossy()),
            crate::text::escape(&beside[0].to_string_lossy()),
            crate::text::escape(&beside[1].to_string_lossy()),
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
