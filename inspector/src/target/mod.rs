//! Boards: their memories, and which of ExecuTorch's pools lies in which.
//!
//! ```text
//! profile.rs   the TOML format, and its validation
//! builtin.rs   the profiles that come with the program (targets/*.toml)
//! fit.rs       a method's needs against a profile
//! remedies.rs  what makes it fit where it does not
//! settings.rs  the pool settings that make it run, ready to paste
//! ```

mod builtin;
mod fit;
mod profile;
mod remedies;
mod settings;

pub use builtin::{BUILTIN, TEMPLATE, find};
pub use fit::{Fit, MemoryFit, Needs, PoolFit, RunnerPools, method_base};
pub use profile::{Memory, MemoryKind, Pool, Pools, ProfileError, Target};
pub use remedies::{Remedy, RemedyKind, remedies};
pub use settings::{Settings, settings};
