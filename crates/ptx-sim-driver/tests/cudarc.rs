//! Programs that use cudarc as if there were a GPU. Each runs in a process of its own, which finds the stand-in where
//! it looks for NVIDIA's driver.

use std::ffi::CString;
use std::process::ExitCode;
use std::sync::Arc;

use cudarc::driver::sys::{self, CUresult};
use cudarc::driver::{CudaContext, CudaFunction, CudaStream, DriverError, LaunchConfig, PushKernelArg};
use cudarc::nvrtc::Ptx;

const KERNELS: &str = include_str!("kernels.ptx");

/// A name, the variables that it needs, and what to run.
type Scenario = (&'static str, &'static [(&'static str, &'static str)], fn());

const SCENARIOS: [Scenario; 14] = [
    ("a kernel computes", &[], a_kernel_computes),
    ("a graph is captured and replayed", &[], a_graph_is_captured_and_replayed),
    ("two streams become one graph", &[], two_streams_become_one_graph),
    ("what a capture forbids", &[], what_a_capture_forbids),
    ("memory runs out", &[("PTXSIM_MEMORY", "1M")], memory_runs_out),
    ("a module is refused", &[], a_module_is_refused),
    ("a fault stays until the context goes", &[], a_fault_stays_until_the_context_goes),
    ("a fault at once", &[("CUDA_LAUNCH_BLOCKING", "1")], a_fault_at_once),
    ("reads of unwritten memory", &[("CUDA_LAUNCH_BLOCKING", "1")], reads_of_unwritten_memory),
    ("checks can be switched off", &[("PTXSIM_CHECKS", "none"), ("CUDA_LAUNCH_BLOCKING", "1")], checks_are_off),
    ("a launch is refused", &[], a_launch_is_refused),
    ("a driver without a device", &[("PTXSIM_DEVICES", "0")], a_driver_without_a_device),
    ("pinned memory, events, variables", &[], pinned_memory_events_variables),
    ("counts are told", &[], counts_are_told),
];

fn main() -> ExitCode {
    if let Ok(name) = std::env::var("PTXSIM_SCENARIO") {
        let (_, _, run) = SCENARIOS.iter().find(|scenario| scenario.0 == name).expect("a scenario of that name");
        run();
        return ExitCode::SUCCESS;
    }
    let failed = SCENARIOS.iter().filter(|scenario| !passes(scenario)).count();
    println!("{} scenarios, {failed} failed", SCENARIOS.len());
    if failed + usize::from(!report_is_written()) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn child(name: &str) -> std::process::Command {
    let program = std::env::current_exe().expect("a test has a file");
    let mut command = ptxsim_driver::command(program).expect("the stand-in is built");
    command.env("PTXSIM_SCENARIO", name);
    command
}

fn passes((name, variables, _): &&Scenario) -> bool {
    let output = child(name).envs(variables.iter().copied()).output().expect("the child starts");
    println!("{name} ... {}", if output.status.success() { "ok" } else { "FAILED" });
    if !output.status.success() {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

/// The file that `PTXSIM_REPORT` names holds a line for each kernel.
fn report_is_written() -> bool {
    let path = std::env::temp_dir().join(format!("ptxsim-report-{}", std::process::id()));
    let status = child("a kernel computes").env("PTXSIM_REPORT", &path).status().expect("the child starts");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::remove_file(&path).ok();
    let found = status.success() && text.starts_with("kernel\tlaunches\t") && text.contains("\naxpy\t1\t");
    println!("the report is written ... {}", if found { "ok" } else { "FAILED" });
    found
}

struct Gpu {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    axpy: CudaFunction,
    reverse: CudaFunction,
}

impl Gpu {
    fn new() -> Gpu {
        // SAFETY: only looks whether the library is there.
        assert!(unsafe { sys::is_culib_present() });
        let context = CudaContext::new(0).unwrap();
        // SAFETY: the scenarios synchronize by themselves.
        unsafe { context.disable_event_tracking() };
        let stream = context.new_stream().unwrap();
        let module = context.load_module(Ptx::from_src(KERNELS)).unwrap();
        let [axpy, reverse] = ["axpy", "reverse"].map(|name| module.load_function(name).unwrap());
        Gpu { context, stream, axpy, reverse }
    }

    fn axpy(&self, a: f32, x: u64, y: u64, n: u32) -> Result<(), DriverError> {
        let mut launch = self.stream.launch_builder(&self.axpy);
        launch.arg(&a).arg(&x).arg(&y).arg(&n);
        // SAFETY: the arguments are what the kernel takes; wrong addresses are what is tested.
        unsafe { launch.launch(LaunchConfig::for_num_elems(n)) }.map(|_| ())
    }

    fn upload(&self, data: &[f32]) -> u64 {
        // SAFETY: the memory is written as a whole before anything reads it.
        unsafe {
            let address = cudarc::driver::result::malloc_async(self.stream.cu_stream(), size_of_val(data)).unwrap();
            cudarc::driver::result::memcpy_htod_sync(address, data).unwrap();
            address
        }
    }

    fn download(&self, address: u64, count: usize) -> Result<Vec<f32>, DriverError> {
        let mut data = vec![0.0; count];
        // SAFETY: copies into a vector of that length; a wrong source is an error.
        unsafe { cudarc::driver::result::memcpy_dtoh_sync(&mut data, address) }?;
        Ok(data)
    }
}

fn code<T>(result: Result<T, DriverError>) -> CUresult {
    result.map_or_else(|error| error.0, |_| CUresult::CUDA_SUCCESS)
}

fn a_kernel_computes() {
    let gpu = Gpu::new();
    assert_eq!(gpu.context.name().unwrap(), "ptxsim");
    assert_eq!(gpu.context.compute_capability().unwrap(), (8, 0));
    assert!(gpu.context.has_async_alloc());
    let x: Vec<f32> = (0..1000).map(|i| i as f32).collect();
    let at_x = gpu.stream.clone_htod(&x).unwrap();
    let mut at_y = gpu.stream.alloc_zeros::<f32>(1000).unwrap();
    let mut launch = gpu.stream.launch_builder(&gpu.axpy);
    launch.arg(&2f32).arg(&at_x).arg(&mut at_y).arg(&1000u32);
    // SAFETY: the arguments are what the kernel takes.
    unsafe { launch.launch(LaunchConfig::for_num_elems(1000)) }.unwrap();
    let y = gpu.stream.clone_dtoh(&at_y).unwrap();
    assert!(y.iter().zip(&x).all(|(y, x)| *y == 2.0 * x));
}

fn a_graph_is_captured_and_replayed() {
    let gpu = Gpu::new();
    let (x, y, z) = (gpu.upload(&[1.0; 64]), gpu.upload(&[7.0; 64]), gpu.upload(&[5.0; 64]));
    gpu.stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL).unwrap();
    let stream = gpu.stream.cu_stream();
    // SAFETY: the addresses and lengths are those of the allocations.
    unsafe {
        cudarc::driver::result::memset_d8_async(y, 0, 256, stream).unwrap();
        (0..3).for_each(|_| gpu.axpy(2.0, x, y, 64).unwrap());
        cudarc::driver::result::memcpy_dtod_async(z, y, 256, stream).unwrap();
    }
    gpu.axpy(1.0, x, x, 64).unwrap();
    let graph = gpu.stream.end_capture(sys::CUgraphInstantiate_flags(0)).unwrap().unwrap();
    assert_eq!(gpu.download(z, 64).unwrap(), [5.0; 64], "nothing is done while it is captured");
    for replay in 1..=4 {
        graph.launch().unwrap();
        gpu.stream.synchronize().unwrap();
        // x doubles in each replay; y begins at zero each time.
        assert_eq!(gpu.download(z, 64).unwrap(), [6.0 * 2f32.powi(replay - 1); 64]);
    }
}

fn two_streams_become_one_graph() {
    let gpu = Gpu::new();
    let other = gpu.context.new_stream().unwrap();
    let (x, y) = (gpu.upload(&[1.0; 32]), gpu.upload(&[0.0; 32]));
    gpu.stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL).unwrap();
    let fork = gpu.stream.record_event(None).unwrap();
    other.wait(&fork).unwrap();
    // SAFETY: 32 floats of 4 bytes each.
    unsafe { cudarc::driver::result::memset_d8_async(x, 0, 128, other.cu_stream()) }.unwrap();
    let join = other.record_event(None).unwrap();
    gpu.stream.wait(&join).unwrap();
    gpu.axpy(1.0, x, y, 32).unwrap();
    let graph = gpu.stream.end_capture(sys::CUgraphInstantiate_flags(0)).unwrap().unwrap();
    assert_eq!(gpu.download(x, 32).unwrap(), [1.0; 32]);
    graph.launch().unwrap();
    assert_eq!(gpu.download(x, 32).unwrap(), [0.0; 32]);
}

fn what_a_capture_forbids() {
    let gpu = Gpu::new();
    let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    let x = gpu.upload(&[1.0; 32]);
    gpu.stream.begin_capture(mode).unwrap();
    assert_eq!(code(gpu.stream.synchronize()), CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    assert_eq!(code(gpu.axpy(1.0, x, x, 32)), CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    let end = gpu.stream.end_capture(sys::CUgraphInstantiate_flags(0));
    assert_eq!(code(end), CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    gpu.stream.begin_capture(mode).unwrap();
    assert_eq!(code(gpu.download(x, 32)), CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    gpu.stream.end_capture(sys::CUgraphInstantiate_flags(0)).err().unwrap();
    assert_eq!(gpu.download(x, 32).unwrap(), [1.0; 32], "afterwards it works again");
}

fn memory_runs_out() {
    let gpu = Gpu::new();
    let (free, total) = gpu.context.mem_get_info().unwrap();
    assert!(total == 1 << 20 && free < total);
    let too_much = gpu.stream.alloc_zeros::<u8>(2 << 20);
    assert_eq!(code(too_much), CUresult::CUDA_ERROR_OUT_OF_MEMORY);
    let half = gpu.stream.alloc_zeros::<u8>(600 << 10).unwrap();
    assert_eq!(code(gpu.stream.alloc_zeros::<u8>(600 << 10)), CUresult::CUDA_ERROR_OUT_OF_MEMORY);
    drop(half);
    gpu.stream.alloc_zeros::<u8>(600 << 10).unwrap();
}

fn a_module_is_refused() {
    let gpu = Gpu::new();
    let load = |text: &str| code(gpu.context.load_module(Ptx::from_src(text)));
    let kernel = |version: &str, target: &str, body: &str| {
        format!(".version {version}\n.target {target}\n.address_size 64\n.visible .entry k() {{ {body} ret; }}")
    };
    assert_eq!(load(&kernel("7.0", "sm_80", "")), CUresult::CUDA_SUCCESS);
    assert_eq!(load(&kernel("7.0", "sm_80", "frobnicate.b32 %r1;")), CUresult::CUDA_ERROR_INVALID_PTX);
    assert_eq!(load(&kernel("9.0", "sm_80", "")), CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    assert_eq!(load(&kernel("7.8", "sm_90", "")), CUresult::CUDA_ERROR_INVALID_PTX);
    assert_eq!(load("no PTX at all"), CUresult::CUDA_ERROR_INVALID_PTX);
    let module = gpu.context.load_module(Ptx::from_src(KERNELS)).unwrap();
    assert_eq!(code(module.load_function("absent")), CUresult::CUDA_ERROR_NOT_FOUND);
}

fn a_fault_stays_until_the_context_goes() {
    let gpu = Gpu::new();
    let x = gpu.upload(&[1.0; 32]);
    assert_eq!(code(gpu.axpy(1.0, x, x, 33)), CUresult::CUDA_SUCCESS, "the launch itself succeeds");
    for _ in 0..2 {
        assert_eq!(code(gpu.stream.synchronize()), CUresult::CUDA_ERROR_ILLEGAL_ADDRESS);
        assert_eq!(code(gpu.download(x, 32)), CUresult::CUDA_ERROR_ILLEGAL_ADDRESS);
        assert_eq!(code(gpu.axpy(1.0, x, x, 32)), CUresult::CUDA_ERROR_ILLEGAL_ADDRESS);
    }
    drop(gpu);
    a_kernel_computes();
}

fn a_fault_at_once() {
    let gpu = Gpu::new();
    let x = gpu.upload(&[1.0; 32]);
    assert_eq!(code(gpu.axpy(1.0, x, x, 33)), CUresult::CUDA_ERROR_ILLEGAL_ADDRESS);
    let text = own_text("ptxsim_last_fault");
    for part in ["out-of-bounds", "axpy", "ld.global.f32 %f1, [%rd3];", "block [0, 0, 0], thread [32, 0, 0]", "nearest"]
    {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

fn unwritten(gpu: &Gpu) -> CUresult {
    // SAFETY: reading it before it is written is what is tested.
    let x = unsafe { cudarc::driver::result::malloc_sync(128) }.unwrap();
    code(gpu.axpy(1.0, x, x, 32))
}

fn reads_of_unwritten_memory() {
    assert_eq!(unwritten(&Gpu::new()), CUresult::CUDA_ERROR_LAUNCH_FAILED);
    assert!(own_text("ptxsim_last_fault").contains("nobody has written"));
}

fn checks_are_off() {
    assert_eq!(unwritten(&Gpu::new()), CUresult::CUDA_SUCCESS);
}

fn a_launch_is_refused() {
    let gpu = Gpu::new();
    let x = gpu.upload(&[1.0; 1024]);
    let launch = |threads, bytes| {
        let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (threads, 1, 1), shared_mem_bytes: bytes };
        let mut launch = gpu.stream.launch_builder(&gpu.reverse);
        launch.arg(&x);
        // SAFETY: the argument is what the kernel takes.
        code(unsafe { launch.launch(config) })
    };
    assert_eq!(launch(1024, 4096), CUresult::CUDA_SUCCESS);
    assert_eq!(launch(1025, 8192), CUresult::CUDA_ERROR_INVALID_VALUE);
    assert_eq!(launch(0, 0), CUresult::CUDA_ERROR_INVALID_VALUE);
    assert_eq!(launch(32, 100 << 10), CUresult::CUDA_ERROR_INVALID_VALUE);
    let attribute = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    assert_eq!(code(gpu.reverse.set_attribute(attribute, 300 << 10)), CUresult::CUDA_ERROR_INVALID_VALUE);
    gpu.reverse.set_attribute(attribute, 100 << 10).unwrap();
    assert_eq!(launch(32, 100 << 10), CUresult::CUDA_SUCCESS);
    assert_eq!(code(gpu.stream.synchronize()), CUresult::CUDA_SUCCESS, "a refused launch breaks nothing");
}

fn a_driver_without_a_device() {
    assert_eq!(code(CudaContext::new(0)), CUresult::CUDA_ERROR_NO_DEVICE);
}

fn pinned_memory_events_variables() {
    let gpu = Gpu::new();
    assert_eq!(code(CudaContext::new(1)), CUresult::CUDA_ERROR_INVALID_DEVICE);
    // SAFETY: written below before it is read.
    let mut pinned = unsafe { gpu.context.alloc_pinned::<f32>(256) }.unwrap();
    pinned.as_mut_slice().unwrap().fill(3.0);
    let start = gpu.stream.record_event(Some(sys::CUevent_flags::CU_EVENT_DEFAULT)).unwrap();
    let x = gpu.stream.clone_htod(&pinned).unwrap();
    let end = gpu.stream.record_event(Some(sys::CUevent_flags::CU_EVENT_DEFAULT)).unwrap();
    assert!(start.elapsed_ms(&end).unwrap() >= 0.0);
    assert_eq!(gpu.stream.clone_dtoh(&x).unwrap(), [3.0; 256]);
    let module = gpu.context.load_module(Ptx::from_src(KERNELS)).unwrap();
    let runs = module.get_global("runs", &gpu.stream).unwrap();
    assert_eq!(gpu.stream.clone_dtoh(&runs).unwrap(), [0; 4]);
    assert!(gpu.axpy.num_regs().unwrap() >= 16);
}

/// What the stand-in knows.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct KernelCounts {
    launches: u64,
    warp_instructions: u64,
    lane_instructions: u64,
    matrix_macs: u64,
    global_requests: u64,
    global_sectors: u64,
    shared_requests: u64,
    bank_conflicts: u64,
}

fn counts_are_told() {
    type Counts = unsafe extern "C" fn(*const i8, *mut KernelCounts) -> i32;
    let gpu = Gpu::new();
    let (x, y) = (gpu.upload(&[1.0; 64]), gpu.upload(&[1.0; 64]));
    gpu.axpy(1.0, x, y, 64).unwrap();
    gpu.axpy(1.0, x, y, 64).unwrap();
    let mut counts = KernelCounts::default();
    let name = CString::new("axpy").unwrap();
    // SAFETY: the stand-in exports a function of this type; both pointers are valid.
    let result = unsafe {
        let function = sys::culib().get::<Counts>(b"ptxsim_counts").unwrap();
        function(name.as_ptr().cast(), &mut counts)
    };
    assert_eq!(result, 0);
    assert_eq!((counts.launches, counts.bank_conflicts, counts.shared_requests), (2, 0, 0));
    // A block of 1024 threads, of which two warps have something to do; the atomic is one request more.
    assert_eq!((counts.global_requests, counts.global_sectors), (2 * 7, 2 * (6 * 4 + 1)));
    assert!(own_text("ptxsim_report").contains("axpy\t2\t"));
}

/// The text that one of the stand-in's own functions gives.
fn own_text(function: &str) -> String {
    type Text = unsafe extern "C" fn(*mut u8, i32) -> i32;
    let mut text = vec![0u8; 4096];
    // SAFETY: the stand-in exports a function of this type; the buffer has that size.
    let result = unsafe { sys::culib().get::<Text>(function.as_bytes()).unwrap()(text.as_mut_ptr(), 4096) };
    assert_eq!(result, 0);
    text.truncate(text.iter().position(|&byte| byte == 0).unwrap());
    String::from_utf8(text).unwrap()
}
