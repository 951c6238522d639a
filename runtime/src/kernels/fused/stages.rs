//! Operators that change each channel in place, as their kernels would.

use crate::kernels::elementwise::number::Number;
use crate::kernels::means::Rounding;
use crate::kernels::norm::{self, Normal};
use crate::kernels::panel::{After, Limit};
use crate::kernels::simd::{vectorized, vectorized_steps};
use crate::kernels::{Args, Outs};
use crate::value::Scalar;
use alloc::vec::Vec;
use et_schema::ScalarType;

/// One operator.
pub(super) enum Stage {
    /// The norm of each channel.
    BatchNorm(Vec<Normal>),
    Limit(Limit),
    /// The sum with a tensor of the same shape, whichever comes first.
    Add,
}

/// A tensor of the same shape, from the block's first channel on.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a>(pub &'a [f32]);

impl Stage {
    /// The operator of a call in float32 without broadcasting, whose argument
    /// `chained` is changed in place; and which argument it reads at every run.
    pub fn of(
        name: &str,
        chained: usize,
        args: &Args<'_>,
        outs: &mut Outs<'_>,
    ) -> Option<(Self, Option<usize>)> {
        let input = args.tensor(chained).ok()?;
        let out = outs.first()?;
        let plain = input.is_contiguous() && out.is_contiguous();
        let float =
            input.scalar_type() == ScalarType::Float && out.scalar_type() == ScalarType::Float;
        if !plain || !float || input.sizes() != out.sizes() {
            return None;
        }
        let stage = match (name, chained) {
            ("aten::_native_batch_norm_legit_no_training.out", 0) => {
                Stage::BatchNorm(norm::constant_channels(args, outs)?)
            }
            ("aten::relu.out", 0) => Stage::Limit(Limit(0.0, f32::INFINITY)),
            ("aten::hardtanh.out", 0) => limits(args.scalar(1).ok(), args.scalar(2).ok())?,
            ("aten::clamp.out", 0) => {
                limits(args.optional_scalar(1).ok()?, args.optional_scalar(2).ok()?)?
            }
            ("aten::add.out", 0 | 1) => {
                let other = args.tensor(1 - chained).ok()?;
                let alpha = args.scalar(2).ok()?;
                let alike = other.sizes() == out.sizes()
                    && other.is_contiguous()
                    && other.scalar_type() == ScalarType::Float;
                // One element broadcasts by rules of its own.
                if !alike
                    || alpha.to_f64() != 1.0
                    || matches!(alpha, Scalar::Bool(_))
                    || out.numel() == 1
                {
                    return None;
                }
                return Some((Stage::Add, Some(1 - chained)));
            }
            _ => return None,
        };
        Some((stage, None))
    }

    /// What the first of `stages` do, as far as a convolution can do it to its sums
    /// before it writes them; and how many those are.
    pub fn after(stages: &[Stage]) -> (After<'_>, usize) {
        let mut after = After::default();
        for (index, stage) in stages.iter().enumerate() {
            match stage {
                Stage::BatchNorm(channels) if index == 0 => after.norm = Some(channels),
                Stage::Limit(limit) if after.limit.is_none() => after.limit = Some(*limit),
                _ => return (after, index),
            }
        }
        (after, stages.len())
    }

    /// Whether it reads another tensor.
    pub fn reads(&self) -> bool {
        matches!(self, Stage::Add)
    }

    /// Changes some planes, of which the first is that of channel `first`.
    pub fn run(
        &self,
        first: usize,
        plane: usize,
        other: Option<Operand<'_>>,
        planes: &mut [f32],
        rounding: Rounding,
    ) {
        match self {
            Stage::BatchNorm(channels) => vectorized_steps(
                rounding,
                #[inline(always)]
                |step| {
                    for (plane, normal) in planes.chunks_exact_mut(plane).zip(&channels[first..]) {
                        plane.iter_mut().for_each(|x| *x = normal.number(step, *x));
                    }
                },
            ),
            Stage::Limit(limit) => vectorized(
                #[inline(always)]
                || planes.iter_mut().for_each(|x| *x = limit.number(*x)),
            ),
            Stage::Add => {
                let Some(Operand(other)) = other else { return };
                vectorized(
                    #[inline(always)]
                    || planes.iter_mut().zip(other).for_each(|(x, other)| *x += *other),
                );
            }
        }
    }
}

/// Limits that are numbers; one that is missing limits nothing.
fn limits(low: Option<Scalar>, high: Option<Scalar>) -> Option<Stage> {
    if low.is_none() && high.is_none() {
        return None;
    }
    // Others the kernel refuses or compares by other rules.
    let usual = |limit: &Scalar| limit.to_f64().abs() <= f64::from(f32::MAX);
    let limit = |limit: Option<Scalar>, none| {
        limit.map_or(Some(none), |limit| usual(&limit).then(|| f32::from_scalar(limit)))
    };
    Some(Stage::Limit(Limit(limit(low, f32::LOWEST)?, limit(high, f32::HIGHEST)?)))
}
