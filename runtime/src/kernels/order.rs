//! What ExecuTorch's kernels make of tensors that are not in plain order, such
//! as channels-last ones.
//!
//! Most heed the dim order, and some refuse all but the plain one. But many of
//! those that move elements check only that the orders agree, and then take
//! memory for that of plain tensors. PyTorch's result is another. A program
//! must get here what it gets on the device, so the rules are those of ExecuTorch
//! 1.5.1, each seen in its answers (`scripts/kernel_references.py`). What
//! broadcasting makes of dim orders is in the element-wise family itself.

use super::Outs;
use crate::error::{KernelResult, ensure};
use crate::tensor::TensorMeta;
use et_schema::ScalarType;
use smallvec::SmallVec;

/// How an operator's kernel takes dim orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the dim order of each tensor.
    Heeded,
    /// By the dim order of each tensor, if all are plain or all channels-last.
    Agreeing,
    /// Refuses all but the plain one.
    Plain,
    /// Takes memory for that of plain tensors; `agreeing` if all orders must be the same.
    Overlooked { agreeing: bool },
    /// By the dim orders of the inputs, if all are the same, but writes as if the outputs
    /// were plain.
    OverlookedInOutputs,
    /// Overlooks them where the optimized library's kernel broadcasts one inner dimension.
    Broadcast,
}

/// What a call with tensors in other than plain order comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// The kernel heeds the orders.
    AsIs,
    /// The kernel sees plain tensors.
    AsPlain,
    /// The kernel sees plain outputs.
    PlainOutputs,
}

/// The rule of an operator, by its full name.
pub(crate) fn of(operator: &str) -> Order {
    match operator.strip_prefix("aten::").unwrap_or_default() {
        "_adaptive_avg_pool2d.out"
        | "_native_batch_norm_legit.no_stats_out"
        | "_native_batch_norm_legit.out"
        | "_native_batch_norm_legit_no_training.out"
        | "avg_pool2d.out"
        | "expand_copy.out"
        | "full_like.out"
        | "grid_sampler_2d.out"
        | "index.Tensor_out"
        | "index_put.out"
        | "index_select.out"
        | "max.dim_max"
        | "mean.out"
        | "min.dim_min"
        | "native_group_norm.out"
        | "pixel_shuffle.out"
        | "reflection_pad1d.out"
        | "reflection_pad2d.out"
        | "reflection_pad3d.out"
        | "repeat.out"
        | "squeeze_copy.dims_out"
        | "stack.out"
        | "sum.IntList_out"
        | "tril.out"
        | "unfold_copy.out" => Order::Plain,
        "amax.out"
        | "amin.out"
        | "any.dims_out"
        | "argmax.out"
        | "argmin.out"
        | "diagonal_copy.out"
        | "max.unary_out"
        | "min.unary_out"
        | "select_copy.int_out"
        | "unbind_copy.int_out"
        | "view_copy.out" => Order::Agreeing,
        "cat.out"
        | "constant_pad_nd.out"
        | "cumsum.out"
        | "flip.out"
        | "permute_copy.out"
        | "roll.out"
        | "slice_copy.Tensor_out"
        | "slice_scatter.out"
        | "split_copy.Tensor_out"
        | "split_with_sizes_copy.out" => Order::Overlooked { agreeing: true },
        "transpose_copy.int_out" => Order::OverlookedInOutputs,
        "gather.out"
        | "narrow_copy.out"
        | "pixel_unshuffle.out"
        | "replication_pad1d.out"
        | "replication_pad2d.out"
        | "replication_pad3d.out"
        | "scatter.src_out"
        | "scatter.value_out"
        | "scatter_add.out"
        | "unsqueeze_copy.out" => Order::Overlooked { agreeing: false },
        "add.out" | "sub.out" | "mul.out" | "div.out" => Order::Broadcast,
        _ => Order::Heeded,
    }
}

impl Order {
    /// What becomes of a call with these inputs and outputs.
    ///
    /// # Errors
    /// Orders that the kernel refuses.
    pub(crate) fn treatment(
        self,
        inputs: &[&TensorMeta],
        outs: &[&TensorMeta],
    ) -> KernelResult<Treatment> {
        let mut all = inputs.iter().chain(outs);
        if all.clone().all(|meta| meta.is_contiguous()) {
            return Ok(Treatment::AsIs);
        }
        match self {
            Order::Heeded => Ok(Treatment::AsIs),
            Order::Agreeing | Order::OverlookedInOutputs => {
                let agree = all.all(|meta| meta.is_channels_last());
                ensure!(agree, "tensors of different dim orders");
                let plain = self == Order::OverlookedInOutputs;
                Ok(if plain { Treatment::PlainOutputs } else { Treatment::AsIs })
            }
            Order::Plain => {
                ensure!(false, "a tensor in other than plain dim order");
                Ok(Treatment::AsIs)
            }
            Order::Overlooked { agreeing } => {
                let agree = !agreeing || all.all(|meta| meta.is_channels_last());
                ensure!(agree, "tensors of different dim orders");
                Ok(Treatment::AsPlain)
            }
            Order::Broadcast => Ok(broadcast(inputs, outs)),
        }
    }
}

/// The optimized library adds, subtracts, multiplies and divides by a shortcut
/// if all types are one that its vectors have.
fn broadcast(inputs: &[&TensorMeta], outs: &[&TensorMeta]) -> Treatment {
    let [first, other] = inputs else { return Treatment::AsIs };
    let one_type = inputs.iter().chain(outs).all(|m| m.scalar_type() == first.scalar_type());
    let half = matches!(first.scalar_type(), ScalarType::Half | ScalarType::BFloat16);
    let number = first.numel() == 1 || other.numel() == 1;
    if one_type && !half && !number && differs_in_one_inner_dimension(first, other) {
        return Treatment::AsPlain;
    }
    Treatment::AsIs
}

fn differs_in_one_inner_dimension(a: &TensorMeta, b: &TensorMeta) -> bool {
    let mut differing = (0..a.rank()).filter(|dim| a.size(*dim) != b.size(*dim));
    a.rank() == b.rank() && differing.next().is_some_and(|d| d > 0) && differing.next().is_none()
}

/// Runs a kernel that takes the outputs for plain ones; their order stays what it is.
///
/// # Errors
/// Those of the kernel.
pub(crate) fn with_plain_outs(
    outs: &mut Outs<'_>,
    kernel: impl FnOnce(&mut Outs<'_>) -> KernelResult,
) -> KernelResult {
    let originals: SmallVec<[TensorMeta; 4]> = outs.iter().map(|out| out.meta.clone()).collect();
    for out in outs.iter_mut() {
        *out.meta = out.meta.plain()?;
    }
    kernel(outs)?;
    for (out, mut meta) in outs.iter_mut().zip(originals) {
        meta.resize(out.meta.sizes())?;
        *out.meta = meta;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use et_schema::pte::Dynamism;

    fn meta(sizes: &[i32], order: &[u8]) -> TensorMeta {
        TensorMeta::new(ScalarType::Float, sizes, order, Dynamism::Static).unwrap()
    }

    const LAST: &[u8] = &[0, 2, 3, 1];

    #[test]
    fn plain_tensors_are_taken_as_they_are() {
        let plain = meta(&[2, 4, 3, 3], &[]);
        for operator in ["aten::cat.out", "aten::mul.out", "aten::avg_pool2d.out"] {
            let treatment = of(operator).treatment(&[&plain, &plain], &[&plain]);
            assert_eq!(treatment, Ok(Treatment::AsIs), "{operator}");
        }
    }

    #[test]
    fn one_broadcast_dimension_goes_another_way_in_the_optimized_library() {
        let image = meta(&[2, 4, 3, 3], LAST);
        let (row, channel) = (meta(&[2, 4, 3, 1], LAST), meta(&[2, 4, 1, 1], LAST));
        let treatment = |operator, other| of(operator).treatment(&[&image, other], &[&image]);
        assert_eq!(treatment("aten::mul.out", &row), Ok(Treatment::AsPlain));
        assert_eq!(treatment("aten::mul.out", &channel), Ok(Treatment::AsIs));
        assert_eq!(treatment("aten::mul.out", &image), Ok(Treatment::AsIs));
        assert_eq!(treatment("aten::minimum.out", &row), Ok(Treatment::AsIs));
    }

    #[test]
    fn orders_that_differ_are_refused_where_they_must_agree() {
        let (last, plain) = (meta(&[2, 4, 3, 3], LAST), meta(&[2, 4, 3, 3], &[]));
        assert!(of("aten::flip.out").treatment(&[&last], &[&plain]).is_err());
        assert!(of("aten::gather.out").treatment(&[&last], &[&plain]).is_ok());
        assert!(of("aten::stack.out").treatment(&[&last], &[&last]).is_err());
    }
}
