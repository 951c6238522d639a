//! The view as text, and its table as CSV, for files.

use crate::app::{App, View};
use crate::columns::{COLUMNS, Column};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The view, as it would be on a tall screen.
    Text,
    /// Its table, as CSV: all rows that the filter keeps, all columns, times in ticks.
    Table,
}

/// Columns and rows of an exported view: wide, and as long as what is in it.
const WIDTH: u16 = 160;
const LONGEST: usize = 4096;

/// The view as it would be on a tall screen, without colours.
pub fn text(app: &mut App) -> String {
    let height = (app.len() + 40).min(LONGEST) as u16;
    let (page, width, firsts) = (app.page, app.width, app.firsts.get());
    let mut terminal = match Terminal::new(TestBackend::new(WIDTH, height)) {
        Ok(terminal) => terminal,
        Err(error) => match error {},
    };
    let _ = terminal.draw(|frame| app.draw(frame));
    (app.page, app.width) = (page, width);
    app.firsts.set(firsts);
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    // The last two lines are of the keys.
    for y in 0..height - 2 {
        let line: String = (0..WIDTH).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// The table of the view; `None` if it has none.
pub fn table(app: &App) -> Option<String> {
    let session = &app.session;
    let rows = 0..app.len();
    let of_list = |place: usize| app.lists.row(app.view, place, session);
    let mut csv = Csv::default();
    match app.view {
        View::Events => {
            csv.line(COLUMNS.iter().map(|column| column.name().to_owned()));
            let total = app.groups().map_or(session.events.total, |table| table.total);
            for row in rows.filter_map(|row| app.event(row)) {
                csv.line(COLUMNS.iter().map(|column| match column {
                    Column::Event => row.name.to_owned(),
                    Column::At => row.at(),
                    Column::Module => row.module.to_owned(),
                    Column::Block => row.block.to_owned(),
                    Column::Calls => row.count.to_string(),
                    Column::Mean => row.spread.mean.to_string(),
                    Column::Median => row.spread.median.to_string(),
                    Column::P90 => row.spread.p90.to_string(),
                    Column::P99 => row.spread.p99.to_string(),
                    Column::Min => row.spread.min.to_string(),
                    Column::Max => row.spread.max.to_string(),
                    Column::Deviation => row.spread.deviation.to_string(),
                    Column::Sum => row.sum.to_string(),
                    Column::Own => row.own.to_string(),
                    Column::Share => (row.share(total) * 100.0).to_string(),
                }));
            }
        }
        View::Tensors => {
            csv.line(["value", "dtype", "shape", "bytes", "place", "name"].map(str::to_owned));
            for row in rows.filter_map(of_list).filter_map(|row| session.tensors.rows.get(row)) {
                let sizes: Vec<String> = row.sizes.iter().map(i64::to_string).collect();
                let bytes = row.bytes.map_or(String::new(), |bytes| bytes.to_string());
                let (label, dtype) = (row.label.clone(), row.dtype.to_owned());
                csv.line([
                    label,
                    dtype,
                    sizes.join("x"),
                    bytes,
                    row.place.clone(),
                    row.name.clone(),
                ]);
            }
        }
        View::Diff => {
            csv.line(["name", "at", "base", "new", "change", "p", "verdict"].map(str::to_owned));
            let table = session.diff.as_ref()?;
            for row in rows.filter_map(of_list).filter_map(|row| table.rows.get(row)) {
                let number = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
                csv.line([
                    row.name.clone(),
                    row.site.map_or(String::new(), crate::events::site_text),
                    row.base.clone(),
                    row.new.clone(),
                    number(row.relative),
                    number(row.p_value),
                    row.verdict().to_owned(),
                ]);
            }
        }
        View::Overview | View::Findings => {
            csv.line(["severity", "code", "at", "title", "remedy"].map(str::to_owned));
            for finding in rows.filter_map(of_list).filter_map(|row| session.findings.get(row)) {
                let page = finding.code.page();
                csv.line([
                    page.severity.name().to_owned(),
                    page.code.to_owned(),
                    finding.at.map_or(String::new(), |(c, i)| format!("{c}:{i}")),
                    crate::text::escape(&finding.title),
                    crate::text::escape(&finding.remedy),
                ]);
            }
        }
        View::Timeline | View::Memory | View::Program => {
            csv.line(["at", "instruction", "ticks", "live_bytes"].map(str::to_owned));
            for (step, row) in session.instructions.iter().enumerate() {
                let ticks = session.events.time_of(row.site);
                let live = session.memory.as_ref().and_then(|memory| memory.live.get(step));
                csv.line([
                    crate::events::site_text(row.site),
                    row.name.clone(),
                    ticks.map_or(String::new(), |ticks| ticks.to_string()),
                    live.map_or(String::new(), |live| live.to_string()),
                ]);
            }
        }
    }
    Some(csv.0)
}

/// Lines of RFC 4180.
#[derive(Default)]
struct Csv(String);

impl Csv {
    fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            let plain = !cell.contains([',', '"', '\n', '\r']);
            // What a spreadsheet would take for a formula stays a text.
            let formula = cell.starts_with(['=', '+', '@', '-']) && cell.parse::<f64>().is_err();
            let quote = if formula { "'" } else { "" };
            let _ = match plain {
                true => write!(self.0, "{quote}{cell}"),
                false => write!(self.0, "\"{quote}{}\"", cell.replace('"', "\"\"")),
            };
        }
        self.0.push_str("\r\n");
    }
}

/// Writes the view to a new file in `folder`, whose name is given back.
///
/// # Errors
/// The folder is not writable, or the view has no table.
pub fn write(app: &mut App, kind: Kind, folder: &Path) -> io::Result<PathBuf> {
    let (text, ending) = match kind {
        Kind::Text => (text(app), "txt"),
        Kind::Table => {
            let nothing = || io::Error::other("there is no table here");
            (table(app).ok_or_else(nothing)?, "csv")
        }
    };
    for number in 1.. {
        let name = format!("etinspect-{}-{number}.{ending}", app.view.name().to_lowercase());
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
