#!/usr/bin/env python3
"""Measures what ExecuTorch's runtime takes from the heap for XNNPACK programs.

    scripts/xnnpack_heap.py OUT.json FOLDER ...

Each folder has model.pte and in_K.npy (or io/forward/case0/in_K.npy), as
scripts/xnnpack_references.py writes them. OUT.json has the bytes that are live
after an execution and were not before loading, by name of the folder. Needs a C
compiler and the Python packages executorch, torch and numpy.
"""

import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

COUNTER = r"""
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);
static atomic_long live;
static void *count(void *p) { if (p) atomic_fetch_add(&live, (long)malloc_usable_size(p)); return p; }
void *malloc(size_t n) { return count(__libc_malloc(n)); }
void *calloc(size_t n, size_t m) { return count(__libc_calloc(n, m)); }
void *memalign(size_t a, size_t n) { return count(__libc_memalign(a, n)); }
void *aligned_alloc(size_t a, size_t n) { return memalign(a, n); }
int posix_memalign(void **r, size_t a, size_t n) { return (*r = memalign(a, n)) ? 0 : 12; }
void free(void *p) { if (p) atomic_fetch_sub(&live, (long)malloc_usable_size(p)); __libc_free(p); }
void *realloc(void *q, size_t n) {
  long old = q ? (long)malloc_usable_size(q) : 0;
  void *p = __libc_realloc(q, n);
  if (p) atomic_fetch_add(&live, (long)malloc_usable_size(p) - old);
  return p;
}
long heap_live(void) { return live; }
"""


def counted(arguments):
    """Starts this script again with the counter in front of the allocator."""
    folder = tempfile.mkdtemp()
    source, library = f"{folder}/counter.c", f"{folder}/counter.so"
    Path(source).write_text(COUNTER)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
    os.environ["LD_PRELOAD"] = library
    os.execv(sys.executable, [sys.executable, __file__, *arguments])


def main():
    if "LD_PRELOAD" not in os.environ:
        counted(sys.argv[1:])
    import numpy
    import torch
    from executorch.extension.pybindings.portable_lib import _load_for_executorch_from_buffer

    live = ctypes.CDLL(None).heap_live
    live.restype = ctypes.c_long
    measured = {}
    folders = [Path(folder) for folder in sys.argv[2:]]
    # The first one is run twice: the backend initializes itself once.
    for folder in [folders[0], *folders]:
        program = (folder / "model.pte").read_bytes()
        cases = [folder, folder / "io/forward/case0"]
        files = sorted(file for case in cases for file in case.glob("in_*.npy"))
        inputs = tuple(torch.from_numpy(numpy.load(file)) for file in files)
        gc.collect()
        before = live()
        module = _load_for_executorch_from_buffer(program)
        outputs = module.run_method("forward", inputs)
        del outputs
        measured[folder.name] = live() - before
        del module
    Path(sys.argv[1]).write_text(json.dumps(measured, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
