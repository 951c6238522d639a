//! What a record of the journal costs: alone, and with a reading of the clock.
//! The goal is 20 ns.

use criterion::{Criterion, criterion_group, criterion_main};
use et_schema::ids::{ChainId, InstructionId};
use etdump::journal::{Config, Detail, Event, Journal, JournalTracer, Scope};
use etdump::{Clock, Place, SystemClock, Ticks, Tracer};
use std::hint::black_box;
use std::sync::atomic::AtomicU32;

const BYTES: usize = 64 * 1024;

fn journal(criterion: &mut Criterion) {
    let memory: Vec<AtomicU32> = (0..BYTES / 4).map(|_| AtomicU32::new(0)).collect();
    let journal = Journal::create(&memory, Config::for_bytes(BYTES)).expect("a journal");
    let begin = |instruction| Event::Begin {
        scope: Scope::Instruction,
        chain: Some(0),
        instruction,
        name: 0,
        execution: 1,
    };
    criterion.bench_function("journal/record", |b| {
        let mut ticks = 0;
        b.iter(|| {
            ticks += 1;
            journal.record(ticks, black_box(begin(7)))
        });
    });
    criterion.bench_function("journal/record_with_clock", |b| {
        let mut clock = SystemClock::default();
        b.iter(|| journal.record(clock.now().0, black_box(begin(7))));
    });
    criterion.bench_function("journal/begin_and_end_of_a_kernel", |b| {
        let mut tracer = JournalTracer::new(journal, || Ticks(1), Detail::Kernels, "forward");
        let place = Place::Instruction(ChainId(0), InstructionId(3));
        b.iter(|| {
            let begun = tracer.begin(black_box("native_call_add.out"), place);
            tracer.end(black_box("native_call_add.out"), place, begun);
        });
    });
}

criterion_group!(benches, journal);
criterion_main!(benches);
