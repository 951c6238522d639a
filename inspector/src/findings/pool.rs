//! `ETM001`: which pool is too small, and how large it must be.

use super::{Code, Finding};
use crate::memory::Requirements;

/// Limits of the pools; `None` where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Method allocator.
    pub method: Option<u64>,
    /// All planned buffers together.
    pub planned: Option<u64>,
}

/// The findings for pools of `limits` that are too small for `needs`.
pub fn pool_exhausted(needs: &Requirements, limits: Limits) -> Vec<Finding> {
    let pools = [
        ("planned", "--planned-pool", needs.planned_total(), limits.planned),
        ("method", "--method-pool", needs.method, limits.method),
    ];
    pools
        .into_iter()
        .filter_map(|(pool, flag, required, limit)| {
            let limit = limit.filter(|limit| *limit < required)?;
            Some(finding(pool, flag, required, limit, needs))
        })
        .collect()
}

fn finding(pool: &str, flag: &str, required: u64, limit: u64, needs: &Requirements) -> Finding {
    Finding {
        code: Code::PoolExhausted,
        title: format!("the {pool} pool has {limit} bytes, the program needs {required}"),
        evidence: vec![
            ("pool", pool.to_owned()),
            ("limit_bytes", limit.to_string()),
            ("required_bytes", required.to_string()),
            ("missing_bytes", (required - limit).to_string()),
        ],
        remedy: format!(
            "set {flag} {required}; a runner that takes planned buffers from the method \
             allocator, as the Arm runner does, needs {} bytes there",
            needs.method_with_planned()
        ),
        at: None,
        operator: None,
    }
}
