//! What kernels did, by name, for whoever asks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{MutexGuard, PoisonError};

use ptx_sim::{CLASSES, Counts, Fault};

use crate::driver::{Driver, driver};

/// Counts by kernel, and what was found.
#[derive(Default)]
pub struct Report {
    kernels: BTreeMap<String, Counts>,
    faults: Vec<String>,
}

impl Driver {
    pub fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report {
    pub fn add(&mut self, kernel: &str, counts: Counts) {
        *self.kernels.entry(kernel.to_owned()).or_default() += counts;
    }

    pub fn fault(&mut self, fault: &Fault) {
        self.faults.push(fault.to_string());
    }

    /// The counts of one kernel, or with an empty name of all together.
    pub fn counts(&self, kernel: &str) -> Option<Counts> {
        if !kernel.is_empty() {
            return self.kernels.get(kernel).copied();
        }
        let mut total = Counts::default();
        self.kernels.values().for_each(|counts| total += *counts);
        Some(total)
    }

    /// The text of the fault that was found last, or nothing.
    pub fn last_fault(&self) -> &str {
        self.faults.last().map_or("", String::as_str)
    }

    /// A line for each kernel, tab-separated under a heading, then the faults.
    pub fn text(&self) -> String {
        let mut text = "kernel\tlaunches".to_owned();
        for class in CLASSES {
            write!(text, "\t{}", format!("{class:?}").to_lowercase()).expect("a string takes everything");
        }
        text.push_str("\tlanes\tmacs\tglobal_requests\tsectors\tshared_requests\tbank_conflicts\n");
        for (name, counts) in &self.kernels {
            write!(text, "{name}\t{}", counts.launches).expect("a string takes everything");
            counts.instructions.iter().for_each(|n| write!(text, "\t{n}").expect("a string takes everything"));
            let Counts { lanes, matrix_macs, global_requests, global_sectors, shared_requests, .. } = *counts;
            let tail = [lanes, matrix_macs, global_requests, global_sectors, shared_requests, counts.bank_conflicts()];
            tail.iter().for_each(|n| write!(text, "\t{n}").expect("a string takes everything"));
            text.push('\n');
        }
        self.faults.iter().for_each(|fault| writeln!(text, "{fault}").expect("a string takes everything"));
        text
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Writes the report to the file that the environment names, when the program ends.
pub extern "C" fn write_at_exit() {
    let driver = driver();
    if let Some(path) = &driver.settings.report {
        let text = driver.report().text();
        if let Err(error) = std::fs::write(path, text) {
            eprintln!("ptxsim: {path}: {error}");
        }
    }
}
