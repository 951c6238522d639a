//! The terminal inspector in a real terminal: tmux, where it is installed.

#![cfg(unix)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use support::{etinspect, fixture, model};

/// A terminal of its own, which ends with the test, where nothing is remembered
/// of another day.
struct Terminal {
    socket: String,
    home: tempfile::TempDir,
}

impl Terminal {
    /// A shell in a terminal of 100 by 30, or nothing if there is no tmux.
    fn open(name: &str) -> Option<Self> {
        let home = tempfile::tempdir().expect("a folder");
        let socket = format!("etinspect-{name}-{}", std::process::id());
        let terminal = Terminal { socket, home };
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: no tmux");
            return None;
        }
        let home = terminal.home.path().display();
        let shell = format!("env -u XDG_CONFIG_HOME -u XDG_STATE_HOME HOME='{home}' PS1='$ ' sh");
        terminal.tmux(&["new-session", "-d", "-x", "100", "-y", "30", &shell]);
        Some(terminal)
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket, "-f", "/dev/null"]).args(args);
        let ran = command.env_remove("TMUX").output().expect("tmux runs");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Waits until `wanted` is on the screen.
    #[track_caller]
    fn shows(&self, wanted: &str) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.tmux(&["capture-pane", "-p"]);
            if screen.contains(wanted) {
                return screen;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "no {wanted:?} in\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn start(&self, files: &[&Path]) {
        let program = env!("CARGO_BIN_EXE_etinspect");
        let files: Vec<String> = files.iter().map(|f| format!("'{}'", f.display())).collect();
        self.keys(&[&format!("{program} tui {}; echo left $?", files.join(" ")), "Enter"]);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn views_are_walked_resized_and_left() {
    let Some(terminal) = Terminal::open("walk") else { return };
    terminal.start(&[&model("lstm"), &fixture("traces/lstm__it10.etdp")]);
    terminal.shows("Verdict");
    for (key, wanted) in [
        ("2", "events, in the order of the trace"),
        ("3", "planned, live"),
        ("4", "the largest first"),
        ("5", "method forward("),
        ("6", "Nothing was found"),
        ("7", "tensors of method forward"),
        ("8", "Nothing to compare with was given"),
        ("?", "write the view to a file"),
    ] {
        terminal.keys(&[key]);
        terminal.shows(wanted);
    }
    terminal.keys(&["x", "5"]);
    terminal.tmux(&["resize-window", "-x", "60", "-y", "16"]);
    terminal.shows("5 Pro ");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
    // The same file again: the view is as it was left.
    terminal.start(&[&model("lstm"), &fixture("traces/lstm__it10.etdp")]);
    terminal.shows("method forward(");
    terminal.keys(&["q"]);
}

#[test]
fn a_connection_is_followed_and_recorded() {
    use std::io::Write;
    let Some(terminal) = Terminal::open("tcp") else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let source = format!("tcp://{}", listener.local_addr().expect("its address"));
    let record = terminal.home.path().join("uart.raw");
    let program = env!("CARGO_BIN_EXE_etinspect");
    let model = model("softmax");
    let command = format!(
        "{program} tui '{}' --follow {source} --record '{}'; echo left $?",
        model.display(),
        record.display()
    );
    terminal.keys(&[&command, "Enter"]);
    let (mut device, _) = listener.accept().expect("a connection");
    let line = b"I [executorch:arm_executor_runner.cpp:600] Model in 0x1000 $\r\n";
    device.write_all(line).expect("written");
    terminal.shows("quiet since");
    drop(device);
    terminal.shows("closed by the other side");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
    assert_eq!(std::fs::read(&record).expect("the record"), line);
}

#[test]
fn two_traces_stand_side_by_side() {
    let Some(terminal) = Terminal::open("diff") else { return };
    terminal.start(&[&fixture("traces/linear__it3.etdp"), &fixture("traces/linear__it10.etdp")]);
    terminal.shows("No program");
    terminal.keys(&["8"]);
    terminal.shows("base median");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
}

#[test]
fn a_configuration_with_a_mistake_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.toml");
    std::fs::write(&file, "[keys]\nquti = \"Q\"").expect("written");
    let ran = etinspect([
        "tui".into(),
        model("softmax").into_os_string(),
        "--config".into(),
        file.into_os_string(),
    ]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("did you mean \"quit\"?"), "{}", ran.stderr);
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    for signal in ["TERM", "INT", "HUP", "QUIT"] {
        let Some(terminal) = Terminal::open(signal) else { return };
        terminal.start(&[&model("softmax")]);
        terminal.shows("Verdict");
        let shell = terminal.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let ran = Command::new("pkill")
            .args([&format!("-{signal}"), "-P", shell.trim(), "etinspect"])
            .status()
            .expect("pkill runs");
        assert!(ran.success(), "{signal}");
        terminal.shows("left 0");
        terminal.keys(&["stty -a", "Enter"]);
        let screen = terminal.shows(" icanon");
        assert!(screen.contains(" echo ") && !screen.contains("-icanon"), "{signal}: {screen}");
    }
}

#[test]
fn it_ends_with_its_terminal() {
    let Some(terminal) = Terminal::open("gone") else { return };
    terminal.start(&[&model("softmax")]);
    terminal.shows("1 Overview");
    let shell = terminal.tmux(&["display-message", "-p", "#{pane_pid}"]);
    let inspector = || {
        let ran = Command::new("pgrep").args(["-P", shell.trim()]).output();
        let ids = ran.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned());
        ids.unwrap_or_default().lines().next().map(str::to_owned)
    };
    let Some(inspector) = inspector() else { return };
    terminal.tmux(&["kill-server"]);
    // A process that ended may stay as a zombie until its parent looks.
    let state = Path::new("/proc").join(inspector).join("stat");
    let runs = || std::fs::read_to_string(&state).is_ok_and(|stat| !stat.contains(") Z "));
    let begun = Instant::now();
    while runs() {
        assert!(begun.elapsed() < Duration::from_secs(15), "still there: {}", state.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn without_a_terminal_it_says_what_prints() {
    let ran = etinspect(["tui".into(), model("softmax").into_os_string()]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("needs a terminal"), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_nothing_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nothing.bin");
    std::fs::write(&file, b"neither this nor that").expect("written");
    let ran = etinspect(["tui".into(), file.into_os_string()]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("is no program, trace, ETRecord, journal"), "{}", ran.stderr);
}
