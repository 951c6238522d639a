//! Every second element of a row: what a stride of 2 meets.

use pulp::Simd;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use pulp::{f32x16, i32x16, x86::V4};

/// Whether one instruction takes every second element out of two vectors, or vectors
/// have one element.
pub(super) const fn are_fast<S: Simd>() -> bool {
    let avx512 = cfg!(any(target_arch = "x86", target_arch = "x86_64")) && S::F32_LANES == 16;
    avx512 || S::F32_LANES == 1
}

/// The elements `first`, `first + 2`, … of two vectors; `first` is 0 or 1.
#[inline(always)]
pub(super) fn every_second<S: Simd>(simd: S, vectors: [S::f32s; 2], first: usize) -> S::f32s {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let (Some(simd), Some(vectors)) = (as_type(&simd), as_type(&vectors))
        && let Some(result) = as_type(&every_second_of_32(*simd, *vectors, first))
    {
        return *result;
    }
    let all: &[f32] = bytemuck::cast_slice(&vectors);
    let mut result = [simd.splat_f32s(0.0)];
    let places: &mut [f32] = bytemuck::cast_slice_mut(&mut result);
    for (place, element) in places.iter_mut().zip(all[first..].iter().step_by(2)) {
        *place = *element;
    }
    result[0]
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[inline(always)]
fn every_second_of_32(simd: V4, [a, b]: [f32x16; 2], first: usize) -> f32x16 {
    const EVEN: i32x16 = i32x16(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const ODD: i32x16 = i32x16(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    let which = if first == 0 { EVEN } else { ODD };
    let [a, b] = [pulp::cast(a), pulp::cast(b)];
    pulp::cast(simd.avx512f._mm512_permutex2var_ps(a, pulp::cast(which), b))
}

/// The value, if it has this type: which that is stands when the code is compiled.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[inline(always)]
fn as_type<T: 'static, U: 'static>(value: &T) -> Option<&U> {
    (value as &dyn core::any::Any).downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    struct Both;

    impl pulp::WithSimd for Both {
        type Output = [Vec<f32>; 2];

        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut vectors = [simd.splat_f32s(0.0); 2];
            let lanes: &mut [f32] = bytemuck::cast_slice_mut(&mut vectors);
            lanes.iter_mut().enumerate().for_each(|(index, lane)| *lane = index as f32);
            [0, 1].map(|first| bytemuck::cast_slice(&[every_second(simd, vectors, first)]).to_vec())
        }
    }

    #[test]
    fn even_and_odd_elements_come_apart() {
        let both = [pulp::Arch::new().dispatch(Both), pulp::Scalar256b.vectorize(Both)];
        for [even, odd] in both {
            for (index, (even, odd)) in even.iter().zip(&odd).enumerate() {
                assert_eq!((*even, *odd), (2.0 * index as f32, 2.0 * index as f32 + 1.0));
            }
        }
    }
}
