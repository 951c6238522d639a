//! The terminal: set up, drawn on, and left as it was, whatever happens.

use crate::app::App;
use crate::export;
use crate::live::{Live, Loading};
use crate::session::Session;
use base64::Engine;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use std::io::{self, Stdout, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often signals and growing files are looked at.
const TICK: Duration = Duration::from_millis(100);

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
    let stop = signals()?;
    let mut screen = Screen::open()?;
    let mut changed = true;
    while !app.done && !feed.ended() && !stop.load(Ordering::Relaxed) {
        if changed {
            screen.terminal.draw(|frame| app.draw(frame))?;
            changed = false;
        }
        app.loading = feed.loading();
        app.live = feed.live();
        // Clocks go on without a key.
        changed |= app.loading.is_some() || app.live.is_some();
        if event::poll(TICK)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => app.key(key),
                Event::Mouse(mouse) => app.mouse(mouse),
                _ => {}
            }
            changed = true;
        }
        changed |= app.poll();
        // Asked also while keys are held down.
        if let Some(session) = feed.fresh() {
            app.replace(session);
            changed = true;
        }
        if std::mem::take(&mut app.cancel) {
            feed.cancel();
        }
        if let Some(text) = app.clipboard.take() {
            screen.copy(&text)?;
        }
        if std::mem::take(&mut app.export) {
            app.message = Some(match export::write(app, Path::new(".")) {
                Ok(path) => format!("written: {}", path.display()),
                Err(error) => format!("not written: {error}"),
            });
        }
    }
    Ok(())
}

/// A flag that signals set: the terminal is put in order before the end.
fn signals() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
        signal_hook::consts::SIGQUIT,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    #[cfg(unix)]
    watch(Arc::clone(&stop));
    Ok(stop)
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
}

impl Screen {
    fn open() -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Or the message would be drawn into the other screen.
            let _ = restore();
            before(panic);
        }));
        enable_raw_mode()?;
        let mut stdout = io::stdout();
        let opened = execute!(stdout, EnterAlternateScreen, EnableMouseCapture)
            .and_then(|()| Terminal::new(CrosstermBackend::new(stdout)));
        match opened {
            Ok(terminal) => Ok(Screen { terminal }),
            Err(error) => {
                let _ = restore();
                Err(error)
            }
        }
    }

    /// Copies text to the clipboard, as far as the terminal takes it: OSC 52.
    fn copy(&mut self, text: &str) -> io::Result<()> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let mut stdout = io::stdout();
        write!(stdout, "\u{1b}]52;c;{encoded}\u{7}")?;
        stdout.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = restore();
    }
}

fn restore() -> io::Result<()> {
    disable_raw_mode()?;
    execute!(
        io::stdout(),
        DisableMouseCapture,
        LeaveAlternateScreen,
        ratatui::crossterm::cursor::Show
    )
}
