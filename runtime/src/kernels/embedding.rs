//! Rows of a table by index.

use super::{Args, Kernel, Outs};
use crate::error::{KernelError, KernelResult, ensure};
use crate::kernels::scratch::Scratch;
use crate::tensor::Sizes;
use alloc::format;
use et_schema::ScalarType;

pub(super) const KERNELS: &[(&str, Kernel)] = &[("aten::embedding.out", embedding)];

fn embedding(args: &Args<'_>, outs: &mut Outs<'_>) -> KernelResult {
    let (table, indices, out) = (args.tensor(0)?, args.tensor(1)?, &mut outs[0]);
    ensure!(
        table.rank() == 2 && table.is_contiguous() && indices.is_contiguous(),
        "a table of {:?}",
        table.sizes()
    );
    ensure!(table.scalar_type() == out.scalar_type(), "table and output differ in type");
    let mut sizes = Sizes::from_slice(indices.sizes());
    sizes.push(table.sizes()[1]);
    out.resize(&sizes)?;
    let rows = match indices.scalar_type() {
        ScalarType::Long => Scratch::of(indices.data::<i64>()?.iter().copied()),
        ScalarType::Int => Scratch::of(indices.data::<i32>()?.iter().map(|i| i64::from(*i))),
        other => return Err(KernelError::argument(format!("indices of {other}"))),
    };
    let width = table.size(1) * table.scalar_type().size();
    let source = table.bytes();
    if width == 0 {
        return Ok(());
    }
    for (row, target) in rows.iter().zip(out.bytes_mut()?.chunks_exact_mut(width)) {
        let in_table = usize::try_from(*row).ok().filter(|row| *row < table.size(0));
        let bytes = in_table.and_then(|row| source.get(row * width..(row + 1) * width));
        target.copy_from_slice(bytes.ok_or_else(|| {
            KernelError::argument(format!("index {row} in a table of {} rows", table.size(0)))
        })?);
    }
    Ok(())
}
