//! Events of a trace: the Inspector's table and other forms of it.

mod chrome;
mod delimited;
mod json;
mod model_explorer;
mod parquet;
mod perfetto;
mod speedscope;
mod timeline;

pub use chrome::chrome;
pub use delimited::{csv, tsv};
pub use json::json;
pub use model_explorer::model_explorer;
pub use parquet::parquet;
pub use perfetto::perfetto;
pub use speedscope::speedscope;
pub use timeline::{Counter, Edge, Lane, Slice, Timeline, Track};
