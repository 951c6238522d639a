//! Key by key: what is selected, shown and written after each.

mod support;

use et_tui::{App, Inputs, Loading, Progress, Session, View};
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use std::fs;
use support::{SIZES, plain, press, screen, session, with_values};

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
fn ctrl_with_a_letter_changes_a_filter_as_it_does_a_search() {
    let mut app = with_values("mlp_stacktrace", "mlp_stacktrace__it1_dbg");
    let ctrl = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    for open in ["2&", "/", ":"] {
        press(&mut app, &format!("{open}zzz mm"));
        app.key(ctrl('w'));
        let text = screen(&mut app, (100, 30));
        assert!(text.contains("zzz") && !text.contains("zzz mm"), "{open}: {text}");
        app.key(ctrl('u'));
        assert!(!screen(&mut app, (100, 30)).contains("zzz"), "{open}");
        app.key(ctrl('c'));
        // It was left: keys are commands again.
        press(&mut app, "5");
        assert_eq!(app.view, View::Program, "{open}");
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
fn a_program_is_unfolded_and_followed_through_its_tensors() {
    let mut app = App::new(session("kv_cache", None, "kv"), plain());
    press(&mut app, "5g");
    let folded = app.len();
    press(&mut app, "jz");
    assert!(app.len() > folded);
    press(&mut app, "z");
    assert_eq!(app.len(), folded);
    // Unfold all, fold the chain, and all again.
    press(&mut app, "Z");
    let all = app.len();
    press(&mut app, "gz");
    assert_eq!(app.len(), 1);
    press(&mut app, "zZ");
    assert_eq!(app.len(), folded);
    press(&mut app, "Z");
    assert_eq!(app.len(), all);
    for (width, height) in SIZES {
        let name = format!("program_unfolded_{width}x{height}");
        insta::assert_snapshot!(name, screen(&mut app, (width, height)));
    }
    // Of each instruction's inputs, those with a definition lead to it and back.
    let mut followed = 0;
    for line in 0..app.len() {
        press(&mut app, "g");
        press(&mut app, &"j".repeat(line));
        let before = (app.selected(), app.step);
        let text = screen(&mut app, (120, 40));
        press(&mut app, "\n");
        if app.step != before.1 {
            followed += 1;
            press(&mut app, "b");
            assert_eq!((app.selected(), app.step), before, "{text}");
        } else {
            press(&mut app, "\u{1b}");
            // An instruction or a chain that was folded by it.
            if app.len() != all {
                press(&mut app, "z");
            }
        }
    }
    assert!(followed > 20, "{followed}");
}

#[test]
fn places_are_gone_back_to_forward_to_and_marked() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    press(&mut app, "5gjjjM4");
    let marked = app.site().expect("an instruction");
    press(&mut app, "P");
    assert_ne!(app.site(), Some(marked));
    let peak = (app.view, app.site());
    press(&mut app, "bb");
    assert_eq!((app.view, app.site()), (View::Program, Some(marked)));
    press(&mut app, "BB");
    assert_eq!((app.view, app.site()), peak);
    press(&mut app, "5'\n");
    assert_eq!(app.site(), Some(marked));
    assert!(screen(&mut app, (80, 24)).contains('◆'));
    press(&mut app, "M'");
    assert!(screen(&mut app, (80, 24)).contains("nothing is marked"));
    press(&mut app, "3S");
    let slowest = app.session.events.largest[0].row as usize;
    assert_eq!(app.site(), app.session.events.rows[slowest].site);
    assert_eq!(app.view, View::Timeline);
}

#[test]
fn columns_are_chosen_and_sorted_by_with_a_mark() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    press(&mut app, "2");
    assert!(!screen(&mut app, (160, 40)).contains("p99"));
    // The list of columns stays open while they are chosen.
    press(&mut app, "cp99\n\u{1b}:sort by p99\n");
    let text = screen(&mut app, (160, 40));
    assert!(text.contains("p99▼"), "{text}");
    let p99 = |app: &App| -> Vec<f64> {
        let rows = app.session.events.rows.iter();
        let mut all: Vec<f64> = rows.map(|row| row.spread.p99).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let shown = app.shown_rows().map(|row| row.spread.p99).collect::<Vec<_>>();
    let mut expected = p99(&app);
    expected.reverse();
    assert_eq!(shown, expected);
    press(&mut app, "r");
    assert!(screen(&mut app, (160, 40)).contains("p99▲"));
    assert_eq!(app.shown_rows().map(|row| row.spread.p99).collect::<Vec<_>>(), p99(&app));
}

#[test]
fn tables_are_written_as_csv_with_the_inspectors_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    for (key, head) in [
        ('2', "event,at,module"),
        ('7', "value,dtype"),
        ('5', "at,instruction"),
        ('6', "severity,code"),
    ] {
        press(&mut app, &key.to_string());
        let path = app.write_table(folder.path()).expect("written");
        let text = fs::read_to_string(&path).expect("the table");
        assert!(text.starts_with(head), "{text}");
        let rows = if key == '5' { app.session.instructions.len() } else { app.len() };
        assert_eq!(text.lines().count(), rows + 1, "{key}");
    }
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
    assert!(
        text.contains("large.etdp (800,000,000 B): reading, step 1 of 5, 1.5 s, Esc"),
        "{text}"
    );
    press(&mut app, "\u{1b}");
    assert!(app.cancel && !app.done, "Escape ends the reading, not the inspector");
    // What is read then takes the place of nothing.
    app.loading = None;
    app.replace(session("lstm", Some("lstm__it10"), "lstm"));
    assert_eq!(app.step, app.session.memory.as_ref().expect("memory").peak);
    assert_eq!(app.window, app.session.spans.range);
}

#[test]
fn the_mouse_zooms_into_time_and_chooses_instructions() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    let send = |app: &mut App, kind, column, row| {
        screen(app, (120, 40));
        app.mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
    };
    let left = MouseButton::Left;
    press(&mut app, "3");
    let whole = app.window;
    // Drawing over the second quarter of the time shows it alone.
    send(&mut app, MouseEventKind::Down(left), 40, 4);
    send(&mut app, MouseEventKind::Drag(left), 66, 4);
    send(&mut app, MouseEventKind::Up(left), 66, 4);
    let drawn = app.window;
    assert!(drawn.0 > whole.0 && drawn.1 < whole.1, "{drawn:?} of {whole:?}");
    // The wheel zooms, a click does not.
    send(&mut app, MouseEventKind::ScrollUp, 60, 4);
    assert!(app.window.1 - app.window.0 < drawn.1 - drawn.0);
    let zoomed = app.window;
    send(&mut app, MouseEventKind::Down(left), 60, 5);
    send(&mut app, MouseEventKind::Up(left), 60, 5);
    assert_eq!(app.window, zoomed);
    // In the memory map, columns are instructions.
    press(&mut app, "4");
    send(&mut app, MouseEventKind::Down(left), 14, 8);
    let first = app.step;
    send(&mut app, MouseEventKind::Down(left), 100, 8);
    assert!(app.step > first, "{} after {first}", app.step);
    // The right button goes back.
    send(&mut app, MouseEventKind::Down(MouseButton::Right), 1, 8);
    assert_eq!(app.view, View::Timeline);
}

#[test]
fn keys_of_another_view_say_which_and_change_nothing() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    for (keys, said) in [
        ("7s", "only in Events, which 2 shows: sort by the next column"),
        ("7v", "only in Events, which 2 shows"),
        ("2Z", "only in Program, which 5 shows"),
        ("4+", "only in Timeline, which 3 shows"),
        ("4&", "nothing is left out here; / searches"),
    ] {
        let before = app.wanted.clone();
        press(&mut app, keys);
        let text = screen(&mut app, (80, 24));
        assert!(text.contains(said), "{keys}: {text}");
        assert!(app.wanted == before && !app.typing, "{keys}");
    }
    // The list of commands goes where they belong.
    press(&mut app, "7:sort by max\n");
    assert_eq!(app.view, View::Events);
    assert!(screen(&mut app, (80, 24)).contains("by max"));
    press(&mut app, "7:fold or unfold all\n");
    assert_eq!(app.view, View::Program);
}

#[test]
fn a_command_that_is_mistyped_is_guessed() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    press(&mut app, ":timelnie");
    let text = screen(&mut app, (80, 24));
    assert!(text.contains("perhaps") && text.contains("timeline"), "{text}");
    press(&mut app, "\n");
    assert_eq!(app.view, View::Timeline);
    // Two letters in the wrong order are one mistake.
    press(&mut app, ":qiut");
    let text = screen(&mut app, (80, 24));
    let at = |command: &str| text.find(command).unwrap_or(usize::MAX);
    assert!(at("│ quit ") < at("│ zoom out") && at("│ quit ") < at("│ list of"), "{text}");
    press(&mut app, "\u{1b}:xyzzy");
    assert!(screen(&mut app, (80, 24)).contains("nothing matches"));
}

#[test]
fn rows_stay_where_they_are_until_the_cursor_leaves_them() {
    let mut app = App::new(session("lstm", Some("lstm__it10"), "lstm"), plain());
    press(&mut app, "2g");
    let size = (80, 24);
    let first = |app: &mut App| screen(app, size).lines().nth(3).expect("a row").to_owned();
    let top = first(&mut app);
    press(&mut app, "jjjjjj");
    assert_eq!(first(&mut app), top, "the cursor moves, the rows do not");
    press(&mut app, "jjjjjjjjjjjj");
    assert_ne!(first(&mut app), top, "the cursor draws them along");
    let moved = first(&mut app);
    press(&mut app, "kkk");
    assert_eq!(first(&mut app), moved);
    // A second click on a row goes into the program.
    let click = |app: &mut App, row| {
        app.mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 4,
            row,
            modifiers: KeyModifiers::NONE,
        });
        screen(app, size)
    };
    click(&mut app, 5);
    let site = app.site();
    assert_eq!(app.view, View::Events);
    click(&mut app, 5);
    assert_eq!((app.view, app.site()), (View::Program, site));
}
