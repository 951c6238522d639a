//! What kernels make of constant arguments, kept from one call to the next.

use super::Args;
use alloc::boxed::Box;
use core::any::Any;
use core::cell::OnceCell;

/// What the kernel of one instruction has made of its constants, such as
/// weights in another order. Made by the first call.
#[derive(Default)]
pub(crate) struct Kept(OnceCell<Box<dyn Any + Send + Sync>>);

impl<'a> Args<'a> {
    /// What `make` makes of the arguments `of`, made once for all calls of this
    /// instruction. `None` if one of them may have another value at another call.
    pub(super) fn kept<T: Any + Send + Sync>(
        &self,
        of: &[usize],
        make: impl FnOnce() -> T,
    ) -> Option<&'a T> {
        if !of.iter().all(|index| self.is_constant(*index)) {
            return None;
        }
        let Kept(kept) = self.resources().kept;
        kept.get_or_init(|| Box::new(make())).downcast_ref()
    }

    /// Keeps what `make` makes of shapes and of arguments that are no tensors, if
    /// they are the same in all calls of this instruction.
    pub(super) fn keep_settled<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) {
        if self.is_settled() {
            let Kept(kept) = self.resources().kept;
            kept.get_or_init(|| Box::new(make()));
        }
    }

    /// What an earlier call of this instruction kept.
    pub(super) fn already_kept<T: Any + Send + Sync>(&self) -> Option<&'a T> {
        let Kept(kept) = self.resources().kept;
        kept.get()?.downcast_ref()
    }
}
