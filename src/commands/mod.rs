//! The commands, one file each: arguments, and what is printed.

pub mod compare;
pub mod events;
pub mod explain;
pub mod memory;
pub mod run;
pub mod show;
pub mod targets;
