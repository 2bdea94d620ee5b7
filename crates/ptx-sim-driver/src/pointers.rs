//! The pointers of the C interface. They come from callers of `unsafe` functions, who promise what the driver's manual
//! asks of them: each is null, or points to what its type says for as long as the call (of a captured copy: the graph)
//! lasts.

use std::ffi::{CStr, c_char, c_void};

use crate::answer::{Answer, Error};

/// Where a result goes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Writes the result; a null pointer is an invalid value.
    pub fn set(self, value: T) -> Answer {
        if self.0.is_null() {
            return Err(Error::InvalidValue);
        }
        // SAFETY: not null, hence valid for a write by the caller's promise.
        unsafe { self.0.write(value) };
        Ok(())
    }

    /// The same place for another type.
    pub fn cast<U>(self) -> Out<U> {
        Out(self.0.cast())
    }

    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Writes the result unless nobody wants it.
    pub fn set_if_wanted(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not null, hence valid for a write by the caller's promise.
            unsafe { self.0.write(value) };
        }
    }
}

impl Out<c_char> {
    /// Writes `text` with its final zero, cut to `room` bytes.
    pub fn set_text(self, text: &str, room: usize) -> Answer {
        if self.0.is_null() || room == 0 {
            return Err(Error::InvalidValue);
        }
        let count = text.len().min(room - 1);
        // SAFETY: not null, hence valid for `room` bytes by the caller's promise, of which `count + 1` are written.
        unsafe {
            self.0.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), count);
            self.0.add(count).write(0);
        }
        Ok(())
    }
}

/// What a call reads.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct In<T>(*const T);

impl<T: Copy> In<T> {
    /// What it points to; a null pointer is an invalid value.
    pub fn get(self) -> Answer<T> {
        self.at(0)
    }

    /// The element of that number in an array.
    pub fn at(self, index: usize) -> Answer<T> {
        if self.0.is_null() {
            return Err(Error::InvalidValue);
        }
        // SAFETY: not null, hence valid for so many elements by the caller's promise.
        Ok(unsafe { self.0.add(index).read() })
    }

    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

/// A text that ends with a zero.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Text(*const c_char);

impl Text {
    /// The text; one that is no UTF-8 is an invalid value.
    pub fn get<'a>(self) -> Answer<&'a str> {
        if self.0.is_null() {
            return Err(Error::InvalidValue);
        }
        // SAFETY: not null, hence a text that ends with a zero by the caller's promise.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map_err(|_| Error::InvalidValue)
    }

    /// Its first bytes, to tell PTX from a binary.
    pub fn starts_with(self, bytes: &[u8]) -> bool {
        // SAFETY: not null, hence at least as long as its final zero; reading stops at the first difference.
        !self.0.is_null() && bytes.iter().enumerate().all(|(i, &b)| unsafe { self.0.add(i).read() } as u8 == b)
    }
}

/// Memory of the host.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Host(*mut c_void);

// SAFETY: an address alone; whoever follows it holds the promise above.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    pub fn address(self) -> u64 {
        self.0 as u64
    }

    /// `bytes` bytes from `offset` on, to be read.
    pub fn read<'a>(self, offset: usize, bytes: usize) -> Answer<&'a [u8]> {
        match bytes {
            0 => Ok(&[]),
            _ if self.0.is_null() => Err(Error::InvalidValue),
            // SAFETY: not null, hence valid for so many bytes by the caller's promise.
            _ => Ok(unsafe { std::slice::from_raw_parts(self.0.cast::<u8>().add(offset), bytes) }),
        }
    }

    /// `bytes` bytes, to be written.
    pub fn write<'a>(self, bytes: usize) -> Answer<&'a mut [u8]> {
        match bytes {
            0 => Ok(&mut []),
            _ if self.0.is_null() => Err(Error::InvalidValue),
            // SAFETY: not null, hence valid for so many bytes by the caller's promise.
            _ => Ok(unsafe { std::slice::from_raw_parts_mut(self.0.cast::<u8>(), bytes) }),
        }
    }
}
