//! The view as text, for a file.

use crate::app::App;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::io;
use std::path::{Path, PathBuf};

/// Columns and rows of an exported view: wide, and as long as what is in it.
const WIDTH: u16 = 160;
const LONGEST: usize = 4096;

/// The view as it would be on a tall screen, without colours.
pub fn text(app: &mut App) -> String {
    let height = (app.len() + 40).min(LONGEST) as u16;
    let page = app.page;
    let mut terminal = match Terminal::new(TestBackend::new(WIDTH, height)) {
        Ok(terminal) => terminal,
        Err(error) => match error {},
    };
    let _ = terminal.draw(|frame| app.draw(frame));
    app.page = page;
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..height {
        let line: String = (0..WIDTH).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// Writes the view to a new file in `folder`, whose name is given back.
///
/// # Errors
/// The folder is not writable.
pub fn write(app: &mut App, folder: &Path) -> io::Result<PathBuf> {
    let text = text(app);
    for number in 1.. {
        let name = format!("etinspect-{}-{number}.txt", app.view.name().to_lowercase());
        let path = folder.join(name);
        match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                io::Write::write_all(&mut file, text.as_bytes())?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}
