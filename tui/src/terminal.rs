//! The terminal: set up, drawn on, and left as it was, whatever happens.

use crate::app::App;
use crate::export;
use crate::live::{Live, Loading};
use crate::session::Session;
use base64::Engine;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};
use std::io::{self, Stdout, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often signals and growing files are looked at.
const TICK: Duration = Duration::from_millis(100);

/// The same while something is made that the user waits for.
const BUSY: Duration = Duration::from_millis(10);

/// How long keys are taken together before what they did is drawn.
const TOGETHER: Duration = Duration::from_millis(8);

/// What broke on other threads, to be said when the screen is the shell's again.
static BROKEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Where sessions come from: files that are being read, or that grow. It is
/// asked between keys and must answer at once.
pub trait Feed {
    /// A newer session, if there is one.
    fn fresh(&mut self) -> Option<Session>;

    /// What is being read, to be shown until it is there.
    fn loading(&mut self) -> Option<Loading> {
        None
    }

    /// What is being listened to.
    fn live(&mut self) -> Option<Live> {
        None
    }

    /// Stops reading what is being read.
    fn cancel(&mut self) {}

    /// Makes sessions of another method from now on.
    fn show_method(&mut self, _name: &str) {}

    /// Whether there will never be anything to see.
    fn ended(&mut self) -> bool {
        false
    }
}

/// Runs the inspector until the user leaves it, or a signal ends it.
///
/// # Errors
/// What the terminal says.
pub fn run(app: &mut App, feed: &mut dyn Feed) -> io::Result<()> {
    let signals = Signals::watch()?;
    let mut screen = Screen::open(app.mouse)?;
    let mut changed = true;
    let mut drawn = Instant::now();
    while !app.done && !feed.ended() && !signals.stop.load(Ordering::Relaxed) {
        if changed {
            screen.draw(app)?;
            (changed, drawn) = (false, Instant::now());
        }
        app.loading = feed.loading();
        app.live = feed.live();
        // Clocks go on without a key, and so does what is being made.
        let moves = app.is_busy() || app.live.is_some();
        changed |= moves && drawn.elapsed() >= TICK / 2;
        changed |= take_events(app)?;
        changed |= app.poll();
        // Asked also while keys are held down.
        if let Some(session) = feed.fresh() {
            app.replace(session);
            // What is there is no longer being read.
            app.loading = feed.loading();
            changed = true;
        }
        if std::mem::take(&mut app.cancel) {
            feed.cancel();
            app.loading = feed.loading();
            app.message = Some("nothing more is read".into());
            changed = true;
        }
        if let Some(name) = app.method.take() {
            feed.show_method(&name);
        }
        changed |= serve(app, &mut screen)?;
        if std::mem::take(&mut app.suspend) || signals.suspend.swap(false, Ordering::Relaxed) {
            screen.suspend()?;
        }
        if signals.resume.swap(false, Ordering::Relaxed) {
            screen.resume()?;
            changed = true;
        }
    }
    Ok(())
}

/// Handles the keys and the mouse, as many as come in a moment; whether any came.
fn take_events(app: &mut App) -> io::Result<bool> {
    let waits = app.is_busy();
    if !event::poll(if waits { BUSY } else { TICK })? {
        return Ok(false);
    }
    let begun = Instant::now();
    loop {
        match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => app.key(key),
            Event::Mouse(mouse) => app.mouse(mouse),
            Event::Paste(text) => app.paste(&text),
            _ => {}
        }
        let is_for_the_terminal =
            app.done || app.suspend || app.export.is_some() || app.clipboard.is_some();
        if is_for_the_terminal || begun.elapsed() > TOGETHER || !event::poll(Duration::ZERO)? {
            return Ok(true);
        }
    }
}

/// Does what the state wants of the terminal; whether there is anything new to say.
fn serve(app: &mut App, screen: &mut Screen) -> io::Result<bool> {
    if screen.mouse != app.mouse {
        screen.take_mouse(app.mouse)?;
    }
    if let Some(text) = app.clipboard.take() {
        screen.copy(&text)?;
    }
    let Some(kind) = app.export.take() else { return Ok(false) };
    app.message = Some(match export::write(app, kind, Path::new(".")) {
        Ok(path) => format!("written: {}", path.display()),
        Err(error) => format!("not written: {error}"),
    });
    Ok(true)
}

/// Flags that signals set: the terminal is put in order before the end, and
/// before the shell has it for a while.
struct Signals {
    stop: Arc<AtomicBool>,
    suspend: Arc<AtomicBool>,
    resume: Arc<AtomicBool>,
}

impl Signals {
    fn watch() -> io::Result<Self> {
        let new = || Arc::new(AtomicBool::new(false));
        let signals = Signals { stop: new(), suspend: new(), resume: new() };
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
            for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
                signal_hook::flag::register(signal, Arc::clone(&signals.stop))?;
            }
            signal_hook::flag::register(SIGTSTP, Arc::clone(&signals.suspend))?;
            signal_hook::flag::register(SIGCONT, Arc::clone(&signals.resume))?;
            watch(Arc::clone(&signals.stop));
        }
        Ok(signals)
    }
}

/// How long the drawing thread may take to leave after a signal.
#[cfg(unix)]
const LEAVE: std::time::Duration = std::time::Duration::from_secs(1);

/// Ends the process if a signal does not: on a terminal that is gone, reading
/// its keys never comes back.
#[cfg(unix)]
fn watch(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(TICK);
        }
        std::thread::sleep(LEAVE);
        let _ = restore();
        std::process::exit(1);
    });
}

/// The screen while the inspector has it.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Whether it has the mouse.
    mouse: bool,
}

impl Screen {
    fn open(mouse: bool) -> io::Result<Self> {
        let before = std::panic::take_hook();
        let drawing = std::thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == drawing {
                // Or the message would be drawn into the other screen.
                let _ = restore();
                before(panic);
                return;
            }
            // Work that nobody draws: the screen stays, and what broke is said later.
            let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
            broken.push(panic.to_string());
        }));
        let opened = enter(mouse).and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match opened {
            Ok(terminal) => Ok(Screen { terminal, mouse }),
            Err(error) => {
                let _ = restore();
                Err(error)
            }
        }
    }

    /// Draws at once what terminals that know how would else show piece by piece.
    fn draw(&mut self, app: &mut App) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| app.draw(frame))?;
        execute!(io::stdout(), EndSynchronizedUpdate)
    }

    /// Copies text to the clipboard, as far as the terminal takes it: OSC 52.
    fn copy(&mut self, text: &str) -> io::Result<()> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let mut stdout = io::stdout();
        write!(stdout, "\u{1b}]52;c;{encoded}\u{7}")?;
        stdout.flush()
    }

    fn take_mouse(&mut self, mouse: bool) -> io::Result<()> {
        self.mouse = mouse;
        match mouse {
            true => execute!(io::stdout(), EnableMouseCapture),
            false => execute!(io::stdout(), DisableMouseCapture),
        }
    }

    /// Gives the terminal back to the shell and stops, until that goes on with
    /// the inspector: then the signal for it was set.
    fn suspend(&mut self) -> io::Result<()> {
        #[cfg(unix)]
        {
            restore()?;
            signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        }
        Ok(())
    }

    /// Takes the terminal again, whatever was drawn on it meanwhile.
    fn resume(&mut self) -> io::Result<()> {
        enter(self.mouse)?;
        self.terminal.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = restore();
        let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
        for message in broken.drain(..) {
            eprintln!("etinspect: work beside the screen broke off: {message}");
        }
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
    if mouse { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) }
}

fn restore() -> io::Result<()> {
    disable_raw_mode()?;
    execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        ratatui::crossterm::cursor::Show
    )
}
