//! The terminal inspector in a real terminal: tmux, where it is installed.

#![cfg(unix)]

mod support;

use et_tui::{App, Feed, Inputs, Session, Theme};
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
        self.start_with(files, "");
    }

    fn start_with(&self, files: &[&Path], options: &str) {
        let program = env!("CARGO_BIN_EXE_etinspect");
        let files: Vec<String> = files.iter().map(|f| format!("'{}'", f.display())).collect();
        let command = format!("{program} tui {} {options}; echo left $?", files.join(" "));
        self.keys(&[&command, "Enter"]);
    }

    /// Sends a signal to the inspector.
    fn signal(&self, signal: &str) {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let ran = Command::new("pkill")
            .args([&format!("-{signal}"), "-P", shell.trim(), "etinspect"])
            .status()
            .expect("pkill runs");
        assert!(ran.success(), "{signal}");
    }

    /// What is typed is a line again, and seen.
    #[track_caller]
    fn is_sane(&self, after: &str) {
        self.keys(&["clear; stty -a", "Enter"]);
        let screen = self.shows(" icanon");
        assert!(screen.contains(" echo ") && !screen.contains("-icanon"), "{after}: {screen}");
        let mode = self.tmux(&["display-message", "-p", "#{alternate_on}#{mouse_any_flag}"]);
        assert_eq!(mode.trim(), "00", "{after}: another screen, or the mouse");
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
fn a_large_file_is_there_when_it_is_read_without_a_key() {
    let Some(terminal) = Terminal::open("large") else { return };
    // More than is read at once: a program with nothing behind its end.
    let large = terminal.home.path().join("large.pte");
    let mut bytes = std::fs::read(model("softmax")).expect("the program");
    bytes.resize(9 << 20, 0);
    std::fs::write(&large, bytes).expect("written");
    terminal.start(&[&large]);
    terminal.shows("Verdict");
    let begun = Instant::now();
    while terminal.tmux(&["capture-pane", "-p"]).contains("Esc cancels") {
        assert!(begun.elapsed() < Duration::from_secs(20), "still said to be read");
        std::thread::sleep(Duration::from_millis(50));
    }
    terminal.keys(&["q"]);
    terminal.shows("left 0");
}

#[test]
fn reading_is_cancelled() {
    let Some(terminal) = Terminal::open("cancel") else { return };
    // A dump in which a journal is looked for, which takes longer than to press a key.
    let dump = terminal.home.path().join("ram.bin");
    std::fs::write(&dump, vec![0x4a; 64 << 20]).expect("written");
    terminal.start(&[&dump]);
    terminal.shows("Esc cancels");
    terminal.keys(&["Escape"]);
    let screen = terminal.shows("nothing more is read");
    assert!(screen.contains("No program") && !screen.contains("are being read"), "{screen}");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
}

#[test]
fn a_log_that_is_still_empty_is_followed() {
    let Some(terminal) = Terminal::open("empty") else { return };
    let log = terminal.home.path().join("uart.txt");
    std::fs::write(&log, b"").expect("written");
    terminal.start_with(&[&fixture("user_report/toy_linear_3_3.pte"), &log], "--follow");
    terminal.shows("quiet since");
    // Nothing that is known yet, and then the device's whole log.
    std::fs::write(&log, b"boot\n").expect("written");
    terminal.shows(", 5 B");
    std::fs::copy(fixture("user_report/linear.log"), &log).expect("written");
    terminal.shows("In flight: 0:0 or a later one");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
}

#[test]
fn a_file_that_is_none_of_ours_leaves_the_screen_alone() {
    let Some(terminal) = Terminal::open("other") else { return };
    let other = terminal.home.path().join("other.bin");
    std::fs::write(&other, b"nothing of ours").expect("written");
    terminal.start(&[&model("softmax"), &other]);
    let screen = terminal.shows("left 2");
    assert!(screen.contains("is no program, trace"), "{screen}");
    terminal.is_sane("an error before the first screen");
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
        terminal.signal(signal);
        terminal.shows("left 0");
        terminal.is_sane(signal);
    }
}

#[test]
fn it_is_suspended_and_goes_on() {
    let Some(terminal) = Terminal::open("suspend") else { return };
    terminal.start(&[&model("softmax")]);
    terminal.shows("Verdict");
    // The key, and the signal from elsewhere.
    terminal.keys(&["C-z"]);
    terminal.shows("topped");
    terminal.is_sane("C-z");
    terminal.keys(&["fg", "Enter"]);
    terminal.shows("Verdict");
    terminal.keys(&["5"]);
    terminal.shows("method forward(");
    terminal.signal("TSTP");
    terminal.shows("topped");
    terminal.is_sane("TSTP");
    terminal.keys(&["clear; fg; echo left $?", "Enter"]);
    terminal.shows("method forward(");
    terminal.keys(&["q"]);
    // What is typed before it is gone would be its own.
    terminal.shows("left 0");
    terminal.is_sane("after it went on");
}

/// What the child of the next test does: `draw` and `beside` say where it panics.
const PANICS: &str = "ETINSPECT_TEST_PANICS";

struct Panics(u32);

impl Feed for Panics {
    fn fresh(&mut self) -> Option<Session> {
        self.0 += 1;
        let place = std::env::var(PANICS).unwrap_or_default();
        match (self.0, place.as_str()) {
            (3, "draw") => panic!("on the drawing thread"),
            (3, _) => drop(std::thread::spawn(|| panic!("beside it")).join()),
            _ => {}
        }
        None
    }

    fn ended(&mut self) -> bool {
        self.0 > 8
    }
}

#[test]
fn a_panic_leaves_the_terminal_as_it_was_and_its_message_in_sight() {
    if std::env::var_os(PANICS).is_some() {
        let session = Session::new(Inputs::default()).expect("nothing to read");
        et_tui::run(&mut App::new(session, Theme::default()), &mut Panics(0)).expect("a terminal");
        return;
    }
    let test = "a_panic_leaves_the_terminal_as_it_was_and_its_message_in_sight";
    let own = std::env::current_exe().expect("this program");
    for (place, status) in [("draw", 101), ("beside", 0)] {
        let Some(terminal) = Terminal::open(place) else { return };
        let run = format!("{PANICS}={place} '{}' --exact {test} --nocapture", own.display());
        terminal.keys(&[&format!("{run}; echo left $?"), "Enter"]);
        let screen = terminal.shows(&format!("left {status}"));
        let message = if place == "draw" { "on the drawing thread" } else { "broke off" };
        assert!(screen.contains(message), "{screen}");
        terminal.is_sane(place);
    }
}

/// What a board's memory has when the program hangs in its second instruction: a
/// journal, and around it what else is in memory.
fn memory_dump(program: &Path) -> Vec<u8> {
    use et_schema::ids::{ChainId, InstructionId};
    use etdump::journal::{Config, Detail, Journal, JournalTracer, program_id};
    use etdump::{Place, SystemClock, Tracer};
    use std::sync::atomic::{AtomicU32, Ordering};
    let words: Vec<AtomicU32> = (0..512).map(|_| AtomicU32::new(0)).collect();
    let mut config = Config::for_bytes(2048);
    config.ticks_per_second = 1_000_000_000;
    config.program_id = program_id(&std::fs::read(program).expect("the program"));
    let journal = Journal::create(&words, config).expect("a journal");
    let clock = SystemClock::default();
    let mut journal = JournalTracer::new(journal, clock, Detail::Kernels, "forward");
    let place = |index| Place::Instruction(ChainId(0), InstructionId(index));
    journal.begin_run("Execute", &[]);
    journal.begin("Method::execute", Place::Method);
    let first = journal.begin("OPERATOR_CALL", place(0));
    journal.end("OPERATOR_CALL", place(0), first);
    journal.begin("OPERATOR_CALL", place(1));
    let mut state = 1u32;
    let mut noise = |count: usize| -> Vec<u8> {
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(count)
        .collect()
    };
    let mut dump = noise(0x7c40);
    dump.extend(words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()));
    dump.extend(noise(0x8000));
    dump
}

#[test]
fn the_reported_hang_stands_on_the_first_screen_of_a_memory_dump() {
    let Some(terminal) = Terminal::open("dump") else { return };
    let program = fixture("user_report/toy_linear_3_3.pte");
    let dump = terminal.home.path().join("ram.bin");
    std::fs::write(&dump, memory_dump(&program)).expect("written");
    for (width, height) in [("60", "16"), ("100", "30")] {
        terminal.tmux(&["resize-window", "-x", width, "-y", height]);
        terminal.start(&[&program, &dump]);
        // No key was pressed.
        let screen = terminal.shows("In flight: 0:1");
        assert!(screen.contains("aten::addmm.out"), "{screen}");
        terminal.keys(&["q"]);
        terminal.shows("left 0");
        terminal.keys(&["clear", "Enter"]);
    }
}

#[test]
fn a_serial_port_is_followed_and_says_since_when_it_is_quiet() {
    let Some(terminal) = Terminal::open("serial") else { return };
    // Another terminal is the port: what is typed into it comes out of its device.
    let port: &[&str] = &["new-window", "-d", "-n", "port", "stty raw -echo; sleep 600"];
    terminal.tmux(port);
    let device = terminal.tmux(&["display-message", "-p", "-t", "port", "#{pane_tty}"]);
    let program = fixture("user_report/toy_linear_3_3.pte");
    let record = terminal.home.path().join("uart.raw");
    let options = format!("--follow {} --record '{}'", device.trim(), record.display());
    terminal.start_with(&[&program], &options);
    terminal.shows("Verdict");
    let log = std::fs::read_to_string(fixture("user_report/linear.log")).expect("the log");
    for line in log.lines() {
        terminal.tmux(&["send-keys", "-t", "port", "-l", &format!("{line}\n")]);
    }
    terminal.shows("In flight: 0:0");
    terminal.shows("quiet, 0:0 aten::permute_copy.out in flight since");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
    // Another day, without the board.
    terminal.start(&[&program, &record]);
    terminal.shows("In flight: 0:0");
    terminal.keys(&["q"]);
}

#[test]
fn a_file_is_followed_as_it_grows() {
    let Some(terminal) = Terminal::open("grows") else { return };
    let program = fixture("user_report/toy_linear_3_3.pte");
    let log = std::fs::read_to_string(fixture("user_report/linear.log")).expect("the log");
    let (loaded, rest) = log.split_at(log.find("Starting the model").expect("the last line"));
    let file = terminal.home.path().join("uart.txt");
    std::fs::write(&file, loaded).expect("written");
    terminal.start_with(&[&program, &file], "--follow");
    let before = terminal.shows("Verdict");
    assert!(!before.contains("In flight"), "{before}");
    std::fs::write(&file, format!("{loaded}{rest}")).expect("written");
    terminal.shows("In flight: 0:0");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
}

#[test]
fn a_run_is_followed_to_its_trace_and_values() {
    let Some(terminal) = Terminal::open("run") else { return };
    terminal.start_with(&[&model("linear")], "--run -- --iterations 3");
    terminal.shows("ended after");
    terminal.shows("3 executions");
    terminal.keys(&["2"]);
    terminal.shows("native_call_addmm.out");
    terminal.keys(&["7", "G"]);
    terminal.shows("run 0 (1 of");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
    terminal.keys(&["clear", "Enter"]);
    terminal.start_with(&[&model("linear")], "--run -- --planned-pool 10");
    terminal.shows("failed with status 4");
    terminal.keys(&["q"]);
    terminal.shows("left 0");
}

#[test]
fn the_mouse_clicks_rows_and_tabs_and_can_be_left_to_the_terminal() {
    let Some(terminal) = Terminal::open("mouse") else { return };
    terminal.start(&[&model("lstm"), &fixture("traces/lstm__it10.etdp")]);
    terminal.shows("Verdict");
    let click = |column: u16, row: u16| {
        for end in ["M", "m"] {
            terminal.keys(&["-l", &format!("\u{1b}[<0;{column};{row}{end}")]);
        }
    };
    // The tab of the events, the head of their names, and the third row.
    click(18, 1);
    terminal.shows("events, in the order of the trace");
    click(2, 3);
    terminal.shows("event▲");
    terminal.keys(&["g"]);
    terminal.shows(" 1/80");
    click(4, 6);
    terminal.shows("3/");
    let flag = || terminal.tmux(&["display-message", "-p", "#{mouse_any_flag}"]);
    assert_eq!(flag().trim(), "1");
    terminal.keys(&["X"]);
    terminal.shows("left to the terminal");
    assert_eq!(flag().trim(), "0");
    terminal.keys(&["q"]);
}

#[test]
fn a_locale_without_unicode_gets_ascii() {
    let Some(terminal) = Terminal::open("ascii") else { return };
    terminal.keys(&["export LC_ALL=C", "Enter"]);
    terminal.start(&[&model("lstm"), &fixture("traces/lstm__it10.etdp")]);
    for (key, wanted) in
        [("1", "Verdict"), ("3", "planned, live"), ("4", "live here"), ("?", "keys")]
    {
        terminal.keys(&[key]);
        let screen = terminal.shows(wanted);
        let odd = screen.chars().find(|letter| !letter.is_ascii());
        assert_eq!(odd, None, "{screen}");
    }
    terminal.keys(&["q", "q"]);
    terminal.shows("left 0");
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
    let ran = etinspect(["tui"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("etinspect tui MODEL.pte"), "{}", ran.stderr);
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
