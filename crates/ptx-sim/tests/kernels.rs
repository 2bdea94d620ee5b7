//! Kernels of CUDA C++ as nvcc compiled them, against the same computed here.

mod common;

use common::{Arg, Gpu, product, random, random_bits, relative_error};
use ptx_sim::InsClass;

const GEMM: &str = include_str!("kernels/gemm.ptx");
const MATRIX: &str = include_str!("kernels/matrix.ptx");
const LANGUAGE: &str = include_str!("kernels/language.ptx");

#[test]
fn axpy() {
    let (gpu, n) = (Gpu::new(GEMM), 1000);
    let (x, y) = (random(n, 1), random(n, 2));
    let (at_x, at_y) = (gpu.upload(&x), gpu.upload(&y));
    let counts = gpu.launch("axpy", [8, 1, 1], [128, 1, 1], &[2.5f32.into(), at_x.into(), at_y.into(), 1000i32.into()]);
    let want: Vec<f32> = x.iter().zip(&y).map(|(x, y)| 2.5f32.mul_add(*x, *y)).collect();
    assert_eq!(gpu.download::<f32>(at_y, n), want);
    // 32 warps, of which the last is cut: two loads and a store each, four sectors a warp.
    assert_eq!(counts.global_requests, 3 * 32);
    assert_eq!(counts.global_sectors, 3 * 125);
    assert_eq!(counts.of(InsClass::Single), 32);
}

#[test]
fn gemm_of_any_size() {
    let gpu = Gpu::new(GEMM);
    for (m, n, k) in [(64, 64, 64), (33, 70, 50), (1, 1, 1), (100, 31, 17)] {
        let (a, b) = (random(m * k, 3), random(k * n, 4));
        let (at_a, at_b, at_c) = (gpu.upload(&a), gpu.upload(&b), gpu.room::<f32>(m * n));
        let grid = [n.div_ceil(32) as u32, m.div_ceil(32) as u32, 1];
        let sizes = [m, n, k].map(|x| Arg::from(x as i32));
        let args: Vec<Arg> = [at_a, at_b, at_c].map(Arg::from).into_iter().chain(sizes).collect();
        let counts = gpu.launch("gemm", grid, [16, 16, 1], &args);
        let error = relative_error(&gpu.download(at_c, m * n), &product(&a, &b, m, n, k));
        assert!(error < 1e-6, "{m}×{n}×{k}: {error}");
        assert!(counts.of(InsClass::Barrier) > 0 && counts.shared_requests > 0);
    }
}

#[test]
fn sums_through_shuffles() {
    let (gpu, n) = (Gpu::new(GEMM), 5000i32);
    let x: Vec<f32> = (0..n).map(|i| (i % 10) as f32).collect();
    let (at_x, at_sums) = (gpu.upload(&x), gpu.room::<f32>(4));
    gpu.launch("block_sums", [4, 1, 1], [256, 1, 1], &[at_x.into(), at_sums.into(), n.into()]);
    assert_eq!(gpu.download::<f32>(at_sums, 4).iter().sum::<f32>(), x.iter().sum::<f32>());
}

#[test]
fn histogram_through_atomics() {
    let (gpu, n) = (Gpu::new(GEMM), 10_000);
    let x: Vec<u8> = random_bits(n, 5).iter().map(|&x| (x % 200) as u8).collect();
    let (at_x, at_counts) = (gpu.upload(&x), gpu.upload(&[0u32; 256]));
    gpu.launch("histogram", [5, 1, 1], [128, 1, 1], &[at_x.into(), at_counts.into(), (n as i32).into()]);
    let mut want = [0u32; 256];
    x.iter().for_each(|&x| want[usize::from(x)] += 1);
    assert_eq!(gpu.download::<u32>(at_counts, 256), want);
}

#[test]
fn matrix_products_on_tf32() {
    let (gpu, k) = (Gpu::new(MATRIX), 256);
    let (a, b) = (random(16 * k, 6), random(k * 8, 7));
    let (at_a, at_b, at_d) = (gpu.upload(&a), gpu.upload(&b), gpu.room::<f32>(128));
    let want = product(&a, &b, 16, 8, k);
    for (kernel, least, most) in [("product_tf32", 1e-5, 1e-3), ("product_3xtf32", 0.0, 1e-6)] {
        let args = [at_a.into(), at_b.into(), at_d.into(), (k as i32).into()];
        let counts = gpu.launch(kernel, [1, 1, 1], [32, 1, 1], &args);
        let error = relative_error(&gpu.download(at_d, 128), &want);
        assert!(error > least && error < most, "{kernel}: {error}");
        assert_eq!(counts.matrix_macs, counts.of(InsClass::Matrix) * 16 * 8 * 8);
    }
}

#[test]
fn matrix_products_on_bf16() {
    let gpu = Gpu::new(MATRIX);
    let halves = |seed, count| -> Vec<u16> { random(count, seed).iter().map(|x| (x.to_bits() >> 16) as u16).collect() };
    let singles = |x: &[u16]| -> Vec<f32> { x.iter().map(|&x| f32::from_bits(u32::from(x) << 16)).collect() };
    let (a, b) = (halves(8, 256), halves(9, 128));
    let (at_a, at_b, at_d) = (gpu.upload(&a), gpu.upload(&b), gpu.room::<f32>(128));
    let counts = gpu.launch("product_bf16", [1, 1, 1], [32, 1, 1], &[at_a.into(), at_b.into(), at_d.into()]);
    let want = product(&singles(&a), &singles(&b), 16, 8, 16);
    let error = relative_error(&gpu.download(at_d, 128), &want);
    assert!(error < 1e-6, "{error}");
    // The pitch of 24 halves spreads eight rows over all banks, so `ldmatrix` has none; but half rows of 16 bytes, as the
    // four groups of copies write them, meet once in each.
    assert_eq!(counts.bank_conflicts(), 4);
}

#[test]
fn library_functions() {
    let gpu = Gpu::new(LANGUAGE);
    let x: Vec<f32> = (0..200).map(|i| 0.01 + i as f32 * 0.045).chain([1e-30, 1e4, 123456.0, 88.0]).collect();
    let (at_x, at_y) = (gpu.upload(&x), gpu.room::<f32>(16 * x.len()));
    gpu.launch("math", [7, 1, 1], [32, 1, 1], &[at_x.into(), at_y.into(), (x.len() as i32).into()]);
    let y = gpu.download::<f32>(at_y, 16 * x.len());
    for (&x, y) in x.iter().zip(y.chunks(16)) {
        let v = f64::from(x);
        let want = [
            v.exp(),
            v.ln(),
            v.sin(),
            v.cos(),
            v.tanh(),
            f64::NAN,
            v.powf(2.5),
            1.0 / v,
            v.sqrt(),
            1.0 / v.sqrt(),
            v.exp_m1(),
            v.ln_1p(),
            v.floor(),
            v.round_ties_even(),
            (-v).trunc(),
            v % f64::from(0.3f32),
        ];
        for (f, (&found, &want)) in y.iter().zip(&want).enumerate() {
            let want_single = want as f32;
            let tolerance = 4e-7 * want.abs().max(1e-30) + if matches!(f, 2 | 3) { 2e-7 } else { 0.0 };
            let close = (f64::from(found) - want).abs() <= tolerance || found == want_single;
            assert!(close || want.is_nan(), "function {f} of {x}: {found}, {want} expected");
        }
        assert!((y[5] - erf(v) as f32).abs() < 1e-6, "erf({x}) = {}", y[5]);
    }
}

/// The error function by its series, good enough for a test of a test.
fn erf(x: f64) -> f64 {
    if x > 5.0 {
        return 1.0;
    }
    let mut term = x;
    let mut sum = x;
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

#[test]
fn library_functions_in_double() {
    let gpu = Gpu::new(LANGUAGE);
    let x: Vec<f64> = (0..96).map(|i| 0.02 + f64::from(i) * 0.11).chain([1e-200, 700.0, 1e5]).collect();
    let (at_x, at_y) = (gpu.upload(&x), gpu.room::<f64>(8 * x.len()));
    gpu.launch("math_double", [4, 1, 1], [32, 1, 1], &[at_x.into(), at_y.into(), (x.len() as i32).into()]);
    let y = gpu.download::<f64>(at_y, 8 * x.len());
    for (&v, y) in x.iter().zip(y.chunks(8)) {
        let want = [v.exp(), v.ln(), v.sin(), (v * 1e9).cos(), v.tanh(), v.powf(2.5), 1.0 / v, v.sqrt()];
        for (f, (&found, &want)) in y.iter().zip(&want).enumerate() {
            let close = (found - want).abs() <= 1e-14 * want.abs() || found == want;
            assert!(close, "function {f} of {v}: {found}, {want} expected");
        }
    }
}

#[test]
fn calls_structures_and_variables() {
    let gpu = Gpu::new(LANGUAGE);
    let x = random(40, 10);
    let (at_x, at_out) = (gpu.upload(&x), gpu.room::<f32>(40));
    let slope = [3i64, -2, 1];
    let mut line = Vec::new();
    line.extend(at_out.to_le_bytes());
    line.extend(40i32.to_le_bytes());
    line.extend([0; 4]);
    slope.iter().for_each(|s| line.extend(s.to_le_bytes()));
    line.extend([9, 0, 0, 0, 0, 0, 0, 0]);
    gpu.launch("lines", [1, 1, 1], [64, 1, 1], &[Arg::Bytes(line), at_x.into()]);
    let found = gpu.download::<f32>(at_out, 40);
    for (i, &found) in found.iter().enumerate() {
        let mut sum = 9f32;
        (0..i % 5).for_each(|d| sum = sum.mul_add(x[i], slope[d % 3] as f32));
        let want = sum * [0.5, 1.0, 2.0, 4.0][i & 3];
        assert!((found - want).abs() <= 1e-5, "{i}: {found}, {want} expected");
    }
    let (calls, bytes) = gpu.program.global("calls").unwrap();
    assert_eq!((gpu.download::<i32>(calls, 1)[0], bytes), (40, 4));
}

#[test]
fn local_arrays() {
    let gpu = Gpu::new(LANGUAGE);
    let start: Vec<i32> = (0..32).map(|i| i % 24).collect();
    let (at_start, at_out) = (gpu.upload(&start), gpu.room::<i32>(32));
    gpu.launch("chase", [1, 1, 1], [32, 1, 1], &[at_start.into(), at_out.into(), 11i32.into()]);
    let want: Vec<i32> =
        (0..32).map(|thread| (0..11).fold(start[thread as usize], |at, _| (at * 7 + thread) % 24)).collect();
    assert_eq!(gpu.download::<i32>(at_out, 32), want);
}

#[test]
fn integers_of_every_width() {
    let gpu = Gpu::new(LANGUAGE);
    let bits = random_bits(96, 11);
    let x: Vec<i32> = bits[..32].iter().map(|&b| b as i32).collect();
    let u: Vec<u32> = bits[32..64].iter().map(|&b| b as u32).collect();
    let w: Vec<i64> = bits[64..].iter().map(|&b| b as i64).collect();
    let (at_x, at_u, at_w, at_y) = (gpu.upload(&x), gpu.upload(&u), gpu.upload(&w), gpu.room::<i64>(32 * 16));
    gpu.launch("integers", [1, 1, 1], [32, 1, 1], &[at_x.into(), at_u.into(), at_w.into(), at_y.into()]);
    let y = gpu.download::<i64>(at_y, 32 * 16);
    for (i, y) in y.chunks(16).enumerate() {
        let (a, b, c) = (x[i], u[i], w[i]);
        let permuted = {
            let bytes = (u64::from(b) << 32 | u64::from(a as u32)).to_le_bytes();
            u32::from_le_bytes([bytes[0], bytes[4], bytes[1], bytes[5]])
        };
        let want: [i64; 16] = [
            (a / 7).into(),
            (a % 13).into(),
            (b / 10).into(),
            (b % (b >> 3 | 1)).into(),
            c / i64::from(a | 1),
            c % 1000003,
            (i64::from(a) * 123456789) >> 32,
            ((u64::from(b) * 0x9E3779B9) >> 32) as i64,
            i64::from(b.count_ones() * 100 + b.leading_zeros() + a.trailing_zeros() + 1),
            b.reverse_bits().into(),
            ((i128::from(c) * 0x123456789ABCDEF) >> 64) as i64,
            permuted.into(),
            ((((u64::from(b) << 32 | u64::from(a as u32)) << (a & 31)) >> 32) as u32).into(),
            i64::from(a as i16) * i64::from(b as i8),
            c >> (a & 63),
            i64::from((a.min(5) as u32).wrapping_add(b.max(9)).wrapping_add(a.unsigned_abs())),
        ];
        assert_eq!(y, want, "row {i}");
    }
}

#[test]
fn votes_of_a_block() {
    let gpu = Gpu::new(LANGUAGE);
    let x: Vec<i32> = (0..64).map(|i| (i * 37) % 23 - 4).collect();
    let (at_x, at_y) = (gpu.upload(&x), gpu.room::<i32>(64));
    gpu.launch("votes", [1, 1, 1], [64, 1, 1], &[at_x.into(), at_y.into()]);
    let y = gpu.download::<i32>(at_y, 64);
    for (i, &found) in y.iter().enumerate() {
        let (warp, lane) = (&x[i / 32 * 32..i / 32 * 32 + 32], i % 32);
        let v = x[i];
        let mut want = x.iter().filter(|&&v| v > 0).count() as i32 + if x.contains(&7) { 1000 } else { 0 };
        want += 10000 * warp.iter().filter(|&v| v & 1 == 1).count() as i32;
        want += if warp.iter().any(|&v| v < 0) { 1000000 } else { 0 };
        want += if warp.iter().all(|&v| v < 100) { 2000000 } else { 0 };
        if v & 1 == 1 {
            want += (warp.iter().filter(|&&other| other == v).count() as i32) << 24;
        }
        want += warp.iter().sum::<i32>();
        want += if lane > 0 { warp[lane - 1] } else { v };
        want += if lane % 16 + 2 < 16 { warp[lane + 2] } else { v };
        want += warp[lane / 8 * 8 + 5];
        assert_eq!(found, want, "thread {i}");
    }
}
