//! Pinned host memory that copies go through: the device reads and writes it without the driver's own detour.

use cudarc::driver::result::{self, DriverError, event};
use cudarc::driver::sys::{CUevent, CUevent_flags, CUstream};

/// Bytes in each half.
const HALF: usize = 4 << 20;

/// Two halves: while the device copies the one, the host fills the other.
pub struct Staging {
    memory: *mut u8,
    /// Recorded after the last copy out of each half.
    done: [CUevent; 2],
    turn: usize,
}

// SAFETY: the memory and the events belong to the device's context, and `&mut self` alone uses them.
unsafe impl Send for Staging {}

impl Staging {
    /// Pinned memory of the current context.
    pub fn new() -> Result<Self, DriverError> {
        let event = || event::create(CUevent_flags::CU_EVENT_DISABLE_TIMING);
        // SAFETY: the size is not 0.
        let memory = unsafe { result::malloc_host(2 * HALF, 0) }?.cast();
        Ok(Self { memory, done: [event()?, event()?], turn: 0 })
    }

    /// Copies `bytes` to the device address `to`, in the order of the stream.
    ///
    /// # Safety
    /// `to` is valid for as many bytes.
    pub unsafe fn upload(&mut self, bytes: &[u8], to: u64, stream: CUstream) -> Result<(), DriverError> {
        for (i, part) in bytes.chunks(HALF).enumerate() {
            let half = self.turn;
            self.turn = 1 - half;
            // SAFETY: the half is HALF bytes long, and the device is done with it once the event has happened.
            unsafe {
                event::synchronize(self.done[half])?;
                let staged = std::slice::from_raw_parts_mut(self.memory.add(half * HALF), part.len());
                staged.copy_from_slice(part);
                result::memcpy_htod_async(to + (i * HALF) as u64, staged, stream)?;
                event::record(self.done[half], stream)?;
            }
        }
        Ok(())
    }

    /// Copies from the device address `from` into `bytes`, after all work that the stream has so far.
    ///
    /// # Safety
    /// `from` is valid for as many bytes.
    pub unsafe fn download(&mut self, from: u64, bytes: &mut [u8], stream: CUstream) -> Result<(), DriverError> {
        for (i, part) in bytes.chunks_mut(HALF).enumerate() {
            // SAFETY: the half is HALF bytes long; the stream's order keeps earlier copies out of it, and all is over
            // when the stream has been waited for.
            unsafe {
                let staged = std::slice::from_raw_parts_mut(self.memory, part.len());
                result::memcpy_dtoh_async(staged, from + (i * HALF) as u64, stream)?;
                result::stream::synchronize(stream)?;
                part.copy_from_slice(staged);
            }
        }
        Ok(())
    }
}
