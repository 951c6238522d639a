// A runner on ExecuTorch's own runtime that keeps a journal in a shared file,
// for scripts/journal_on_executorch.sh.
//
//   journal_runner MODEL.pte JOURNAL BYTES EXECUTIONS [ETDUMP]
//
// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/devtools/etdump/etdump_flatcc.h>
#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "etinspect_event_tracer.h"

using namespace executorch::runtime;

extern "C" uint64_t etj_ticks(void) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

static uint8_t* aligned(size_t bytes) {
  return static_cast<uint8_t*>(aligned_alloc(128, (bytes + 255) / 128 * 128));
}

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "usage: journal_runner MODEL.pte JOURNAL BYTES EXECUTIONS [ETDUMP]\n");
    return 2;
  }
  runtime_init();
  std::ifstream file(arguments[1], std::ios::binary);
  const std::vector<char> model((std::istreambuf_iterator<char>(file)), {});
  uint8_t* program_bytes = aligned(model.size());
  std::memcpy(program_bytes, model.data(), model.size());

  const size_t bytes = std::strtoul(arguments[3], nullptr, 10);
  const int shared = open(arguments[2], O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (shared < 0 || ftruncate(shared, bytes) != 0) {
    return 3;
  }
  auto* memory = static_cast<uint32_t*>(
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0));
  etj_journal journal;
  etj_config config = ETJ_CONFIG(bytes);
  config.ticks_per_second = 1000000000;
  config.program_id = etj_program_id(program_bytes, model.size());
  if (etj_create(&journal, memory, bytes, &config) != 0) {
    return 4;
  }

  executorch::extension::BufferDataLoader loader(program_bytes, model.size());
  auto program = Program::load(&loader);
  if (!program.ok()) {
    return 10;
  }
  const char* name = *program->get_method_name(0);
  auto meta = program->method_meta(name);
  std::vector<Span<uint8_t>> spans;
  for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
    const size_t size = meta->memory_planned_buffer_size(i).get();
    spans.push_back({aligned(size), size});
  }
  HierarchicalAllocator planned({spans.data(), spans.size()});
  MemoryAllocator method_allocator(1 << 26, aligned(1 << 26));
  MemoryAllocator temp_allocator(1 << 26, aligned(1 << 26));
  MemoryManager manager(&method_allocator, &planned, &temp_allocator);

  executorch::etdump::ETDumpGen etdump;
  etinspect::JournalEventTracer tracer(&journal, count > 5 ? &etdump : nullptr);
  tracer.set_method(name);
  auto method = program->load_method(name, &manager, &tracer);
  if (!method.ok()) {
    return 11;
  }
  const long executions = std::strtol(arguments[4], nullptr, 10);
  for (long i = 0; i < executions; ++i) {
    // Ones, as ExecuTorch's runners take without inputs. An input in planned
    // memory must be set again before each execution.
    for (size_t input = 0; input < method->inputs_size(); ++input) {
      const EValue& value = method->get_input(input);
      if (value.isTensor()) {
        auto& tensor = const_cast<EValue&>(value).toTensor();
        float* data = tensor.mutable_data_ptr<float>();
        std::fill(data, data + tensor.numel(), 1.0f);
        (void)method->set_input(value, input);
      }
    }
    if (method->execute() != Error::Ok) {
      return 13;
    }
  }
  if (count > 5) {
    const auto result = etdump.get_etdump_data();
    std::ofstream(arguments[5], std::ios::binary)
        .write(static_cast<const char*>(result.buf), result.size);
  }
  return 0;
}
