//! Ethos-U delegate payloads: the blocks that Vela's output is packed in, the
//! driver's header, and the command stream for the unit.
//!
//! ```text
//! payload.rs    blocks: commands, weights, scratch size, inputs and outputs
//! driver.rs     the driver's header before the command stream
//! config.rs     the unit that the stream was made for
//! command.rs    words as commands
//! registers/    what each command is, by generation of the unit
//! ```

mod command;
mod config;
mod driver;
mod payload;
mod registers;

pub use command::{Command, CommandStream, Item};
pub use config::{Configuration, Product};
pub use driver::Driver;
pub use payload::{Block, Io, Payload};
pub use registers::{Field, Register};

/// Id of the backend in a program.
pub const BACKEND: &str = "EthosUBackend";
