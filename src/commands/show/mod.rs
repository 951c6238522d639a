//! `etinspect show`: what is in a file, as text.
//!
//! ```text
//! program.rs       a program, and a method's tables
//! instructions.rs  one line per instruction
//! values.rs        tensors, numbers and lists as arguments
//! context.rs       a method with what its lines refer to
//! delegates.rs     what is inside of delegates, or of a payload alone
//! xnnpack.rs       the graph in an XNNPACK delegate
//! ethos_u.rs       the command stream in an Ethos-U delegate
//! bundled.rs       the tests that a bundled program adds
//! tensor_data.rs   a tensor data file
//! trace.rs         a trace: its runs, and what kinds of events they have
//! etrecord.rs      an ETRecord: what it knows of each instruction
//! json.rs          the same as `etinspect.show/1`
//! ```
//!
//! What is printed is bounded by the file: it is written line by line, and
//! lists that a damaged file repeats are cut.

mod bundled;
mod context;
mod delegates;
mod ethos_u;
mod etrecord;
mod instructions;
mod json;
mod program;
mod tensor_data;
mod trace;
mod values;
mod xnnpack;

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::output::Output;
use crate::text::escape;
use clap::{Args, ValueEnum};
use context::Context;
use et_schema::bundled::File as BundledProgram;
use et_schema::etdump::File as Trace;
use et_schema::etrecord::File as EtRecord;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::ptd::File as TensorData;
use et_schema::pte::{Chain, File, Method};
use et_schema::{Format as Kind, ReadError};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Instructions of a chain that are printed without `--all`: all of a short
/// one, the first and the last of a long one.
const SHORT: usize = 48;
const FIRST: usize = 32;
const LAST: usize = 8;

/// Frames of an instruction with `-v`, and with `-vv`.
const FRAMES: [usize; 3] = [0, 1, 64];

/// Show what is in a program, bundled program, tensor data file, trace or ETRecord
#[derive(Debug, Args)]
#[command(after_help = "\
A tensor is %value dtype[shape] and its place: @memory_id+offset in a planned buffer, const N,
ext \"name\" in a .ptd file, or unplanned.

Examples:
  What is in this file:
    etinspect show model.pte

  Every instruction of one method, with the Python lines it comes from:
    etinspect show model.pte --method forward --all -v

  Everything, for a script:
    etinspect show model.pte --format json -o model.json

  What the NPU is told, operation by operation, and word by word:
    etinspect show npu.pte --all
    etinspect show npu.pte --registers

  What the tests of a bundled program are, and what a trace has recorded:
    etinspect show model.bpte
    etinspect show trace.etdp

  What an ETRecord knows of each instruction:
    etinspect show model.etrecord")]
pub struct ShowArgs {
    /// A program (.pte), bundled program (.bpte), tensor data (.ptd), trace (.etdp), ETRecord, or
    /// the payload of an XNNPACK or Ethos-U delegate; `-` for standard input
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Only this method [default: all]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Print all lines of long lists, such as the instructions
    #[arg(long)]
    all: bool,

    /// Print the table of values as well
    #[arg(long)]
    values: bool,

    /// Print every word of the command streams of Ethos-U delegates
    #[arg(long)]
    registers: bool,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.show/1`, always with everything
    Json,
}

/// Runs the command.
pub fn run(args: &ShowArgs, global: &Global) -> Result<Status, Failure> {
    let bytes = input::open(&args.model)?;
    let fail = |error: ReadError| Failure::input(&args.model, error);
    let printer = Printer { args, global };
    match Kind::detect(&bytes) {
        Some(Kind::BundledProgram) => {
            printer.bundled(&BundledProgram::parse(&bytes).map_err(fail)?)?;
        }
        Some(Kind::FlatTensor) => printer.tensor_data(&TensorData::parse(&bytes).map_err(fail)?)?,
        Some(Kind::EtDump) => {
            let file = crate::trace::open(&args.model, &bytes, "are counted", global)?;
            printer.trace(&file, bytes.len())?;
        }
        Some(Kind::EtRecord) => {
            printer.etrecord(&EtRecord::parse(&bytes).map_err(fail)?, bytes.len())?;
        }
        Some(Kind::Xnnpack) => printer.xnnpack(&bytes)?,
        Some(Kind::EthosU) => printer.ethos_u(&bytes)?,
        Some(Kind::Program) | None => {
            printer.program(&File::parse(&bytes).map_err(fail)?, None)?;
        }
    }
    Ok(Status::Done)
}

/// The methods to show.
fn methods<'a>(args: &ShowArgs, file: &File<'a>) -> Result<Vec<Method<'a>>, Failure> {
    let Some(name) = &args.method else { return Ok(file.methods().collect()) };
    if let Some(method) = file.method(name) {
        return Ok(vec![method]);
    }
    let names: Vec<String> = file.methods().map(|m| values::quoted(m.name())).collect();
    let wanted = values::quoted(name);
    Err(Failure::input(
        &args.model,
        format!("no method {wanted}; the program has {}", names.join(", ")),
    ))
}

/// What every kind of file is printed with.
struct Printer<'a> {
    args: &'a ShowArgs,
    global: &'a Global,
}

impl Printer<'_> {
    fn program(&self, file: &File<'_>, tests: Option<&BundledProgram<'_>>) -> Result<(), Failure> {
        let path = &self.args.model;
        let methods = methods(self.args, file)?;
        let mut output = self.global.open_output()?;
        if self.args.format == Format::Json {
            json::write(path, file, &methods, tests.map(bundled::json), &mut output)?;
            return output.finish();
        }
        let mut name = escape(&path.to_string_lossy());
        if let Some(tests) = tests {
            output.text(&bundled::text(&name, tests))?;
            name = format!("  at byte {}", bundled::program_offset(tests));
        }
        output.text(&program::file_text(&name, file))?;
        for method in methods {
            self.method(file, method, &mut output)?;
        }
        output.finish()
    }

    fn bundled(&self, tests: &BundledProgram<'_>) -> Result<(), Failure> {
        let fail = |error| {
            Failure::input(&self.args.model, format!("the bundled program has no program: {error}"))
        };
        self.program(&File::parse(tests.program()).map_err(fail)?, Some(tests))
    }

    fn tensor_data(&self, file: &TensorData<'_>) -> Result<(), Failure> {
        let path = &self.args.model;
        let mut output = self.global.open_output()?;
        match self.args.format {
            Format::Json => json::write_document(&tensor_data::json(path, file), &mut output)?,
            Format::Text => {
                output.text(&tensor_data::text(path, file, |count| self.hidden(count)))?;
            }
        }
        output.finish()
    }

    fn trace(&self, file: &Trace<'_>, size: usize) -> Result<(), Failure> {
        let path = &self.args.model;
        let mut output = self.global.open_output()?;
        match self.args.format {
            Format::Json => json::write_document(&trace::json(path, file, size), &mut output)?,
            Format::Text => {
                output.text(&trace::text(path, file, size, |count| self.hidden(count)))?;
            }
        }
        output.finish()
    }

    fn etrecord(&self, file: &EtRecord<'_>, size: usize) -> Result<(), Failure> {
        let path = &self.args.model;
        let fail = |error: ReadError| Failure::input(path, error);
        let mut output = self.global.open_output()?;
        match self.args.format {
            Format::Json => {
                let document = etrecord::json(path, file, size).map_err(fail)?;
                json::write_document(&document, &mut output)?;
            }
            Format::Text => {
                let text = etrecord::text(path, file, size, |count| self.hidden(count));
                output.text(&text.map_err(fail)?)?;
            }
        }
        output.finish()
    }

    /// Which of `count` lines are left out.
    fn hidden(&self, count: usize) -> Range<usize> {
        if self.args.all || count <= SHORT { 0..0 } else { FIRST..count - LAST }
    }

    fn method(
        &self,
        file: &File<'_>,
        method: Method<'_>,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let context = Context::new(method);
        let heading = program::method_heading(&method, context.instruction_count());
        let heading = match self.global.colors_output() {
            true => format!("\u{1b}[1m{heading}\u{1b}[0m"),
            false => heading,
        };
        output.text(&format!("\n{heading}\n{}", program::method_text(file, &context)))?;
        if self.args.values {
            output.text("  values\n")?;
            for (index, value) in (0u32..).zip(method.values()) {
                let row = values::row(&context, ValueId(index), value);
                output.text(&format!("    {row}\n"))?;
            }
        }
        for (index, chain) in (0u32..).zip(method.chains()) {
            self.chain(&context, ChainId(index), &chain, output)?;
        }
        for (index, (delegate, _)) in context.delegates.iter().enumerate() {
            match delegate.id() {
                et_schema::ethos_u::BACKEND => {
                    self.stream(file, &context.method, index, delegate, output)?;
                }
                _ => self.graph(file, index, delegate, output)?,
            }
        }
        Ok(())
    }

    fn chain(
        &self,
        context: &Context<'_>,
        id: ChainId,
        chain: &Chain<'_>,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let count = chain.instruction_count();
        output.text(&format!("  chain {id}\n"))?;
        let frames = FRAMES[usize::from(self.global.verbose).min(FRAMES.len() - 1)];
        let hidden = self.hidden(count);
        // All numbers as wide as the largest, so that the lines align.
        let width = instructions::number(id, InstructionId(count.saturating_sub(1) as u32)).len();
        let indent = " ".repeat(width + 8);
        for (index, instruction) in chain.instructions().enumerate() {
            if index == hidden.start && !hidden.is_empty() {
                let more = program::count(hidden.len() as u64, "instruction");
                output.text(&format!("    ... {more} not shown; --all shows them\n"))?;
            }
            if hidden.contains(&index) {
                continue;
            }
            let at = InstructionId(index as u32);
            let number = instructions::number(id, at);
            let line = instructions::line(context, chain, instruction);
            output.text(&format!("    {number:<width$}  {line}\n"))?;
            output.text(&instructions::frames(chain, at, frames, &indent))?;
        }
        Ok(())
    }
}

/// Name of a file in documents.
fn document_name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
