//! Faults planted in kernels: each is found, and told by its name, line and thread.

mod common;

use common::{Arg, Gpu, kind, product, random, relative_error, wrap};
use ptx_sim::{Counts, FaultKind, LaunchError, Options, Program};

const GEMM: &str = include_str!("kernels/gemm.ptx");
const MATRIX: &str = include_str!("kernels/matrix.ptx");

/// The fault of `body`, run by one block of `threads` threads with 64 slots of 8 written bytes.
fn fault_of(body: &str, threads: u32) -> ptx_sim::Fault {
    let gpu = Gpu::new(&wrap(body));
    let slots = gpu.upload(&[0u64; 64]);
    gpu.fault("k", [1, 1, 1], [threads, 1, 1], &[slots.into()])
}

/// Runs `body` in the same way; it must go well.
fn runs(body: &str, threads: u32) {
    let gpu = Gpu::new(&wrap(body));
    let slots = gpu.upload(&[0u64; 64]);
    gpu.launch("k", [1, 1, 1], [threads, 1, 1], &[slots.into()]);
}

#[test]
fn a_fault_names_its_place() {
    let fault = fault_of("add.u64 %rd2, %rd1, 256;\nld.global.u32 %r1, [%rd2+16];", 33);
    assert_eq!(fault.kind, FaultKind::OutOfBounds);
    assert_eq!((fault.kernel.as_str(), fault.line), ("k", 11));
    assert_eq!(fault.instruction, "ld.global.u32 %r1, [%rd2+16];");
    assert_eq!((fault.block, fault.thread), ([0, 0, 0], Some([30, 0, 0])));
    assert!(
        fault.message.contains("0 bytes past the end of the nearest allocation, 512 bytes at"),
        "{}",
        fault.message
    );
}

#[test]
fn accesses_outside_memory() {
    let cases = [
        "ld.global.u32 %r1, [%rd0+-4];",
        "st.global.u32 [%rd0+512], %r0;",
        "ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd0+512];",
        "mov.u64 %rd2, 0;\nld.global.u32 %r1, [%rd2];",
        "mov.u64 %rd2, 0;\nld.u32 %r1, [%rd2];",
        "red.global.add.u32 [%rd0+512], 1;",
        ".shared .align 4 .b8 s[64];\nmov.u32 %r1, s;\nst.shared.u32 [%r1+64], %r0;",
        ".shared .align 4 .b8 s[64];\nmov.u32 %r1, s;\nst.shared.u32 [%r1+-4], %r0;",
        ".local .align 4 .b8 s[64];\nmov.u64 %rd2, s;\nst.local.u32 [%rd2+64], %r0;",
        ".local .align 4 .b8 s[64];\nmov.u64 %rd2, s;\ncvta.local.u64 %rd3, %rd2;\nst.u32 [%rd3+64], %r0;",
    ];
    for body in cases {
        assert_eq!(fault_of(body, 1).kind, FaultKind::OutOfBounds, "{body}");
    }
}

#[test]
fn misaligned_accesses() {
    let cases = [
        "ld.global.u32 %r1, [%rd0+2];",
        "ld.global.v2.u32 {%r1, %r2}, [%rd0+4];",
        "st.global.u64 [%rd0+4], %rd0;",
        ".shared .align 4 .b8 s[64];\nmov.u32 %r1, s;\nst.shared.u16 [%r1+1], %h0;\nmov.b16 %h0, 0;",
        "atom.global.add.u64 %rd3, [%rd0+4], 1;",
        ".shared .align 16 .b8 s[64];\nmov.u32 %r1, s;\ncp.async.ca.shared.global [%r1], [%rd0+8], 16;",
    ];
    for body in cases {
        assert_eq!(fault_of(body, 1).kind, FaultKind::Misaligned, "{body}");
    }
}

#[test]
fn reads_of_what_nobody_wrote() {
    let gpu = Gpu::new(&wrap("ld.global.u32 %r1, [%rd1];"));
    let fresh = gpu.room::<u64>(32);
    let fault = gpu.fault("k", [1, 1, 1], [32, 1, 1], &[fresh.into()]);
    assert_eq!((fault.kind, fault.thread), (FaultKind::Unwritten, Some([0, 0, 0])));
    gpu.device.memory.write(fresh, &[0; 100]).unwrap();
    let fault = gpu.fault("k", [1, 1, 1], [32, 1, 1], &[fresh.into()]);
    assert_eq!(fault.thread, Some([13, 0, 0]), "thread 12 reads bytes 96 to 99");
    let cases = [
        ".shared .align 4 .b8 s[64];\nmov.u32 %r1, s;\nld.shared.u32 %r2, [%r1];",
        ".shared .align 4 .b8 s[64];\nmov.u32 %r1, s;\natom.shared.add.u32 %r2, [%r1], 1;",
        ".local .align 4 .b8 s[64];\nmov.u64 %rd2, s;\nst.local.u16 [%rd2], 0;\nld.local.u32 %r2, [%rd2];",
        "add.u32 %r1, %r2, 1;",
        "@%p1 add.u32 %r1, %r0, 1;",
    ];
    for body in cases {
        assert_eq!(fault_of(body, 1).kind, FaultKind::Unwritten, "{body}");
    }
}

#[test]
fn unwritten_memory_reads_as_nan_where_that_is_let_pass() {
    let options = Options { check_unwritten: false, ..Options::default() };
    let gpu = Gpu::with(&wrap("ld.global.u32 %r1, [%rd1];\nst.global.u32 [%rd1], %r1;"), options);
    let fresh = gpu.room::<u64>(32);
    gpu.launch("k", [1, 1, 1], [32, 1, 1], &[fresh.into()]);
    assert!(gpu.download::<f32>(fresh, 1)[0].is_nan());
}

#[test]
fn races_between_warps() {
    let head = ".shared .align 16 .b8 s[1024];\nmov.u32 %r1, s;\nmad.lo.u32 %r2, %r0, 4, %r1;\nxor.b32 %r3, %r0, 32;\n\
                mad.lo.u32 %r3, %r3, 4, %r1;\nst.shared.u32 [%r2], 0;\nbar.sync 0;\nst.shared.u32 [%r2], %r0;\n";
    let good = format!("{head}bar.sync 0;\nld.shared.u32 %r4, [%r3];");
    runs(&good, 64);
    let fault = fault_of(&format!("{head}ld.shared.u32 %r4, [%r3];"), 64);
    assert_eq!(fault.kind, FaultKind::Race);
    assert!(
        fault.message.contains("warp 1 accesses") && fault.message.contains("warp 0 accessed"),
        "{}",
        fault.message
    );
    // Two warps write one word; a read before the next round's write; an atomic beside a plain read.
    let cases = [
        format!("{head}st.shared.u32 [%r1], %r0;"),
        format!("{good}\nst.shared.u32 [%r2], %r0;"),
        format!("{head}bar.sync 0;\nred.shared.add.u32 [%r1], 1;\nld.shared.u32 %r4, [%r1];"),
    ];
    for body in cases {
        assert_eq!(fault_of(&body, 64).kind, FaultKind::Race, "{body}");
    }
    runs(&format!("{head}bar.sync 0;\nred.shared.add.u32 [%r1], 1;\nbar.sync 0;\nld.shared.u32 %r4, [%r1];"), 64);
}

#[test]
fn copies_that_are_not_waited_for() {
    let head = ".shared .align 16 .b8 s[1024];\nmov.u32 %r1, s;\nmad.lo.u32 %r2, %r0, 8, %r1;\nxor.b32 %r3, %r0, 32;\n\
                mad.lo.u32 %r3, %r3, 8, %r1;\nst.shared.u64 [%r2], %rd1;\nbar.sync 0;\n";
    let [copy, commit, wait, barrier, read] = [
        "cp.async.ca.shared.global [%r2], [%rd1], 8;\n",
        "cp.async.commit_group;\n",
        "cp.async.wait_group 0;\n",
        "bar.sync 0;\n",
        "ld.shared.u32 %r4, [%r3];\n",
    ];
    runs(&[head, copy, commit, wait, barrier, read].concat(), 64);
    for missing in [commit, wait, barrier] {
        let body: String =
            [head, copy, commit, wait, barrier, read].into_iter().filter(|part| *part != missing).collect();
        assert_eq!(fault_of(&body, 64).kind, FaultKind::Race, "without {missing}");
    }
    // One group in flight is one too many for what it carries.
    let body = [head, copy, commit, "cp.async.wait_group 1;\n", barrier, read].concat();
    assert_eq!(fault_of(&body, 64).kind, FaultKind::Race);
    // Nobody may read its own copy early either.
    let body = [head, copy, commit, "ld.shared.u32 %r4, [%r2];\n", wait].concat();
    assert_eq!(fault_of(&body, 64).kind, FaultKind::Race);
}

#[test]
fn barriers_that_not_all_reach() {
    let cases = [
        // A part of a warp goes around it, or is told to skip it.
        "setp.lt.u32 %p0, %r0, 7;\n@%p0 bra L;\nbar.sync 0;\nL:",
        "setp.lt.u32 %p0, %r0, 7;\n@%p0 bar.sync 0;",
        // One warp waits at another barrier than the other.
        "setp.lt.u32 %p0, %r0, 32;\n@%p0 bra L;\nbar.sync 1;\nbra E;\nL:\nbar.sync 0;\nE:",
    ];
    for body in cases {
        assert_eq!(fault_of(body, 64).kind, FaultKind::Barrier, "{body}");
    }
    // Lanes and warps that have ended need not come.
    runs("setp.lt.u32 %p0, %r0, 40;\n@%p0 ret;\nbar.sync 0;", 64);
}

#[test]
fn lanes_that_are_missing() {
    let cases = [
        // The mask names lanes that go elsewhere, or that are told to skip it, or not the lane itself.
        "setp.lt.u32 %p0, %r0, 7;\n@%p0 bra L;\nshfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;\nL:",
        "setp.lt.u32 %p0, %r0, 7;\n@%p0 shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;",
        "shfl.sync.bfly.b32 %r1, %r0, 1, 31, 0xFFFF;",
        "setp.lt.u32 %p0, %r0, 16;\n@%p0 bra L;\nvote.sync.any.pred %p1, %p0, -1;\nL:",
        "setp.lt.u32 %p0, %r0, 16;\n@%p0 bra L;\nbar.warp.sync -1;\nL:",
        // A lane reads one that its mask does not name.
        "setp.ge.u32 %p0, %r0, 16;\n@%p0 bra L;\nshfl.sync.bfly.b32 %r1, %r0, 16, 31, 0xFFFF;\nL:",
        "setp.ge.u32 %p0, %r0, 16;\n@%p0 ret;\nshfl.sync.bfly.b32 %r1, %r0, 16, 31, -1;",
    ];
    for body in cases {
        assert_eq!(fault_of(body, 32).kind, FaultKind::Divergence, "{body}");
    }
    // Each half by itself, with its own mask.
    runs(
        "setp.lt.u32 %p0, %r0, 16;\n@%p0 bra L;\nshfl.sync.bfly.b32 %r1, %r0, 1, 31, 0xFFFF0000;\nbra E;\n\
         L:\nshfl.sync.bfly.b32 %r1, %r0, 1, 31, 0xFFFF;\nE:",
        32,
    );
}

#[test]
fn kernels_that_stop_themselves_or_never_end() {
    assert_eq!(fault_of("trap;", 1).kind, FaultKind::Trap);
    let options = Options { max_instructions: 1 << 20, ..Options::default() };
    let gpu = Gpu::with(&wrap("L:\nbra L;"), options);
    let slots = gpu.upload(&[0u64; 1]);
    assert_eq!(gpu.fault("k", [1, 1, 1], [1, 1, 1], &[slots.into()]).kind, FaultKind::Timeout);
}

#[test]
fn what_is_not_played_is_refused_with_its_line() {
    let cases = [
        ("frobnicate.u32 %r1, %r0;", "`frobnicate.u32` is not played"),
        ("add.u32 %r1, %r0;", "2 operands"),
        ("add.u32 %r1, %rx, 1;", "%rx is not declared"),
        ("add.u32 %rd1, %r0, 1;", "%rd1 is a Wide register"),
        ("add.rz.f64 %d1, %d0, %d0;", "not played"),
        ("bra NOWHERE;", "NOWHERE"),
        ("call.uni f, ();", "f is not declared"),
        ("ld.global.L9::huge.u32 %r1, [%rd0];", "L9::huge"),
    ];
    for (body, message) in cases {
        let device = ptx_sim::Device::new(Options::default());
        let error = Program::load(&wrap(body), &device).unwrap_err();
        assert!(error.message.contains(message), "{body}: {error}");
        assert_eq!(error.line, 10, "{error}");
    }
}

#[test]
fn launches_that_no_device_would_take() {
    let gpu = Gpu::new(&format!("{}.visible .entry small() .maxntid 64, 1, 1 {{ ret; }}", wrap("")));
    let refused = |kernel: &str, grid, block| {
        let args: Vec<Arg> = if kernel == "k" { vec![gpu.upload(&[0u64]).into()] } else { Vec::new() };
        matches!(gpu.try_launch(kernel, grid, block, &args), Err(LaunchError::InvalidValue(_)))
    };
    assert!(!refused("k", [1, 65535, 2], [1, 1, 64]));
    for (grid, block) in [
        ([0, 1, 1], [1, 1, 1]),
        ([1, 65536, 1], [1, 1, 1]),
        ([1, 1, 1], [1025, 1, 1]),
        ([1, 1, 1], [1, 1, 65]),
        ([1, 1, 1], [64, 32, 1]),
        ([1, 1, 1], [1, 0, 1]),
    ] {
        assert!(refused("k", grid, block), "{grid:?} {block:?}");
    }
    assert!(!refused("small", [1, 1, 1], [64, 1, 1]) && refused("small", [1, 1, 1], [65, 1, 1]));
}

/// A product of 40×40 by 40×40 with some text taken out of its kernel.
fn damaged_gemm(text: &str) -> (Result<Counts, LaunchError>, f64) {
    let options = Options { max_instructions: 1 << 18, ..Options::default() };
    let (gpu, n) = (Gpu::with(text, options), 40);
    let (a, b) = (random(n * n, 1), random(n * n, 2));
    let (at_a, at_b, at_c) = (gpu.upload(&a), gpu.upload(&b), gpu.upload(&vec![f32::NAN; n * n]));
    let sizes = [n, n, n].map(|n| Arg::from(n as i32));
    let args: Vec<Arg> = [at_a, at_b, at_c].map(Arg::from).into_iter().chain(sizes).collect();
    let result = gpu.try_launch("gemm", [2, 2, 1], [16, 16, 1], &args);
    let error = relative_error(&gpu.download(at_c, n * n), &product(&a, &b, n, n, n));
    (result, error)
}

#[test]
fn every_barrier_of_a_product_is_needed() {
    assert!(damaged_gemm(GEMM).0.is_ok());
    let (start, end) = (GEMM.find(".entry gemm").unwrap(), GEMM.find(".entry block_sums").unwrap());
    let barriers: Vec<usize> = GEMM[start..end].match_indices("bar.sync").map(|(at, _)| start + at).collect();
    assert!(barriers.len() >= 2);
    for at in barriers {
        let text = format!("{}//{}", &GEMM[..at], &GEMM[at..]);
        // The first warp to run reads what the others have not written yet, or is overtaken by them.
        let found = kind(&damaged_gemm(&text).0);
        assert!(matches!(found, Some(FaultKind::Race | FaultKind::Unwritten)), "the barrier at byte {at}: {found:?}");
    }
}

/// Each instruction of a product's kernel taken out, one after another: nearly all are noticed, by a fault or a wrong
/// result. Those that are not lie in copies of loops that the compiler unrolled four times, which so few rounds never
/// enter.
#[test]
fn missing_instructions_are_noticed() {
    let (start, end) = (GEMM.find(".entry gemm").unwrap(), GEMM.find(".entry block_sums").unwrap());
    let body = start + GEMM[start..].find("ld.param").unwrap();
    let lines = GEMM[body..end].match_indices(";\n").map(|(at, _)| body + at);
    let mut survivors = Vec::new();
    let mut tried = 0;
    for at in lines {
        let line = GEMM[..at].rfind('\n').unwrap() + 1;
        let text = GEMM[line..at].trim();
        if text.is_empty() || text.starts_with(['.', '}', '$']) || text == "ret" {
            continue;
        }
        tried += 1;
        let (result, error) = damaged_gemm(&format!("{}{}", &GEMM[..line], &GEMM[at + 1..]));
        if result.is_ok() && error < 1e-5 {
            survivors.push(text);
        }
    }
    assert!(tried > 100, "{tried} tried");
    assert!(survivors.len() * 8 <= tried, "{} of {tried} survive: {survivors:#?}", survivors.len());
}

#[test]
fn an_mma_needs_the_whole_warp() {
    let gpu = Gpu::new(MATRIX);
    let (a, b, d) = (gpu.upload(&[1f32; 128]), gpu.upload(&[1f32; 64]), gpu.room::<f32>(128));
    let args = || [Arg::from(a), b.into(), d.into(), 8i32.into()];
    let fault = gpu.fault("product_tf32", [1, 1, 1], [24, 1, 1], &args());
    assert_eq!(fault.kind, FaultKind::Divergence);
    assert!(fault.instruction.starts_with("mma.sync"), "{fault}");
    gpu.launch("product_tf32", [1, 1, 1], [32, 1, 1], &args());
}
