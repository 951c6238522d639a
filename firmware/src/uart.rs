//! UART0 of the MPS3 board: a CMSDK APB UART.

use core::fmt::{self, Write};

const BASE: usize = 0x5930_3000;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const DIVIDER: usize = 0x10;
/// The transmit buffer is full.
const FULL: u32 = 1;
/// Transmit.
const ENABLE: u32 = 1;

struct Uart;

impl Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the registers of UART0, which only this module touches.
            unsafe {
                while ((BASE + STATE) as *const u32).read_volatile() & FULL != 0 {}
                (BASE as *mut u32).write_volatile(u32::from(byte));
            }
        }
        Ok(())
    }
}

/// Writes a line.
pub fn line(text: fmt::Arguments<'_>) {
    // SAFETY: as above. The divider must be at least 16.
    unsafe {
        ((BASE + DIVIDER) as *mut u32).write_volatile(16);
        ((BASE + CONTROL) as *mut u32).write_volatile(ENABLE);
    }
    let _ = writeln!(Uart, "{text}");
}
