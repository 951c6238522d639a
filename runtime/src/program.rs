//! A program to load methods from: the `.pte` and its data files.

use alloc::collections::BTreeMap;
use et_schema::ScalarType;
use et_schema::pte::File;

/// A verified `.pte` and the external tensors it refers to.
#[derive(Clone, Debug)]
pub struct Program<'p> {
    file: File<'p>,
    external: BTreeMap<&'p str, ExternalTensor<'p>>,
}

/// A named tensor of a data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalTensor<'p> {
    /// Element type.
    pub scalar_type: ScalarType,
    /// Number of bytes that its layout asks for.
    pub data: &'p [u8],
}

impl<'p> Program<'p> {
    /// The program of `file`, without data files.
    pub fn new(file: File<'p>) -> Self {
        Program { file, external: BTreeMap::new() }
    }

    /// The `.pte`.
    pub fn file(&self) -> &File<'p> {
        &self.file
    }

    /// Adds a tensor that the program finds by name.
    pub fn add_external(&mut self, name: &'p str, tensor: ExternalTensor<'p>) {
        self.external.insert(name, tensor);
    }

    /// The external tensor of this name.
    pub fn external(&self, name: &str) -> Option<&ExternalTensor<'p>> {
        self.external.get(name)
    }

    /// Whether there is any external data.
    pub fn has_external_data(&self) -> bool {
        !self.external.is_empty()
    }
}
