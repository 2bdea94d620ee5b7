//! What an old, small or broken device refuses is an error in words, and what can go on goes on. On the simulator alone, since
//! no GPU fails when it is asked to.

use std::path::PathBuf;
use std::process::Command;

use cotangent::prelude::*;
use cotangent_cuda_suite::{device, on_simulator, run_in, this_program};
use cotangent_kernels::POOL;

fn there(values: &[f32]) -> Tensor {
    Tensor::from_slice(values, [values.len()]).to_device(&device()).expect("it fits")
}

/// What the device says to `f`.
#[track_caller]
fn refusal<R>(f: impl FnOnce() -> R) -> String {
    match Device::attempt(f) {
        Ok(_) => panic!("nothing was refused"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn assert_tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

fn pooled(x: &Tensor) -> Tensor {
    let window = cotangent::WindowSpec { stride: [2, 2], ..cotangent::WindowSpec::new([2, 2]) };
    x.reshape([1, 2, 2, 1]).max_pool2d(&window, DataFormat::ChannelsLast)
}

/// A folder in which the pooling's kernels are replaced by ones that begin with `head` and do `body`.
fn other_pooling(name: &str, version: &str, head: &str, body: &str) -> [(&'static str, PathBuf); 1] {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let source = POOL.ptx.lines().next().expect("a first line");
    let mut text = format!("{source}\n.version {version}\n.target sm_75\n.address_size 64\n");
    for (kernel, bytes) in POOL.entries() {
        text += &format!(".visible .entry {kernel}(.param .align 8 .b8 p[{bytes}]) {head}\n{{ {body} ret; }}\n");
    }
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    std::fs::write(folder.join("pool.ptx"), text).expect("the build folder can be written");
    [("PTXSIM_INSTEAD", folder)]
}

/// A model of some 100,000 numbers, and a batch of that many samples for it.
fn model_and_batch(count: usize) -> (Model, Tensor, Tensor) {
    let layers = Sequential::new([256]).add(Dense::new(256).activation(Relu)).add(Dense::new(4).activation(Softmax));
    let mut model = layers.build(&device(), Seed(1)).expect("the layers fit");
    model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy, [Accuracy]);
    let labels = Tensor::from_vec((0..count as i64).map(|i| i % 4).collect());
    (model, Tensor::ones([count, 256]), labels)
}

on_simulator! {
    fn an_old_driver_refuses_the_kernels([("PTXSIM_PTX", "6.0")]) {
        let x = there(&[1.0, 2.0]);
        for _ in 0..2 {
            let text = refusal(|| &x + &x);
            assert_tells(&text, &["[cuda:0] loading", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "hint:", "CUDA 11.8 or later"]);
        }
        let text = refusal(|| pooled(&there(&[1.0; 4])));
        assert_tells(&text, &["kernel max_pool2d_f32", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "hint:"]);
        assert_eq!(x.to_vec::<f32>(), [1.0, 2.0], "copies need no kernel");
    }

    fn a_kernel_that_is_refused_stands_in_no_others_way(other_pooling("refused", "9.9", "", "")) {
        let x = there(&[1.0, 2.0, 3.0, 4.0]);
        assert_tells(&refusal(|| pooled(&x)), &["max_pool2d_f32", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"]);
        assert_eq!((&x + &x).to_vec::<f32>(), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(x.sum(..).item(), 10.0);
    }

    fn a_launch_that_is_refused_names_its_kernel(other_pooling("launch", "6.3", ".maxntid 32, 1, 1", "")) {
        let x = there(&[1.0, 2.0, 3.0, 4.0]);
        let text = refusal(|| pooled(&x));
        assert_tells(&text, &["[cuda:0] kernel max_pool2d_f32 on 1 × 1 × 1 blocks of 256 threads", "CUDA_ERROR_"]);
        assert_eq!(x.sum(..).item(), 10.0);
    }

    fn a_kernel_that_fails_ends_the_work_on_the_gpu(
        other_pooling("fault", "6.3", "", ".reg .b64 %rd; mov.u64 %rd, 0; st.global.u32 [%rd], 0;")
    ) {
        let x = there(&[1.0, 2.0, 3.0, 4.0]);
        let failed = ["CUDA_ERROR_ILLEGAL_ADDRESS", "hint: a kernel has failed", "start the program again"];
        assert_tells(&refusal(|| pooled(&x).to_vec::<f32>()), &failed);
        assert_tells(&refusal(|| x.sum(..)), &failed);
        assert_tells(&device().synchronize().unwrap_err().to_string(), &failed);
        assert_eq!(Tensor::from([1.0_f32, 2.0]).sum(..).item(), 3.0, "the CPU works on");
    }

    fn a_batch_that_is_too_large_ends_fit_in_words_and_a_smaller_one_trains([("PTXSIM_MEMORY", "6M")]) {
        let (mut model, x, y) = model_and_batch(4096);
        let error = model.fit(&x, &y).batch_size(4096).epochs(1).verbose(0).run().unwrap_err().to_string();
        assert_tells(&error, &["[fit] epoch 1", "[cuda:0] no 4 MiB of memory", "of 6 MiB are free", "hint: a smaller batch"]);
        let history = model.fit(&x, &y).batch_size(64).epochs(1).verbose(0).run().expect("a batch of 64 fits");
        assert!(history["loss"][0].is_finite());
        assert_eq!(model.predict(&x.narrow(0, 0, 8)).expect("it predicts").shape(), Shape::from([8, 4]));
    }

    fn a_model_that_is_too_large_is_an_error([("PTXSIM_MEMORY", "1M")]) {
        let layers = Sequential::new([256]).add(Dense::new(2048));
        let error = layers.build(&device(), Seed(1)).err().expect("it is too large").to_string();
        assert_tells(&error, &["no 2 MiB of memory", "of 1 MiB are free"]);
        assert_eq!(there(&[1.0, 2.0]).sum(..).item(), 3.0);
    }

    fn a_driver_without_a_device_is_told([("PTXSIM_DEVICES", "0")]) {
        let error = Device::cuda(0).unwrap_err().to_string();
        assert_tells(&error, &["[cuda:0] the CUDA driver does not start: CUDA_ERROR_NO_DEVICE", "hint: Device::best()"]);
        assert_eq!(Device::best(), Device::Cpu);
        assert_tells(&Device::Cpu.describe(), &["CUDA_ERROR_NO_DEVICE"]);
    }

    fn an_ordinal_that_is_not_there_is_told([("PTXSIM_DEVICES", "1")]) {
        let error = Device::cuda(3).unwrap_err().to_string();
        assert_tells(&error, &["[cuda:3] 1 CUDA device is here", "hint: ordinals are 0 to 0"]);
        assert_eq!(there(&[1.0, 2.0]).sum(..).item(), 3.0);
    }
}

/// A child process for which some other library lies where the driver should.
fn with_another_library() -> Command {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux tells what is loaded");
    let libc = maps.split_whitespace().find(|word| word.contains("/libc.so")).expect("the C library is loaded");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("another");
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    std::fs::remove_file(folder.join("libcuda.so")).ok();
    std::os::unix::fs::symlink(libc, folder.join("libcuda.so")).expect("the build folder can be written");
    let mut command = Command::new(this_program());
    command.env("LD_LIBRARY_PATH", folder);
    command
}

#[test]
fn a_driver_that_lacks_a_function_is_told_without_a_panic() {
    run_in(
        concat!(module_path!(), "::a_driver_that_lacks_a_function_is_told_without_a_panic"),
        with_another_library,
        || {
            std::panic::set_hook(Box::new(|panic| {
                eprintln!("{panic}");
                std::process::exit(3);
            }));
            let error = Device::cuda(0).unwrap_err().to_string();
            assert_tells(&error, &["[cuda:0] the CUDA driver lacks cuInit, which CUDA 11.8 has", "hint:"]);
            assert_eq!(Device::best(), Device::Cpu);
        },
    );
}
