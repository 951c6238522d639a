//! The instrumented ExecuTorch runtime.
