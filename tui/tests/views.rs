//! Every view over real files, at three sizes.

mod support;

use et_schema::etdump::File as Trace;
use et_schema::pte::File;
use et_tui::{App, Bytes, Inputs, Live, Session, Theme, View};
use etdump::journal::Snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::fs;
use support::{SIZES, fixture, plain, press, screen, session, with_values};

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
fn runs_of_several_kinds_add_up_for_an_instruction() {
    let mut app = App::new(session("cond", Some("cond__it10"), "cond"), plain());
    // Its runs take two branches, which are a block each: 560 and 299 ns of the jump.
    press(&mut app, "5g");
    let text = screen(&mut app, (80, 24));
    assert!(text.contains("859 ns") && !text.contains("560 ns"), "{text}");
    assert!(text.contains("35.7 µs"), "the chain: {text}");
    press(&mut app, "1");
    let text = screen(&mut app, (120, 40));
    assert_eq!(text.matches("JumpFalse").count(), 2, "0:0 and 0:6, once each: {text}");
}

#[test]
fn modules_are_left_out_without_a_record() {
    let mut app = App::new(session("linear", Some("linear__it3"), "linear"), plain());
    press(&mut app, "2vvv");
    let text = screen(&mut app, (100, 30));
    assert!(!text.contains("modules,"), "{text}");
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
fn tensors_are_followed_through_their_views() {
    let mut app = App::new(session("transformer", None, "transformer"), plain());
    // 0:31 writes %187, of which 0:32 reads the view %190; %182 is a view of what 0:29 writes.
    for (value, from, to) in
        [("%187", "0:31 ", "0:32 "), ("%190", "0:31 ", "0:32 "), ("%182", "0:29 ", "0:31 ")]
    {
        press(&mut app, &format!("7&value:{value}\n"));
        let text = screen(&mut app, (120, 40));
        assert!(text.contains(&format!("↑ from {from}")), "{value}: {text}");
        assert!(text.contains(&format!("↓ to {to}")), "{value}: {text}");
        press(&mut app, "\u{1b}");
    }
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

/// A trace of kernels with these names, in this order.
fn trace_of(names: &[&str]) -> Vec<u8> {
    use etdump::{Contents, EtDumpWriter, Place, Ticks, Tracer};
    let mut now = 0;
    let clock = move || {
        now += 1000;
        Ticks(now)
    };
    let mut writer = EtDumpWriter::new(clock, Contents::Full);
    writer.begin_run("Execute", &[]);
    let run = writer.begin("Method::execute", Place::Method);
    for (index, name) in names.iter().enumerate() {
        let index = et_schema::ids::InstructionId(index as u32);
        let place = Place::Instruction(et_schema::ids::ChainId(0), index);
        let begun = writer.begin(name, place);
        writer.end(name, place, begun);
    }
    writer.end("Method::execute", Place::Method, run);
    writer.finish().bytes
}

#[test]
fn hostile_and_wide_names_align_and_carry_no_control_characters() {
    let names = [
        "plain",
        "日本語の畳み込み演算子の名前はとても長いので切られます、本当に長いのです",
        "e\u{301}te\u{301} combining",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} family",
        "\u{2764}\u{fe0f} heart \u{1f1e9}\u{1f1ea}",
        "\u{1b}[31mred\u{1b}]0;title\u{7}",
        "right\u{202e}to left\u{200b}",
        "tab\tnew\r\nline\u{9b}2J",
    ];
    let bytes = trace_of(&names);
    let trace = Trace::parse(&bytes).expect("a trace");
    let inputs = Inputs { title: "names", trace: Some(&trace), ..Inputs::default() };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    for unicode in [true, false] {
        app.theme.unicode = unicode;
        for (width, height) in SIZES {
            for view in ["1", "2", "3", "2/"] {
                press(&mut app, view);
                let text = screen(&mut app, (width, height));
                let odd = text.chars().find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
                assert_eq!(odd, None, "{text}");
                assert!(unicode || text.is_ascii(), "{text}");
                press(&mut app, "\u{1b}");
            }
            press(&mut app, "2g");
            let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
            terminal.draw(|frame| app.draw(frame)).expect("drawn");
            let buffer = terminal.backend().buffer();
            // The place of each row's instruction stands in one column of the screen.
            let at = |y: u16| {
                (0..width - 1).find(|x| {
                    buffer[(*x, y)].symbol() == "0" && buffer[(*x + 1, y)].symbol() == ":"
                })
            };
            let columns: Vec<u16> = (3..height - 5).filter_map(at).collect();
            assert!(columns.len() >= 5, "{columns:?}");
            assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{columns:?}");
        }
    }
}

#[test]
fn colours_are_only_those_of_the_palette() {
    use et_tui::{Depth, Palette};
    use ratatui::style::Color;
    for (name, depth) in [
        ("terminal", Depth::Sixteen),
        ("colour-blind", Depth::Sixteen),
        ("colour-blind", Depth::Indexed),
    ] {
        let palette = Palette::named(name).expect("a palette").for_depth(depth);
        let theme = Theme { palette, depth, ..Theme::default() };
        let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), theme);
        for key in "12345678".chars() {
            press(&mut app, &key.to_string());
            let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal");
            terminal.draw(|frame| app.draw(frame)).expect("drawn");
            let cells = terminal.backend().buffer().content();
            assert!(cells.iter().all(|cell| !matches!(cell.fg, Color::Rgb(..))), "{name} {key}");
            assert!(cells.iter().all(|cell| !matches!(cell.bg, Color::Rgb(..))), "{name} {key}");
        }
    }
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    for key in "12345678?".chars() {
        press(&mut app, &key.to_string());
        let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal");
        terminal.draw(|frame| app.draw(frame)).expect("drawn");
        let cells = terminal.backend().buffer().content();
        let colored = cells.iter().find(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        assert_eq!(colored.map(|cell| cell.symbol()), None, "NO_COLOR, view {key}");
    }
}
