//! `etinspect show`: a program as text.
//!
//! ```text
//! program.rs       the file, and a method's tables
//! instructions.rs  one line per instruction
//! values.rs        tensors, numbers and lists as arguments
//! context.rs       a method with what its lines refer to
//! json.rs          the same as `etinspect.show/1`
//! ```
//!
//! What is printed is bounded by the file: it is written line by line, and
//! lists that a damaged file repeats are cut.

mod context;
mod instructions;
mod json;
mod program;
mod values;

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::input;
use crate::output::Output;
use clap::{Args, ValueEnum};
use context::Context;
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::pte::{Chain, File, Method};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Instructions of a chain that are printed without `--all`: all of a short
/// one, the first and the last of a long one.
const SHORT: usize = 48;
const FIRST: usize = 32;
const LAST: usize = 8;

/// Frames of an instruction with `-v`, and with `-vv`.
const FRAMES: [usize; 3] = [0, 1, 64];

/// Show a program as text: methods, tensors, delegates and instructions
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
    etinspect show model.pte --format json -o model.json")]
pub struct ShowArgs {
    /// The program (.pte), `-` for standard input
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Only this method [default: all]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Print all instructions of long programs
    #[arg(long)]
    all: bool,

    /// Print the table of values as well
    #[arg(long)]
    values: bool,

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
    if let Some(other) = other_format(&bytes) {
        return Err(Failure::input(&args.model, other));
    }
    let file = File::parse(&bytes).map_err(|e| Failure::input(&args.model, e))?;
    let methods = methods(args, &file)?;
    let mut output = global.open_output()?;
    match args.format {
        Format::Json => json::write(&args.model, &file, &methods, &mut output)?,
        Format::Text => {
            let printer = Printer { args, file: &file, global };
            output.text(&program::file_text(&args.model, &file))?;
            for method in methods {
                printer.method(method, &mut output)?;
            }
        }
    }
    output.finish()?;
    Ok(Status::Done)
}

/// What a file that is no program is, and which command reads it.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let identifier = |at: Range<usize>, id: &[u8]| bytes.get(at) == Some(id);
    if identifier(8..12, b"ED00") || identifier(4..8, b"ED00") {
        Some("a trace (ETDump, ED00), not a program; `etinspect events FILE` reads it")
    } else if identifier(4..8, b"BP08") {
        Some(
            "a bundled program (BP08), not a program; \
             `etinspect run MODEL.pte --bundled FILE` reads it",
        )
    } else if identifier(4..8, b"FT01") {
        Some(
            "tensor data (FT01), not a program; \
             `etinspect run MODEL.pte --data FILE` reads it",
        )
    } else if identifier(0..4, b"PK\x03\x04") {
        Some(
            "a zip archive, perhaps an ETRecord, not a program; \
             `etinspect events TRACE.etdp --etrecord FILE` reads an ETRecord",
        )
    } else {
        None
    }
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

/// What all methods are printed with.
struct Printer<'a> {
    args: &'a ShowArgs,
    file: &'a File<'a>,
    global: &'a Global,
}

impl Printer<'_> {
    fn method(&self, method: Method<'_>, output: &mut Output) -> Result<(), Failure> {
        let context = Context::new(method);
        let heading = program::method_heading(&method, context.instruction_count());
        let heading = match self.global.colors_output() {
            true => format!("\u{1b}[1m{heading}\u{1b}[0m"),
            false => heading,
        };
        output.text(&format!("\n{heading}\n{}", program::method_text(self.file, &context)))?;
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
        let hidden = if self.args.all || count <= SHORT { 0..0 } else { FIRST..count - LAST };
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
