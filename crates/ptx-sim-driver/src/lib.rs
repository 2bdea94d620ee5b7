//! A stand-in for NVIDIA's driver library: the functions that cudarc's safe and result interfaces call, over
//! [`ptx_sim`]. A program that opens `libcuda.so` runs unmodified, without a GPU, with every access of its kernels checked.
//!
//! # How to use it
//!
//! A test takes this crate as a dev-dependency, calls [`stage`], and starts itself (or an example) again with the folder
//! that it returns on `LD_LIBRARY_PATH`; [`command`] does both. Nothing but that child process sees the stand-in.
//!
//! # Variables of the environment
//!
//! | variable | default | meaning |
//! | --- | --- | --- |
//! | `PTXSIM_MEMORY` | `4G` | bytes of device memory, with `K`, `M` or `G` |
//! | `PTXSIM_THREADS` | all | host threads that run blocks |
//! | `PTXSIM_CHECKS` | `all` | `all`, `none`, or some of `unwritten`, `races` with commas |
//! | `PTXSIM_ARCH` | `80` | compute capability, from 90 on with the shared memory of such a GPU; a `.target` above it is refused |
//! | `PTXSIM_PTX` | `8.0` | the newest `.version` that is taken |
//! | `PTXSIM_MULTIPROCESSORS` | `16` | multiprocessors |
//! | `PTXSIM_DEVICES` | `1` | `0` for a machine with a driver and no device |
//! | `PTXSIM_MAX_INSTRUCTIONS` | `1073741824` | warp instructions of one block, before it counts as endless |
//! | `PTXSIM_REPORT` | none | a file to write the counts of every kernel to when the program ends |
//! | `PTXSIM_INSTEAD` | none | a folder of PTX files: a module that begins with the comment in the first line of one of them is replaced by it |
//! | `PTXSIM_KEEP` | none | a folder to write the text of every module to that is loaded |
//! | `CUDA_LAUNCH_BLOCKING` | `0` | `1`: a kernel's fault is the result of its own launch |
//!
//! # Errors
//!
//! As with a real driver, a fault inside a kernel is not the result of its launch but of a later call, and stays:
//! from then on every call that needs the context returns it. An access outside memory is `CUDA_ERROR_ILLEGAL_ADDRESS`,
//! a misaligned one `CUDA_ERROR_MISALIGNED_ADDRESS`, an endless kernel `CUDA_ERROR_LAUNCH_TIMEOUT`, a trap
//! `CUDA_ERROR_ILLEGAL_INSTRUCTION`, and what only this library notices (races, reads of unwritten memory, lanes that are
//! missing) `CUDA_ERROR_LAUNCH_FAILED`. What was found goes to standard error in full. Refused launches, failed
//! allocations and refused modules leave the context as it was.
//!
//! # What it cannot show
//!
//! Beside what [`ptx_sim`] lists: work is done when it is submitted, in the caller's thread, so a program that forgets
//! to synchronize or to order two streams still gets the right answer. Pinned memory is the host's alone; a kernel
//! that is given its address finds no allocation there. There is one device; memory allocations are not captured into
//! graphs; clusters, textures, peer access and the profiler are absent.

mod answer;
mod api;
mod driver;
mod options;
mod pointers;
mod report;
mod stage;
mod stream;
mod texts;
mod work;

pub use stage::{command, stage};
