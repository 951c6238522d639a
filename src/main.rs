//! `etinspect`: profiling and debugging of ExecuTorch programs.
//!
//! ```text
//! abi.rs        the `--abi` option
//! board.rs      numbers of a board beside the prediction
//! cli.rs        the command line: global options, the list of commands
//! commands/     one file per command: its arguments, and what it prints
//! input.rs      opening files and standard input
//! output.rs     standard output, files that appear only when complete
//! progress.rs   what is shown of long work
//! failure.rs    errors, and the exit status that each kind has
//! dump.rs       journals and traces in memory dumps
//! elf.rs        symbols and lines of a firmware
//! findings.rs   findings as text and JSON
//! text.rs       escaping, sizes and times for people
//! trace.rs      opening traces, also those that are cut off
//! severity.rs   the `--fail-on` option
//! target.rs     boards by name or file
//! tensors/      .npy files and comparison of outputs
//! ```

mod abi;
mod board;
mod cli;
mod commands;
mod dump;
mod elf;
mod failure;
mod findings;
mod input;
mod output;
mod progress;
mod severity;
mod target;
mod tensors;
mod text;
mod trace;

use et_inspector::size;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
