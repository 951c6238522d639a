//! Real files as sessions, screens as text, and keys as they are typed.

#![allow(dead_code)]

use et_schema::etdump::File as Trace;
use et_schema::pte::File;
use et_tui::{App, Bytes, Inputs, Session, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fs;
use std::path::{Path, PathBuf};

/// Sizes at which every view is looked at.
pub const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (120, 40)];

/// A file of the fixtures.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

/// A program with its trace.
pub fn session(model: &str, trace: Option<&str>, title: &str) -> Session {
    let program = fs::read(fixture(&format!("models/{model}/model.pte"))).expect("the program");
    let file = File::parse(&program).expect("a program");
    let bytes = trace.map(|trace| fs::read(fixture(&format!("traces/{trace}.etdp"))).expect("it"));
    let trace = bytes.as_deref().map(|bytes| Trace::parse(bytes).expect("a trace"));
    let inputs = Inputs { title, program: Some(&file), trace: trace.as_ref(), ..Inputs::default() };
    Session::new(inputs).expect("a session")
}

/// No colours.
pub fn plain() -> Theme {
    Theme { color: false, ..Theme::default() }
}

/// What is on the screen.
pub fn screen(app: &mut App, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| app.draw(frame)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let line = |y: u16| -> String { (0..width).map(|x| buffer[(x, y)].symbol()).collect() };
    (0..height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
}

/// Presses keys one after another.
pub fn press(app: &mut App, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            key => KeyCode::Char(key),
        };
        app.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
}

/// A program, its trace with values, and the values.
pub fn with_values(model: &str, trace: &str) -> App {
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
