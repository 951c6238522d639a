/*
 * An EventTracer of ExecuTorch that writes a journal, and passes everything on
 * to another one (ETDumpGen) if there is one.
 *
 *     etinspect::JournalEventTracer tracer(&journal);          // the journal alone
 *     etinspect::JournalEventTracer tracer(&journal, &etdump); // and an ETDump
 *     auto method = program->load_method("forward", &memory_manager, &tracer);
 *
 * ExecuTorch must be built with ET_EVENT_TRACER_ENABLED, as for ETDumps.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#pragma once

#include <executorch/runtime/core/event_tracer.h>
#include <executorch/runtime/platform/platform.h>

#include <cstdlib>
#include <cstring>

#include "etinspect_journal.h"

namespace etinspect {

class JournalEventTracer final : public ::executorch::runtime::EventTracer {
  using ArrayRefOfTensors = ::executorch::runtime::ArrayRef<::executorch::aten::Tensor>;
  using ChainID = ::executorch::runtime::ChainID;
  using DebugHandle = ::executorch::runtime::DebugHandle;
  using DelegateDebugIntId = ::executorch::runtime::DelegateDebugIntId;
  using AllocatorID = ::executorch::runtime::AllocatorID;
  using Entry = ::executorch::runtime::EventTracerEntry;
  using EValue = ::executorch::runtime::EValue;
  using EventTracer = ::executorch::runtime::EventTracer;
  using Filter = ::executorch::runtime::EventTracerFilterBase;
  using IdType = ::executorch::runtime::DelegateDebugIdType;
  using LoggedEValueType = ::executorch::runtime::LoggedEValueType;
  using Tensor = ::executorch::aten::Tensor;
  template <typename T>
  using Result = ::executorch::runtime::Result<T>;

 public:
  /* What is written: instructions, or the kernels within them as well. */
  enum class Detail { kInstructions, kKernels };

  explicit JournalEventTracer(const etj_journal* journal, EventTracer* next = nullptr,
                              Detail detail = Detail::kKernels)
      : journal_(journal), next_(next), detail_(detail) {
    if (next_ != nullptr) {
      /* The runtime asks this tracer, the next one has the settings. */
      set_event_tracer_debug_level(next_->event_tracer_debug_level());
      set_event_tracer_profiling_level(next_->event_tracer_profiling_level());
    }
  }

  /* The name of the method that runs, for load and execute records. */
  void set_method(const char* name) {
    method_ = etj_name(journal_, name);
  }

  void create_event_block(const char* name) override {
    open_ = 0;
    etj_run(journal_, etj_name(journal_, name), std::strcmp(name, "Execute") == 0);
    if (next_ != nullptr) {
      next_->create_event_block(name);
    }
  }

  Entry start_profiling(const char* name, ChainID chain = ::executorch::runtime::kUnsetChainId,
                        DebugHandle handle = ::executorch::runtime::kUnsetDebugHandle) override {
    const bool unset = chain == ::executorch::runtime::kUnsetChainId;
    const ChainID at_chain = unset ? current_chain_id() : chain;
    const DebugHandle at_handle = unset ? current_debug_handle() : handle;
    Scope scope = scope_of(name);
    scope.chain = at_chain < 0 ? ETJ_NO_CHAIN : static_cast<uint32_t>(at_chain);
    scope.instruction = at_chain < 0 ? 0 : at_handle;
    begin(&scope);
    return push(scope, next_ != nullptr ? next_->start_profiling(name, at_chain, at_handle)
                                        : own_entry(at_chain, at_handle));
  }

  void end_profiling(Entry entry) override {
    end(entry);
    if (next_ != nullptr) {
      next_->end_profiling(entry);
    }
  }

  Entry start_profiling_delegate(const char* name, DelegateDebugIntId index) override {
    Scope scope = delegate_scope(name, index);
    begin(&scope);
    sync();
    return push(scope, next_ != nullptr
                           ? next_->start_profiling_delegate(name, index)
                           : own_entry(current_chain_id(), current_debug_handle()));
  }

  void end_profiling_delegate(Entry entry, const void* metadata = nullptr,
                              size_t metadata_len = 0) override {
    end(entry);
    if (next_ != nullptr) {
      next_->end_profiling_delegate(entry, metadata, metadata_len);
    }
  }

  void log_profiling_delegate(const char* name, DelegateDebugIntId index,
                              et_timestamp_t start,
                              et_timestamp_t end_time,
                              const void* metadata = nullptr, size_t metadata_len = 0) override {
    /* It is over already; a journal is about what is not. */
    if (next_ != nullptr) {
      sync();
      next_->log_profiling_delegate(name, index, start, end_time, metadata, metadata_len);
    }
  }

  AllocatorID track_allocator(const char* name) override {
    const AllocatorID id = next_ != nullptr ? next_->track_allocator(name) : allocators_ + 1;
    allocators_ = id > allocators_ ? id : allocators_;
    const bool planned = std::strncmp(name, "planned_", 8) == 0;
    const uint32_t number = planned ? static_cast<uint32_t>(std::atoi(name + 8)) : 0;
    etj_set_allocator(journal_, id - 1, allocator_of(name, planned), number, 0xffffffffu);
    return id;
  }

  void track_allocation(AllocatorID id, size_t size) override {
    /* ExecuTorch does not say where the memory lies: allocations are put one
     * behind the other. */
    const uint32_t index = id - 1;
    uint64_t offset = 0;
    if (index < kAllocators) {
      offset = used_[index];
      used_[index] += size;
    }
    etj_allocation(journal_, index, size, offset, 0);
    if (next_ != nullptr) {
      next_->track_allocation(id, size);
    }
  }

  Result<bool> log_evalue(const EValue& value, LoggedEValueType type) override {
    sync();
    return next_ != nullptr ? next_->log_evalue(value, type) : Result<bool>(false);
  }

  Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId index,
                                                const Tensor& output) override {
    return pass_on(name, index, output);
  }
  Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId index,
                                                const ArrayRefOfTensors output) override {
    return pass_on(name, index, output);
  }
  Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId index,
                                                const int& output) override {
    return pass_on(name, index, output);
  }
  Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId index,
                                                const bool& output) override {
    return pass_on(name, index, output);
  }
  Result<bool> log_intermediate_output_delegate(const char* name, DelegateDebugIntId index,
                                                const double& output) override {
    return pass_on(name, index, output);
  }

  void set_delegation_intermediate_output_filter(Filter* filter) override {
    if (next_ != nullptr) {
      next_->set_delegation_intermediate_output_filter(filter);
    }
  }

 private:
  struct Scope {
    enum etj_scope kind;
    bool written;
    uint32_t name;
    uint32_t chain;
    uint32_t instruction;
    int64_t entry; /* event_id of the entry that was given out */
  };

  /* Scopes nest: method, instruction, kernel, delegate, its operation. */
  static constexpr uint32_t kOpen = 8;
  static constexpr uint32_t kAllocators = 8;

  Scope scope_of(const char* name) {
    Scope scope = {ETJ_OTHER, true, 0, 0, 0, 0};
    const auto is = [name](const char* other) { return std::strcmp(name, other) == 0; };
    if (is("OPERATOR_CALL")) {
      scope.kind = ETJ_INSTRUCTION;
    } else if (is("DELEGATE_CALL")) {
      scope.kind = ETJ_DELEGATE;
    } else if (is("JF_CALL")) {
      scope.kind = ETJ_JUMP;
    } else if (is("MOVE_CALL")) {
      scope.kind = ETJ_MOVE;
    } else if (is("FREE_CALL")) {
      scope.kind = ETJ_FREE;
    } else if (is("Method::execute")) {
      scope.kind = ETJ_EXECUTE;
      scope.name = method_;
    } else if (is("Program::load_method")) {
      scope.kind = ETJ_LOAD;
      scope.name = method_;
    } else {
      const bool kernel = std::strncmp(name, "native_call_", 12) == 0;
      scope.kind = kernel ? ETJ_KERNEL : ETJ_OTHER;
      scope.written = !kernel || detail_ == Detail::kKernels;
      scope.name = scope.written ? etj_name(journal_, name) : 0;
    }
    return scope;
  }

  Scope delegate_scope(const char* name, DelegateDebugIntId index) {
    const ChainID chain = current_chain_id();
    Scope scope = {ETJ_DELEGATE_INT, true, 0, 0, 0, 0};
    scope.kind = name != nullptr ? ETJ_DELEGATE_NAME : ETJ_DELEGATE_INT;
    scope.name = name != nullptr ? etj_name(journal_, name) : static_cast<uint32_t>(index);
    scope.chain = chain < 0 ? ETJ_NO_CHAIN : static_cast<uint32_t>(chain);
    scope.instruction = chain < 0 ? 0 : current_debug_handle();
    return scope;
  }

  void begin(const Scope* scope) {
    if (scope->written) {
      etj_begin(journal_, scope->kind, scope->chain, scope->instruction, scope->name);
    }
  }

  Entry push(Scope scope, Entry entry) {
    scope.entry = entry.event_id;
    if (open_ < kOpen) {
      stack_[open_] = scope;
    }
    open_++;
    return entry;
  }

  void end(const Entry& entry) {
    /* The innermost scope with that entry; those inside of it are over as well. */
    for (uint32_t at = open_; at > 0; at--) {
      if (at <= kOpen && stack_[at - 1].entry == entry.event_id) {
        const Scope& scope = stack_[at - 1];
        open_ = at - 1;
        if (scope.written) {
          etj_end(journal_, scope.kind, scope.chain, scope.instruction, scope.name, 0);
        }
        return;
      }
    }
  }

  Entry own_entry(ChainID chain, DebugHandle handle) {
    Entry entry = {};
    entry.event_id = ++entries_;
    entry.chain_id = chain;
    entry.debug_handle = handle;
    entry.start_time = et_pal_current_ticks();
    entry.delegate_event_id_type = IdType::kNone;
    return entry;
  }

  /* The runtime sets chain and instruction on this tracer only. */
  void sync() {
    if (next_ != nullptr) {
      next_->set_chain_debug_handle(current_chain_id(), current_debug_handle());
    }
  }

  template <typename T>
  Result<bool> pass_on(const char* name, DelegateDebugIntId index, const T& output) {
    sync();
    return next_ != nullptr ? next_->log_intermediate_output_delegate(name, index, output)
                            : Result<bool>(false);
  }

  static enum etj_allocator allocator_of(const char* name, bool planned) {
    if (planned) {
      return ETJ_PLANNED;
    }
    if (std::strcmp(name, "method") == 0) {
      return ETJ_METHOD;
    }
    return std::strcmp(name, "temp") == 0 ? ETJ_TEMP : ETJ_OTHER_ALLOCATOR;
  }

  const etj_journal* journal_;
  EventTracer* next_;
  Detail detail_;
  uint32_t method_ = ETJ_NO_NAME;
  uint32_t open_ = 0;
  Scope stack_[kOpen] = {};
  int64_t entries_ = 0;
  AllocatorID allocators_ = 0;
  uint64_t used_[kAllocators] = {};
};

} /* namespace etinspect */
