//! Elements of a tensor whose type is known at run time only.
//!
//! Kernels compute in few types and tensors come in many, so elements are
//! converted a chunk at a time on the way in and on the way out: one loop for
//! each pair of types, shared by all operators.

use super::walk::Walk;
use crate::error::{KernelError, KernelResult};
use crate::tensor::{Bool, ComplexDouble, ComplexFloat, ComplexHalf};
use crate::tensor::{Element, TensorMut, TensorRef};
use alloc::format;
use core::mem;
use et_schema::ScalarType;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// Elements converted at once on the way from and to 16-bit floats.
const HALVES: usize = 64;

macro_rules! elements {
    ($($variant:ident: $type:ty;)+) => {
        /// Elements to read, in memory order.
        #[derive(Clone, Copy)]
        pub(super) enum Elements<'a> {
            $($variant(&'a [$type]),)+
            Half(&'a [f16]),
            BFloat16(&'a [bf16]),
        }

        /// Elements to write, in memory order.
        pub(super) enum ElementsMut<'a> {
            $($variant(&'a mut [$type]),)+
            Half(&'a mut [f16]),
            BFloat16(&'a mut [bf16]),
        }

        impl<'a> Elements<'a> {
            /// The elements of `tensor`.
            ///
            /// # Errors
            /// A type that no element-wise operator takes, or no data.
            pub fn of(tensor: &TensorRef<'a>) -> KernelResult<Self> {
                Ok(match tensor.scalar_type() {
                    $(ScalarType::$variant => Self::$variant(tensor.data()?),)+
                    ScalarType::Half => Self::Half(tensor.data()?),
                    ScalarType::BFloat16 => Self::BFloat16(tensor.data()?),
                    other => return Err(unsupported(other)),
                })
            }

            /// Converts the elements from `first` on into `out`.
            pub fn load<C: Element>(&self, first: usize, out: &mut [C]) {
                match self {
                    $(Self::$variant(data) => load(data, first, out),)+
                    Self::Half(data) => load_half(data, first, out),
                    Self::BFloat16(data) => load_half(data, first, out),
                }
            }

            /// Converts the elements along `walk` into `out`.
            pub fn gather<C: Element>(&self, walk: Walk<'_>, out: &mut [C]) {
                match self {
                    $(Self::$variant(data) => gather(data, walk, out),)+
                    Self::Half(data) => gather(data, walk, out),
                    Self::BFloat16(data) => gather(data, walk, out),
                }
            }
        }

        impl<'a> ElementsMut<'a> {
            /// The elements of `tensor`.
            ///
            /// # Errors
            /// As [`Elements::of`].
            pub fn of<'t: 'a>(tensor: &'a mut TensorMut<'t>) -> KernelResult<Self> {
                Ok(match tensor.scalar_type() {
                    $(ScalarType::$variant => Self::$variant(tensor.data_mut()?),)+
                    ScalarType::Half => Self::Half(tensor.data_mut()?),
                    ScalarType::BFloat16 => Self::BFloat16(tensor.data_mut()?),
                    other => return Err(unsupported(other)),
                })
            }

            /// Converts `values` into the elements from `first` on.
            pub fn store<C: Element>(&mut self, first: usize, values: &[C]) {
                match self {
                    $(Self::$variant(data) => store(data, first, values),)+
                    Self::Half(data) => store_half(data, first, values),
                    Self::BFloat16(data) => store_half(data, first, values),
                }
            }
        }
    };
}

elements! {
    Byte: u8;
    Char: i8;
    Short: i16;
    Int: i32;
    Long: i64;
    Float: f32;
    Double: f64;
    Bool: Bool;
    ComplexHalf: ComplexHalf;
    ComplexFloat: ComplexFloat;
    ComplexDouble: ComplexDouble;
}

fn unsupported(scalar_type: ScalarType) -> KernelError {
    KernelError::argument(format!("element-wise operators do not take {scalar_type} tensors"))
}

fn load<T: Element, C: Element>(data: &[T], first: usize, out: &mut [C]) {
    out.iter_mut().zip(&data[first..]).for_each(|(out, value)| *out = value.cast());
}

fn gather<T: Element, C: Element>(data: &[T], mut walk: Walk<'_>, mut out: &mut [C]) {
    while !out.is_empty() {
        let run = walk.run(out.len());
        let (head, tail) = mem::take(&mut out).split_at_mut(run.len);
        out = tail;
        let data = &data[run.first..];
        match run.stride {
            0 => head.fill(data[0].cast()),
            1 => head.iter_mut().zip(data).for_each(|(out, value)| *out = value.cast()),
            stride => {
                let values = data.iter().step_by(stride);
                head.iter_mut().zip(values).for_each(|(out, value)| *out = value.cast());
            }
        }
    }
}

fn store<T: Element, C: Element>(data: &mut [T], first: usize, values: &[C]) {
    data[first..].iter_mut().zip(values).for_each(|(out, value)| *out = value.cast());
}

/// As [`load`], by way of float32 in blocks, which the processor can convert.
fn load_half<T: Element, C: Element>(data: &[T], first: usize, out: &mut [C])
where
    [T]: HalfFloatSliceExt,
{
    if C::DTYPE == ScalarType::Float {
        let len = out.len();
        return data[first..][..len].convert_to_f32_slice(bytemuck::cast_slice_mut(out));
    }
    let mut block = [0f32; HALVES];
    for (out, data) in out.chunks_mut(HALVES).zip(data[first..].chunks(HALVES)) {
        let block = &mut block[..out.len()];
        data[..out.len()].convert_to_f32_slice(block);
        out.iter_mut().zip(block).for_each(|(out, value)| *out = value.cast());
    }
}

/// As [`store`], by way of float32 in blocks.
fn store_half<T: Element, C: Element>(data: &mut [T], first: usize, values: &[C])
where
    [T]: HalfFloatSliceExt,
{
    if C::DTYPE == ScalarType::Float {
        let out = &mut data[first..][..values.len()];
        return out.convert_from_f32_slice(bytemuck::cast_slice(values));
    }
    let mut block = [0f32; HALVES];
    for (out, values) in data[first..].chunks_mut(HALVES).zip(values.chunks(HALVES)) {
        let block = &mut block[..values.len()];
        block.iter_mut().zip(values).for_each(|(block, value)| *block = value.cast());
        out[..values.len()].convert_from_f32_slice(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_survive_blocks_of_any_length() {
        for len in [1, HALVES - 1, HALVES, HALVES + 1, 3 * HALVES + 5] {
            let values: alloc::vec::Vec<f32> = (0..len).map(|i| i as f32).collect();
            let mut halves = alloc::vec![f16::ZERO; len + 1];
            ElementsMut::Half(&mut halves).store(1, &values);
            let mut back = alloc::vec![0f32; len];
            Elements::Half(&halves).load(1, &mut back);
            assert_eq!((halves[0], back), (f16::ZERO, values));
        }
    }
}
