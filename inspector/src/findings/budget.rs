//! `ETM007`: a limit of a budget that is exceeded.

use super::{Code, Finding};
use crate::budget::Check;

/// The findings for every limit that `method` exceeds.
pub fn over_budget(method: &str, checks: &[Check]) -> Vec<Finding> {
    checks.iter().filter(|check| check.over() > 0).map(|check| finding(method, check)).collect()
}

fn finding(method: &str, check: &Check) -> Finding {
    let Check { name, needs, limit } = check;
    let over = check.over();
    Finding {
        code: Code::OverBudget,
        title: format!("method {method} needs {needs} bytes, its budget {name} is {limit}"),
        evidence: vec![
            ("method", method.to_owned()),
            ("budget", name.clone()),
            ("limit_bytes", limit.to_string()),
            ("required_bytes", needs.to_string()),
            ("over_bytes", over.to_string()),
        ],
        remedy: format!(
            "save {over} bytes (`etinspect memory` says what would), or raise {name} to {needs}"
        ),
        at: None,
        operator: None,
    }
}
