//! Time of a module of the model.

use super::method::Correlation;
use crate::events::{EventBlocks, Times};

/// Mean time per run in the module at `path` and in those inside it, without
/// counting any time twice. `fc1` is not part of the module `fc10`.
pub fn module_time(
    blocks: &EventBlocks<'_>,
    correlation: &Correlation<'_>,
    path: &str,
    times: &Times,
) -> f64 {
    let mut total = 0.0;
    for (index, block) in blocks.blocks.iter().enumerate() {
        for row in &block.events {
            let origin = correlation.event(index, row);
            if origin.module().is_some_and(|module| is_inside(module, path)) {
                total += times.span(row.own_ticks()) / block.runs as f64;
            }
        }
    }
    total
}

fn is_inside(module: &str, path: &str) -> bool {
    let rest = module.strip_prefix(path);
    path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What the Inspector's `find_total_for_module` returns: the mean times of the
/// events other than `OPERATOR_CALL` that have a module whose key contains
/// `name`. Keys are numbers except for the model's own, `L__self__`.
pub fn find_total_for_module(
    blocks: &EventBlocks<'_>,
    correlation: &Correlation<'_>,
    name: &str,
    times: &Times,
) -> f64 {
    let mut total = 0.0;
    for (index, block) in blocks.blocks.iter().enumerate() {
        for row in block.events.iter().filter(|row| row.display_name() != "OPERATOR_CALL") {
            let origin = correlation.event(index, row);
            let mut modules = origin.modules().into_iter();
            if modules.any(|module| module.key.contains(name))
                && let Some(statistics) = row.last_iterations().statistics(times)
            {
                total += statistics.avg;
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn module_is_inside_of_itself_and_of_what_holds_it() {
        assert!(is_inside("blocks.0.norm1", "blocks.0"));
        assert!(is_inside("blocks.0", "blocks.0"));
        assert!(is_inside("blocks.0", ""));
        assert!(!is_inside("blocks.01", "blocks.0"));
        assert!(!is_inside("blocks", "blocks.0"));
    }
}
