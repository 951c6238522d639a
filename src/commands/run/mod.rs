//! `etinspect run`: executes a program on the instrumented runtime.

mod board;
pub(super) mod bundled;
mod findings;
pub(super) mod inputs;
mod profile;
mod recorder;
mod report;
mod supervise;

use crate::abi::AbiName;
use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::output::OutputFile;
use crate::progress::Progress;
use crate::size;
use crate::tensors::{Array, Tolerance, write_npy};
use clap::{Args, ValueEnum};
use et_runtime::{ExternalTensor, LoadOptions, Method, OutputRef, Program, Rounding};
use et_schema::bundled::File as Bundle;
use et_schema::ptd::File as TensorData;
use et_schema::pte::File;
use etdump::journal::{self, Config, Journal, Mapping, program_id};
use etdump::{Contents, DebugLevel, EtDump};
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

  Run a test case that was bundled with the program, and check its outputs:
    etinspect run model.bpte --testset 1

  Run a program whose weights lie in a data file:
    etinspect run model.pte --data weights.ptd

  Find the instruction that reads or writes what it should not:
    etinspect run model.pte --guard

  Give it ten seconds, and name the instruction that it was in if they are not enough:
    etinspect run model.pte --timeout 10

  See whether it loads with a board's method allocator of 16 KiB:
    etinspect run model.pte --method-pool 16K --abi arm32

  Or with the memories of a board:
    etinspect run model.pte --target nucleo-h743zi")]
pub struct RunArgs {
    /// The program (.pte), or a program bundled with test cases (.bpte); `-` for standard input
    #[arg(value_name = "MODEL.pte", required_unless_present = "bundled")]
    model: Option<PathBuf>,

    /// Tensors that the program keeps outside (.ptd); repeat for several files
    #[arg(long, value_name = "FILE.ptd")]
    data: Vec<PathBuf>,

    /// Take inputs and expected outputs from a bundled program, and the program too if no MODEL is given
    #[arg(long, value_name = "MODEL.bpte", conflicts_with_all = ["input", "inputs", "expect"])]
    bundled: Option<PathBuf>,

    /// Test case of the bundled program
    #[arg(long, value_name = "N", default_value_t = 0)]
    testset: usize,

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

    /// Keep a journal: what began and what ended, readable even if the process is killed
    #[arg(long, value_name = "OUT.etj")]
    journal: Option<PathBuf>,

    /// Size of the journal's file
    #[arg(long, value_name = "BYTES", value_parser = size::parse, default_value = "1M", requires = "journal")]
    journal_size: u64,

    /// Run in a process of its own, and stop it after this time; exit status 3, and what it was doing
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<f64>,

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

    /// Check what each instruction does to memory: reads of what was never written or is gone, writes over live tensors or outside of outputs, the first NaN
    #[arg(long)]
    guard: bool,

    /// Threads that kernels may use [default: physical cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,

    /// Multiply and add float32 in one rounding step (FMA), as XNNPACK does: faster, but last digits
    /// are no longer those of ExecuTorch's portable kernels, which round after each. Does nothing on
    /// a processor without vectors for it (AVX2 or NEON)
    #[arg(long)]
    fused_multiply_add: bool,

    /// Instructions after which an execution counts as endless [default: 10,000,000, as in ExecuTorch]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_instructions: Option<u64>,

    /// Do not run delegates: their outputs are zeros, and the rest of the method runs
    #[arg(long)]
    stub_delegates: bool,

    /// With --stub-delegates: this tensor instead of zeros as output K of delegate D, both
    /// counted from 0 (can be given several times)
    #[arg(long, value_name = "D.K=FILE.npy", requires = "stub_delegates")]
    stub_output: Vec<String>,

    /// Seed of random operators: the same seed, the same numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Board whose pools and ABI to run with, by name (see `etinspect targets`) or as a file
    #[arg(long, value_name = "NAME|FILE.toml", conflicts_with = "abi")]
    target: Option<String>,

    /// ABI whose object sizes the allocators count [default: the target's, or x86_64]
    #[arg(long, value_enum, value_name = "ABI")]
    abi: Option<AbiName>,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Largest file of a journal.
const LARGEST_JOURNAL: usize = 1 << 30;

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
    let model = args.model.as_deref().or(args.bundled.as_deref()).unwrap_or(Path::new("-"));
    let bytes = input::open(model)?;
    let is_bundle = bytes.get(4..8) == Some(b"BP08");
    let bundle_path = args.bundled.as_deref().or(is_bundle.then_some(model));
    let bundle_bytes = args.bundled.as_deref().map(input::open).transpose()?;
    let bundle = bundle_path
        .map(|path| {
            let bytes = bundle_bytes.as_deref().unwrap_or(&bytes);
            Bundle::parse(bytes).map_err(|e| Failure::input(path, e)).map(|bundle| (path, bundle))
        })
        .transpose()?;
    let program = match &bundle {
        Some((_, bundle)) if is_bundle => bundle.program(),
        _ => &bytes[..],
    };
    let file = File::parse(program).map_err(|e| Failure::input(model, e))?;
    let name = method_name(args.method.as_deref(), model, &file)?;
    let case = match &bundle {
        Some((path, bundle)) if args.input.is_empty() && args.inputs.is_none() => {
            bundled::test_case(path, bundle, &name, args.testset)?
        }
        _ => given(args)?,
    };
    let data = args.data.iter().map(|path| input::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut program = Program::new(file);
    for (path, bytes) in args.data.iter().zip(&data) {
        add_data(&mut program, path, bytes)?;
    }
    let mut report = RunReport::new(model, &name, args.iterations);
    if args.stub_delegates {
        report.add_findings(findings::of_stubs(program.file(), &name));
    }
    let board = board::Board::new(args, program.file(), &name)?;
    if let Some(timeout) = args.timeout.filter(|_| !supervise::is_child()) {
        if model.as_os_str() == "-" {
            let message =
                "--timeout runs the program in a process of its own: give the program as a file";
            return Err(Failure::Usage(message.into()));
        }
        // The run's own process shows it.
        global.progress.finish();
        match supervise::run(args, model, program.file(), timeout)? {
            supervise::End::Exited(code) => return Ok(Status::from(code)),
            supervise::End::Stopped(stopped) => report.stop(*stopped),
        }
        return print(args, global, &report);
    }
    match execute(args, global, &board, &program, &name, &case, &mut report) {
        Ok(()) => {}
        Err(Stop::Failure(failure)) => return Err(failure),
        Err(Stop::Error(error)) => {
            let found = findings::of(&program, &name, &board, max_instructions(args), &error);
            report.fail(error, found);
        }
    }
    print(args, global, &report)
}

/// Prints the report and says how the run ended.
fn print(args: &RunArgs, global: &Global, report: &RunReport) -> Result<Status, Failure> {
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
        Outcome::Hung(message) => Err(Failure::Hung(message)),
    }
}

/// Inputs and expectations from the command line.
fn given(args: &RunArgs) -> Result<bundled::TestCase, Failure> {
    let expected = args.expect.iter().map(|path| inputs::read_file(path).map(Some));
    Ok(bundled::TestCase {
        inputs: inputs::read(&args.input, args.inputs.as_deref())?,
        expected: expected.collect::<Result<_, Failure>>()?,
    })
}

/// Adds the tensors of a `.ptd` file to the program's.
pub(super) fn add_data<'p>(
    program: &mut Program<'p>,
    path: &Path,
    bytes: &'p [u8],
) -> Result<(), Failure> {
    let fail = |e: et_schema::ReadError| Failure::input(path, e);
    let file = TensorData::parse(bytes).map_err(fail)?;
    for entry in file.entries() {
        let Some(Ok(scalar_type)) = entry.tensor_layout().map(|layout| layout.scalar_type()) else {
            continue;
        };
        let data = file.data(&entry).map_err(fail)?;
        program.add_external(entry.key(), ExternalTensor { scalar_type, data });
    }
    Ok(())
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

/// Instructions after which an execution counts as endless.
fn max_instructions(args: &RunArgs) -> u64 {
    args.max_instructions.unwrap_or(LoadOptions::default().max_instructions)
}

fn execute(
    args: &RunArgs,
    global: &Global,
    board: &board::Board,
    program: &Program<'_>,
    name: &str,
    case: &bundled::TestCase,
    report: &mut RunReport,
) -> Result<(), Stop> {
    let options = LoadOptions {
        abi: board.abi,
        limits: board.limits,
        threads: threads(args),
        rounding: if args.fused_multiply_add { Rounding::Once } else { Rounding::Twice },
        max_instructions: max_instructions(args),
        seed: args.seed,
        stub_delegates: args.stub_delegates,
        ..LoadOptions::default()
    };
    let mut recorder = recorder(args);
    let mapping = args.journal.as_deref().map(|path| journal_file(args, path)).transpose()?;
    if let (Some(mapping), Some(path)) = (&mapping, &args.journal) {
        let mut config = Config::for_bytes(mapping.words().len() * 4);
        config.ticks_per_second = 1_000_000_000;
        config.program_id = program_id(program.file().bytes());
        let journal =
            Journal::create(mapping.words(), config).map_err(|e| Failure::input(path, e))?;
        recorder.journal(journal, name);
    }
    let loaded = Method::load(program, name, options, &mut recorder).map_err(Stop::from);
    let ran = loaded.and_then(|method| {
        report.set_pools(method.pool_usage());
        board.prepare_inputs(&method.pool_usage())?;
        iterate(args, &global.progress, method, &case.inputs, &mut recorder, report)
    });
    let (profile, trace) = recorder.finish();
    if let Some(trace) = trace {
        write_trace(args, &trace, report)?;
    }
    let method = ran?;
    report.set_operators(program, name, &profile);
    let outputs: Vec<OutputRef<'_>> = method.outputs().collect();
    report.set_outputs(&outputs);
    if !case.expected.is_empty() {
        let tolerance = Tolerance { rtol: args.rtol, atol: args.atol };
        report.set_expect(Checked::new(&outputs, &case.expected, tolerance)?);
    }
    if let Some(dir) = &args.output_dir {
        write_outputs(dir, &outputs)?;
    }
    Ok(())
}

/// The kernels' threads, which are started once.
fn threads(args: &RunArgs) -> usize {
    let threads = args.threads.map_or_else(num_cpus::get_physical, |n| n as usize).max(1);
    if threads > 1 {
        // Only the first call in a process can set the number; the pool it makes is the same.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    threads
}

/// Runs `method` as often as asked for. A failing run leaves its trace behind as well.
fn iterate<'p>(
    args: &RunArgs,
    progress: &Progress,
    mut method: Method<'p>,
    inputs: &[inputs::Given],
    recorder: &mut Recorder<'_>,
    report: &mut RunReport,
) -> Result<Method<'p>, Stop> {
    inputs::set_stub_outputs(&mut method, &args.stub_output)?;
    if args.guard {
        method.guard();
    }
    progress.steps(u64::from(args.warmup) + u64::from(args.iterations), "runs");
    for _ in 0..args.warmup {
        inputs::set(&mut method, inputs)?;
        method.execute(&mut etdump::NoTracer)?;
        progress.step();
    }
    let mut result = Ok(());
    for _ in 0..args.iterations {
        inputs::set(&mut method, inputs)?;
        result = method.execute(recorder);
        if result.is_err() {
            break;
        }
        progress.step();
    }
    report.set_pools(method.pool_usage());
    if args.guard {
        report.add_findings(findings::of_violations(method.violations()));
    }
    result?;
    Ok(method)
}

/// The file that the journal is kept in, from the beginning on.
fn journal_file(args: &RunArgs, path: &Path) -> Result<Mapping, Failure> {
    let bytes = usize::try_from(args.journal_size).unwrap_or(usize::MAX);
    if !(journal::MINIMUM_BYTES..=LARGEST_JOURNAL).contains(&bytes) {
        return Err(Failure::Usage(format!(
            "--journal-size {bytes}: expected {} to {LARGEST_JOURNAL} bytes",
            journal::MINIMUM_BYTES
        )));
    }
    Mapping::create(path, bytes).map_err(|e| {
        // What was written before the disk was full is no journal.
        if path.is_file() {
            let _ = std::fs::remove_file(path);
        }
        Failure::output(Some(path), e)
    })
}

/// A time in seconds.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 =
        text.parse().map_err(|_| "expected seconds, such as 10 or 0.5".to_owned())?;
    if seconds > 0.0 && seconds.is_finite() {
        Ok(seconds)
    } else {
        Err("expected a time above 0".into())
    }
}

fn recorder<'j>(args: &RunArgs) -> Recorder<'j> {
    let mut recorder = Recorder::default();
    if args.etdump.is_some() {
        let trace = recorder.trace(if args.inspector_compatible {
            Contents::InspectorCompatible
        } else {
            Contents::Full
        });
        if args.debug_buffer.is_some() {
            trace.log_values(DebugLevel::IntermediateOutputs, None);
        }
    }
    recorder
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
pub(super) fn method_name(
    asked: Option<&str>,
    model: &Path,
    file: &File<'_>,
) -> Result<String, Failure> {
    let names: Vec<&str> = file.methods().map(|m| m.name()).collect();
    let wanted = asked.unwrap_or("forward");
    match (names.as_slice(), asked) {
        (names, _) if names.contains(&wanted) => Ok(wanted.to_owned()),
        ([only], None) => Ok((*only).to_owned()),
        _ => Err(Failure::input(
            model,
            format!(
                "no method {wanted:?}; the program has {}: choose one with --method",
                names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}
