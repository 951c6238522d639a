//! The commands, one file each: arguments, and what is printed.

pub mod compare;
pub mod diagnose;
pub mod diff;
pub mod events;
pub mod explain;
pub mod memory;
pub mod recover;
pub mod report;
pub mod run;
pub mod show;
pub mod targets;
pub mod tui;
