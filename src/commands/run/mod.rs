//! `etinspect run`: executes a program on the instrumented runtime.

mod findings;
mod inputs;
mod profile;
mod recorder;
mod report;

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::output::OutputFile;
use crate::size;
use crate::tensors::{Array, Tolerance, write_npy};
use clap::{Args, ValueEnum};
use et_runtime::{LoadOptions, Method, OutputRef, PoolLimits, Program};
use et_schema::layout::Abi;
use et_schema::pte::File;
use etdump::{Contents, DebugLevel, EtDump, EtDumpWriter, SystemClock};
use recorder::Recorder;
use report::{Checked, Outcome, RunReport};
use std::path::{Path, PathBuf};

/// Execute a program and print outputs, time by operator and memory by allocator
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Run a model on ones, as ExecuTorch's runners do without inputs:
    etinspect run model.pte

  Run it on an image, three times after one to warm up, and keep the trace:
    etinspect run model.pte --input image.npy --warmup 1 --iterations 3 --etdump trace.etdp

  Check it against a reference; exit status 1 if it is not met:
    etinspect run model.pte --input x.npy --expect y.npy --rtol 1e-4

  See whether it loads with a board's method allocator of 16 KiB:
    etinspect run model.pte --method-pool 16K --abi arm32")]
pub struct RunArgs {
    /// The program (.pte), `-` for standard input
    #[arg(value_name = "MODEL.pte")]
    model: PathBuf,

    /// Method to run [default: forward, or the only one]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// An input, as a .npy file or a number; repeat in the order of the inputs [default: all ones]
    #[arg(long = "input", value_name = "FILE.npy")]
    input: Vec<String>,

    /// All inputs from one file, in the order of the numbers in their names
    #[arg(long, value_name = "FILE.npz", conflicts_with = "input")]
    inputs: Option<PathBuf>,

    /// Number of runs that are measured
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,

    /// Runs before them that are not
    #[arg(long, value_name = "N", default_value_t = 0)]
    warmup: u32,

    /// Write the trace, an ETDump
    #[arg(long, value_name = "OUT.etdp")]
    etdump: Option<PathBuf>,

    /// Write what every operator put out, for the debug events of --etdump
    #[arg(long, value_name = "OUT.bin", requires = "etdump")]
    debug_buffer: Option<PathBuf>,

    /// Leave out of --etdump what ExecuTorch's own Inspector cannot read
    #[arg(long, requires = "etdump")]
    inspector_compatible: bool,

    /// Write the outputs as output_0.npy ... into this folder
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,

    /// What an output must be, as a .npy file; repeat in the order of the outputs
    #[arg(long, value_name = "FILE.npy")]
    expect: Vec<PathBuf>,

    /// Relative tolerance of --expect, for floating point outputs
    #[arg(long, default_value_t = 1e-5)]
    rtol: f64,

    /// Absolute tolerance of --expect, for floating point outputs
    #[arg(long, default_value_t = 1e-6)]
    atol: f64,

    /// Limit of the method allocator, such as 16K or 0x8000
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    method_pool: Option<u64>,

    /// Limit of all planned buffers together
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    planned_pool: Option<u64>,

    /// Limit of the temp allocator
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    temp_pool: Option<u64>,

    /// ABI whose object sizes the allocators count
    #[arg(long, value_enum, default_value_t = AbiName::X86_64, value_name = "ABI")]
    abi: AbiName,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// ABIs by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AbiName {
    /// 32-bit Arm, such as Cortex-M
    Arm32,
    /// 64-bit Arm
    Aarch64,
    /// x86-64
    #[value(name = "x86_64")]
    X86_64,
}

impl From<AbiName> for Abi {
    fn from(name: AbiName) -> Self {
        match name {
            AbiName::Arm32 => Abi::Arm32,
            AbiName::Aarch64 => Abi::Aarch64,
            AbiName::X86_64 => Abi::X86_64,
        }
    }
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.run/1`
    Json,
}

/// Runs the command.
pub fn run(args: &RunArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.model)?;
    let file = File::parse(&bytes).map_err(|e| Failure::input(&args.model, e))?;
    let name = method_name(args, &file)?;
    let inputs = inputs::read(&args.input, args.inputs.as_deref())?;
    let expected = args
        .expect
        .iter()
        .map(|path| inputs::read_file(path))
        .collect::<Result<Vec<Array>, Failure>>()?;
    let mut report = RunReport::new(&args.model, &name, args.iterations);
    match execute(args, Program::new(file), &name, &inputs, &expected, &mut report) {
        Ok(()) => {}
        Err(Stop::Failure(failure)) => return Err(failure),
        Err(Stop::Error(error)) => {
            let found = findings::of(&file, &name, args, &error);
            report.fail(error, found);
        }
    }
    let mut output = global.open_output()?;
    match args.format {
        Format::Json => output.text(&report.json())?,
        Format::Text => output.text(&report.text(global.colors_output()))?,
    }
    output.finish()?;
    match report.outcome() {
        Outcome::Done => Ok(Status::Done),
        Outcome::NotMet => Ok(Status::NotMet),
        Outcome::Failed(message) => Err(Failure::Runtime(message)),
    }
}

/// Why there is no complete run.
enum Stop {
    Failure(Failure),
    Error(et_runtime::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failure(failure)
    }
}

impl From<et_runtime::Error> for Stop {
    fn from(error: et_runtime::Error) -> Self {
        Stop::Error(error)
    }
}

fn execute(
    args: &RunArgs,
    program: Program<'_>,
    name: &str,
    inputs: &[inputs::Given],
    expected: &[Array],
    report: &mut RunReport,
) -> Result<(), Stop> {
    let limits =
        PoolLimits { method: args.method_pool, planned: args.planned_pool, temp: args.temp_pool };
    let options = LoadOptions { abi: args.abi.into(), limits, threads: 1 };
    let mut recorder = recorder(args);
    let ran = load_and_run(args, &program, name, options, inputs, &mut recorder, report);
    let (profile, trace) = recorder.finish();
    if let Some(trace) = trace {
        write_trace(args, &trace, report)?;
    }
    let method = ran?;
    report.set_operators(&program, name, &profile);
    let outputs: Vec<OutputRef<'_>> = method.outputs().collect();
    report.set_outputs(&outputs);
    if !expected.is_empty() {
        let tolerance = Tolerance { rtol: args.rtol, atol: args.atol };
        report.set_expect(Checked::new(&outputs, expected, tolerance)?);
    }
    if let Some(dir) = &args.output_dir {
        write_outputs(dir, &outputs)?;
    }
    Ok(())
}

/// A failing run leaves its trace behind as well.
fn load_and_run<'p>(
    args: &RunArgs,
    program: &Program<'p>,
    name: &str,
    options: LoadOptions,
    inputs: &[inputs::Given],
    recorder: &mut Recorder,
    report: &mut RunReport,
) -> Result<Method<'p>, Stop> {
    let mut method = Method::load(program, name, options, recorder)?;
    report.set_pools(method.pool_usage());
    for _ in 0..args.warmup {
        inputs::set(&mut method, inputs)?;
        method.execute(&mut etdump::NoTracer)?;
    }
    for _ in 0..args.iterations {
        inputs::set(&mut method, inputs)?;
        let result = method.execute(recorder);
        report.set_pools(method.pool_usage());
        result?;
    }
    Ok(method)
}

fn recorder(args: &RunArgs) -> Recorder {
    if args.etdump.is_none() {
        return Recorder::default();
    }
    let contents =
        if args.inspector_compatible { Contents::InspectorCompatible } else { Contents::Full };
    let mut trace = EtDumpWriter::new(SystemClock::default(), contents);
    if args.debug_buffer.is_some() {
        trace.log_values(DebugLevel::IntermediateOutputs, None);
    }
    Recorder::with_trace(trace)
}

fn write_trace(args: &RunArgs, trace: &EtDump, report: &mut RunReport) -> Result<(), Failure> {
    let mut written = Vec::new();
    let files = [(&args.debug_buffer, &trace.debug_buffer), (&args.etdump, &trace.bytes)];
    for (path, bytes) in files {
        if let Some(path) = path {
            OutputFile::write_all(path, bytes)?;
            written.push((path.clone(), bytes.len()));
        }
    }
    report.set_trace(written, trace.loss);
    Ok(())
}

fn write_outputs(dir: &Path, outputs: &[OutputRef<'_>]) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).map_err(|e| Failure::output(Some(dir), e))?;
    for (index, output) in outputs.iter().enumerate() {
        let OutputRef::Tensor(tensor) = output else { continue };
        let mut bytes = Vec::new();
        let path = dir.join(format!("output_{index}.npy"));
        write_npy(&Array::from_tensor(tensor), &mut bytes)
            .map_err(|e| Failure::output(Some(&path), e))?;
        OutputFile::write_all(&path, &bytes)?;
    }
    Ok(())
}

/// The method that was asked for, `forward`, or the only one there is.
fn method_name(args: &RunArgs, file: &File<'_>) -> Result<String, Failure> {
    let names: Vec<&str> = file.methods().map(|m| m.name()).collect();
    let wanted = args.method.as_deref().unwrap_or("forward");
    match (names.as_slice(), &args.method) {
        (names, _) if names.contains(&wanted) => Ok(wanted.to_owned()),
        ([only], None) => Ok((*only).to_owned()),
        _ => Err(Failure::input(
            &args.model,
            format!(
                "no method {wanted:?}; the program has {}: choose one with --method",
                names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}
