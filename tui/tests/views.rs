//! Every view over real files, at three sizes, and key by key.

use et_schema::etdump::File as Trace;
use et_schema::pte::File;
use et_tui::{App, Bytes, Inputs, Live, Loading, Progress, Session, Theme, View};
use etdump::journal::Snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fs;
use std::path::{Path, PathBuf};

const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (120, 40)];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

fn session(model: &str, trace: Option<&str>, title: &str) -> Session {
    let program = fs::read(fixture(&format!("models/{model}/model.pte"))).expect("the program");
    let file = File::parse(&program).expect("a program");
    let bytes = trace.map(|trace| fs::read(fixture(&format!("traces/{trace}.etdp"))).expect("it"));
    let trace = bytes.as_deref().map(|bytes| Trace::parse(bytes).expect("a trace"));
    let inputs = Inputs { title, program: Some(&file), trace: trace.as_ref(), ..Inputs::default() };
    Session::new(inputs).expect("a session")
}

fn plain() -> Theme {
    Theme { color: false, ..Theme::default() }
}

fn screen(app: &mut App, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| app.draw(frame)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let line = |y: u16| -> String { (0..width).map(|x| buffer[(x, y)].symbol()).collect() };
    (0..height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
}

fn press(app: &mut App, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            key => KeyCode::Char(key),
        };
        app.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
}

#[test]
fn every_view_at_every_size() {
    let cases = [
        ("linear", Some("linear__it3")),
        ("lstm", Some("lstm__it10")),
        ("mv2_w010", None),
        ("xnn_cnn", Some("xnn_cnn__it3")),
    ];
    for (model, trace) in cases {
        let mut app = App::new(session(model, trace, model), plain());
        for (key, name) in "123456".chars().zip(["over", "even", "time", "memo", "prog", "find"]) {
            press(&mut app, &key.to_string());
            for size in SIZES {
                let (width, height) = size;
                let name = format!("{model}_{name}_{width}x{height}");
                insta::assert_snapshot!(name, screen(&mut app, size));
            }
        }
    }
}

#[test]
fn help_and_commands_lie_over_the_view() {
    let mut app = App::new(session("softmax", None, "softmax"), plain());
    press(&mut app, "?");
    insta::assert_snapshot!("help", screen(&mut app, (100, 30)));
    press(&mut app, "x:mem");
    insta::assert_snapshot!("commands", screen(&mut app, (100, 30)));
    press(&mut app, "\n");
    assert_eq!(app.view, View::Memory);
}

#[test]
fn an_event_is_followed_into_the_program_and_back() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    press(&mut app, "2&sigmoid\n");
    press(&mut app, "\n");
    assert_eq!(app.view, View::Program);
    let there = app.site().expect("an instruction");
    press(&mut app, "u");
    assert_ne!(app.site(), Some(there), "the producer is another instruction");
    press(&mut app, "b");
    assert_eq!(app.site(), Some(there));
    press(&mut app, "b");
    assert_eq!(app.view, View::Events);
}

#[test]
fn the_selection_is_the_same_in_all_views() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    press(&mut app, "5gjjjj");
    let site = app.site();
    for key in "4315".chars() {
        press(&mut app, &key.to_string());
        assert_eq!(app.site(), site, "after {key}");
    }
    press(&mut app, "P");
    assert_eq!(app.view, View::Memory);
    let peak = app.session.memory.as_ref().expect("memory").peak;
    assert_eq!(app.step, peak);
}

#[test]
fn filters_keep_lines_and_escape_shows_all_again() {
    let mut app = with_values("mlp_stacktrace", "mlp_stacktrace__it1_dbg");
    for (key, filter) in [('2', "'addmm"), ('5', "'addmm"), ('7', "place:constant bytes>=64")] {
        press(&mut app, &key.to_string());
        let all = app.len();
        press(&mut app, &format!("&{filter}\n"));
        assert!(app.len() < all && !app.is_empty(), "{filter}: {} of {all}", app.len());
        let text = screen(&mut app, (120, 40));
        assert!(text.contains(&format!("matching \"{filter}\"")), "{text}");
        press(&mut app, "\u{1b}");
        assert_eq!(app.len(), all, "{filter}");
        assert!(!app.done);
    }
}

#[test]
fn a_search_finds_everything_and_goes_to_the_next() {
    let mut app = with_values("mlp_stacktrace", "mlp_stacktrace__it1_dbg");
    press(&mut app, "/addmm");
    let text = screen(&mut app, (100, 30));
    for kind in ["event", "instruction"] {
        assert!(text.contains(kind), "{kind} in\n{text}");
    }
    press(&mut app, "\n");
    let first = (app.view, app.step);
    press(&mut app, "n");
    assert_ne!((app.view, app.step), first);
    press(&mut app, "N");
    assert_eq!((app.view, app.step), first);
    press(&mut app, "/%0 float\n");
    assert_eq!(app.view, View::Tensors);
    press(&mut app, "/no such thing anywhere\n");
    assert!(screen(&mut app, (100, 30)).contains("nothing matches"));
}

#[test]
fn time_is_zoomed_and_panned_within_the_trace() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    let whole = app.window;
    press(&mut app, "3+++");
    let (from, to) = app.window;
    assert!(to - from < whole.1 - whole.0);
    press(&mut app, &"l".repeat(40));
    assert_eq!(app.window.1, whole.1, "not beyond the end");
    press(&mut app, &"h".repeat(80));
    assert_eq!(app.window.0, whole.0, "not before the beginning");
    press(&mut app, &"-".repeat(40));
    assert_eq!(app.window, whole);
}

#[test]
fn what_is_in_flight_stands_on_the_first_screen() {
    let program = fs::read(fixture("models/linear/model.pte")).expect("the program");
    let file = File::parse(&program).expect("a program");
    let journal = hanging(&program);
    let inputs = Inputs {
        title: "linear",
        program: Some(&file),
        journal: Some(&journal),
        ..Inputs::default()
    };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    let first = screen(&mut app, (80, 24));
    assert!(first.contains("In flight: 0:0"), "{first}");
    assert_eq!(app.step, 0);
}

/// The journal of a run that stopped in its first instruction.
fn hanging(program: &[u8]) -> Snapshot {
    use etdump::journal::{Config, Detail, Journal, JournalTracer, program_id};
    use etdump::{Place, SystemClock, Tracer};
    let words: Vec<std::sync::atomic::AtomicU32> =
        (0..1024).map(|_| std::sync::atomic::AtomicU32::new(0)).collect();
    let mut config = Config::for_bytes(4096);
    config.ticks_per_second = 1_000_000_000;
    config.program_id = program_id(program);
    let journal = Journal::create(&words, config).expect("a journal");
    let mut journal =
        JournalTracer::new(journal, SystemClock::default(), Detail::Kernels, "forward");
    let place = Place::Instruction(et_schema::ids::ChainId(0), et_schema::ids::InstructionId(0));
    journal.begin_run("Execute", &[]);
    journal.begin("Method::execute", Place::Method);
    journal.begin("OPERATOR_CALL", place);
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|word| word.load(std::sync::atomic::Ordering::Relaxed).to_le_bytes())
        .collect();
    Snapshot::parse(&bytes).expect("a journal")
}

#[test]
fn a_board_shows_what_it_has() {
    let program = fs::read(fixture("models/mv2_w010/model.pte")).expect("the program");
    let file = File::parse(&program).expect("a program");
    let target = et_inspector::target::find("corstone-300").expect("the board");
    let inputs =
        Inputs { title: "mv2", program: Some(&file), target: Some(&target), ..Inputs::default() };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    insta::assert_snapshot!("board", screen(&mut app, (100, 30)));
}

#[test]
fn names_reach_the_screen_without_control_characters() {
    let title = "a\u{1b}[31mb\u{202e}日本";
    let mut app = App::new(session("softmax", None, title), plain());
    for size in SIZES {
        let text = screen(&mut app, size);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
}

#[test]
fn no_size_and_no_key_is_a_panic() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    let keys = "12345678jkgG+-0hlPSiudsrvczZMaBb'nN?x/zz\n:zz\n&zz\ny wWX\u{1b}";
    for size in [(1, 1), (10, 4), (40, 8), (41, 9), (300, 100)] {
        for key in keys.chars() {
            press(&mut app, &key.to_string());
            screen(&mut app, size);
        }
        app.done = false;
    }
    let mut app = App::new(Session::new(Inputs::default()).expect("nothing"), plain());
    for key in keys.chars() {
        press(&mut app, &key.to_string());
        screen(&mut app, (80, 24));
    }
}

fn grouped(model: &str, trace: &str) -> App {
    let read = |path: String| fs::read(fixture(&path)).expect("a fixture");
    let program = read(format!("models/{model}/model.pte"));
    let bytes = read(format!("traces/{trace}.etdp"));
    let record = read(format!("traces/{model}.etrecord"));
    let file = File::parse(&program).expect("a program");
    let trace = Trace::parse(&bytes).expect("a trace");
    let record = et_schema::etrecord::File::parse(&record).expect("a record");
    let inputs = Inputs {
        title: model,
        program: Some(&file),
        trace: Some(&trace),
        record: Some(&record),
        ..Inputs::default()
    };
    App::new(Session::new(inputs).expect("a session"), plain())
}

#[test]
fn groups_add_up_to_the_whole_and_one_key_goes_through_them() {
    let mut app = grouped("xnn_cnn", "xnn_cnn__it3");
    press(&mut app, "2");
    let events = app.len();
    let mut totals = Vec::new();
    for name in ["operators", "delegates", "instructions", "modules", "source"] {
        press(&mut app, "v");
        let text = screen(&mut app, (100, 30));
        let title = text.lines().nth(1).expect("a title").to_owned();
        assert!(title.contains(&name[..6]), "{title}");
        // What is shown is all that there is: "sum of total" with both the same.
        let (_, sums) = title.rsplit_once(": ").expect("sums");
        let (sum, total) = sums.split_once(" of ").expect("two sums");
        assert_eq!(sum.trim(), total.trim());
        totals.push(total.trim().to_owned());
        for size in SIZES {
            let name = format!("by_{name}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, screen(&mut app, size));
        }
    }
    totals.dedup();
    assert_eq!(totals.len(), 1, "{totals:?}");
    press(&mut app, "v");
    assert_eq!(app.len(), events, "after the last come the events");
}

#[test]
fn modules_are_left_out_without_a_record() {
    let mut app = App::new(session("linear", Some("linear__it3"), "linear"), plain());
    press(&mut app, "2vvv");
    let text = screen(&mut app, (100, 30));
    assert!(!text.contains("modules,"), "{text}");
}

/// A program, its trace with values, and the values.
fn with_values(model: &str, trace: &str) -> App {
    let program = Bytes::new(fs::read(fixture(&format!("models/{model}/model.pte"))).expect("it"));
    let bytes = fs::read(fixture(&format!("traces/{trace}.etdp"))).expect("a trace");
    let buffer = fs::read(fixture(&format!("traces/{trace}.debug.bin"))).expect("a buffer");
    let buffer = Bytes::new(buffer);
    let file = File::parse(program.as_slice()).expect("a program");
    let trace = Trace::parse(&bytes).expect("a trace");
    let inputs = Inputs {
        title: model,
        program: Some(&file),
        trace: Some(&trace),
        program_bytes: Some(&program),
        debug_buffer: Some(&buffer),
        ..Inputs::default()
    };
    App::new(Session::new(inputs).expect("a session"), plain())
}

#[test]
fn tensors_show_their_elements() {
    let mut app = with_values("mlp_stacktrace", "mlp_stacktrace__it1_dbg");
    press(&mut app, "5G7");
    for (width, height) in SIZES {
        let name = format!("tensor_logged_{width}x{height}");
        insta::assert_snapshot!(name, screen(&mut app, (width, height)));
    }
    press(&mut app, "&place:constant\n");
    for (width, height) in SIZES {
        let name = format!("tensor_constant_{width}x{height}");
        insta::assert_snapshot!(name, screen(&mut app, (width, height)));
    }
}

#[test]
fn iterations_of_a_tensor_are_gone_through() {
    let mut app = with_values("xnn_linear", "xnn_linear__it3_dbg");
    // The delegate logs its input and its output, in each of three runs.
    press(&mut app, "7g");
    let text = screen(&mut app, (100, 30));
    assert!(text.contains("run 0 (1 of 3, h l show the others): 8 elements"), "{text}");
    press(&mut app, "llll");
    let text = screen(&mut app, (100, 30));
    assert!(text.contains("run 2 (3 of 3"), "{text}");
    // The output is logged by the method as well.
    press(&mut app, "jl");
    let text = screen(&mut app, (100, 30));
    assert!(text.contains("(2 of 6") && text.contains("6 elements"), "{text}");
}

#[test]
fn a_tensor_without_elements_says_what_to_pass() {
    let mut app = App::new(session("linear", None, "linear"), plain());
    press(&mut app, "7");
    let text = screen(&mut app, (160, 50));
    assert!(text.contains("--debug-buffer"), "{text}");
}

fn diff_of_traces(base: &str, new: &str) -> App {
    let read = |name: &str| fs::read(fixture(&format!("traces/{name}.etdp"))).expect("a trace");
    let (base, new) = (read(base), read(new));
    let base = Trace::parse(&base).expect("a trace");
    let new = Trace::parse(&new).expect("a trace");
    let inputs =
        Inputs { title: "new", trace: Some(&new), base_trace: Some(&base), ..Inputs::default() };
    App::new(Session::new(inputs).expect("a session"), plain())
}

#[test]
fn two_traces_stand_side_by_side() {
    let mut app = diff_of_traces("lstm__it10", "add__it10");
    press(&mut app, "8");
    for (width, height) in SIZES {
        let name = format!("diff_traces_{width}x{height}");
        insta::assert_snapshot!(name, screen(&mut app, (width, height)));
    }
    let mut app = diff_of_traces("lstm__it10", "lstm__it10");
    press(&mut app, "8");
    let text = screen(&mut app, (100, 30));
    assert!(text.contains("0 slower, 0 faster"), "{text}");
    assert!(text.contains("0 gone, 0 new"), "{text}");
}

#[test]
fn two_programs_stand_side_by_side() {
    let read = |name: &str| fs::read(fixture(&format!("models/{name}/model.pte"))).expect("it");
    let (base, new) = (read("mv2_w010"), read("mv2_w010_q"));
    let base = File::parse(&base).expect("a program");
    let new = File::parse(&new).expect("a program");
    let inputs = Inputs {
        title: "mv2",
        program: Some(&new),
        base_program: Some(&base),
        ..Inputs::default()
    };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    press(&mut app, "8");
    for (width, height) in SIZES {
        let name = format!("diff_programs_{width}x{height}");
        insta::assert_snapshot!(name, screen(&mut app, (width, height)));
    }
}

#[test]
fn allocators_have_curves_below_the_lanes() {
    let mut app =
        App::new(session("transformer", Some("transformer__runner_alloc"), "board"), plain());
    press(&mut app, "3");
    for (width, height) in SIZES {
        let name = format!("curves_{width}x{height}");
        insta::assert_snapshot!(name, screen(&mut app, (width, height)));
    }
    let whole = screen(&mut app, (160, 50));
    press(&mut app, "++++");
    let zoomed = screen(&mut app, (160, 50));
    let curve = |text: &str| {
        let lines = text.lines().skip_while(|line| !line.starts_with("planned, live"));
        lines.take(3).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_ne!(curve(&whole), curve(&zoomed), "on the same zoom as the lanes");
}

#[test]
fn files_that_are_being_read_can_be_left() {
    let mut app = App::new(Session::new(Inputs::default()).expect("nothing"), plain());
    app.loading = Some(Loading {
        name: "large.etdp".into(),
        bytes: 800_000_000,
        since: std::time::Duration::from_millis(1500),
        progress: Progress::default(),
    });
    let text = screen(&mut app, (100, 30));
    assert!(text.contains("large.etdp: reading of 800,000,000 B, step 1 of 5 for 1.5 s"), "{text}");
    press(&mut app, "\u{1b}");
    assert!(app.cancel && !app.done, "Escape ends the reading, not the inspector");
    // What is read then takes the place of nothing.
    app.loading = None;
    app.replace(session("lstm", Some("lstm__it10"), "lstm"));
    assert_eq!(app.step, app.session.memory.as_ref().expect("memory").peak);
    assert_eq!(app.window, app.session.spans.range);
}

#[test]
fn a_quiet_device_has_a_clock_on_every_view() {
    let mut app = App::new(session("linear", None, "linear"), plain());
    app.live = Some(Live {
        name: "tcp://localhost:4444".into(),
        bytes: Some(120),
        quiet: std::time::Duration::from_millis(12_400),
        running: None,
        ended: None,
    });
    for key in "12345678".chars() {
        press(&mut app, &key.to_string());
        let text = screen(&mut app, (100, 30));
        assert!(text.contains("tcp://localhost:4444: quiet since 12.4 s, 120 B"), "{text}");
    }
}

#[test]
fn values_of_a_trace_alone_are_listed_where_they_were_logged() {
    let bytes = fs::read(fixture("traces/norms__it1_dbg.etdp")).expect("a trace");
    let buffer = fs::read(fixture("traces/norms__it1_dbg.debug.bin")).expect("a buffer");
    let buffer = Bytes::new(buffer);
    let trace = Trace::parse(&bytes).expect("a trace");
    let inputs = Inputs {
        title: "norms",
        trace: Some(&trace),
        debug_buffer: Some(&buffer),
        ..Inputs::default()
    };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    press(&mut app, "7");
    let first = screen(&mut app, (100, 30));
    assert!(first.contains("0:0") && first.contains("mean"), "{first}");
    // A buffer of another run is said to be one.
    let short = Bytes::new(vec![0u8; 8]);
    let inputs = Inputs {
        title: "norms",
        trace: Some(&trace),
        debug_buffer: Some(&short),
        ..Inputs::default()
    };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    press(&mut app, "7G");
    let last = screen(&mut app, (100, 30));
    assert!(last.contains("is not in a debug buffer of 8 bytes"), "{last}");
}
