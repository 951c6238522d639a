//! Everything that is predicted of a program's memory on one ABI.

use super::measured::expected;
use super::plan::{Plan, PlannedBuffer, Storage};
use super::planner::{ALIGN, Placement, blocks, place};
use super::suggest::{Suggestion, suggestions};
use super::temp::{self, TempUse};
use super::{DelegateMemory, Firmware, Loading};
use crate::findings::{Finding, partition_findings, plan_findings, unplanned_input};
use crate::{correlate, ethos_u};
use et_schema::ids::{ChainId, InstructionId, ValueId};
use et_schema::layout::{Abi, MethodAllocation, Object};
use et_schema::pte::{File, Instruction, Method, Value};
use et_schema::{ReadError, etrecord};
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// The memory of one method.
#[derive(Clone, Debug)]
pub struct MethodMemory<'a> {
    /// The method.
    pub method: Method<'a>,
    /// ABI whose object sizes are counted.
    pub abi: Abi,
    /// Planned buffers and what lies in them.
    pub plan: Plan,
    /// Loading with a temp allocator that is large enough.
    pub loading: Loading,
    /// Bytes that the loader takes with a temp allocator of size 0.
    pub used_without_temp_pool: u64,
    /// The same with no temp allocator at all.
    pub used_without_temp_allocator: u64,
    /// The same in release 0.5 without temp allocator.
    pub used_in_release_0_5: u64,
    /// Bytes of the inputs' elements.
    pub input_data: u64,
    /// Bytes of the outputs' elements.
    pub output_data: u64,
    /// Bytes of the inputs that the program does not plan, which the firmware
    /// must give, each aligned to 16; they are counted with the method allocator.
    pub unplanned_inputs: u64,
    /// What the delegates need.
    pub delegates: Vec<DelegateMemory>,
    /// What instructions take from the temp allocator while executing.
    pub temp_uses: Vec<TempUse>,
    /// Names of inputs, outputs and state.
    roles: BTreeMap<ValueId, String>,
    /// Modules of the model by instruction of the first chain.
    modules: BTreeMap<InstructionId, String>,
    /// What is wrong with the program's memory, or good to know.
    pub findings: Vec<Finding>,
    ours: OnceCell<Vec<Placement>>,
    suggestions: OnceCell<Vec<Suggestion>>,
}

impl<'a> MethodMemory<'a> {
    /// What `method` of `file` needs on `abi`.
    ///
    /// # Errors
    /// An index in the program that points nowhere.
    pub fn new(file: &File<'a>, method: Method<'a>, abi: Abi) -> Result<Self, ReadError> {
        let used = |firmware: Firmware| firmware.method_used(file, &method, abi);
        let plan = Plan::new(&method);
        let mut findings = plan_findings(&plan, &method);
        // On a phone, the caller's module gives it.
        findings.extend(unplanned_input(&method).filter(|_| abi.is_32_bit()));
        findings.extend(ethos_u::findings(file, &method));
        findings.extend(partition_findings(&method));
        let delegates: Vec<DelegateMemory> =
            method.delegates().map(|d| DelegateMemory::new(file, &d, abi)).collect();
        Ok(MethodMemory {
            loading: Loading::new(file, &method, abi, Firmware::TempPool)?,
            used_without_temp_pool: used(Firmware::EmptyTempPool)?,
            used_without_temp_allocator: used(Firmware::NoTempAllocator)?,
            used_in_release_0_5: used(Firmware::Release0_5)?,
            input_data: data_bytes(&method, method.inputs()),
            output_data: data_bytes(&method, method.outputs()),
            unplanned_inputs: unplanned_bytes(&method),
            temp_uses: temp::uses(&method, &delegates),
            delegates,
            roles: roles(&method),
            modules: BTreeMap::new(),
            plan,
            findings,
            method,
            abi,
            ours: OnceCell::new(),
            suggestions: OnceCell::new(),
        })
    }

    /// Bytes of the method allocator after loading, with a temp allocator that is
    /// large enough: what the loader took, and backends for their delegates.
    pub fn method_used(&self) -> u64 {
        expected(self, &self.loading, self.abi).iter().fold(0_u64, |used, allocation| {
            let offset = used.checked_next_multiple_of(allocation.align()).unwrap_or(u64::MAX);
            offset.saturating_add(allocation.bytes())
        })
    }

    /// Bytes of them that backends took.
    pub fn method_used_by_backends(&self) -> u64 {
        self.method_used().saturating_sub(self.loading.method_used)
    }

    /// The most bytes that an instruction takes from the temp allocator while
    /// executing.
    pub fn temp_executing(&self) -> u64 {
        self.temp_uses.iter().map(|u| u.bytes).max().unwrap_or(0)
    }

    /// The smallest temp allocator with which the method loads without looking
    /// operators up in the method allocator, and executes.
    pub fn temp_required(&self) -> u64 {
        self.loading.temp_required.max(self.temp_executing())
    }

    /// Takes names of modules for [`label`](Self::label) from an ETRecord.
    ///
    /// # Errors
    /// The ETRecord's graph is damaged.
    pub fn name_modules(&mut self, record: &etrecord::File<'_>) -> Result<(), ReadError> {
        let first = self.method.chains().next();
        let count = first.map_or(0, |chain| chain.instruction_count());
        self.modules = correlate::modules(record, self.method.name(), count)?;
        Ok(())
    }

    /// Whether an ETRecord named modules.
    pub fn has_modules(&self) -> bool {
        !self.modules.is_empty()
    }

    /// The module of the model that the instruction is of, if an ETRecord told.
    pub fn module(&self, at: (ChainId, InstructionId)) -> Option<&str> {
        self.modules.get(&at.1).filter(|_| at.0 == ChainId(0)).map(String::as_str)
    }

    /// What `storage` is: its role with its number or name, and who writes it.
    pub fn label(&self, storage: &Storage) -> String {
        let by = storage.written.and_then(|step| self.plan.steps.place(step));
        let by = by.map(|at| {
            let name = format!("{} of {}:{}", operator_name(&self.method, at), at.0, at.1);
            match self.module(at) {
                Some(module) => format!("{name} in {module}"),
                None => name,
            }
        });
        let role = storage.values.iter().find_map(|id| self.roles.get(id).cloned());
        match (role, by) {
            (Some(role), Some(by)) => format!("{role}, {by}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => storage.role.name().to_owned(),
        }
    }

    /// The best plan that we know for each planned buffer, made when first
    /// asked for. None is larger than what the program's own plan uses.
    pub fn our_plans(&self) -> &[Placement] {
        let plan = |buffer: &PlannedBuffer| {
            let mut ours = place(&blocks(&self.plan, Some(buffer.memory_id)));
            // Blocks span the gaps in a tensor's life, and all alternatives
            // where branches join: they bound too high.
            let bound = self.plan.aligned_bound(buffer.memory_id, ALIGN);
            ours.size = ours.size.min(buffer.size);
            if bound < ours.bound || ours.size < ours.bound {
                ours.bound = bound.min(ours.size);
                ours.is_optimal = ours.size == ours.bound;
            }
            ours
        };
        self.ours.get_or_init(|| self.plan.buffers.iter().map(plan).collect())
    }

    /// Why no plan of ours comes within 2 percent of the lower bound of a
    /// planned buffer, `None` if one does.
    pub fn plan_note(&self, buffer: usize) -> Option<&'static str> {
        let (buffer, ours) = (self.plan.buffers.get(buffer)?, self.our_plans().get(buffer)?);
        let near = buffer.lower_bound.saturating_mul(102);
        if ours.size.saturating_mul(100) <= near {
            return None;
        }
        Some(match (ours.size == ours.bound, ours.is_optimal) {
            (true, _) => "no plan is smaller: tensors lie at multiples of 16",
            (false, true) => "no plan is smaller: all were tried",
            (false, false) => "the best that was found",
        })
    }

    /// What would make the planned buffers smaller, the most bytes saved first,
    /// computed when first asked for.
    pub fn suggestions(&self) -> &[Suggestion] {
        let sizes = self.our_plans().iter().map(|ours| ours.size);
        let ours = sizes.fold(0u64, u64::saturating_add);
        self.suggestions.get_or_init(|| suggestions(&self.method, &self.plan, ours))
    }

    /// What an allocation of the loader is for.
    pub fn describe(&self, allocation: &MethodAllocation) -> String {
        let what = match allocation.object {
            Object::EValue => format!("{} values (EValue)", allocation.count),
            object if allocation.count == 1 => object.name().to_owned(),
            object => format!("{} {}", allocation.count, object.name()),
        };
        match (allocation.value, allocation.instruction) {
            (Some(value), _) => format!("value {value}: {what}"),
            (None, Some(at)) => {
                format!("{}:{} {}: {what}", at.0, at.1, operator_name(&self.method, at))
            }
            (None, None) => what,
        }
    }
}

/// Inputs and outputs by number, state by its name in the PyTorch model.
fn roles(method: &Method<'_>) -> BTreeMap<ValueId, String> {
    let mut roles = BTreeMap::new();
    for (number, id) in method.outputs().enumerate() {
        roles.insert(id, format!("output {number}"));
    }
    for (number, id) in method.inputs().enumerate() {
        roles.insert(id, format!("input {number}"));
    }
    for (index, value) in method.values().enumerate() {
        if let Value::Tensor(tensor) = value
            && tensor.allocation().is_some()
            && let Some(name) = tensor.name()
        {
            roles.insert(ValueId(index as u32), name.to_owned());
        }
    }
    roles
}

/// Operator, delegate or kind of the instruction at a place.
pub fn operator_name(method: &Method<'_>, at: (ChainId, InstructionId)) -> String {
    let instruction = method.chain(at.0).ok().and_then(|chain| chain.instruction(at.1));
    match instruction {
        Some(Instruction::KernelCall { operator, .. }) => {
            method.operator(operator).map_or_else(|_| "unknown".into(), |o| o.to_string())
        }
        Some(Instruction::DelegateCall { delegate, .. }) => {
            method.delegate(delegate).map_or_else(|_| "delegate".into(), |d| d.id().to_owned())
        }
        Some(Instruction::Move { .. }) => "move".into(),
        Some(Instruction::JumpFalse { .. }) => "jump".into(),
        Some(Instruction::Free { .. }) => "free".into(),
        Some(Instruction::Unknown(_)) | None => "unknown".into(),
    }
}

fn data_bytes(method: &Method<'_>, ids: impl Iterator<Item = ValueId>) -> u64 {
    let bytes = |id| match method.value(id) {
        Ok(Value::Tensor(tensor)) => tensor.nbytes().unwrap_or(0),
        _ => 0,
    };
    ids.map(bytes).fold(0, u64::saturating_add)
}

fn unplanned_bytes(method: &Method<'_>) -> u64 {
    let bytes = |id| match method.value(id) {
        Ok(Value::Tensor(tensor)) if tensor.allocation().is_none() => {
            let aligned = tensor.nbytes().unwrap_or(0).checked_next_multiple_of(16);
            aligned.unwrap_or(u64::MAX)
        }
        _ => 0,
    };
    method.inputs().map(bytes).fold(0, u64::saturating_add)
}
