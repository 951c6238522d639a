//! `rand` and `randn`.
//!
//! ExecuTorch seeds these from the machine's random device. Here they follow
//! the seed that the method was loaded with, so that two runs of a program can
//! be compared; each kernel call has a sequence of its own.

use super::fill::resize_to;
use super::number::with_compute;
use super::stream::Sink;
use crate::error::{KernelResult, ensure};
use crate::kernels::{Args, Kernel, Outs};
#[cfg(not(feature = "std"))]
use num_traits::Float;

pub(in crate::kernels) const KERNELS: &[(&str, Kernel)] = &[
    ("aten::rand.out", |args, outs| fill(args, outs, Random::uniform)),
    ("aten::randn.out", |args, outs| fill(args, outs, Random::normal)),
];

/// A sequence of pseudo-random numbers (SplitMix64).
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0.0..1.0`.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// From the standard normal distribution (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (core::f64::consts::TAU * self.uniform()).cos()
    }
}

fn fill(args: &Args<'_>, outs: &mut Outs<'_>, draw: fn(&mut Random) -> f64) -> KernelResult {
    let out = &mut outs[0];
    resize_to(out, args.ints(0)?)?;
    ensure!(out.scalar_type().is_floating(), "not supported for {}", out.scalar_type());
    let mut random = Random::new(args.seed());
    let numel = out.numel();
    with_compute!(out.scalar_type(), float, C => {
        let mut sink = Sink::<C>::new(out)?;
        for at in 0..numel {
            sink.fill(at, 1, |out| out[0] = draw(&mut random) as C);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_moments_of_their_distribution() {
        let mut random = Random::new(0);
        const N: usize = 20_000;
        let moments = |draw: &mut dyn FnMut() -> f64| {
            let samples: alloc::vec::Vec<f64> = (0..N).map(|_| draw()).collect();
            let mean = samples.iter().sum::<f64>() / N as f64;
            let variance = samples.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / N as f64;
            (mean, variance)
        };
        let (mean, variance) = moments(&mut || random.uniform());
        assert!((mean - 0.5).abs() < 0.02 && (variance - 1.0 / 12.0).abs() < 0.01);
        let (mean, variance) = moments(&mut || random.normal());
        assert!(mean.abs() < 0.04 && (variance - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_seed_has_its_own_sequence() {
        assert_eq!(Random::new(1).next(), Random::new(1).next());
        assert_ne!(Random::new(1).next(), Random::new(2).next());
    }
}
