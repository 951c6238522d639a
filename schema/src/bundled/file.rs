//! The container: identifier, FlatBuffer, and the program in it.

use super::method::TestSuite;
use crate::error::{Format, Result};
use crate::generated::bundled_program_generated::bundled_program_flatbuffer as fb;
use crate::verify;

/// A verified `.bpte` file.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    bytes: &'a [u8],
    root: fb::BundledProgram<'a>,
}

impl<'a> File<'a> {
    /// Checks the identifier and verifies the FlatBuffer. The program inside
    /// is not looked at.
    ///
    /// # Errors
    /// Wrong identifier, truncated file, invalid FlatBuffer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        verify::identifier(Format::BundledProgram, bytes)?;
        let root = verify::root::<fb::BundledProgram>(Format::BundledProgram, bytes, 0)?;
        Ok(File { bytes, root })
    }

    /// All bytes of the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// `BundledProgram.version`.
    pub fn version(&self) -> u32 {
        self.root.version()
    }

    /// The bytes of the program, a whole `.pte` file.
    pub fn program(&self) -> &'a [u8] {
        self.root.program().unwrap_or_default().bytes()
    }

    /// The test suites, one for each method that has tests.
    pub fn suites(&self) -> impl ExactSizeIterator<Item = TestSuite<'a>> + use<'a> {
        let suites = self.root.method_test_suites().unwrap_or_default();
        (0..suites.len()).map(move |i| TestSuite::new(suites.get(i)))
    }

    /// The test suite of this method.
    pub fn suite(&self, method: &str) -> Option<TestSuite<'a>> {
        self.suites().find(|suite| suite.method() == method)
    }
}
