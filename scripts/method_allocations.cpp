// Logs what ExecuTorch's runtime allocates while it loads and runs a method.
//
//   method_allocations MODEL.pte METHOD big|empty|none [DATA.ptd]
//
// The third argument says what temp allocator the loader gets. Lines: "planned
// BYTES", "method SIZE ALIGN PADDING OFFSET", "used BYTES", "loading BYTES" and
// "executing BYTES" (the most of the temp allocator), "status CODE", "grown BYTES".
#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/extension/flat_tensor/flat_tensor_data_map.h>
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

using executorch::extension::BufferDataLoader;
using executorch::extension::FlatTensorDataMap;
using namespace executorch::runtime;

namespace {

uint8_t* page(size_t bytes) {
  return static_cast<uint8_t*>(aligned_alloc(4096, (bytes + 8191) / 4096 * 4096));
}

// A file's bytes on a page of their own, as the loader wants them aligned.
struct File {
  explicit File(const char* path) {
    std::ifstream stream(path, std::ios::binary);
    std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), {});
    size = bytes.size();
    data = page(size);
    memcpy(data, bytes.data(), size);
  }
  uint8_t* data;
  size_t size;
};

class Logged : public MemoryAllocator {
 public:
  Logged(size_t size, bool quiet) : MemoryAllocator(size, page(size)), quiet_(quiet) {}

  void* allocate(size_t size, size_t alignment = kDefaultAlignment) override {
    const size_t before = used_size();
    void* pointer = MemoryAllocator::allocate(size, alignment);
    if (pointer == nullptr) {
      return pointer;
    }
    const size_t offset = static_cast<uint8_t*>(pointer) - base_address();
    if (!quiet_) {
      printf("method %zu %zu %zu %zu\n", size, alignment, offset - before, offset);
    }
    peak = used_size() > peak ? used_size() : peak;
    return pointer;
  }

  size_t peak = 0;

 private:
  bool quiet_;
};

// Zeros for what the program does not plan.
void set_unplanned(Method& method) {
  for (size_t i = 0; i < method.inputs_size(); ++i) {
    const EValue& value = method.get_input(i);
    if (!value.isTensor()) {
      continue;
    }
    const auto& tensor = value.toTensor();
    if (tensor.const_data_ptr() == nullptr) {
      uint8_t* zeros = page(tensor.nbytes());
      memset(zeros, 0, tensor.nbytes());
      (void)executorch::runtime::internal::set_tensor_data(tensor, zeros, tensor.nbytes());
    } else {
      memset(tensor.mutable_data_ptr(), 0, tensor.nbytes());
    }
  }
  for (size_t i = 0; i < method.outputs_size(); ++i) {
    const EValue& value = method.get_output(i);
    if (value.isTensor() && value.toTensor().const_data_ptr() == nullptr) {
      const size_t bytes = value.toTensor().nbytes();
      (void)method.set_output_data_ptr(page(bytes), bytes, i);
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    return 2;
  }
  runtime_init();
  File file(argv[1]);
  BufferDataLoader loader(file.data, file.size);
  auto program = Program::load(&loader);
  if (!program.ok()) {
    return 3;
  }
  auto meta = program->method_meta(argv[2]);
  if (!meta.ok()) {
    return 4;
  }
  std::vector<Span<uint8_t>> buffers;
  for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
    const size_t size = meta->memory_planned_buffer_size(i).get();
    buffers.push_back({page(size), size});
    printf("planned %zu\n", size);
  }
  HierarchicalAllocator planned({buffers.data(), buffers.size()});
  const std::string kind = argv[3];
  Logged method_allocator(size_t{1} << 28, false);
  Logged temp(kind == "big" ? size_t{1} << 26 : 0, true);
  MemoryManager manager(&method_allocator, &planned, kind == "none" ? nullptr : &temp);
  std::unique_ptr<BufferDataLoader> data_loader;
  std::unique_ptr<FlatTensorDataMap> map;
  if (argc > 4) {
    auto* data = new File(argv[4]);
    data_loader = std::make_unique<BufferDataLoader>(data->data, data->size);
    auto loaded = FlatTensorDataMap::load(data_loader.get());
    if (!loaded.ok()) {
      return 5;
    }
    map = std::make_unique<FlatTensorDataMap>(std::move(loaded.get()));
  }
  auto method = program->load_method(argv[2], &manager, nullptr, map.get());
  if (!method.ok()) {
    printf("status %d\n", static_cast<int>(method.error()));
    return 6;
  }
  const size_t used = method_allocator.used_size();
  printf("used %zu\nloading %zu\n", used, temp.peak);
  set_unplanned(*method);
  temp.peak = 0;
  printf("status %d\n", static_cast<int>(method->execute()));
  printf("executing %zu\ngrown %zu\n", temp.peak, method_allocator.used_size() - used);
}
