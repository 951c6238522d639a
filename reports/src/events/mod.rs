//! Events of a trace: the Inspector's table and other forms of it.

mod chrome;
mod delimited;
mod grid;
mod groups;
mod inspector;
mod json;
mod json_origin;
mod json_values;

pub use chrome::chrome;
pub use delimited::csv;
pub use groups::{groups_csv, groups_json};
pub use inspector::{Columns, inspector_table, tsv};
pub use json::json;
