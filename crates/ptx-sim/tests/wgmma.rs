//! Products of four warps by `wgmma`: results, and what is reported of kernels that wait for too little.

mod common;

use common::{Gpu, random};
use ptx_sim::{Device, Fault, FaultKind, Limits, Options, Program};

/// Lines of the left operand, and of the right one.
const LINES: [usize; 2] = [64, 8];

/// Multiplies `[64, K]` by `[8, K]ᵀ`, where K values are 128 bytes: `p` holds both operands as shared memory is to have them, then
/// the result as registers have it.
fn kernel(slice: &str, flags: &str) -> String {
    let copies: String =
        (0..4).map(|i| format!("cp.async.cg.shared.global [%r2+{at}], [%rd1+{at}], 16;\n", at = 2048 * i)).collect();
    let sums = "{%f0, %f1, %f2, %f3}";
    let slices: String = (0..4)
        .map(|i| {
            format!(
                "add.s64 %rd4, %rd2, {at};\nadd.s64 %rd5, %rd3, {at};\n\
                 wgmma.mma_async.sync.aligned.m64n8{slice} {sums}, %rd4, %rd5, 1, 1, 1{flags};\n",
                at = 2 * i
            )
        })
        .collect();
    format!(
        ".version 8.0\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 p)\n{{\n\
         .reg .pred %p<2>; .reg .b32 %r<9>; .reg .f32 %f<9>; .reg .b64 %rd<9>;\n\
         .shared .align 1024 .b8 stage[9216];\n\
         ld.param.u64 %rd0, [p];\nmov.u32 %r0, %tid.x;\nmad.wide.u32 %rd1, %r0, 16, %rd0;\n\
         mov.u32 %r1, stage;\nmad.lo.u32 %r2, %r0, 16, %r1;\n{copies}\
         setp.lt.u32 %p0, %r0, 64;\n@%p0 cp.async.cg.shared.global [%r2+8192], [%rd1+8192], 16;\n\
         cp.async.commit_group;\ncp.async.wait_group 0;\n\
         fence.proxy.async.shared::cta;\nbar.sync 0;\n\
         shr.u32 %r3, %r1, 4;\ncvt.u64.u32 %rd2, %r3;\n\
         or.b64 %rd2, %rd2, 0x4000004000010000;\nadd.s64 %rd3, %rd2, 512;\n\
         mov.f32 %f0, 0f00000000;\nmov.f32 %f1, %f0;\nmov.f32 %f2, %f0;\nmov.f32 %f3, %f0;\n\
         wgmma.fence.sync.aligned;\n{slices}wgmma.commit_group.sync.aligned;\n\
         wgmma.wait_group.sync.aligned 0;\n\
         st.global.v4.f32 [%rd1+9216], {sums};\nret;\n}}\n"
    )
}

const TF32: &str = "k8.f32.tf32.tf32";
const BF16: &str = "k16.f32.bf16.bf16";

fn hopper() -> Options {
    Options { limits: Limits::of((9, 0)), ..Options::default() }
}

/// Lines of 32 words, each line's eight chunks of four swapped by the line's number.
fn packed(words: &[u32], into: &mut Vec<u32>) {
    for (line, words) in words.chunks(32).enumerate() {
        into.extend((0..32).map(|at| words[((at / 4) ^ (line % 8)) * 4 + at % 4]));
    }
}

/// Multiplies random operands, of which each word holds as many `values`.
fn check(text: &str, word: impl Fn(f32) -> u32, values: impl Fn(u32) -> Vec<f64>) {
    let gpu = Gpu::with(text, hopper());
    let operands = LINES.map(|lines| random(lines * 32, lines as u64).into_iter().map(&word).collect::<Vec<u32>>());
    let mut data = Vec::new();
    operands.iter().for_each(|words| packed(words, &mut data));
    data.resize(9216 / 4 + 128 * 4, 0);
    let at = gpu.upload(&data);
    let counts = gpu.launch("k", [1, 1, 1], [128, 1, 1], &[at.into()]);
    let line = |operand: &[u32], i: usize| -> Vec<f64> {
        operand[32 * i..32 * i + 32].iter().flat_map(|&word| values(word)).collect()
    };
    let got = gpu.download::<f32>(at + 9216, 64 * 8);
    assert_eq!(counts.matrix_macs, 64 * 8 * line(&operands[0], 0).len() as u64);
    for thread in 0..128 {
        for i in 0..4 {
            let (row, column) = (thread / 32 * 16 + thread % 32 / 4 + i / 2 * 8, thread % 4 * 2 + i % 2);
            let (a, b) = (line(&operands[0], row), line(&operands[1], column));
            let want: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            let size: f64 = a.iter().zip(&b).map(|(a, b)| (a * b).abs()).sum();
            let error = (f64::from(got[thread * 4 + i]) - want).abs();
            assert!(error <= 1e-6 * size, "row {row}, column {column}: {} for {want}", got[thread * 4 + i]);
        }
    }
}

#[test]
fn products_of_tf32() {
    // the lower bits are not looked at
    let value = |word| vec![f32::from_bits(word & 0xFFFF_E000).into()];
    check(&kernel(TF32, ""), f32::to_bits, value);
}

#[test]
fn products_of_bf16() {
    let word = |x: f32| x.to_bits() & 0xFFFF_0000 | (0.7 - x).to_bits() >> 16;
    let half = |bits: u32| f64::from(f32::from_bits(bits << 16));
    check(&kernel(BF16, ", 0, 0"), word, |word| vec![half(word & 0xFFFF), half(word >> 16)]);
}

/// The fault of the kernel with `old` replaced by `new`.
fn fault_of(old: &str, new: &str) -> Fault {
    let text = kernel(TF32, "");
    assert!(text.contains(old), "{old}");
    let gpu = Gpu::with(&text.replacen(old, new, 1), hopper());
    let at = gpu.upload(&[0f32; 9216 / 4 + 128 * 4]);
    gpu.fault("k", [1, 1, 1], [128, 1, 1], &[at.into()])
}

#[test]
fn what_is_not_waited_for_is_reported() {
    let wait = "wgmma.wait_group.sync.aligned 0;\n";
    let write = "st.shared.f32 [%r2], %f8;\n";
    let cases = [
        ("fence.proxy.async.shared::cta;\n", "", "no fence.proxy.async"),
        ("cp.async.wait_group 0;\n", "", "cp.async"),
        ("wgmma.fence.sync.aligned;\n", "", "since the last wgmma.fence"),
        ("wgmma.fence.sync.aligned;\n", "wgmma.fence.sync.aligned;\nmov.f32 %f3, %f0;\n", "since the last wgmma.fence"),
        (wait, "", "which nobody has waited for"),
        (wait, "wgmma.wait_group.sync.aligned 1;\n", "which nobody has waited for"),
        ("wgmma.commit_group.sync.aligned;\n", "", "which nobody has waited for"),
        (wait, &format!("mov.f32 %f8, 0f00000000;\nbar.sync 0;\n{write}{wait}"), "may still read it"),
    ];
    for (old, new, message) in cases {
        let fault = fault_of(old, new);
        assert_eq!(fault.kind, FaultKind::Race, "{fault}");
        assert!(fault.message.contains(message), "{message}: {fault}");
    }
    // waited for, the memory is free again
    let text = kernel(TF32, "").replace(wait, &format!("mov.f32 %f8, 0f00000000;\n{wait}bar.sync 0;\n{write}"));
    let gpu = Gpu::with(&text, hopper());
    let at = gpu.upload(&[0f32; 9216 / 4 + 128 * 4]);
    gpu.launch("k", [1, 1, 1], [128, 1, 1], &[at.into()]);
}

#[test]
fn descriptors_that_are_not_played_are_reported() {
    let cases = [
        ("0x4000004000010000", "0x0000004000010000", FaultKind::Misaligned, "the swizzle 0"),
        ("add.s64 %rd3, %rd2, 512;", "add.s64 %rd3, %rd2, 520;", FaultKind::Misaligned, "not where a swizzle"),
        ("add.s64 %rd3, %rd2, 512;", "add.s64 %rd3, %rd2, 1024;", FaultKind::OutOfBounds, "shared memory"),
        (
            "add.s64 %rd3, %rd2, 512;",
            "add.s64 %rd3, %rd2, 512;\ncvt.u64.u32 %rd6, %r0;\nadd.s64 %rd3, %rd3, %rd6;",
            FaultKind::Divergence,
            "different descriptors",
        ),
    ];
    for (old, new, kind, message) in cases {
        let fault = fault_of(old, new);
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.message.contains(message), "{message}: {fault}");
    }
}

#[test]
fn all_four_warps_take_part() {
    let skip = "wgmma.fence.sync.aligned;\nsetp.ge.u32 %p1, %r0, 96;\n@%p1 ret;\n";
    let fault = fault_of("wgmma.fence.sync.aligned;\n", skip);
    assert_eq!(fault.kind, FaultKind::Divergence, "{fault}");
    assert!(fault.message.contains("[4, 4, 4, 0]"), "{fault}");
}

#[test]
fn it_is_for_one_compute_capability_alone() {
    for capability in [(8, 0), (9, 0), (10, 0)] {
        let device = Device::new(Options { limits: Limits::of(capability), ..Options::default() });
        assert_eq!(Program::load(&kernel(TF32, ""), &device).is_ok(), capability == (9, 0), "{capability:?}");
    }
}
