//! The command line: global options and the commands.

use crate::commands;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::progress::Progress;
use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Profiling and debugging of ExecuTorch programs (.pte) and traces (.etdp).
#[derive(Debug, Parser)]
#[command(
    name = "etinspect",
    version,
    about,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Exit status: 0 done; 1 an expectation or limit is not met; 2 wrong usage or unreadable
input; 3 the model hung or ran past its timeout; 4 the program failed on the runtime.

Examples:
  etinspect run model.pte --etdump trace.etdp
  etinspect events trace.etdp
  etinspect show model.pte
  etinspect memory model.pte --abi arm32
  etinspect diagnose model.pte --log uart.txt
  etinspect tui model.pte trace.etdp
  etinspect explain 0x21"
)]
struct Cli {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, value_enum, global = true, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,

    /// Say nothing that is not asked for
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Write the result to FILE instead of standard output
    #[arg(short, long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What is shown of long work.
    #[arg(skip)]
    pub progress: Progress,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Columns of a result that goes to no terminal.
const WIDE: usize = 120;

impl Global {
    /// Whether the result is coloured.
    pub fn colors_output(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                self.output.is_none()
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                    && std::io::stdout().is_terminal()
            }
        }
    }

    /// Columns that the result may have: those of the terminal that it goes to,
    /// within reason, or [`WIDE`].
    pub fn columns_output(&self) -> usize {
        let terminal = self.output.is_none() && std::io::stdout().is_terminal();
        let size = terminal.then(terminal_size::terminal_size).flatten();
        size.map_or(WIDE, |(width, _)| usize::from(width.0).clamp(60, 140))
    }

    /// Keeps binary results off a terminal.
    ///
    /// # Errors
    /// The result would go to one.
    pub fn refuse_terminal(&self) -> Result<(), Failure> {
        let to_stdout = self.output.as_ref().is_none_or(|path| path.as_os_str() == "-");
        if to_stdout && std::io::stdout().is_terminal() {
            let message = "this format is binary and not for a terminal: name a file with -o FILE";
            return Err(Failure::Usage(message.into()));
        }
        Ok(())
    }

    /// Says on standard error what the user should know of a result.
    pub fn warn(&self, message: &str) {
        if !self.quiet {
            self.progress.print_above(&format!("etinspect: warning: {message}"));
        }
    }

    /// Where the result goes, which is ready to be written.
    pub fn open_output(&self) -> Result<Output, Failure> {
        self.progress.finish();
        Output::open(self.output.as_deref())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<commands::run::RunArgs>),
    Compare(commands::compare::CompareArgs),
    Events(commands::events::EventsArgs),
    Show(commands::show::ShowArgs),
    Memory(commands::memory::MemoryArgs),
    Diagnose(commands::diagnose::DiagnoseArgs),
    Diff(commands::diff::DiffArgs),
    Recover(commands::recover::RecoverArgs),
    Report(Box<commands::report::ReportArgs>),
    Targets(commands::targets::TargetsArgs),
    Explain(commands::explain::ExplainArgs),
    Tui(commands::tui::TuiArgs),
}

impl Command {
    /// What the command's progress is called; nothing for one that draws on its own.
    fn name(&self) -> Option<&'static str> {
        match self {
            Command::Run(_) => Some("run"),
            Command::Compare(_) => Some("compare"),
            Command::Events(_) => Some("events"),
            Command::Show(_) => Some("show"),
            Command::Memory(_) => Some("memory"),
            Command::Diagnose(_) => Some("diagnose"),
            Command::Diff(_) => Some("diff"),
            Command::Recover(_) => Some("recover"),
            Command::Report(_) => Some("report"),
            Command::Targets(_) | Command::Explain(_) | Command::Tui(_) => None,
        }
    }
}

/// The colours that help and wrong usage have: they are asked for before it is
/// known whether the rest of the command line can be understood.
fn colors_of(args: &[OsString]) -> ColorChoice {
    let words = args.iter().map(|word| word.to_str().unwrap_or_default());
    let mut words = words.take_while(|word| *word != "--");
    let mut choice = ColorChoice::Auto;
    while let Some(word) = words.next() {
        let value = match word {
            "--color" => words.next(),
            word => word.strip_prefix("--color="),
        };
        choice = match value {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            _ => choice,
        };
    }
    choice
}

fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = Cli::command().color(colors_of(args));
    let mut matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Parses the command line and runs the command.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match parse(&args.collect::<Vec<_>>()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, but go to standard output.
            let status = if error.use_stderr() { Status::Usage } else { Status::Done };
            let _ = error.print();
            return status.into();
        }
    };
    if !cli.global.quiet {
        cli.command.name().inspect(|name| cli.global.progress.start(name));
    }
    let result = match &cli.command {
        Command::Run(args) => commands::run::run(args, &cli.global),
        Command::Compare(args) => commands::compare::run(args, &cli.global),
        Command::Events(args) => commands::events::run(args, &cli.global),
        Command::Show(args) => commands::show::run(args, &cli.global),
        Command::Report(args) => commands::report::run(args, &cli.global),
        Command::Targets(args) => commands::targets::run(args, &cli.global),
        Command::Memory(args) => commands::memory::run(args, &cli.global),
        Command::Diagnose(args) => commands::diagnose::run(args, &cli.global),
        Command::Diff(args) => commands::diff::run(args, &cli.global),
        Command::Recover(args) => commands::recover::run(args, &cli.global),
        Command::Explain(args) => commands::explain::run(args, &cli.global),
        Command::Tui(args) => commands::tui::run(args, &cli.global),
    };
    cli.global.progress.finish();
    match result {
        Ok(status) => status.into(),
        Err(failure) if failure.is_broken_pipe() => Status::Done.into(),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "etinspect: error: {failure}");
            failure.status().into()
        }
    }
}
