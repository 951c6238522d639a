//! Planned buffers: how large each must be, and the arenas behind them.

use super::Pools;
use crate::error::Error;
use crate::memory::{Arena, Pool, PoolLimits};
use alloc::format;
use alloc::vec::Vec;
use et_schema::ErrorCode;
use et_schema::ids::MemoryId;
use et_schema::pte::{Method as Plan, Value};

/// Alignment of a planned buffer, as the runners allocate them.
const BUFFER_ALIGN: u32 = 16;

/// The planned buffers' pools, sized as the program says and checked against the limit.
pub(super) fn pools(plan: &Plan<'_>, limits: &PoolLimits) -> Result<Vec<Pool>, Error> {
    let mut all = Pool::new("planned", limits.planned);
    plan.planned_buffers()
        .map(|(id, size)| {
            let size = u64::try_from(size).map_err(|_| {
                Error::new(
                    ErrorCode::InvalidProgram,
                    format!("planned buffer {id} has a size of {size} bytes"),
                )
            })?;
            all.allocate(size, BUFFER_ALIGN)
                .map_err(|e| Error::new(ErrorCode::MemoryAllocationFailed, e.message()))?;
            Ok(Pool::new(format!("planned_{id}"), Some(size)))
        })
        .collect()
}

/// The arenas of the planned buffers. Each covers the tensors placed in it, so
/// that a damaged size in the file cannot ask for more than its tensors do.
pub(super) fn arenas(plan: &Plan<'_>, pools: &Pools) -> Result<Vec<Arena>, Error> {
    let mut ends: Vec<u64> = pools.planned.iter().map(|_| 0).collect();
    for value in plan.values() {
        let Value::Tensor(tensor) = value else { continue };
        let (Some(place), Some(nbytes)) = (tensor.allocation(), tensor.nbytes()) else { continue };
        if let Some(end) = arena_index(place.memory_id).and_then(|i| ends.get_mut(i)) {
            *end = (*end).max(place.offset.saturating_add(nbytes));
        }
    }
    ends.iter()
        .zip(&pools.planned)
        .map(|(end, pool)| {
            let size = pool.limit().unwrap_or(*end).min(*end);
            usize::try_from(size).ok().and_then(Arena::new).ok_or_else(|| {
                Error::new(
                    ErrorCode::MemoryAllocationFailed,
                    format!("this machine has no {size} bytes for planned buffer {}", pool.name()),
                )
            })
        })
        .collect()
}

/// Memory ids count from 1.
pub(super) fn arena_index(id: MemoryId) -> Option<usize> {
    id.index().checked_sub(1)
}
