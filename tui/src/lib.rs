//! The terminal inspector.
//!
//! ```text
//! session.rs   what is looked at: program, trace, diagnosis, as rows to draw
//! app.rs       the state: a view, one selection, filters
//! act.rs       what keys and commands do to it; mouse.rs  what the mouse does
//! keys.rs      one table of keys, which handles them and explains them
//! events.rs    rows of events; groups.rs  sums over them; columns.rs  their columns
//! tables.rs    the event table, filtered and sorted
//! map.rs       the map of planned memory
//! lists.rs     all lists; query.rs  what a filter keeps
//! later.rs     work on threads of their own
//! tree.rs      the program as foldable text
//! finder.rs    a list to choose from as one types; search.rs  fuzzy search
//! tensors.rs   tensors and where their elements are; digest.rs  what they are like
//! diff.rs      two traces or programs
//! spans.rs     events over time; allocations.rs  what allocators hold
//! live.rs      files being read; stream.rs  sources listened to
//! config.rs    keys and colours of a file; layout.rs  what is remembered
//! terminal.rs  set-up, and the terminal as it was, whatever happens
//! view/        one file per view: it draws, and says how long it is
//! theme.rs     colours, and none
//! text.rs      names without control characters, cut to the width; clock.rs  times
//! ```
//!
//! A view draws what is visible and nothing else.

#![forbid(unsafe_code)]

mod act;
mod allocations;
mod app;
mod clock;
mod columns;
mod config;
mod diff;
mod digest;
mod events;
mod export;
mod finder;
mod groups;
mod keys;
mod later;
mod layout;
mod line;
mod lists;
mod live;
mod map;
mod mouse;
mod query;
mod search;
mod session;
mod spans;
mod stream;
mod tables;
mod tensors;
mod terminal;
mod text;
mod theme;
mod tree;
mod view;

pub use app::{App, View};
pub use clock::Clock;
pub use config::Config;
pub use keys::{Action, Keymap};
pub use layout::Layout;
pub use live::{Live, Loading, Progress};
pub use session::{Inputs, Session, SessionError};
pub use stream::{Source, Stream};
pub use tensors::Bytes;
pub use terminal::{Feed, run};
pub use theme::{Depth, Palette, Theme};
