//! What is remembered from one day to the next: the view of a file, and the
//! order and the groups of the event table. It is a convenience: a file that
//! cannot be read or written is as none.

use crate::app::{App, Order, VIEWS, View};
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
    /// Order of the event table.
    #[serde(default)]
    order: String,
    /// Its groups.
    #[serde(default)]
    group: String,
}

const ORDERS: [(Order, &str); 4] =
    [(Order::Time, "time"), (Order::Sum, "sum"), (Order::Median, "median"), (Order::Name, "name")];

impl Layout {
    /// That of the file at `path`; the default if it has none.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        toml::from_str(&text).unwrap_or_default()
    }

    /// How `app` is now.
    pub fn of(app: &App) -> Self {
        let order = ORDERS.iter().find(|(order, _)| *order == app.order);
        Layout {
            file: app.session.title.clone(),
            view: app.view.name().to_owned(),
            order: order.map_or("", |(_, name)| name).to_owned(),
            group: app.grouping.map_or("", name).to_owned(),
        }
    }

    /// Makes `app` so. The view of another file is not taken, nor any while
    /// something is in flight, which stands on the first screen.
    pub fn apply(&self, app: &mut App) {
        if let Some((order, _)) = ORDERS.iter().find(|(_, name)| *name == self.order) {
            app.order = *order;
        }
        app.grouping = KINDS.into_iter().find(|kind| name(*kind) == self.group);
        let view: Option<View> = VIEWS.into_iter().find(|view| view.name() == self.view);
        let same = self.file == app.session.title && app.session.in_flight().is_none();
        if let Some(view) = view.filter(|_| same) {
            app.view = view;
        }
        app.refresh();
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
        line("file", &self.file)
            + &line("view", &self.view)
            + &line("order", &self.order)
            + &line("group", &self.group)
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
        left.order = Order::Median;
        Layout::of(&left).write(&path);
        let read = Layout::read(&path);
        assert_eq!(read, Layout::of(&left));
        let mut same = app("a \"quoted\" \\ name");
        read.apply(&mut same);
        assert_eq!((same.view, same.order), (View::Timeline, Order::Median));
        let mut other = app("other");
        read.apply(&mut other);
        assert_eq!((other.view, other.order), (View::Overview, Order::Median));
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
