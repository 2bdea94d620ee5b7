//! Functions that no real driver has: what the simulator knows. A program finds out whether it runs on the stand-in by
//! looking for one of them.

use std::ffi::{c_char, c_int};

use crate::answer::Error;
use crate::driver::driver;
use crate::pointers::{Out, Text};

/// What a kernel did in all its launches.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct KernelCounts {
    launches: u64,
    warp_instructions: u64,
    lane_instructions: u64,
    matrix_macs: u64,
    global_requests: u64,
    global_sectors: u64,
    shared_requests: u64,
    bank_conflicts: u64,
}

exports! {
    /// The counts of a kernel, or with an empty name of all together.
    fn ptxsim_counts(kernel: Text, counts: Out<KernelCounts>) {
        let found = driver().report().counts(kernel.get()?).ok_or(Error::NotFound)?;
        counts.set(KernelCounts {
            launches: found.launches,
            warp_instructions: found.warp_instructions(),
            lane_instructions: found.lanes,
            matrix_macs: found.matrix_macs,
            global_requests: found.global_requests,
            global_sectors: found.global_sectors,
            shared_requests: found.shared_requests,
            bank_conflicts: found.bank_conflicts(),
        })
    }

    /// The report as text, cut to `room` bytes.
    fn ptxsim_report(text: Out<c_char>, room: c_int) {
        let report = driver().report().text();
        text.set_text(&report, usize::try_from(room).unwrap_or(0))
    }

    /// The fault that was found last, as text cut to `room` bytes; empty if there is none.
    fn ptxsim_last_fault(text: Out<c_char>, room: c_int) {
        text.set_text(driver().report().last_fault(), usize::try_from(room).unwrap_or(0))
    }

    /// Begins to count anew.
    fn ptxsim_reset() {
        driver().report().clear();
        Ok(())
    }

    /// Counts bytes as written by nobody again: what a pool should do with memory that comes back, so that whoever gets
    /// it next is caught reading what is left in it.
    fn ptxsim_forget(address: u64, bytes: usize) {
        driver().device.memory.forget(address, bytes).map_err(|_| Error::InvalidValue)
    }
}
