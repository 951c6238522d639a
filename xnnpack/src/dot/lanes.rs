//! Sums of four products of bytes in each lane, by what the processor has for it.
//!
//! The left bytes are unsigned, the right ones signed. All give the same sums:
//! nothing saturates, as `vpmaddubsw` would.

use bytemuck::Pod;

/// What a processor adds products of bytes with.
pub(crate) trait Dot: Copy {
    /// A sum per lane.
    type Sums: Pod;
    /// Four signed bytes for each lane.
    type Line: Pod;
    /// Sums in a vector.
    const LANES: usize;
    /// Rows of two vectors each that the registers hold.
    const ROWS: usize;

    /// No sums yet.
    fn zero(self) -> Self::Sums;

    /// Adds the products of `four` with the four bytes of each lane.
    fn dot(self, sums: Self::Sums, four: [u8; 4], line: Self::Line) -> Self::Sums;

    /// Adds the product of the byte and the tap of each lane; taps fit 16 bits.
    /// There are at least as many of both as lanes.
    fn add_products(self, sums: Self::Sums, bytes: &[u8], taps: &[i32]) -> Self::Sums;
}

/// What is to be done with the vectors of the processor.
pub(crate) trait Task {
    /// What comes of it.
    type Output;

    /// Does it; must be `inline(always)`.
    fn run<D: Dot>(self, dot: D) -> Self::Output;
}

/// Does `task` with the best that this processor has.
pub(crate) fn dispatch<T: Task>(task: T) -> T::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(vnni) = x86::Vnni::try_new() {
            return vnni.vectorize(
                #[inline(always)]
                || task.run(vnni),
            );
        }
        if let Some(avx2) = pulp::x86::V3::try_new() {
            return avx2.vectorize(
                #[inline(always)]
                || task.run(avx2),
            );
        }
    }
    task.run(Plain)
}

/// Loops, of which the compiler makes what it can.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Dot for Plain {
    type Sums = [i32; 8];
    type Line = [[i8; 4]; 8];
    const LANES: usize = 8;
    const ROWS: usize = 4;

    #[inline(always)]
    fn zero(self) -> [i32; 8] {
        [0; 8]
    }

    #[inline(always)]
    fn dot(self, mut sums: [i32; 8], four: [u8; 4], line: [[i8; 4]; 8]) -> [i32; 8] {
        for (sum, bytes) in sums.iter_mut().zip(line) {
            for (a, b) in four.iter().zip(bytes) {
                *sum += i32::from(*a) * i32::from(b);
            }
        }
        sums
    }

    #[inline(always)]
    fn add_products(self, mut sums: [i32; 8], bytes: &[u8], taps: &[i32]) -> [i32; 8] {
        for (sum, (byte, tap)) in sums.iter_mut().zip(bytes.iter().zip(taps)) {
            *sum += i32::from(*byte) * tap;
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use super::Dot;
    use bytemuck::{cast_slice, pod_read_unaligned};
    use pulp::x86::V3;
    use pulp::{cast, i8x32, i8x64, i32x8, i32x16};
    use std::arch::x86_64::{
        _mm512_cvtepu8_epi32, _mm512_dpbusd_epi32, _mm512_dpwssd_epi32, _mm512_set1_epi32,
    };

    pulp::simd_type!({
        /// AVX-512 with VNNI.
        pub(crate) struct Vnni {
            pub avx2: f!("avx2"),
            pub fma: f!("fma"),
            pub bmi1: f!("bmi1"),
            pub bmi2: f!("bmi2"),
            pub popcnt: f!("popcnt"),
            pub lzcnt: f!("lzcnt"),
            pub avx512f: f!("avx512f"),
            pub avx512bw: f!("avx512bw"),
            pub avx512cd: f!("avx512cd"),
            pub avx512dq: f!("avx512dq"),
            pub avx512vl: f!("avx512vl"),
            pub avx512vnni: f!("avx512vnni"),
        }
    });

    impl Dot for Vnni {
        type Sums = i32x16;
        type Line = i8x64;
        const LANES: usize = 16;
        const ROWS: usize = 12;

        #[inline(always)]
        fn zero(self) -> i32x16 {
            cast([0i32; 16])
        }

        #[inline(always)]
        fn dot(self, sums: i32x16, four: [u8; 4], line: i8x64) -> i32x16 {
            // SAFETY: a `Vnni` is only made where the processor has these instructions.
            cast(unsafe {
                let four = _mm512_set1_epi32(i32::from_le_bytes(four));
                _mm512_dpbusd_epi32(cast(sums), four, cast(line))
            })
        }

        /// Both as pairs of 16-bit integers: the byte's upper one is 0.
        #[inline(always)]
        fn add_products(self, sums: i32x16, bytes: &[u8], taps: &[i32]) -> i32x16 {
            // A number, as vectors of bytes would be taken apart into their bytes.
            let bytes: u128 = pod_read_unaligned(&bytes[..16]);
            let taps: i32x16 = pod_read_unaligned(cast_slice(&taps[..16]));
            // SAFETY: a `Vnni` is only made where the processor has these instructions.
            cast(unsafe {
                _mm512_dpwssd_epi32(cast(sums), _mm512_cvtepu8_epi32(cast(bytes)), cast(taps))
            })
        }
    }

    impl Dot for V3 {
        type Sums = i32x8;
        type Line = i8x32;
        const LANES: usize = 8;
        const ROWS: usize = 4;

        #[inline(always)]
        fn zero(self) -> i32x8 {
            cast([0i32; 8])
        }

        /// Even and odd bytes as 16-bit integers, whose pairs of products have 32 bits.
        #[inline(always)]
        fn dot(self, sums: i32x8, four: [u8; 4], line: i8x32) -> i32x8 {
            let (avx, line) = (self.avx2, cast(line));
            let four = self.avx._mm256_set1_epi32(i32::from_le_bytes(four));
            let low = avx._mm256_and_si256(four, self.avx._mm256_set1_epi16(255));
            let even = avx._mm256_srai_epi16::<8>(avx._mm256_slli_epi16::<8>(line));
            let high = avx._mm256_srli_epi16::<8>(four);
            let odd = avx._mm256_srai_epi16::<8>(line);
            let sums = avx._mm256_add_epi32(cast(sums), avx._mm256_madd_epi16(low, even));
            cast(avx._mm256_add_epi32(sums, avx._mm256_madd_epi16(high, odd)))
        }

        #[inline(always)]
        fn add_products(self, sums: i32x8, bytes: &[u8], taps: &[i32]) -> i32x8 {
            let avx = self.avx2;
            let all = u128::from(pod_read_unaligned::<u64>(&bytes[..8]));
            let taps: i32x8 = pod_read_unaligned(cast_slice(&taps[..8]));
            let products = avx._mm256_madd_epi16(avx._mm256_cvtepu8_epi32(cast(all)), cast(taps));
            cast(avx._mm256_add_epi32(cast(sums), products))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums of two lines, the second at the ends of what bytes can be.
    struct Two;

    impl Task for Two {
        type Output = Vec<i32>;

        #[inline(always)]
        fn run<D: Dot>(self, dot: D) -> Vec<i32> {
            let bytes: Vec<i8> = (0..D::LANES * 4).map(|i| (i * 37 + 5) as i8).collect();
            let lowest = vec![-128i8; D::LANES * 4];
            let line =
                |bytes: &[i8]| bytemuck::pod_read_unaligned::<D::Line>(bytemuck::cast_slice(bytes));
            let sums = dot.dot(dot.zero(), [255, 0, 128, 7], line(&bytes));
            let sums = dot.dot(sums, [255; 4], line(&lowest));
            let bytes: Vec<u8> = (0..D::LANES).map(|i| 255 - i as u8).collect();
            let taps: Vec<i32> = (0..D::LANES).map(|i| i as i32 * 31 - 255).collect();
            let sums = dot.add_products(sums, &bytes, &taps);
            bytemuck::cast_slice(&[sums]).to_vec()
        }
    }

    fn expected(lanes: usize) -> Vec<i32> {
        let sum = |lane: usize| {
            let byte = |k: usize| i32::from(((lane * 4 + k) * 37 + 5) as i8);
            let product = (255 - lane as i32) * (lane as i32 * 31 - 255);
            255 * byte(0) + 128 * byte(2) + 7 * byte(3) - 4 * 255 * 128 + product
        };
        (0..lanes).map(sum).collect()
    }

    #[test]
    fn every_kind_of_vector_has_the_same_sums() {
        assert_eq!(Two.run(Plain), expected(8));
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(avx2) = pulp::x86::V3::try_new() {
                assert_eq!(avx2.vectorize(|| Two.run(avx2)), expected(8));
            }
            if let Some(vnni) = x86::Vnni::try_new() {
                assert_eq!(vnni.vectorize(|| Two.run(vnni)), expected(16));
            }
        }
    }
}
