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
}
