//! Operators of one tensor, element by element.

use super::convert;
use super::sums::requantize;
use crate::error::{Error, Result};
use crate::product::vectors;
use crate::tensor::{Data, RANGE, Tensor};
use et_schema::xnnpack::UnaryOperator;

/// `operator(input)`; `parameter` is the slope or alpha of those that have one.
pub(crate) fn unary(
    operator: UnaryOperator,
    parameter: f32,
    input: &Tensor,
    clamp: (f32, f32),
    out: &mut Tensor,
) -> Result {
    out.dims.clone_from(&input.dims);
    match (&input.data, &mut out.data) {
        (Data::F32(input), Data::F32(out)) => {
            out.clear();
            out.extend_from_slice(input);
            floats(operator, parameter, clamp, out);
            Ok(())
        }
        (Data::Small(data), Data::Small(_)) => {
            let (from, to) = (input.quantized()?, out.quantized()?);
            let Data::Small(out) = &mut out.data else { return Ok(()) };
            out.clear();
            if operator == UnaryOperator::Clamp && from == to {
                let (low, high) = convert::clamped(to, RANGE, clamp);
                out.extend(data.iter().map(|q| (*q).clamp(low as u8, high as u8)));
                return Ok(());
            }
            // 8-bit numbers have no more than 256 results.
            let mut table: Vec<f32> =
                (RANGE.0..=RANGE.1).map(|q| (q - from.zero) as f32 * from.scale).collect();
            floats(operator, parameter, clamp, &mut table);
            let results: Vec<u8> =
                table.iter().map(|x| requantize(x / to.scale, to.zero, RANGE)).collect();
            out.extend(data.iter().map(|q| results[usize::from(*q)]));
            Ok(())
        }
        _ => Err(Error::new("an input of another kind than the output")),
    }
}

fn floats(operator: UnaryOperator, parameter: f32, (low, high): (f32, f32), data: &mut [f32]) {
    use UnaryOperator as U;
    /// A loop that is made of vectors.
    macro_rules! each {
        ($apply:expr) => {
            vectors(
                #[inline(always)]
                || data.iter_mut().for_each(|x| *x = $apply(*x)),
            )
        };
    }
    if operator == U::Clamp {
        return each!(|x: f32| x.max(low).min(high));
    }
    match operator {
        U::Hardswish => each!(|x: f32| x * (x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0)),
        U::Abs => each!(f32::abs),
        U::Ceiling => each!(f32::ceil),
        U::Floor => each!(f32::floor),
        U::LeakyRelu => each!(|x: f32| if x < 0.0 { x * parameter } else { x }),
        U::Negate => each!(|x: f32| -x),
        U::ReciprocalSquareRoot => each!(|x: f32| 1.0 / x.sqrt()),
        U::Square => each!(|x: f32| x * x),
        U::SquareRoot => each!(f32::sqrt),
        _ => curved(operator, parameter, data),
    }
    if low > f32::NEG_INFINITY || high < f32::INFINITY {
        each!(|x: f32| x.max(low).min(high));
    }
}

/// Operators that no vector has.
fn curved(operator: UnaryOperator, parameter: f32, data: &mut [f32]) {
    use UnaryOperator as U;
    let mut map = |apply: &dyn Fn(f32) -> f32| data.iter_mut().for_each(|x| *x = apply(*x));
    match operator {
        U::Cos => map(&f32::cos),
        U::Elu => map(&|x| if x < 0.0 { parameter * x.exp_m1() } else { x }),
        U::Exp => map(&f32::exp),
        U::Gelu => map(&|x| 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))),
        U::Log => map(&f32::ln),
        U::Sigmoid => map(&|x| 1.0 / (1.0 + (-x).exp())),
        U::Sin => map(&f32::sin),
        U::Tanh => map(&f32::tanh),
        _ => {}
    }
}
