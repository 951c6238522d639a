//! What is remembered from one day to the next: the view of a file, and the
//! order and the groups of the event table. It is a convenience: a file that
//! cannot be read or written is as none.

use crate::app::{App, VIEWS, View};
use crate::columns::{Chosen, Column, Order};
use crate::events::site_text;
use crate::groups::{KINDS, name};
use serde::Deserialize;
use std::fs;
use std::io::Write;
use std::path::Path;

/// What is remembered.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Layout {
    /// The file that was looked at.
    #[serde(default)]
    file: String,
    /// Its view.
    #[serde(default)]
    view: String,
    /// Column by which the event table is in order, `-` before it for the other end first.
    #[serde(default)]
    order: String,
    /// Its groups.
    #[serde(default)]
    group: String,
    /// Its columns.
    #[serde(default)]
    columns: Vec<String>,
    /// Marked instructions of the file, `chain:instruction`.
    #[serde(default)]
    marks: Vec<String>,
}

fn order_text(order: Order) -> String {
    let Some(column) = order.column else { return String::new() };
    let usual = Order::by(column).ascending == order.ascending;
    format!("{}{}", if usual { "" } else { "-" }, column.name())
}

fn order_of(text: &str) -> Order {
    let (reversed, name) = match text.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, text),
    };
    let order = Column::named(name).map_or_else(Order::default, Order::by);
    Order { ascending: order.ascending != reversed, ..order }
}

impl Layout {
    /// That of the file at `path`; the default if it has none.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        toml::from_str(&text).unwrap_or_default()
    }

    /// How `app` is now.
    pub fn of(app: &App) -> Self {
        Layout {
            file: app.session.title.clone(),
            view: app.view.name().to_owned(),
            order: order_text(app.wanted.order),
            group: app.wanted.grouping.map_or("", name).to_owned(),
            columns: app.columns.all().map(|column| column.name().to_owned()).collect(),
            marks: app.marks.iter().map(|site| site_text(*site)).collect(),
        }
    }

    /// Makes `app` so. The view and the marks of another file are not taken,
    /// nor any view while something is in flight, which stands on the first screen.
    pub fn apply(&self, app: &mut App) {
        app.wanted.order = order_of(&self.order);
        app.wanted.grouping = KINDS.into_iter().find(|kind| name(*kind) == self.group);
        if !self.columns.is_empty() {
            app.columns = Chosen::named(&self.columns);
        }
        app.refresh();
        self.apply_to_file(app);
        // Which file it is, is known when it was read.
        app.remembered = app.session.is_empty().then(|| self.clone());
    }

    /// Shows what was shown of the file, unless another one is looked at.
    pub(crate) fn apply_to_file(&self, app: &mut App) {
        if self.file != app.session.title {
            return;
        }
        let sites = app.session.instructions.iter().map(|row| row.site);
        let marked = sites.filter(|site| self.marks.contains(&site_text(*site)));
        let marked: Vec<_> = marked.collect();
        app.marks.extend(marked);
        let view: Option<View> = VIEWS.into_iter().find(|view| view.name() == self.view);
        let is_free = app.session.in_flight().is_none() && app.history.is_empty();
        if let Some(view) = view.filter(|_| is_free) {
            app.show(view);
        }
    }

    /// Writes it beside `path` first and then in its place, so that nobody
    /// sees half of it.
    pub fn write(&self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        let new = folder.join(format!(".tui-{}.new", std::process::id()));
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::File::create(&new))
            .and_then(|mut file| file.write_all(self.text().as_bytes()))
            .and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
    }

    fn text(&self) -> String {
        let line = |key: &str, value: &str| format!("{key} = {}\n", toml::Value::from(value));
        let list = |key: &str, values: &[String]| {
            let values = values.iter().map(|value| toml::Value::from(value.as_str())).collect();
            format!("{key} = {}\n", toml::Value::Array(values))
        };
        line("file", &self.file)
            + &line("view", &self.view)
            + &line("order", &self.order)
            + &line("group", &self.group)
            + &list("columns", &self.columns)
            + &list("marks", &self.marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Inputs, Session, Theme};

    fn app(title: &str) -> App {
        let inputs = Inputs { title, ..Inputs::default() };
        App::new(Session::new(inputs).expect("nothing to read"), Theme::default())
    }

    #[test]
    fn the_view_of_a_file_comes_back_and_not_that_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("etinspect/tui.toml");
        let mut left = app("a \"quoted\" \\ name");
        left.view = View::Timeline;
        left.wanted.order = Order { ascending: true, ..Order::by(Column::Median) };
        left.columns.toggle(Column::Own);
        Layout::of(&left).write(&path);
        let read = Layout::read(&path);
        assert_eq!(read, Layout::of(&left));
        let mut same = app("a \"quoted\" \\ name");
        read.apply(&mut same);
        assert_eq!(same.view, View::Timeline);
        assert_eq!((same.wanted.order, &same.columns), (left.wanted.order, &left.columns));
        let mut other = app("other");
        read.apply(&mut other);
        assert_eq!((other.view, other.wanted.order), (View::Overview, left.wanted.order));
        assert_eq!(fs::read_dir(path.parent().expect("it")).expect("a folder").count(), 1);
    }

    #[test]
    fn what_cannot_be_read_or_written_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let blocked = folder.path().join("file");
        fs::write(&blocked, "no = [toml").expect("written");
        assert_eq!(Layout::read(&blocked), Layout::default());
        let app = app("x");
        Layout::of(&app).write(&blocked.join("below/tui.toml"));
        assert_eq!(fs::read_to_string(&blocked).expect("as it was"), "no = [toml");
    }
}
