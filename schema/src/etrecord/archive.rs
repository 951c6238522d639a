//! Members of a zip archive, unpacked within limits.

use crate::error::{Format, ReadError, Result};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// A member may unpack to this many bytes at most, whatever the archive's size.
/// Deflate makes text of JSON 10 to 30 times smaller; a zip bomb 1,000 times.
const MAX_RATIO: u64 = 64;
/// Archives smaller than this count as this big for the limit.
const MIN_ARCHIVE: u64 = 1 << 20;

/// A zip archive's directory.
#[derive(Clone, Debug)]
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Index by name.
    members: BTreeMap<String, usize>,
    limit: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            let expected = "a zip archive with its directory at the end";
            ReadError::at(Format::EtRecord, 0, expected, error.to_string())
        })?;
        let mut members = BTreeMap::new();
        for index in 0..zip.len() {
            if let Some(Ok(name)) = zip.name_for_index(index) {
                members.insert(name.into_owned(), index);
            }
        }
        let limit = (bytes.len() as u64).max(MIN_ARCHIVE).saturating_mul(MAX_RATIO);
        Ok(Archive { zip, members, limit })
    }

    /// Names of the members, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Whether there is a member `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The unpacked member `name`, `None` if there is none. Its check value is compared.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(&index) = self.members.get(name) else { return Ok(None) };
        // The directory is shared between clones; only the cursor is not.
        let mut zip = self.zip.clone();
        let fault = |found: String| {
            ReadError::field(Format::EtRecord, name, "a member that unpacks without fault", found)
        };
        let member = zip.by_index(index).map_err(|error| fault(error.to_string()))?;
        let declared = member.size();
        if declared > self.limit {
            return Err(self.too_big(name, declared));
        }
        let packed = member.compressed_size().min(self.limit);
        let mut data = Vec::with_capacity(usize::try_from(packed.min(declared)).unwrap_or(0));
        let read = member.take(self.limit + 1).read_to_end(&mut data);
        read.map_err(|error| fault(error.to_string()))?;
        if data.len() as u64 > self.limit {
            return Err(self.too_big(name, data.len() as u64));
        }
        Ok(Some(data))
    }

    fn too_big(&self, name: &str, size: u64) -> ReadError {
        let expected = format!("at most {} bytes in an archive of this size", self.limit);
        ReadError::field(Format::EtRecord, name, expected, format!("{size} bytes"))
    }
}
