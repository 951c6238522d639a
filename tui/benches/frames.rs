//! A trace of ten million events, and a program of 100,000 instructions with its
//! trace: from the files to the first frame, and each frame while scrolling,
//! sorting, filtering, searching, zooming and panning.
//!
//! `cargo bench -p et-tui --bench frames` prints the times. `EVENTS` in the
//! environment is another number of events, `STEPS` of instructions.

use criterion::{Criterion, criterion_group, criterion_main};
use et_inspector::events::EventBlocks;
use et_schema::etdump::File as Trace;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::File;
use et_tui::{App, Bytes, Inputs, Loading, Progress, Session, Theme};
use etdump::{Contents, EtDumpWriter, Place, Ticks, Tracer};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::hint::black_box;
use std::time::{Duration, Instant};

#[path = "../../inspector/tests/support/generate.rs"]
#[allow(dead_code, reason = "not every test uses all of it")]
mod generate;

/// Instructions of the program that ran.
const INSTRUCTIONS: u32 = 1000;

/// Size of the screen.
const SIZE: (u16, u16) = (200, 60);

/// A trace of so many events, in executions of so many kernels each.
fn trace(events: u32, instructions: u32) -> Vec<u8> {
    let mut now = 0u64;
    let clock = move || {
        now += 100 + now % 37;
        Ticks(now)
    };
    let mut writer = EtDumpWriter::new(clock, Contents::Full);
    for _ in 0..events / instructions {
        writer.begin_run("Execute", &[]);
        let run = writer.begin("Method::execute", Place::Method);
        for index in 0..instructions {
            let name = ["native_call_add.out", "native_call_mul.out"][index as usize % 2];
            let place = Place::Instruction(ChainId(0), InstructionId(index));
            let begun = writer.begin(name, place);
            writer.end(name, place, begun);
        }
        writer.end("Method::execute", Place::Method, run);
    }
    writer.finish().bytes
}

struct Screen(Terminal<TestBackend>);

impl Screen {
    fn new() -> Self {
        Screen(Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a terminal"))
    }

    /// Time from a key press to the frame that shows it: by the clock, and what the
    /// thread had of a processor, which others may need as well.
    fn press(&mut self, app: &mut App, key: KeyCode) -> [Duration; 2] {
        self.frame(app, |app| {
            app.key(KeyEvent::new(key, KeyModifiers::NONE));
            app.poll();
        })
    }

    /// The same with a break, as typing has, in which other threads may have done
    /// with it: the frames that show it.
    fn type_one(&mut self, app: &mut App, key: KeyCode) -> Vec<[Duration; 2]> {
        let mut frames = vec![self.press(app, key)];
        let begun = Instant::now();
        while app.is_busy() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
            frames.push(self.frame(app, |app| {
                app.poll();
            }));
        }
        frames
    }

    fn frame(&mut self, app: &mut App, before: impl FnOnce(&mut App)) -> [Duration; 2] {
        let (begun, busy) = (Instant::now(), on_processor());
        before(app);
        self.0.draw(|frame| app.draw(frame)).expect("drawn");
        [begun.elapsed(), on_processor().saturating_sub(busy)]
    }
}

/// Time that this thread had of a processor, where Linux tells; else none.
fn on_processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = stat.split(' ').next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.unwrap_or(0))
}

fn report(name: &str, times: Vec<[Duration; 2]>) {
    for (kind, what) in ["by the clock", "of a processor"].into_iter().enumerate() {
        let mut times: Vec<Duration> = times.iter().map(|both| both[kind]).collect();
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        let (half, p99, most) = (at(0.5), at(0.99), at(1.0));
        println!("{name}: {} frames {what}: p50 {half:?}, p99 {p99:?}, max {most:?}", times.len());
    }
}

/// Resident memory, where the system tells.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or("unknown".into(), |line| line.trim().to_owned())
}

/// A number in the environment.
fn number(name: &str) -> Option<u32> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn frames(criterion: &mut Criterion) {
    let mut screen = Screen::new();
    large_program(&mut screen, number("STEPS").unwrap_or(100_000));
    let events = number("EVENTS").unwrap_or(10_000_000);
    let bytes = trace(events, INSTRUCTIONS);
    println!("{} bytes of trace; resident {}", bytes.len(), resident());

    let mut app = first_frame(&mut screen, bytes.len());
    let begun = Instant::now();
    let file = Trace::recover(&bytes).expect("a trace");
    drop(EventBlocks::of(&file));
    println!("the library's table of events alone: {:?}", begun.elapsed());
    let begun = Instant::now();
    let inputs = Inputs { title: "trace.etdp", trace: Some(&file), ..Inputs::default() };
    let session = Session::new(inputs).expect("a session");
    println!("all events read, on the other thread: {:?}", begun.elapsed());
    app.loading = None;
    let begun = Instant::now();
    app.replace(session);
    screen.0.draw(|frame| app.draw(frame)).expect("drawn");
    println!("frame with the events: {:?}; resident {}", begun.elapsed(), resident());

    for (name, view, keys) in [
        ("events, scrolling", '2', "jjjjjjjjkjG jjjjg"),
        ("events, sorting and grouping", '2', "ssssrvvv"),
        ("timeline, zooming and panning", '3', "++++lllhhl----+-+lllll"),
        ("timeline, deep zoom", '3', "+++++++++++++++lhlhlh"),
        ("overview", '1', "jkjk"),
    ] {
        screen.press(&mut app, KeyCode::Char(view));
        let keys = keys.chars().cycle().take(300);
        report(name, keys.map(|key| screen.press(&mut app, KeyCode::Char(key))).collect());
    }

    // For comparison with the run before.
    app.key(KeyEvent::new(KeyCode::Char('3'), KeyModifiers::NONE));
    criterion.bench_function("timeline frame", |b| {
        b.iter(|| {
            screen.0.draw(|frame| app.draw(frame)).expect("drawn");
            black_box(&app);
        });
    });
    drop(app);
    drop(bytes);
    many_rows(&mut screen, events / 10);
}

/// The first frame does not wait for the files.
fn first_frame(screen: &mut Screen, bytes: usize) -> App {
    let begun = Instant::now();
    let empty = Session::new(Inputs::default()).expect("nothing to read");
    let mut app = App::new(empty, Theme::default());
    app.loading = Some(Loading {
        name: "trace.etdp".into(),
        bytes: bytes as u64,
        since: Duration::ZERO,
        progress: Progress::default(),
    });
    screen.0.draw(|frame| app.draw(frame)).expect("drawn");
    println!("first frame, still reading: {:?}", begun.elapsed());
    app
}

/// A program of many instructions with the trace of three executions.
fn large_program(screen: &mut Screen, steps: u32) {
    let program = Bytes::new(generate::program(steps as usize));
    let bytes = trace(3 * steps, steps);
    println!("{steps} instructions: {} bytes of program", program.as_slice().len());
    let mut app = first_frame(screen, program.as_slice().len() + bytes.len());
    let begun = Instant::now();
    let file = File::parse(program.as_slice()).expect("a program");
    let trace = Trace::recover(&bytes).expect("a trace");
    let inputs = Inputs {
        title: "large.pte",
        program: Some(&file),
        program_bytes: Some(&program),
        trace: Some(&trace),
        ..Inputs::default()
    };
    let session = Session::new(inputs).expect("a session");
    println!("program and trace read, on the other thread: {:?}", begun.elapsed());
    app.loading = None;
    let shown = screen.frame(&mut app, |app| app.replace(session));
    println!("frame with them: {:?} by the clock; resident {}", shown[0], resident());
    for (name, keys) in [
        ("program, scrolling", "5jjjjjjjjkjG jjjjgjjjj"),
        ("program, unfolding", "5jzjzZjjzZ"),
        ("program, jumping", "5SudbbPuu5bbBi"),
        ("program, filtering", "5&add 0:99\n&tensor:x\n\u{1b}"),
        ("program, searching", "5/add 99\nnN"),
        ("tensors, scrolling", "7jjjjjjjjkjG jjjjgjjjj"),
        ("tensors, filtering", "7&bytes>2K '99\n&dtype:x\n\u{1b}"),
        ("tensors, searching", "7/%99 float\nnN"),
        ("memory, scrolling", "4jjhhPjjlll"),
        ("timeline, zooming", "3+++jj--0jj"),
        ("events, sorting and filtering", "2srs&add >9\nv\u{1b}vv"),
        ("from view to view", "1234567812345678"),
    ] {
        let keys = keys.chars().cycle().take(120).map(code);
        let mut frames: Vec<_> = keys.flat_map(|key| screen.type_one(&mut app, key)).collect();
        // What lies over the view, and what is filtered, is no part of the next.
        for _ in 0..3 {
            frames.extend(screen.type_one(&mut app, KeyCode::Esc));
        }
        report(name, frames);
    }
}

/// A key by its letter.
fn code(key: char) -> KeyCode {
    match key {
        '\n' => KeyCode::Enter,
        '\u{1b}' => KeyCode::Esc,
        key => KeyCode::Char(key),
    }
}

/// One execution of very many instructions, each a row of its own: what is
/// sorted, filtered and searched takes longer than a frame, off the drawing thread.
fn many_rows(screen: &mut Screen, rows: u32) {
    let bytes = trace(rows, rows);
    let file = Trace::recover(&bytes).expect("a trace");
    let begun = Instant::now();
    let blocks = EventBlocks::of(&file);
    println!("the library's table of {rows} rows alone: {:?}", begun.elapsed());
    let begun = Instant::now();
    let none = et_inspector::correlate::Correlation::default();
    let by = et_inspector::events::GroupBy::Instruction;
    let groups = et_inspector::events::Groups::of(&blocks, &none, by);
    println!("the library's {} groups of them: {:?}", groups.groups.len(), begun.elapsed());
    drop((blocks, groups));
    let begun = Instant::now();
    let inputs = Inputs { title: "rows.etdp", trace: Some(&file), ..Inputs::default() };
    let mut app = App::new(Session::new(inputs).expect("a session"), Theme::default());
    settle(&mut app);
    println!("{rows} rows read: {:?}; resident {}", begun.elapsed(), resident());
    for (name, keys) in [
        ("rows, scrolling", "2jjjjjjjjkjG jjjjg"),
        ("rows, sorting and reversing", "2sssrssrs"),
        ("rows, filtering as one types", "2&mul sum>1us\n\u{1b}"),
        ("rows, searching as one types", "2/add 99\u{1b}"),
        ("rows, timeline", "3++lh--0jk"),
        ("rows, overview", "1jk"),
    ] {
        let keys = keys.chars().cycle().take(200).map(code);
        report(name, keys.map(|key| screen.press(&mut app, key)).collect());
        settle(&mut app);
    }
}

/// Waits for what other threads make.
fn settle(app: &mut App) {
    let begun = Instant::now();
    while app.is_busy() && begun.elapsed() < Duration::from_secs(30) {
        app.poll();
        std::thread::sleep(Duration::from_millis(1));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(2));
    targets = frames
}
criterion_main!(benches);
