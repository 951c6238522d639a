// Runs methods of one program on the real ExecuTorch runtime and records what
// they answer: outputs, error codes, aborts.
//
//   runner PROGRAM.pte REQUESTS RESPONSES
//
// Each request runs in a process of its own, because a failed check of the
// runtime ends the process. Little endian throughout; `value` is
//   u8 tag (0 tensor, 1 int, 2 double, 3 bool, 4 none, 5 other)
//   tensor: u8 scalar type, u8 rank, rank x i32 size, rank x u8 dim order, u32 bytes, data
//   int: i64; double: f64; bool: u8
// request:  u16 length, method name, u8 fill byte of all memory, u8 steps, per step u16 count, values
// response: u8 stage (0 done, 1 load, 2 set input, 3 execute, 4 signal, 5 timeout), u32 code,
//           u32 length, log text, and after stage 0: per step u16 count, values
#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

using namespace executorch::runtime;
using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::aten::TensorImpl;

using Bytes = std::vector<uint8_t>;
constexpr unsigned kSecondsPerRequest = 20;
constexpr size_t kPoolBytes = 1 << 20;

Bytes read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes((std::istreambuf_iterator<char>(file)), {});
}

struct Reader {
  const uint8_t* at;
  template <class T>
  T get() {
    T value;
    memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
  }
};

template <class T>
void put(Bytes& out, T value) {
  auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

uint8_t* aligned(size_t size, uint8_t fill) {
  size = (size + 255) / 128 * 128;
  auto* memory = static_cast<uint8_t*>(aligned_alloc(128, size));
  memset(memory, fill, size);
  return memory;
}

// Owns what a tensor given to the method points at.
struct Input {
  std::vector<int32_t> sizes, strides;
  std::vector<uint8_t> order;
  uint8_t* data = nullptr;
  std::unique_ptr<TensorImpl> impl;
};

EValue read_value(Reader& in, Input& keep) {
  switch (in.get<uint8_t>()) {
    case 1:
      return EValue(in.get<int64_t>());
    case 2:
      return EValue(in.get<double>());
    case 3:
      return EValue(in.get<uint8_t>() != 0);
    case 4:
      return EValue();
  }
  auto type = static_cast<ScalarType>(in.get<uint8_t>());
  size_t rank = in.get<uint8_t>();
  for (size_t i = 0; i < rank; ++i) keep.sizes.push_back(in.get<int32_t>());
  for (size_t i = 0; i < rank; ++i) keep.order.push_back(in.get<uint8_t>());
  keep.strides.resize(rank);
  int32_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    keep.strides[keep.order[i]] = stride;
    stride *= keep.sizes[keep.order[i]] ? keep.sizes[keep.order[i]] : 1;
  }
  size_t size = in.get<uint32_t>();
  keep.data = aligned(size, 0);
  memcpy(keep.data, in.at, size);
  in.at += size;
  keep.impl = std::make_unique<TensorImpl>(
      type, rank, keep.sizes.data(), keep.data, keep.order.data(), keep.strides.data());
  return EValue(Tensor(keep.impl.get()));
}

void write_value(Bytes& out, const EValue& value) {
  if (value.isInt()) {
    put<uint8_t>(out, 1), put(out, value.toInt());
  } else if (value.isDouble()) {
    put<uint8_t>(out, 2), put(out, value.toDouble());
  } else if (value.isBool()) {
    put<uint8_t>(out, 3), put<uint8_t>(out, value.toBool());
  } else if (value.isNone()) {
    put<uint8_t>(out, 4);
  } else if (!value.isTensor()) {
    put<uint8_t>(out, 5);
  } else {
    const Tensor& tensor = value.toTensor();
    put<uint8_t>(out, 0), put(out, static_cast<uint8_t>(tensor.scalar_type()));
    put<uint8_t>(out, tensor.dim());
    for (auto size : tensor.sizes()) put<int32_t>(out, size);
    for (auto dim : tensor.dim_order()) put<uint8_t>(out, dim);
    put<uint32_t>(out, tensor.nbytes());
    auto* data = static_cast<const uint8_t*>(tensor.const_data_ptr());
    if (data) out.insert(out.end(), data, data + tensor.nbytes());
    else out.insert(out.end(), tensor.nbytes(), 0);
  }
}

struct Answer {
  uint8_t stage;
  uint32_t code;
  Bytes outputs;
};

Answer failed(uint8_t stage, Error error) {
  return {stage, static_cast<uint32_t>(error), {}};
}

Answer run(const Bytes& program_bytes, const std::string& name, uint8_t fill, Reader in) {
  uint8_t* file = aligned(program_bytes.size(), 0);
  memcpy(file, program_bytes.data(), program_bytes.size());
  executorch::extension::BufferDataLoader loader(file, program_bytes.size());
  auto program = Program::load(&loader);
  if (!program.ok()) return failed(1, program.error());
  auto meta = program->method_meta(name.c_str());
  if (!meta.ok()) return failed(1, meta.error());
  std::vector<Span<uint8_t>> buffers;
  for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
    size_t size = meta->memory_planned_buffer_size(i).get();
    buffers.push_back({aligned(size, fill), size});
  }
  HierarchicalAllocator planned({buffers.data(), buffers.size()});
  MemoryAllocator pool(kPoolBytes, aligned(kPoolBytes, 0));
  MemoryAllocator temp(kPoolBytes, aligned(kPoolBytes, fill));
  MemoryManager manager(&pool, &planned, &temp);
  auto method = program->load_method(name.c_str(), &manager);
  if (!method.ok()) return failed(1, method.error());
  for (size_t i = 0; i < method->outputs_size(); ++i) {
    // Outputs without planned memory get some here, as an application would give it.
    auto tensor = meta->output_tensor_meta(i);
    if (!tensor.ok() || tensor->is_memory_planned()) continue;
    Error error = method->set_output_data_ptr(aligned(tensor->nbytes(), fill), tensor->nbytes(), i);
    if (error != Error::Ok) return failed(2, error);
  }
  Answer answer{0, 0, {}};
  for (int steps = in.get<uint8_t>(); steps > 0; --steps) {
    std::vector<Input> inputs(in.get<uint16_t>());
    for (size_t i = 0; i < inputs.size(); ++i) {
      Error error = method->set_input(read_value(in, inputs[i]), i);
      if (error != Error::Ok) return failed(2, error);
    }
    Error error = method->execute();
    if (error != Error::Ok) return failed(3, error);
    put<uint16_t>(answer.outputs, method->outputs_size());
    for (size_t i = 0; i < method->outputs_size(); ++i) {
      write_value(answer.outputs, method->get_output(i));
    }
  }
  return answer;
}

// Skips a request's inputs, which only the child reads.
void skip_inputs(Reader& in) {
  for (int steps = in.get<uint8_t>(); steps > 0; --steps) {
    for (int n = in.get<uint16_t>(); n > 0; --n) {
      Input keep;
      read_value(in, keep);
      free(keep.data);
    }
  }
}

Bytes drain(int fd) {
  Bytes all;
  uint8_t chunk[65536];
  for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;) all.insert(all.end(), chunk, chunk + n);
  return all;
}

Answer run_apart(const Bytes& program, const std::string& name, uint8_t fill, Reader in, Bytes& log) {
  int result[2];
  if (pipe(result)) exit(2);
  FILE* errors = tmpfile();
  pid_t child = fork();
  if (child == 0) {
    dup2(fileno(errors), 2);
    alarm(kSecondsPerRequest);
    Answer answer = run(program, name, fill, in);
    Bytes wire{answer.stage};
    put(wire, answer.code);
    wire.insert(wire.end(), answer.outputs.begin(), answer.outputs.end());
    for (size_t done = 0; done < wire.size();) {
      ssize_t n = write(result[1], wire.data() + done, wire.size() - done);
      if (n <= 0) _exit(3);
      done += n;
    }
    _exit(0);
  }
  close(result[1]);
  Bytes wire = drain(result[0]);
  close(result[0]);
  int status = 0;
  waitpid(child, &status, 0);
  rewind(errors);
  log = drain(fileno(errors));
  fclose(errors);
  if (WIFSIGNALED(status)) {
    int signal = WTERMSIG(status);
    return {static_cast<uint8_t>(signal == SIGALRM ? 5 : 4), static_cast<uint32_t>(signal), {}};
  }
  Reader answer{wire.data()};
  uint8_t stage = answer.get<uint8_t>();
  uint32_t code = answer.get<uint32_t>();
  return {stage, code, Bytes(wire.begin() + 5, wire.end())};
}

int main(int count, char** args) {
  if (count != 4) {
    fprintf(stderr, "usage: runner PROGRAM.pte REQUESTS RESPONSES\n");
    return 2;
  }
  runtime_init();
  Bytes program = read_file(args[1]), requests = read_file(args[2]);
  std::ofstream responses(args[3], std::ios::binary);
  Reader in{requests.data()};
  while (in.at < requests.data() + requests.size()) {
    size_t length = in.get<uint16_t>();
    std::string name(reinterpret_cast<const char*>(in.at), length);
    in.at += length;
    uint8_t fill = in.get<uint8_t>();
    Bytes log;
    Answer answer = run_apart(program, name, fill, in, log);
    skip_inputs(in);
    Bytes wire{answer.stage};
    put(wire, answer.code);
    put<uint32_t>(wire, log.size());
    wire.insert(wire.end(), log.begin(), log.end());
    wire.insert(wire.end(), answer.outputs.begin(), answer.outputs.end());
    responses.write(reinterpret_cast<const char*>(wire.data()), wire.size());
  }
  return 0;
}
