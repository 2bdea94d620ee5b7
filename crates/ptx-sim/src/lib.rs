//! Runs PTX on the CPU, one warp instruction after another, and checks every access.
//!
//! A machine without a GPU can so test kernels as they are, from the committed PTX. What a run tells beyond its
//! results:
//!
//! - **Faults** ([`Fault`]), each with the kernel, the line and text of the instruction, block and thread: accesses
//!   outside every allocation or misaligned, reads of memory that nobody wrote, shared-memory races between the warps
//!   of a block, barriers that only a part of the warps reaches, warp-wide operations whose lanes are not all there;
//!   sums or operands of a `wgmma` that are touched before it was waited for, or that were not fenced.
//! - **Counts** ([`Counts`]): warp instructions by class, sectors of global memory per request, bank conflicts.
//!
//! # How it runs
//!
//! A [`Program`] is a module of which every kernel is compiled to a flat list of instructions over numbered registers;
//! device functions are put in place of their calls. A register holds the values of all 32 lanes, and one `match` does
//! an instruction for all of them. Where lanes diverge, those with the smallest program counter go first, so they meet
//! again by themselves. The warps of a block run in turn between barriers; blocks run on the host's threads.
//!
//! # What it plays
//!
//! The PTX that nvcc makes of CUDA C++ for `sm_80` and older: integers, floats from half to double, predicates,
//! vector loads and stores, all address spaces, shuffles, votes, atomics, barriers, `cp.async`, `ldmatrix`, `mma.sync`
//! on TF32, BF16 and F16; and of `sm_90a` the `wgmma` of TF32 and BF16 whose operands are descriptors with the swizzle
//! over 128 bytes, with its fences, groups and waits. What it does not know it refuses, naming the line; it never guesses.
//!
//! # What it cannot show
//!
//! - How fast a kernel is, and what an assembler would make of it: spills, registers, occupancy.
//! - Effects of memory order between blocks: every write is seen at once.
//! - Races between the lanes of one warp, or between blocks.
//! - The last bits of the approximate operations (`ex2.approx`, `rsqrt.approx`, …), which are computed as exactly as
//!   the type allows, and the order of the sums inside an `mma`, which go from the first product to the last.
//! - Whether descriptors and swizzles mean to the hardware what the PTX ISA says of them.
//! - Payloads of NaNs.
//! - Streams that overlap: work is done when it is submitted, so a missing event between streams goes unnoticed.
//!
//! # Example
//!
//! ```
//! use ptx_sim::{Device, Launch, Options, Program};
//!
//! let text = "
//! .version 7.0
//! .target sm_80
//! .address_size 64
//! .visible .entry double_it(.param .u64 data, .param .u32 n)
//! {
//!     .reg .pred %p; .reg .b32 %r<3>; .reg .f32 %f; .reg .b64 %rd<3>;
//!     ld.param.u64 %rd0, [data];
//!     ld.param.u32 %r0, [n];
//!     mov.u32 %r1, %tid.x;
//!     setp.ge.u32 %p, %r1, %r0;
//!     @%p ret;
//!     mul.wide.u32 %rd1, %r1, 4;
//!     add.s64 %rd2, %rd0, %rd1;
//!     ld.global.f32 %f, [%rd2];
//!     add.f32 %f, %f, %f;
//!     st.global.f32 [%rd2], %f;
//!     ret;
//! }";
//! let device = Device::new(Options::default());
//! let program = Program::load(text, &device)?;
//! let data = device.memory.allocate(8)?;
//! device.memory.write(data, &[1.5f32.to_le_bytes(), 4f32.to_le_bytes()].concat())?;
//! let params = [&data.to_le_bytes()[..], &2u32.to_le_bytes()].concat();
//! let kernel = program.kernel("double_it").ok_or("no such kernel")?;
//! let launch = Launch { grid: [1, 1, 1], block: [32, 1, 1], dynamic_shared: 0, params: &params };
//! let counts = device.launch(kernel, &launch)?;
//! let mut result = [0; 8];
//! device.memory.read(data, &mut result)?;
//! assert_eq!(result, [3f32.to_le_bytes(), 8f32.to_le_bytes()].concat()[..]);
//! assert_eq!(counts.global_requests, 2);
//!
//! // One element too many is found, and named.
//! let params = [&data.to_le_bytes()[..], &3u32.to_le_bytes()].concat();
//! let error = device.launch(kernel, &Launch { params: &params, ..launch }).unwrap_err();
//! assert!(error.to_string().contains("ld.global.f32 %f, [%rd2];"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compile;
mod count;
mod device;
mod error;
mod exec;
mod fault;
mod ins;
mod kernel;
mod memory;
mod parse;
mod program;
mod proxy;
mod race;
mod types;

pub use count::{CLASSES, Counts, InsClass};
pub use device::{Device, Launch, LaunchError, Limits, Options};
pub use error::{PtxError, PtxErrorKind};
pub use fault::{Access, Fault, FaultKind, Nearest};
pub use kernel::{Kernel, Param};
pub use memory::{Memory, OutOfMemory, OutsideMemory};
pub use program::Program;
