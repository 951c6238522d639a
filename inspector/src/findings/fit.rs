//! `ETM001` and `ETM005`: a program that does not fit a board.

use super::{Code, Finding};
use crate::target::{Fit, MemoryFit, PoolFit, Target};

/// The findings for pools and memories of `target` that are too small.
pub fn does_not_fit(target: &Target, fit: &Fit) -> Vec<Finding> {
    let pools = fit.pools.iter().filter(|pool| !pool.fits()).map(pool);
    let memories = fit.memories.iter().filter(|memory| !memory.fits());
    pools.chain(memories.map(|m| memory(target, fit, m))).collect()
}

fn pool(pool: &PoolFit) -> Finding {
    let limit = pool.size.unwrap_or(0);
    Finding {
        code: Code::PoolExhausted,
        title: format!(
            "the {} pool has {limit} bytes, the program needs {}",
            pool.name, pool.needs
        ),
        evidence: vec![
            ("pool", pool.name.clone()),
            ("memory", pool.memory.clone()),
            ("limit_bytes", limit.to_string()),
            ("required_bytes", pool.needs.to_string()),
            ("missing_bytes", pool.needs.saturating_sub(limit).to_string()),
        ],
        remedy: format!("make the {} pool at least {} bytes", pool.name, pool.needs),
        at: None,
        operator: None,
    }
}

fn memory(target: &Target, fit: &Fit, memory: &MemoryFit) -> Finding {
    let here = fit.pools.iter().filter(|pool| pool.memory == memory.name);
    let pools: Vec<String> = here.map(|p| format!("{} {}", p.name, p.takes())).collect();
    let missing = memory.missing();
    let larger = fit.memories.iter().filter(|other| {
        let free = other.size.saturating_sub(other.reserved).saturating_sub(other.takes);
        other.name != memory.name && free >= memory.takes && is_writable(target, &other.name)
    });
    let larger: Vec<&str> = larger.map(|other| other.name.as_str()).collect();
    Finding {
        code: Code::MemoryExhausted,
        title: format!(
            "{} of {} has {} bytes, the pools in it need {}",
            memory.name,
            target.name,
            memory.size.saturating_sub(memory.reserved),
            memory.takes
        ),
        evidence: vec![
            ("target", target.name.clone()),
            ("memory", memory.name.clone()),
            ("pools", pools.join(", ")),
            ("required_bytes", memory.takes.to_string()),
            ("missing_bytes", missing.to_string()),
        ],
        remedy: if larger.is_empty() {
            format!("no memory of the board has room for these pools; save {missing} bytes")
        } else {
            format!("put the pools into {}, or save {missing} bytes", larger.join(" or "))
        },
        at: None,
        operator: None,
    }
}

fn is_writable(target: &Target, name: &str) -> bool {
    target.memory(name).is_some_and(|m| m.kind != crate::target::MemoryKind::Flash)
}
