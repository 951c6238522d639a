//! FlatBuffers' wire format, every access checked.
//!
//! A table begins with the distance to its vtable, which says how far into the
//! table each field lies. A trace has a handful of vtables and millions of
//! tables, so an iterator keeps the [`Layout`] that it decoded last; this is
//! what makes reading fast. References count from their own place forward.

use super::kind::Kind;
use crate::bytes::{u32_at, u64_at};
use alloc::sync::Arc;

/// No table of a trace has more fields.
pub(super) const MAX_FIELDS: usize = 8;

/// Where the fields of a table lie: bytes from its start, 0 for an absent one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub size: u16,
    pub fields: [u16; MAX_FIELDS],
}

/// A layout whose vtable lies behind the end of a truncated file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub kind: Kind,
    pub vtable: usize,
    pub layout: Layout,
}

/// The file's bytes and what stands in for the ones that it has lost.
#[derive(Clone, Debug)]
pub(super) struct Wire<'a> {
    pub bytes: &'a [u8],
    /// Whether what a reference leads to may be missing.
    pub truncated: bool,
    /// Empty unless the file is truncated.
    pub lost: Arc<[Lost]>,
}

/// A table that lies within the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub layout: Layout,
}

/// A vector that lies within the file, or its part that does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Items {
    pub start: usize,
    pub count: usize,
}

/// The layout that was decoded last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cache {
    vtable: usize,
    layout: Layout,
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..offset.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

/// Where the vtable of the table at `at` lies; outside of the file if that is damaged.
#[inline]
pub(super) fn vtable_of(bytes: &[u8], at: usize) -> Option<usize> {
    let distance = u32_at(bytes, at)? as i32;
    Some(at.wrapping_sub(distance as isize as usize))
}

/// What the reference at `at` refers to.
#[inline]
pub(super) fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32_at(bytes, at)? as usize)
}

/// The string at `at`, which ends in a zero byte.
pub(super) fn text(bytes: &[u8], at: usize) -> Option<&str> {
    let start = at.checked_add(4)?;
    let end = start.checked_add(u32_at(bytes, at)? as usize)?;
    let [text @ .., 0] = bytes.get(start..=end)? else { return None };
    core::str::from_utf8(text).ok()
}

/// The vector at `at`, whose items have `size` bytes.
pub(super) fn items(bytes: &[u8], at: usize, size: usize) -> Option<Items> {
    let count = u32_at(bytes, at)? as usize;
    let start = at.checked_add(4)?;
    let end = start.checked_add(count.checked_mul(size)?)?;
    (end <= bytes.len()).then_some(Items { start, count })
}

impl Layout {
    /// The vtable at `at`; `None` if it is no vtable of `kind`.
    pub fn decode(bytes: &[u8], at: usize, kind: Kind) -> Option<Self> {
        let length = usize::from(u16_at(bytes, at)?);
        let size = u16_at(bytes, at + 2)?;
        if length < 4 || length % 2 != 0 || size < 4 || bytes.len() - at < length {
            return None;
        }
        let mut layout = Layout { size, fields: [0; MAX_FIELDS] };
        for (index, field) in kind.fields().iter().take((length - 4) / 2).enumerate() {
            let offset = u16_at(bytes, at + 4 + 2 * index)?;
            let end = usize::from(offset) + field.size();
            if offset != 0 && (offset < 4 || end > usize::from(size)) {
                return None;
            }
            layout.fields[index] = offset;
        }
        Some(layout)
    }
}

impl<'a> Wire<'a> {
    /// The table at `at`, by way of `cache`.
    #[inline]
    pub fn table(&self, kind: Kind, at: usize, cache: &mut Cache) -> Option<Table<'a>> {
        let vtable = vtable_of(self.bytes, at)?;
        if cache.vtable != vtable || cache.layout.size == 0 {
            *cache = Cache { vtable, layout: self.layout(kind, vtable)? };
        }
        let layout = cache.layout;
        let end = at.checked_add(usize::from(layout.size))?;
        (end <= self.bytes.len()).then_some(Table { bytes: self.bytes, at, layout })
    }

    /// The layout that the vtable at `vtable` describes.
    pub fn layout(&self, kind: Kind, vtable: usize) -> Option<Layout> {
        let lost = || self.lost.iter().find(|lost| (lost.kind, lost.vtable) == (kind, vtable));
        Layout::decode(self.bytes, vtable, kind).or_else(|| Some(lost()?.layout))
    }
}

impl<'a> Table<'a> {
    /// Where a field lies, `None` if it is absent.
    #[inline]
    pub fn place(&self, field: usize) -> Option<usize> {
        let offset = usize::from(self.layout.fields[field]);
        (offset != 0).then(|| self.at + offset)
    }

    pub fn has(&self, field: usize) -> bool {
        self.layout.fields[field] != 0
    }

    #[inline]
    pub fn byte(&self, field: usize) -> u8 {
        self.place(field).and_then(|at| self.bytes.get(at)).copied().unwrap_or(0)
    }

    #[inline]
    pub fn int(&self, field: usize, default: i32) -> i32 {
        self.place(field).and_then(|at| u32_at(self.bytes, at)).map_or(default, |v| v as i32)
    }

    #[inline]
    pub fn long(&self, field: usize) -> u64 {
        self.place(field).and_then(|at| u64_at(self.bytes, at)).unwrap_or(0)
    }

    /// Where a reference leads; `None` if it is absent or leads nowhere.
    #[inline]
    pub fn target(&self, field: usize) -> Option<usize> {
        follow(self.bytes, self.place(field)?)
    }

    /// A string: `Some(None)` if it is absent, `None` if it is damaged.
    #[inline]
    pub fn text(&self, field: usize) -> Option<Option<&'a str>> {
        if !self.has(field) {
            return Some(None);
        }
        text(self.bytes, self.target(field)?).map(Some)
    }

    /// A vector: empty if it is absent, `None` if it is damaged.
    pub fn items(&self, field: usize, size: usize) -> Option<Items> {
        if !self.has(field) {
            return Some(Items::default());
        }
        items(self.bytes, self.target(field)?, size)
    }
}

impl Items {
    /// The table that item `index` refers to.
    #[inline]
    pub fn table(&self, bytes: &[u8], index: usize) -> Option<usize> {
        follow(bytes, self.start.checked_add(index.checked_mul(4)?)?)
    }

    /// As many items as lie within the file.
    pub fn of_truncated(bytes: &[u8], at: usize) -> Option<Self> {
        let count = u32_at(bytes, at)? as usize;
        let start = at.checked_add(4)?;
        let found = bytes.len().saturating_sub(start) / 4;
        Some(Items { start, count: count.min(found) })
    }
}
