//! Random traces: kernels inside of calls inside of methods, delegates with
//! operations of their own, loops, branches, and runs that failed.

use et_schema::ids::{ChainId, InstructionId};
use etdump::{Contents, DelegateId, EtDumpWriter, Place, Ticks, Tracer};
use std::cell::Cell;
use std::rc::Rc;

/// The same numbers for the same seed (xorshift).
pub struct Random(pub u64);

impl Random {
    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

const KERNELS: [&str; 4] =
    ["native_call_add.out", "native_call_mm.out", "native_call_relu.out", "native_call_cat.out"];
const OPERATIONS: [&str; 3] = ["Convolution #1", "Add #1", "Copy #2"];

/// The bytes of a random ETDump.
pub fn trace(seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let now = Rc::new(Cell::new(random.below(1 << 40)));
    let clock = now.clone();
    let writer = EtDumpWriter::new(move || Ticks(clock.get()), Contents::Full);
    let mut session = Session { writer, random, now };
    let instructions = session.random.below(12) as u32;
    let (loops, branches) = (session.random.chance(30), session.random.chance(30));
    for _ in 0..=session.random.below(6) {
        session.run(instructions, loops, branches);
    }
    session.writer.finish().bytes
}

struct Session<C: etdump::Clock> {
    writer: EtDumpWriter<C>,
    random: Random,
    now: Rc<Cell<u64>>,
}

impl<C: etdump::Clock> Session<C> {
    /// Time passes; often none.
    fn wait(&mut self) {
        let ticks = [0, 1, 1_000_000][self.random.below(3) as usize];
        self.now.set(self.now.get() + self.random.below(ticks + 1));
    }

    fn run(&mut self, instructions: u32, loops: bool, branches: bool) {
        self.writer.begin_run("Execute", &[]);
        let method = self.writer.begin("Method::execute", Place::Method);
        let mut next = 0;
        while next < instructions {
            self.instruction(next);
            next += 1;
            if loops && self.random.chance(20) {
                next /= 2;
            }
            if branches && self.random.chance(20) {
                next += 1;
            }
        }
        self.wait();
        if !self.random.chance(10) {
            self.writer.end("Method::execute", Place::Method, method);
        }
    }

    fn instruction(&mut self, index: u32) {
        self.wait();
        let place = Place::Instruction(ChainId(0), InstructionId(index));
        let (call, inside) = match index % 3 {
            0 => ("DELEGATE_CALL", self.random.below(4)),
            _ => ("OPERATOR_CALL", 1),
        };
        let begun = self.writer.begin(call, place);
        for number in 0..inside {
            self.wait();
            if call == "OPERATOR_CALL" {
                let kernel = KERNELS[index as usize % KERNELS.len()];
                let begun = self.writer.begin(kernel, place);
                self.wait();
                self.writer.end(kernel, place, begun);
            } else {
                let id = match index % 2 {
                    0 => DelegateId::Name(OPERATIONS[number as usize % OPERATIONS.len()]),
                    _ => DelegateId::Int(number as i32),
                };
                let begun = self.writer.begin_delegate(id, place);
                self.wait();
                self.writer.end_delegate(id, place, begun, &[]);
            }
        }
        self.wait();
        self.writer.end(call, place, begun);
    }
}
