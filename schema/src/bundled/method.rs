//! Test suites and test cases of methods.

use super::value::Value;
use crate::generated::bundled_program_generated::bundled_program_flatbuffer as fb;

/// The test cases of one method.
#[derive(Clone, Copy, Debug)]
pub struct TestSuite<'a> {
    suite: fb::BundledMethodTestSuite<'a>,
}

impl<'a> TestSuite<'a> {
    pub(super) fn new(suite: fb::BundledMethodTestSuite<'a>) -> Self {
        TestSuite { suite }
    }

    /// Name of the method.
    pub fn method(&self) -> &'a str {
        self.suite.method_name().unwrap_or_default()
    }

    /// The test cases; ExecuTorch's runners count them from 0 (`--testset_idx`).
    pub fn cases(&self) -> impl ExactSizeIterator<Item = TestCase<'a>> + use<'a> {
        let cases = self.suite.test_cases().unwrap_or_default();
        (0..cases.len()).map(move |i| TestCase { case: cases.get(i) })
    }

    /// Test case `index`.
    pub fn case(&self, index: usize) -> Option<TestCase<'a>> {
        let cases = self.suite.test_cases().unwrap_or_default();
        (index < cases.len()).then(|| TestCase { case: cases.get(index) })
    }
}

/// Inputs, and the outputs that they must give.
#[derive(Clone, Copy, Debug)]
pub struct TestCase<'a> {
    case: fb::BundledMethodTestCase<'a>,
}

impl<'a> TestCase<'a> {
    /// Inputs of the method, in order.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = Value<'a>> + use<'a> {
        let values = self.case.inputs().unwrap_or_default();
        (0..values.len()).map(move |i| Value::new(values.get(i)))
    }

    /// Outputs of the method, in order; none if there is nothing to compare with.
    pub fn expected_outputs(&self) -> impl ExactSizeIterator<Item = Value<'a>> + use<'a> {
        let values = self.case.expected_outputs().unwrap_or_default();
        (0..values.len()).map(move |i| Value::new(values.get(i)))
    }
}
