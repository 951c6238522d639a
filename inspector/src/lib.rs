//! What is concluded from a program and a trace.
