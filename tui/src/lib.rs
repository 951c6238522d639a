//! The terminal inspector.
//!
//! ```text
//! session.rs   what is looked at: program, trace, diagnosis, as rows to draw
//! app.rs       the state: a view, one selection, a filter
//! groups.rs    sums over events; diff.rs  two traces or programs
//! tables.rs    the event table, sorted on another thread if it is long
//! tensors.rs   tensors and where their elements are; digest.rs  what they are like
//! prompt.rs    searches and commands that are typed
//! live.rs      files being read, sources listened to
//! config.rs    keys and colours of a file; layout.rs  what is remembered
//! keys.rs      one table of keys, which handles them and explains them
//! terminal.rs  set-up, and the terminal as it was, whatever happens
//! view/        one file per view: it draws, and says how long it is
//! theme.rs     colours, and none
//! text.rs      names without control characters, cut to the width
//! ```
//!
//! A view draws what is visible and nothing else.

#![forbid(unsafe_code)]

mod allocations;
mod app;
mod config;
mod diff;
mod digest;
mod events;
mod export;
mod groups;
mod keys;
mod layout;
mod live;
mod prompt;
mod search;
mod session;
mod spans;
mod stream;
mod tables;
mod tensors;
mod terminal;
mod text;
mod theme;
mod view;

pub use app::{App, View};
pub use config::Config;
pub use keys::{Action, Keymap};
pub use layout::Layout;
pub use live::{Live, Loading, Progress};
pub use session::{Inputs, Session, SessionError};
pub use stream::{Source, Stream};
pub use tensors::Bytes;
pub use terminal::{Feed, run};
pub use theme::{Palette, Theme};
