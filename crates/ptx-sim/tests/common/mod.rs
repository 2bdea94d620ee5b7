//! What the tests share: a device, arguments, numbers.

#![allow(dead_code, reason = "each test takes what it needs")]

use ptx_sim::{Counts, Device, Fault, FaultKind, Launch, LaunchError, Options, Program};

/// A device and a program on it.
pub struct Gpu {
    pub device: Device,
    pub program: Program,
}

/// A kernel's argument.
pub enum Arg {
    Bytes(Vec<u8>),
}

macro_rules! args {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Arg {
            fn from(x: $ty) -> Arg {
                Arg::Bytes(x.to_le_bytes().to_vec())
            }
        }
        impl Number for $ty {
            fn bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
            fn of(bytes: &[u8]) -> Self {
                <$ty>::from_le_bytes(bytes.try_into().unwrap())
            }
        }
    )*};
}

/// A number in memory.
pub trait Number: Copy {
    fn bytes(self) -> Vec<u8>;
    fn of(bytes: &[u8]) -> Self;
}

args!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl Gpu {
    pub fn new(text: &str) -> Gpu {
        Gpu::with(text, Options::default())
    }

    pub fn with(text: &str, options: Options) -> Gpu {
        let device = Device::new(Options { memory: 1 << 30, ..options });
        let program = Program::load(text, &device).unwrap_or_else(|error| panic!("{error}"));
        Gpu { device, program }
    }

    /// The address of a copy of `data`.
    pub fn upload<T: Number>(&self, data: &[T]) -> u64 {
        let bytes: Vec<u8> = data.iter().flat_map(|x| x.bytes()).collect();
        let address = self.device.memory.allocate(bytes.len()).unwrap();
        self.device.memory.write(address, &bytes).unwrap();
        address
    }

    /// The address of `count` numbers that nobody has written.
    pub fn room<T: Number>(&self, count: usize) -> u64 {
        self.device.memory.allocate(count * size_of::<T>()).unwrap()
    }

    pub fn download<T: Number>(&self, address: u64, count: usize) -> Vec<T> {
        let mut bytes = vec![0; count * size_of::<T>()];
        self.device.memory.read(address, &mut bytes).unwrap();
        bytes.chunks(size_of::<T>()).map(T::of).collect()
    }

    pub fn try_launch(
        &self,
        kernel: &str,
        grid: [u32; 3],
        block: [u32; 3],
        args: &[Arg],
    ) -> Result<Counts, LaunchError> {
        let kernel = self.program.kernel(kernel).unwrap_or_else(|| panic!("no kernel {kernel}"));
        let mut params = vec![0; kernel.param_bytes];
        for (param, Arg::Bytes(bytes)) in kernel.params.iter().zip(args) {
            assert_eq!(param.bytes, bytes.len(), "argument {}", param.name);
            params[param.offset..param.offset + param.bytes].copy_from_slice(bytes);
        }
        assert_eq!(kernel.params.len(), args.len());
        self.device.launch(kernel, &Launch { grid, block, dynamic_shared: 0, params: &params })
    }

    pub fn launch(&self, kernel: &str, grid: [u32; 3], block: [u32; 3], args: &[Arg]) -> Counts {
        self.try_launch(kernel, grid, block, args).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The fault that a launch ends in.
    pub fn fault(&self, kernel: &str, grid: [u32; 3], block: [u32; 3], args: &[Arg]) -> Fault {
        match self.try_launch(kernel, grid, block, args) {
            Err(LaunchError::Fault(fault)) => *fault,
            other => panic!("a fault expected, {other:?} found"),
        }
    }
}

/// What went wrong, of a launch that may have gone well.
pub fn kind(result: &Result<Counts, LaunchError>) -> Option<FaultKind> {
    match result {
        Err(LaunchError::Fault(fault)) => Some(fault.kind),
        _ => None,
    }
}

/// A kernel around `body`, with a pointer in `%rd0` to as many 8-byte slots as there are threads in `%rd1`, and the
/// thread's number in `%r0`.
pub fn wrap(body: &str) -> String {
    format!(
        ".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p)\n{{\n\
         .reg .pred %p<10>; .reg .b16 %h<20>; .reg .b32 %r<40>; .reg .f32 %f<40>; .reg .b64 %rd<40>; .reg .f64 %d<40>;\n\
         ld.param.u64 %rd0, [p];\n mov.u32 %r0, %tid.x;\n mad.wide.u32 %rd1, %r0, 8, %rd0;\n{body}\nret;\n}}\n"
    )
}

/// Numbers that look random, in [-1, 1).
pub fn random(count: usize, mut seed: u64) -> Vec<f32> {
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        seed >> 32
    };
    (0..count).map(|_| next() as f32 / (1u64 << 31) as f32 - 1.0).collect()
}

/// Integers that look random, every bit.
pub fn random_bits(count: usize, mut seed: u64) -> Vec<u64> {
    (0..count)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.wrapping_mul(0x2545F4914F6CDD1D)
        })
        .collect()
}

/// `a·b` in double, row-major.
pub fn product(a: &[f32], b: &[f32], m: usize, n: usize, k: usize) -> Vec<f64> {
    let sum = |r: usize, s: usize| (0..k).map(|q| f64::from(a[r * k + q]) * f64::from(b[q * n + s])).sum();
    (0..m * n).map(|i| sum(i / n, i % n)).collect()
}

/// The norm of the difference, relative to that of `want`.
pub fn relative_error(found: &[f32], want: &[f64]) -> f64 {
    assert_eq!(found.len(), want.len());
    let difference: f64 = found.iter().zip(want).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
    (difference / want.iter().map(|x| x * x).sum::<f64>()).sqrt()
}
