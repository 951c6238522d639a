//! `etinspect memory`: what a program needs of every allocator, predicted.

mod json;
mod target;
mod text;

use crate::abi::AbiName;
use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use clap::{Args, ValueEnum};
use et_inspector::findings::{Finding, Severity, does_not_fit};
use et_inspector::memory::MethodMemory;
use et_inspector::target::{Fit, Needs, Target};
use et_schema::bundled::File as Bundle;
use et_schema::layout::Abi;
use et_schema::pte::File;
use std::path::{Path, PathBuf};

/// Predict every allocator of a program: sizes, lifetimes, peak and what is live at it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What a program needs on a Cortex-M:
    etinspect memory model.pte

  Whether it fits a board, and the settings that make it run:
    etinspect memory model.pte --target stm32n6570-dk

  Allocation by allocation, for a script:
    etinspect memory model.pte --abi arm32 --format json")]
pub struct MemoryArgs {
    /// The program (.pte or .bpte); `-` for standard input
    #[arg(value_name = "MODEL.pte")]
    model: PathBuf,

    /// Method to look at [default: all]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Board, by name (see `etinspect targets`) or as a file
    #[arg(long, value_name = "NAME|FILE.toml")]
    target: Option<String>,

    /// ABI whose object sizes the allocators count [default: the target's, or arm32]
    #[arg(long, value_enum, value_name = "ABI", conflicts_with = "target")]
    abi: Option<AbiName>,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.memory/1`
    Json,
}

/// What was found, for every form of the result.
struct Report<'a> {
    model: &'a Path,
    abi: Abi,
    file: File<'a>,
    methods: Vec<MethodMemory<'a>>,
    target: Option<Target>,
}

impl Report<'_> {
    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for method in &self.methods {
            findings.extend(method.findings.iter().cloned());
            if let Some(target) = &self.target {
                findings.extend(does_not_fit(target, &self.fit(method, target)));
            }
        }
        findings
    }

    fn needs(&self, method: &MethodMemory<'_>) -> Needs {
        Needs::of(method, self.file.bytes().len() as u64)
    }

    fn fit(&self, method: &MethodMemory<'_>, target: &Target) -> Fit {
        Fit::new(&self.needs(method), target)
    }
}

/// Runs the command.
pub fn run(args: &MemoryArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.model)?;
    let fail = |e| Failure::input(&args.model, e);
    let bundle = (bytes.get(4..8) == Some(b"BP08")).then(|| Bundle::parse(&bytes));
    let bundle = bundle.transpose().map_err(fail)?;
    let program = bundle.as_ref().map_or(&bytes[..], Bundle::program);
    let file = File::parse(program).map_err(fail)?;
    let target = args.target.as_deref().map(crate::target::open).transpose()?;
    let abi = target.as_ref().map_or(Abi::Arm32, |target| target.abi);
    let abi = args.abi.map_or(abi, Abi::from);
    let mut methods = Vec::new();
    for method in file.methods() {
        if args.method.as_deref().is_none_or(|name| name == method.name()) {
            methods.push(MethodMemory::new(&file, method, abi).map_err(fail)?);
        }
    }
    if let (Some(name), true) = (&args.method, methods.is_empty()) {
        let names: Vec<String> = file.methods().map(|m| format!("{:?}", m.name())).collect();
        let names = names.join(", ");
        let message = format!("no method {name:?}; the program has {names}");
        return Err(Failure::input(&args.model, message));
    }
    let report = Report { model: &args.model, abi, file, methods, target };
    let mut output = global.open_output()?;
    match args.format {
        Format::Json => output.text(&json::document(&report))?,
        Format::Text => output.text(&text::page(&report, global.colors_output()))?,
    }
    output.finish()?;
    let failed = report.findings().iter().any(|f| f.code.page().severity == Severity::Error);
    Ok(if failed { Status::NotMet } else { Status::Done })
}
