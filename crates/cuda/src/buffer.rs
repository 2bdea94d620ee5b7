//! [`Buffer`]: memory of one dtype on a device.

use crate::capture;
use crate::device::CudaDevice;
use cotangent_base::{DType, Element, Error, Result};

/// `len` elements of one dtype. Freed memory goes back to the device's pool.
pub struct Buffer {
    device: CudaDevice,
    at: u64,
    dtype: DType,
    len: usize,
}

/// The most elements: kernels count them in 32 bits.
const MAX_LEN: usize = i32::MAX as usize;

impl Buffer {
    /// Memory whose values are anything (in debug builds: all bits set, which is NaN for floats, so that an element nobody
    /// wrote cannot hide). For kernels that write every element.
    ///
    /// # Errors
    /// Where the device has too little memory, or for more than 2³¹ − 1 elements.
    pub fn uninit(device: CudaDevice, dtype: DType, len: usize) -> Result<Self> {
        if len > MAX_LEN {
            let message = format!("{len} elements in one tensor: at most {MAX_LEN} on a GPU");
            return Err(Error::new(device.place(), message));
        }
        let at = device.allocate(len * dtype.bytes())?;
        Ok(Self { device, at, dtype, len })
    }

    /// Memory holding a copy of `values`.
    ///
    /// # Errors
    /// As [`Buffer::uninit`].
    pub fn from_slice<T: Element>(device: CudaDevice, values: &[T]) -> Result<Self> {
        let buffer = Self::uninit(device, T::DTYPE, values.len())?;
        // SAFETY: elements are plain numbers without padding, and the block is as long.
        unsafe {
            let bytes = std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values));
            device.upload(bytes, buffer.at)?;
        }
        Ok(buffer)
    }

    /// The elements.
    ///
    /// # Errors
    /// If the copy fails, or a kernel before it has.
    ///
    /// # Panics
    /// If `T` is not the buffer's dtype.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        assert_eq!(T::DTYPE, self.dtype, "a kernel asked for the wrong dtype");
        let mut values = vec![T::default(); self.len];
        // SAFETY: the block holds as many elements of this dtype, each of which a kernel or an upload has written.
        unsafe {
            let bytes = std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), self.len * self.dtype.bytes());
            self.device.download(self.at, bytes)?;
        }
        Ok(values)
    }

    /// Where it is.
    pub fn device(&self) -> CudaDevice {
        self.device
    }

    /// The same memory for a device that is the same GPU with another precision.
    ///
    /// # Panics
    /// If it is another GPU.
    pub fn with_device(mut self, device: CudaDevice) -> Self {
        assert_eq!(self.device.ordinal(), device.ordinal(), "memory stays on its GPU");
        self.device = device;
        self
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address of element `place`, for the next kernel that is launched.
    pub(crate) fn address(&self, place: usize) -> u64 {
        capture::will_use(self.block());
        self.address_within(place)
    }

    /// The address of the memory, for a kernel of this step.
    pub(crate) fn block(&self) -> u64 {
        if capture::is_recording() {
            self.device.pool().note(self.at);
        }
        self.at
    }

    /// The address of element `place`, for what keeps the buffer.
    pub(crate) fn address_within(&self, place: usize) -> u64 {
        self.at + (place * self.dtype.bytes()) as u64
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        capture::give_up(self.at);
        self.device.release(self.at, self.len * self.dtype.bytes());
    }
}
