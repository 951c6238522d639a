//! `etinspect tui`: the terminal inspector.

mod feed;
mod files;
mod running;

use crate::cli::{Color, Global};
use crate::commands::events::Scale;
use crate::failure::{Failure, Status};
use clap::Args;
use et_inspector::events::TimeScale;
use et_tui::{App, Clock, Config, Depth, Inputs, Layout, Session, Source, Stream, Theme};
use feed::Background;
use files::Files;
use running::Running;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Look through a program, a trace, a journal or what a dead board left, in the terminal
#[derive(Debug, Args)]
#[command(after_help = "\
Files are told apart by what is in them. Press ? for the keys.

Examples:
  A program and its trace:
    etinspect tui model.pte trace.etdp

  Whether it fits a board, and what fills its memory:
    etinspect tui model.pte --target corstone-300

  What a dead board did last, from its RAM or its console:
    etinspect tui model.pte ram.bin
    etinspect tui model.pte uart.txt

  A log or a journal that still grows:
    etinspect tui model.pte /tmp/uart.txt --follow

  A board on a serial port, recorded; `stty` sets the speed before:
    stty -F /dev/ttyUSB0 115200 raw -echo
    etinspect tui model.pte --follow /dev/ttyUSB0 --record uart.raw

  An emulator or a debug probe that sends its console over TCP:
    etinspect tui model.pte --follow tcp://localhost:4444

  Two traces or two programs side by side:
    etinspect tui base.etdp new.etdp

  Other keys and colours:
    etinspect tui model.pte --config keys.toml

  What is in the tensors:
    etinspect tui model.pte trace.etdp --debug-buffer debug.bin

  A run as it happens:
    etinspect tui model.pte --run
    etinspect tui model.pte --run -- --iterations 100 --input x.npy")]
pub struct TuiArgs {
    /// A program (.pte or .bpte), and a trace, an ETRecord, a journal, a memory dump or a log, in
    /// any order; of two traces or two programs the first is the base
    #[arg(value_name = "FILE", num_args = 0..=6)]
    files: Vec<PathBuf>,

    /// Method [default: the one that the log names, forward, or the only one]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,

    /// Board, by name (see `etinspect targets`) or as a file
    #[arg(long, value_name = "NAME|FILE.toml")]
    target: Option<String>,

    /// What a debug trace logged [default: beside the trace, with the ending .debug.bin]
    #[arg(long, value_name = "FILE.bin")]
    debug_buffer: Option<PathBuf>,

    /// Look at the files again when they change, or listen to tcp://HOST:PORT or a serial port
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "")]
    follow: Option<String>,

    /// Write what is received to a new file as it comes; `etinspect tui` opens it again
    #[arg(long, value_name = "FILE", requires = "follow")]
    record: Option<PathBuf>,

    /// Run the program, and follow its journal; its trace and values when it has ended
    #[arg(long, conflicts_with = "follow")]
    run: bool,

    /// Options of `etinspect run` for it, behind `--`
    #[arg(last = true, requires = "run", value_name = "OPTIONS")]
    run_args: Vec<OsString>,

    /// Keys and colours [default: etinspect/tui.toml in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,

    /// Time scale of the trace's clock, as for `etinspect events`
    #[arg(long, value_enum, default_value_t = Scale::Ns, value_name = "SCALE")]
    source_time_scale: Scale,

    /// Draw with ASCII characters only [default: where the locale has no others]
    #[arg(long)]
    ascii: bool,

    /// Leave the mouse to the terminal, which selects text with it
    #[arg(long)]
    no_mouse: bool,
}

/// How long the first screen waits for the files, so that a mistake in what was
/// given is said before it, and what is small is there with it.
const PATIENCE: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(args: &TuiArgs, global: &Global) -> Result<Status, Failure> {
    let mut files = Files {
        paths: args.files.clone(),
        debug_buffer: args.debug_buffer.clone(),
        method: args.method.clone(),
        clock: Clock::new(TimeScale::from(args.source_time_scale)),
        grows: args.follow.is_some(),
        target: args.target.as_deref().map(crate::target::open).transpose()?.map(Arc::new),
        ..Files::default()
    };
    let follow = args.follow.as_deref().unwrap_or_default();
    if args.files.is_empty() && follow.is_empty() {
        let message = "tui needs something to look at: `etinspect tui MODEL.pte`, with a trace, a \
                       log, a journal or a memory dump beside it; `etinspect tui --help` has examples";
        return Err(Failure::Usage(message.into()));
    }
    let source = Source::of(follow);
    if source.is_none() && !follow.is_empty() {
        files.paths.push(follow.into());
    }
    if source.is_none() && args.record.is_some() {
        let message = "--record writes what comes from `--follow tcp://HOST:PORT` or from a \
                       serial port; a file is its own record";
        return Err(Failure::Usage(message.into()));
    }
    let config = config(args)?;
    let mut background = Background::of(files, args.follow.is_some() || args.run);
    let first = background.wait(PATIENCE)?;
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        let message = "tui needs a terminal; `etinspect diagnose`, `events` and `memory` print";
        return Err(Failure::Usage(message.into()));
    }
    if let Some(kind) = source {
        let opened = Stream::open(follow, kind, args.record.as_deref());
        let mut stream = opened.map_err(|e| Failure::input(Path::new(follow), e))?;
        if args.record.is_some() {
            stream.name += " (recorded)";
        }
        background.listen(stream);
    }
    if let Some(model) = args.files.first().filter(|_| args.run) {
        background.watch(Running::start(model, &args.run_args)?);
    }
    let session = match first {
        Some(session) => session,
        None => empty()?,
    };
    let mut app = App::new(session, theme(args, global, &config));
    app.mouse = !(args.no_mouse || config.no_mouse);
    app.keys = config.keys;
    let state = folder_of("XDG_STATE_HOME", ".local/state").map(|f| f.join("etinspect/tui.toml"));
    if let Some(state) = &state {
        Layout::read(state).apply(&mut app);
    }
    et_tui::run(&mut app, &mut background).map_err(|e| Failure::output(None, e))?;
    if let Some(state) = state.filter(|_| background.failure.is_none()) {
        Layout::of(&app).write(&state);
    }
    match background.failure {
        Some(failure) => Err(failure),
        None => Ok(Status::Done),
    }
}

/// What is shown until files are read.
fn empty() -> Result<Session, Failure> {
    Session::new(Inputs::default()).map_err(|e| Failure::input(Path::new("-"), e))
}

/// Keys and colours: of the file that was named, or of the user's, if there is one.
fn config(args: &TuiArgs) -> Result<Config, Failure> {
    let own = folder_of("XDG_CONFIG_HOME", ".config").map(|f| f.join("etinspect/tui.toml"));
    let Some(path) = args.config.clone().or(own.filter(|path| path.is_file())) else {
        return Ok(Config::default());
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Failure::input(&path, format!("cannot be read: {e}")))?;
    Config::parse(&text).map_err(|e| Failure::input(&path, e))
}

/// A folder of the XDG Base Directory Specification, which ignores relative paths.
fn folder_of(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute())
    };
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

fn theme(args: &TuiArgs, global: &Global, config: &Config) -> Theme {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !no_color,
    };
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let depth = Depth::of(&of("COLORTERM"), &of("TERM"));
    config.theme(color, !args.ascii && has_unicode(of), depth)
}

/// Whether the locale has more than ASCII, by the first variable that says
/// anything. Where none does, most terminals have.
fn has_unicode(of: impl Fn(&str) -> String) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(of).into_iter().find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
