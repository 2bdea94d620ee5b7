//! Runs kernels: blocks on host threads, the warps of a block in turn between barriers.

mod access;
mod address;
mod atomic;
mod block;
mod compare;
mod convert;
mod copy;
mod exchange;
mod float;
mod half;
mod int;
mod lane;
mod matrix;
mod scratch;
mod step;
mod warp;
mod wgmma;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::count::Counts;
use crate::device::{Device, Launch};
use crate::fault::{Fault, FaultKind};
use crate::kernel::Kernel;
use block::Block;

/// A boxed fault, so that the results of instructions stay small.
type Checked<T = ()> = Result<T, Box<Fault>>;

/// Runs all blocks. After a fault no further block begins.
pub fn run(device: &Device, kernel: &Kernel, launch: &Launch<'_>) -> Checked<Counts> {
    if let Some((name, line)) = kernel.undefined.first().filter(|_| device.options.check_unwritten) {
        return Err(Box::new(Fault {
            kind: FaultKind::Unwritten,
            message: format!("the register {name} is read, but nothing writes it"),
            kernel: kernel.name.clone(),
            line: *line,
            instruction: kernel.line(*line).to_owned(),
            block: [0; 3],
            thread: None,
        }));
    }
    let total: u64 = launch.grid.iter().map(|&n| u64::from(n)).product();
    let next = AtomicU64::new(0);
    let regions = device.memory.regions();
    let work = || {
        let mut block = Block::new(device, kernel, launch, &regions);
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= total {
                return Ok(block.counts);
            }
            if let Err(fault) = block.run(index) {
                next.store(total, Relaxed);
                return Err(fault);
            }
        }
    };
    let threads = (device.options.threads as u64).clamp(1, total);
    let results: Vec<Checked<Counts>> = if threads == 1 {
        vec![work()]
    } else {
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            handles.into_iter().map(|handle| handle.join().expect("the interpreter does not panic")).collect()
        })
    };
    let mut counts = Counts { launches: 1, ..Counts::default() };
    for result in results {
        counts += result?;
    }
    Ok(counts)
}
