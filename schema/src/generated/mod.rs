//! Bindings made by `flatc` from `schema/fbs/`. Never edited by hand:
//! `cargo run --manifest-path schema/codegen/Cargo.toml` makes them anew.

pub mod bundled_program_generated;
pub mod etdump_generated;
pub mod flat_tensor_generated;
pub mod program_generated;
pub mod xnnpack_generated;
