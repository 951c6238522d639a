//! Whole programs, exported and run by the real ExecuTorch: our outputs equal its outputs.
//!
//! Programs for Cortex-M (`cm55_*`) have no runtime on the host. Their outputs are those of the
//! wheel's Python references of each operator: `scripts/cortex_m_outputs.py`.

mod support;

use et_runtime::{LoadOptions, Rounding};
use support::{check_model, check_model_with, fixtures};

macro_rules! models {
    ($($name:ident: $rtol:expr, $atol:expr;)+) => {
        $(#[test]
        fn $name() {
            let dir = fixtures().join("models").join(stringify!($name));
            check_model(&dir, "forward", $rtol, $atol).unwrap_or_else(|e| panic!("{e}"));
        })+

        /// Products that are not rounded change last digits only.
        #[test]
        fn rounded_once() {
            let options = LoadOptions { rounding: Rounding::Once, ..LoadOptions::default() };
            $({
                let dir = fixtures().join("models").join(stringify!($name));
                check_model_with(options, &dir, "forward", $rtol, $atol)
                    .unwrap_or_else(|e| panic!("{}: {e}", stringify!($name)));
            })+
        }
    };
}

models! {
    softmax: 1e-5, 1e-6;
    linear: 1e-5, 1e-6;
    add: 1e-5, 1e-6;
    add_mul: 1e-5, 1e-6;
    channels_last: 1e-5, 1e-6;
    activations: 1e-5, 1e-6;
    pools: 1e-5, 1e-6;
    mlp_align4k: 1e-5, 1e-6;
    mlp_stacktrace: 1e-5, 1e-6;
    mlp_viewcopy: 1e-5, 1e-6;
    mv2_w010: 1e-4, 1e-5;
    map_loop: 1e-5, 1e-6;
    scan: 1e-5, 1e-6;
    max_pool_nan: 0.0, 0.0;
    dtype_int8: 0.0, 0.0;
    dtype_int32: 0.0, 0.0;
    dtype_fp16: 1e-3, 1e-3;
    dtype_bf16: 1e-2, 1e-2;
    dtype_casts: 1e-3, 1e-3;
    dynamic_mlp: 1e-5, 1e-6;
    lstm: 1e-5, 1e-6;
    scalar_inputs: 1e-5, 1e-6;
    transformer: 1e-5, 1e-6;
    transformer_fp16: 1e-2, 1e-2;
    q_cnn: 1e-5, 1e-6;
    q_mlp_dynamic: 1e-5, 1e-6;
    q_mlp_per_tensor: 1e-5, 1e-6;
    mv2_w010_q: 1e-4, 1e-5;
    multi_method_forward: 1e-5, 1e-6;
    norms: 1e-5, 1e-6;
    cond: 1e-5, 1e-6;
    int_ops: 1e-5, 1e-6;
    data_movement: 1e-5, 1e-6;
    kv_cache: 1e-5, 1e-6;
    scatter_ops: 1e-5, 1e-6;
    cm55_add: 0.0, 0.0;
    cm55_linear: 0.0, 0.0;
    cm55_mv2_w010: 0.0, 0.0;
}
