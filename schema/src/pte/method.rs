//! A method: its values, inputs, outputs, operators, delegates and chains.

use super::delegate::Delegate;
use super::instruction::Chain;
use super::value::Value;
use crate::error::{Format, ReadError, Result};
use crate::generated::program_generated::executorch_flatbuffer as fb;
use crate::ids::{ChainId, DelegateId, MemoryId, OperatorId, ValueId};
use alloc::format;
use core::fmt;

/// One `ExecutionPlan` of the program.
#[derive(Clone, Copy, Debug)]
pub struct Method<'a> {
    plan: fb::ExecutionPlan<'a>,
}

/// An operator of the method's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator<'a> {
    /// Namespace and name, such as `aten::add`.
    pub name: &'a str,
    /// Overload, such as `out`; may be empty.
    pub overload: &'a str,
}

impl<'a> Operator<'a> {
    fn new(operator: fb::Operator<'a>) -> Self {
        Operator {
            name: operator.name().unwrap_or_default(),
            overload: operator.overload().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Operator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if !self.overload.is_empty() {
            write!(f, ".{}", self.overload)?;
        }
        Ok(())
    }
}

impl<'a> Method<'a> {
    pub(super) fn new(plan: fb::ExecutionPlan<'a>) -> Self {
        Method { plan }
    }

    /// Name; `forward` in most programs.
    pub fn name(&self) -> &'a str {
        self.plan.name().unwrap_or_default()
    }

    /// Number of values.
    pub fn value_count(&self) -> usize {
        self.plan.values().map_or(0, |v| v.len())
    }

    /// The value at `id`.
    ///
    /// # Errors
    /// No such value.
    pub fn value(&self, id: ValueId) -> Result<Value<'a>> {
        let values = self.plan.values().unwrap_or_default();
        if id.index() >= values.len() {
            return Err(self.missing("values", id.index(), values.len()));
        }
        Ok(Value::new(values.get(id.index())))
    }

    /// All values, in index order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Value<'a>> + use<'a> {
        let values = self.plan.values().unwrap_or_default();
        (0..values.len()).map(move |i| Value::new(values.get(i)))
    }

    /// Value indices of the inputs. An index that is negative in the file
    /// becomes one that no value has.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = ValueId> + use<'a> {
        self.plan.inputs().unwrap_or_default().iter().map(value_id)
    }

    /// Value indices of the outputs.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = ValueId> + use<'a> {
        self.plan.outputs().unwrap_or_default().iter().map(value_id)
    }

    /// Number of chains.
    pub fn chain_count(&self) -> usize {
        self.plan.chains().map_or(0, |c| c.len())
    }

    /// The chains, in file order.
    pub fn chains(&self) -> impl ExactSizeIterator<Item = Chain<'a>> + use<'a> {
        let chains = self.plan.chains().unwrap_or_default();
        (0..chains.len()).map(move |i| Chain::new(chains.get(i)))
    }

    /// The chain at `id`.
    ///
    /// # Errors
    /// No such chain.
    pub fn chain(&self, id: ChainId) -> Result<Chain<'a>> {
        let chains = self.plan.chains().unwrap_or_default();
        if id.index() >= chains.len() {
            return Err(self.missing("chains", id.index(), chains.len()));
        }
        Ok(Chain::new(chains.get(id.index())))
    }

    /// The operators that kernel calls refer to.
    pub fn operators(&self) -> impl ExactSizeIterator<Item = Operator<'a>> + use<'a> {
        let operators = self.plan.operators().unwrap_or_default();
        (0..operators.len()).map(move |i| Operator::new(operators.get(i)))
    }

    /// The operator at `id`.
    ///
    /// # Errors
    /// No such operator.
    pub fn operator(&self, id: OperatorId) -> Result<Operator<'a>> {
        let operators = self.plan.operators().unwrap_or_default();
        if id.index() >= operators.len() {
            return Err(self.missing("operators", id.index(), operators.len()));
        }
        Ok(Operator::new(operators.get(id.index())))
    }

    /// The delegates that delegate calls refer to.
    pub fn delegates(&self) -> impl ExactSizeIterator<Item = Delegate<'a>> + use<'a> {
        let delegates = self.plan.delegates().unwrap_or_default();
        (0..delegates.len()).map(move |i| Delegate::new(delegates.get(i)))
    }

    /// The delegate at `id`.
    ///
    /// # Errors
    /// No such delegate.
    pub fn delegate(&self, id: DelegateId) -> Result<Delegate<'a>> {
        let delegates = self.plan.delegates().unwrap_or_default();
        if id.index() >= delegates.len() {
            return Err(self.missing("delegates", id.index(), delegates.len()));
        }
        Ok(Delegate::new(delegates.get(id.index())))
    }

    /// Memory id and size in bytes of each planned buffer. The file's entry 0
    /// is reserved and left out.
    pub fn planned_buffers(&self) -> impl ExactSizeIterator<Item = (MemoryId, i64)> + use<'a> {
        let sizes = self.plan.non_const_buffer_sizes().unwrap_or_default();
        (0..sizes.len().saturating_sub(1)).map(move |i| (MemoryId(i as u32 + 1), sizes.get(i + 1)))
    }

    /// The Python container of the inputs, as encoded by the exporter.
    pub fn encoded_inputs(&self) -> Option<&'a str> {
        self.plan.container_meta_type()?.encoded_inp_str()
    }

    /// The Python container of the outputs, as encoded by the exporter.
    pub fn encoded_outputs(&self) -> Option<&'a str> {
        self.plan.container_meta_type()?.encoded_out_str()
    }

    fn missing(&self, table: &str, index: usize, count: usize) -> ReadError {
        ReadError::field(
            Format::Program,
            format!("method {:?}: {table}[{index}]", self.name()),
            format!("one of {count} {table}"),
            "none",
        )
    }
}

/// A negative index is kept as one that cannot exist, to fail where it is used.
pub(super) fn value_id(index: i32) -> ValueId {
    ValueId(u32::try_from(index).unwrap_or(u32::MAX))
}
