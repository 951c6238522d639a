//! Whole programs, exported and run by the real ExecuTorch: our outputs equal its outputs.

mod support;

use support::{check_model, fixtures};

macro_rules! models {
    ($($name:ident: $rtol:expr, $atol:expr;)+) => {
        $(#[test]
        fn $name() {
            let dir = fixtures().join("models").join(stringify!($name));
            check_model(&dir, "forward", $rtol, $atol).unwrap_or_else(|e| panic!("{e}"));
        })+
    };
}

models! {
    softmax: 1e-5, 1e-6;
    add: 0.0, 0.0;
    add_mul: 0.0, 0.0;
    activations: 1e-5, 1e-6;
    dtype_int8: 0.0, 0.0;
    dtype_int32: 0.0, 0.0;
    dtype_fp16: 1e-3, 1e-3;
    dtype_bf16: 1e-2, 1e-2;
    dtype_casts: 0.0, 0.0;
    scalar_inputs: 1e-5, 1e-6;
}
