//! Journals of boards that hang, are slow, restart, or whose clock is not
//! right: what is concluded from each.

use et_inspector::diagnose::{Diagnosis, Evidence, NoSymbols, Pace, diagnose};
use et_inspector::findings::Code;
use et_inspector::target::{self, Target};
use et_schema::layout::Abi;
use et_schema::pte::File;
use etdump::journal::{AllocatorKind, Config, Event, Journal, Scope, Snapshot};
use std::sync::atomic::{AtomicU32, Ordering};

mod support;

const TICKS: u32 = 1000;

/// The journal that `write` writes.
fn journal(write: impl FnOnce(&[AtomicU32], Config, Journal<'_>)) -> Snapshot {
    let memory: Vec<AtomicU32> = (0..4096).map(|_| AtomicU32::new(0)).collect();
    let config = Config { ticks_per_second: TICKS, ..Config::for_bytes(memory.len() * 4) };
    write(&memory, config, Journal::create(&memory, config).expect("a journal"));
    let words = memory.iter().map(|word| word.load(Ordering::Relaxed).to_le_bytes());
    Snapshot::parse(&words.flatten().collect::<Vec<u8>>()).expect("a journal")
}

fn diagnosis_on(model: &str, journal: &Snapshot, target: Option<&Target>) -> Diagnosis {
    let bytes = support::read(model);
    let file = File::parse(&bytes).expect("a program");
    diagnose(Evidence {
        file: &file,
        method: file.methods().next().expect("a method"),
        abi: Abi::Arm32,
        target,
        log: None,
        journal: Some(journal),
        trace: None,
        symbols: &NoSymbols,
    })
    .expect("a diagnosis")
}

fn diagnosis(model: &str, journal: &Snapshot) -> Diagnosis {
    diagnosis_on(model, journal, None)
}

fn begin(scope: Scope, instruction: u32, execution: u32) -> Event {
    let chain = (scope != Scope::Execute).then_some(0);
    Event::Begin { scope, chain, instruction, name: 0, execution }
}

fn end(scope: Scope, instruction: u32) -> Event {
    let chain = (scope != Scope::Execute).then_some(0);
    Event::End { scope, chain, instruction, name: 0, status: 0 }
}

/// Executions of two instructions of which the second takes 10 ticks, and one
/// more whose second instruction began `since` ticks before the last heartbeat.
fn stuck_after(since: u64) -> Snapshot {
    journal(|_, _, journal| {
        let mut now = 5;
        for execution in 1..=4 {
            journal.begin_execution();
            journal.record(now, Event::Run { name: 0, execution });
            journal.record(now, begin(Scope::Execute, 0, execution));
            for instruction in 0..2 {
                journal.record(now, begin(Scope::Instruction, instruction, execution));
                if (execution, instruction) == (4, 1) {
                    journal.heartbeat(now + since, 0x2000_1000);
                    return;
                }
                now += 10;
                journal.record(now, end(Scope::Instruction, instruction));
            }
            journal.record(now, end(Scope::Execute, 0));
        }
    })
}

fn finding(found: &Diagnosis, code: Code) -> &et_inspector::findings::Finding {
    let known = found.findings.iter().find(|finding| finding.code == code);
    known.unwrap_or_else(|| panic!("no {code:?} in {:#?}", found.findings))
}

#[test]
fn what_takes_far_longer_than_before_is_hung_and_what_does_not_is_slow() {
    let found = diagnosis("linear", &stuck_after(12_400));
    let sentence = &found.verdict.sentence;
    assert!(sentence.starts_with("stuck in instruction 0:1 (aten::addmm.out)"), "{sentence}");
    assert!(
        sentence.contains("12.400 s after it began, where it took up to 0.010 s"),
        "{sentence}"
    );
    assert!(finding(&found, Code::Hang).evidence.contains(&("progress", "false".into())));

    let found = diagnosis("linear", &stuck_after(8));
    let sentence = &found.verdict.sentence;
    assert!(sentence.starts_with("slow, or stopped too early, rather than hung"), "{sentence}");
    assert!(sentence.contains("instruction 0:1 (aten::addmm.out) for 0.008 s"), "{sentence}");
    assert!(finding(&found, Code::Hang).evidence.contains(&("progress", "true".into())));

    let found = diagnosis("linear", &stuck_after(50));
    assert_eq!(found.in_flight.map(|at| at.pace), Some(Pace::Unknown));
}

#[test]
fn the_first_execution_is_held_against_its_work_and_the_boards_clock() {
    let first = |since: u64| {
        journal(|_, _, journal| {
            journal.begin_execution();
            journal.record(5, begin(Scope::Instruction, 0, 1));
            journal.heartbeat(5 + since, 0);
        })
    };
    let target = target::find("nucleo-h743zi").expect("a board");
    let found = diagnosis_on("linear", &first(5000), Some(&target));
    let sentence = &found.verdict.sentence;
    assert!(sentence.contains("5.000 s after it began, where its work is at most"), "{sentence}");
    assert_eq!(diagnosis("linear", &first(5000)).in_flight.map(|a| a.pace), Some(Pace::Unknown));
}

#[test]
fn a_unit_that_never_answers_is_named_with_the_time_since_submission() {
    let submit = |journal: &Journal<'_>| {
        journal.begin_execution();
        journal.record(1, begin(Scope::Execute, 0, 1));
        journal.record(2, begin(Scope::Delegate, 1, 1));
        let npu =
            Event::Begin { scope: Scope::Npu, chain: None, instruction: 0, name: 0, execution: 1 };
        journal.record(10, npu);
    };
    let silent = journal(|_, _, journal| {
        submit(&journal);
        journal.heartbeat(12_410, 0x2000_1000);
    });
    let found = diagnosis("u55_linear", &silent);
    assert_eq!(
        found.verdict.sentence,
        "stuck in instruction 0:1 (EthosUBackend), 12.400 s after submission, no interrupt seen"
    );
    assert_eq!(finding(&found, Code::NpuSilent).at.map(|(c, i)| (c.0, i.0)), Some((0, 1)));
    // The same with an interrupt: then it is not the unit.
    let answered = journal(|_, _, journal| {
        submit(&journal);
        journal.record(20, Event::Mark { number: 0x4555_0003, value: 0 });
        journal.heartbeat(12_410, 0x2000_1000);
    });
    let sentence = diagnosis("u55_linear", &answered).verdict.sentence;
    assert!(sentence.ends_with("the interrupt came and the driver did not go on"), "{sentence}");
}

#[test]
fn a_unit_is_named_without_an_event_tracer_as_well() {
    let hooks_alone = journal(|_, _, journal| {
        let npu =
            Event::Begin { scope: Scope::Npu, chain: None, instruction: 0, name: 0, execution: 0 };
        journal.record(10, npu);
        journal.heartbeat(2010, 0);
    });
    let found = diagnosis("u55_linear", &hooks_alone);
    assert!(
        found.verdict.sentence.starts_with("stuck in instruction 0:1 (EthosUBackend), 2.000 s"),
        "{:?}",
        found.verdict
    );
}

#[test]
fn a_clock_that_stands_or_wraps_is_found() {
    let stands = journal(|_, _, journal| {
        for instruction in 0..6 {
            journal.record(0, begin(Scope::Instruction, instruction, 1));
            journal.record(0, end(Scope::Instruction, instruction));
        }
    });
    assert_eq!(finding(&diagnosis("linear", &stands), Code::ClockStands).evidence[1].1, "0");

    let wraps = journal(|_, _, journal| {
        journal.record(0xffff_ff00, begin(Scope::Instruction, 0, 1));
        journal.record(0x100, end(Scope::Instruction, 0));
        journal.record(0x200, begin(Scope::Instruction, 1, 1));
    });
    let found = diagnosis("linear", &wraps);
    let wrapped = finding(&found, Code::ClockWrapped);
    assert!(wrapped.evidence.contains(&("ticks_between", "512".into())), "{wrapped:?}");
    assert!(found.findings.iter().all(|f| f.code != Code::ClockStands));
}

#[test]
fn memory_that_each_execution_takes_is_growth() {
    let grows = |per_execution: u64| {
        journal(|_, _, journal| {
            journal.set_allocator(0, AllocatorKind::Method, 0, 1000);
            journal.allocation(1, 0, 100, 0, 0);
            let mut used = 100;
            for execution in 1..=3 {
                journal.begin_execution();
                journal.record(u64::from(execution), Event::Run { name: 0, execution });
                if per_execution > 0 {
                    journal.allocation(u64::from(execution), 0, per_execution, used, 0);
                    used += per_execution;
                }
            }
        })
    };
    let found = diagnosis("linear", &grows(200));
    let growth = finding(&found, Code::Growth);
    assert!(growth.evidence.contains(&("executions_until_it_is_full", "1".into())), "{growth:?}");
    assert!(diagnosis("linear", &grows(0)).findings.iter().all(|f| f.code != Code::Growth));
}

#[test]
fn a_reset_by_the_watchdog_is_told_with_how_often_it_was_the_same_instruction() {
    let restarts = |reason: u32| {
        journal(|memory, config, journal| {
            journal.record(1, begin(Scope::Instruction, 1, 1));
            for start in 2..4 {
                let journal = Journal::resume(memory, config, reason, start).expect("a journal");
                journal.record(start, begin(Scope::Instruction, 1, 1));
            }
        })
    };
    // ETJ_RESET(ETJ_RESET_WATCHDOG)
    let found = diagnosis("linear", &restarts(0x5253_0010));
    let reset = finding(&found, Code::Reset);
    assert!(reset.title.starts_with("the watchdog reset the board"), "{}", reset.title);
    let same = ("ended_in_the_same_instruction", "3 of 3".to_owned());
    assert!(reset.evidence.contains(&same), "{reset:?}");
    assert_eq!(found.in_flight.as_ref().map(|at| at.instruction.0), Some(1));
    // A register of some chip is printed as it is.
    let found = diagnosis("linear", &restarts(0x0400_0000));
    assert!(finding(&found, Code::Reset).title.contains("0x4000000"));
}

#[test]
fn an_end_that_no_record_shows_is_not_claimed() {
    let verdict = |ends: bool, marks: u32| {
        let journal = journal(|_, _, journal| {
            journal.begin_execution();
            journal.record(1, begin(Scope::Execute, 0, 1));
            if ends {
                journal.record(2, end(Scope::Execute, 0));
            }
            for number in 0..marks {
                journal.record(3 + u64::from(number), Event::Mark { number, value: 0 });
            }
        });
        diagnosis("softmax", &journal).verdict.sentence
    };
    assert_eq!(verdict(true, 3), "the execution came to its end");
    // More marks than there are slots.
    for ends in [true, false] {
        let sentence = verdict(ends, 2000);
        assert!(sentence.starts_with("execution 1 began, and nothing"), "{sentence}");
    }
}
