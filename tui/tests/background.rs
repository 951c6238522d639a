//! What is long is made on other threads: keys are handled at once, and what is
//! shown stays until there is something better.

#[path = "../../inspector/tests/support/generate.rs"]
#[allow(dead_code, reason = "not every test uses all of it")]
mod generate;
mod support;

use et_schema::etdump::File as Trace;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::File;
use et_tui::{App, Inputs, Session, View};
use etdump::{Contents, EtDumpWriter, Place, Ticks, Tracer};
use std::time::{Duration, Instant};
use support::{plain, press, screen};

/// Instructions of the program: more than are looked at while a key is handled.
const STEPS: usize = 6_000;

/// A program, and the trace of one execution.
fn app() -> App {
    let program = generate::program(STEPS);
    let file = File::parse(&program).expect("a program");
    let mut now = 0u64;
    let clock = move || {
        now += 100 + now % 37;
        Ticks(now)
    };
    let mut writer = EtDumpWriter::new(clock, Contents::Full);
    writer.begin_run("Execute", &[]);
    for index in 0..STEPS as u32 {
        let place = Place::Instruction(ChainId(0), InstructionId(index));
        let begun = writer.begin("native_call_add.out", place);
        writer.end("native_call_add.out", place, begun);
    }
    let bytes = writer.finish().bytes;
    let trace = Trace::parse(&bytes).expect("a trace");
    let inputs = Inputs {
        title: "large.pte",
        program: Some(&file),
        trace: Some(&trace),
        ..Inputs::default()
    };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    settle(&mut app);
    app
}

/// Waits for what other threads make.
fn settle(app: &mut App) {
    let begun = Instant::now();
    while app.is_busy() {
        app.poll();
        assert!(begun.elapsed() < Duration::from_secs(60), "still busy");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn long_lists_are_filtered_while_keys_go_on() {
    let mut app = app();
    for (key, filter, kept) in
        [("2", "at:0:599 'add", 11), ("5", "at:0:599", 12), ("7", "value:%599", 11)]
    {
        press(&mut app, key);
        let all = app.len();
        assert!(all >= STEPS, "view {key}: {all}");
        press(&mut app, &format!("&{filter}"));
        assert!(app.is_busy(), "view {key} was filtered on the drawing thread");
        assert_eq!(app.len(), all, "view {key}: what was there stays");
        press(&mut app, "\n");
        settle(&mut app);
        // The program has a line for the chain as well.
        assert_eq!(app.len(), kept, "view {key}");
        let text = screen(&mut app, (120, 40));
        assert!(text.contains(&format!("matching \"{filter}\"")), "{text}");
        press(&mut app, "\u{1b}");
        settle(&mut app);
        assert_eq!(app.len(), all, "view {key}");
    }
}

#[test]
fn a_filter_that_is_being_made_is_cancelled() {
    let mut app = app();
    for key in ["2", "5", "7"] {
        press(&mut app, key);
        let all = app.len();
        press(&mut app, "&%59 0:59\n");
        assert!(app.is_busy(), "view {key}");
        press(&mut app, "\u{1b}");
        assert!(!app.is_busy(), "view {key}");
        assert_eq!((app.len(), app.filter()), (all, ""), "view {key}");
        let text = screen(&mut app, (120, 40));
        assert!(text.contains("the list is as it was"), "{text}");
    }
}

#[test]
fn the_selection_goes_with_what_a_filter_leaves() {
    let mut app = app();
    press(&mut app, "5g");
    press(&mut app, "&at:0:599\n");
    settle(&mut app);
    // The instruction at the peak of memory is left out; the next that is kept is selected.
    let site = app.site().expect("an instruction");
    let text = screen(&mut app, (120, 40));
    assert!(text.contains(&format!("\n0:{} aten::add.out", site.instruction)), "{text}");
    press(&mut app, "gj");
    assert_eq!(app.site().map(|site| site.instruction.0), Some(599));
}

#[test]
fn a_search_leads_to_an_event_that_the_table_does_not_show_yet() {
    let mut app = app();
    press(&mut app, "2&at:0:17\nv");
    settle(&mut app);
    press(&mut app, "/native_call_add.out 0:4321");
    settle(&mut app);
    press(&mut app, "\n");
    settle(&mut app);
    assert_eq!(app.view, View::Events);
    assert_eq!(app.site().map(|site| site.instruction.0), Some(4321));
    let shown = app.shown_rows().nth(app.selected()).expect("a row");
    assert_eq!(shown.at(), "0:4321");
}

#[test]
fn many_elements_are_looked_at_while_keys_go_on() {
    use et_tui::Bytes;
    let program = std::fs::read(support::fixture("models/linear/model.pte")).expect("a program");
    let dump = large_value();
    let (trace, buffer) = (dump.bytes, Bytes::new(dump.debug_buffer));
    let file = File::parse(&program).expect("a program");
    let trace = Trace::parse(&trace).expect("a trace");
    let inputs = Inputs {
        title: "values",
        program: Some(&file),
        trace: Some(&trace),
        debug_buffer: Some(&buffer),
        ..Inputs::default()
    };
    let mut app = App::new(Session::new(inputs).expect("a session"), plain());
    press(&mut app, "7G");
    let text = screen(&mut app, (120, 40));
    assert!(text.contains("looking at 300,000 elements"), "{text}");
    assert!(app.is_busy());
    settle(&mut app);
    let text = screen(&mut app, (120, 40));
    assert!(text.contains("300,000 elements") && text.contains("zeros 300000"), "{text}");
}

/// Elements of a tensor that nobody looks at within a frame.
const ELEMENTS: usize = 300_000;

/// A trace in which the first instruction logged more than any of its tensors has.
fn large_value() -> etdump::EtDump {
    use et_schema::ScalarType;
    use etdump::{DebugLevel, DebugTensor, DebugValue};
    let mut writer = EtDumpWriter::new(|| Ticks(1), Contents::Full);
    writer.log_values(DebugLevel::IntermediateOutputs, None);
    writer.begin_run("Execute", &[]);
    let data = vec![0u8; 4 * ELEMENTS];
    let tensor = DebugTensor {
        scalar_type: ScalarType::Float,
        sizes: &[ELEMENTS as i32],
        strides: &[1],
        data: &data,
    };
    let place = Place::Instruction(ChainId(0), InstructionId(0));
    writer.value(place, DebugValue::Tensor(tensor), false);
    writer.finish()
}
