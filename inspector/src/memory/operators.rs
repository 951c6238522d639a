//! What is known of operators for planning memory.

/// Operators that compute each element of the output from the elements at the
/// same place in the inputs, or that only copy bytes in order. Their output
/// may lie where an input of the same size lies that nothing reads later.
const IN_PLACE: [&str; 62] = [
    "_native_batch_norm_legit_no_training",
    "abs",
    "acos",
    "acosh",
    "add",
    "alias_copy",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "ceil",
    "clamp",
    "clone",
    "copy",
    "cos",
    "cosh",
    "detach_copy",
    "div",
    "elu",
    "erf",
    "exp",
    "expm1",
    "fill",
    "floor",
    "fmod",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "masked_fill",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "reciprocal",
    "relu",
    "remainder",
    "round",
    "rsqrt",
    "rsub",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "sub",
    "tan",
    "tanh",
    "where",
];

/// Operators that hand on the bytes of their input under another shape.
const COPIES: [&str; 9] = [
    "_clone_dim_order",
    "_reshape_alias_copy",
    "_unsafe_view",
    "alias_copy",
    "clone",
    "detach_copy",
    "squeeze_copy",
    "unsqueeze_copy",
    "view_copy",
];

/// The name without namespace.
fn base(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// Whether the output of `name` (namespace and operator) may lie where an
/// input of the same size lies.
pub fn works_in_place(name: &str) -> bool {
    IN_PLACE.binary_search(&base(name)).is_ok() || copies_bytes(name)
}

/// Whether `name` (namespace and operator) hands on bytes as they are.
pub fn copies_bytes(name: &str) -> bool {
    COPIES.binary_search(&base(name)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_so_that_every_name_is_found() {
        assert!(IN_PLACE.is_sorted() && COPIES.is_sorted());
        assert!(works_in_place("aten::relu") && works_in_place("dim_order_ops::_clone_dim_order"));
        assert!(!works_in_place("aten::softmax") && !copies_bytes("aten::relu"));
    }
}
