//! Operators between real and complex tensors.
//!
//! A program can store neither a complex tensor nor its type: the schema of
//! programs has no number for it. What is left of these operators are their
//! checks, which refuse every tensor there is. They are here so that a program
//! that calls them loads, and fails where it fails in ExecuTorch.

use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult};
use alloc::format;

pub(super) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::_fft_r2c.out", |args, outs| refuse(args, outs, "a complex output")),
    ("aten::_fft_c2r.out", |args, outs| refuse(args, outs, "a complex input")),
    ("aten::view_as_real_copy.out", |args, outs| refuse(args, outs, "a complex input")),
];

fn refuse(args: &Args<'_>, outs: &mut Outs<'_>, expected: &str) -> KernelResult {
    let (input, out) = (args.tensor(0)?.scalar_type(), outs[0].scalar_type());
    let found = format!("expected {expected}, found an input of {input} and an output of {out}");
    Err(KernelError::argument(found))
}
