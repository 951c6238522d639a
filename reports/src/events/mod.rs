//! Events of a trace: the Inspector's table and other forms of it.

mod chrome;
mod delimited;
mod grid;
mod groups;
mod inspector;
mod json;
mod json_origin;
mod json_values;
mod model_explorer;
mod parquet;
mod perfetto;
mod speedscope;
mod timeline;

pub use chrome::chrome;
pub use delimited::csv;
pub use groups::{groups_csv, groups_json};
pub use inspector::{Columns, inspector_table, tsv, tsv_lines};
pub use json::json;
pub use model_explorer::model_explorer;
pub use parquet::parquet;
pub use perfetto::perfetto;
pub use speedscope::speedscope;
pub use timeline::{Counter, Edge, Lane, Slice, Timeline, Track};
