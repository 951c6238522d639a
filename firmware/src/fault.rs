//! HardFault: its registers go into the journal and to the UART.

use crate::{clock, journal, uart};
use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};
use etdump::journal::{Event, FaultPart};

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    // SAFETY: reads of the fault status registers, which have no side effects.
    let (cfsr, hfsr, mmfar, bfar) = unsafe {
        let scb = &*SCB::PTR;
        (scb.cfsr.read(), scb.hfsr.read(), scb.mmfar.read(), scb.bfar.read())
    };
    let stack = core::ptr::from_ref(frame) as u32;
    if let Some(journal) = journal::current() {
        let parts = [
            (FaultPart::Frame, [frame.pc(), frame.lr(), stack]),
            (FaultPart::Status, [frame.xpsr(), cfsr, hfsr]),
            (FaultPart::Address, [mmfar, bfar, 0]),
            (FaultPart::Low, [frame.r0(), frame.r1(), frame.r2()]),
            (FaultPart::High, [frame.r3(), frame.r12(), 0]),
        ];
        for (part, registers) in parts {
            journal.record(clock::now().0, Event::Fault { part, registers });
        }
    }
    uart::line(format_args!("HardFault PC={:#010x} LR={:#010x}", frame.pc(), frame.lr()));
    uart::line(format_args!(
        "CFSR={cfsr:#010x} HFSR={hfsr:#010x} MMFAR={mmfar:#010x} BFAR={bfar:#010x}"
    ));
    loop {
        cortex_m::asm::wfi();
    }
}
