//! Instructions one by one, against Rust's own arithmetic, on 32 lanes of operands that look random or are extreme.

mod common;

use common::{Gpu, random_bits, wrap};

/// Operands a, b and c of each lane, as bits.
type Operands = [[u64; 3]; 32];

/// Runs `instruction` on the operands. They are in `%r1…3`, `%rd11…13`, `%f1…3` and `%d1…3`; the result is taken from
/// the register `out`.
fn run(instruction: &str, out: &str, operands: &Operands) -> Vec<u64> {
    let mut body = "mad.wide.u32 %rd1, %r0, 32, %rd0;\n".to_owned();
    for i in 1..=3 {
        let offset = 8 * (i - 1);
        body += &format!(
            "ld.global.u64 %rd1{i}, [%rd1+{offset}];\nld.global.u32 %r{i}, [%rd1+{offset}];\n\
             ld.global.f32 %f{i}, [%rd1+{offset}];\nld.global.f64 %d{i}, [%rd1+{offset}];\n\
             ld.global.u16 %h{i}, [%rd1+{offset}];\n"
        );
    }
    let store = match &out[..2] {
        "%r" if out.starts_with("%rd") => format!("mov.b64 %rd20, {out};"),
        "%r" => format!("cvt.u64.u32 %rd20, {out};"),
        "%f" => format!("mov.b32 %r20, {out};\ncvt.u64.u32 %rd20, %r20;"),
        "%h" => format!("cvt.u64.u16 %rd20, {out};"),
        "%p" => format!("selp.u64 %rd20, 1, 0, {out};"),
        _ => format!("mov.b64 %rd20, {out};"),
    };
    let gpu = Gpu::new(&wrap(&format!("{body}{instruction}\n{store}\nst.global.u64 [%rd1+24], %rd20;")));
    let slots: Vec<u64> = operands.iter().flat_map(|&[a, b, c]| [a, b, c, 0]).collect();
    let at = gpu.upload(&slots);
    gpu.launch("k", [1, 1, 1], [32, 1, 1], &[at.into()]);
    gpu.download::<u64>(at, 128).chunks(4).map(|slot| slot[3]).collect()
}

/// Integers of every size, the extreme ones among them.
fn integers(seed: u64) -> Operands {
    let extreme = [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, 0xFFFF_FFFF_0000_0000];
    let bits = random_bits(96, seed);
    std::array::from_fn(|lane| {
        std::array::from_fn(|i| match (lane * 3 + i) % 5 {
            0 => extreme[(lane + 3 * i) % 8],
            1 => bits[3 * lane + i] % 100,
            _ => bits[3 * lane + i],
        })
    })
}

/// Singles, or doubles, of every kind.
fn floats(double: bool) -> Operands {
    let special = [0.0, -0.0, 1.0, -1.5, f64::INFINITY, f64::NAN, 1e-40, 3e38, -7.25, 0.1, 16777217.0, -1e-3];
    let bits = random_bits(96, 77);
    std::array::from_fn(|lane| {
        std::array::from_fn(|i| {
            let at = 3 * lane + i;
            let x = match at % 3 {
                0 => special[(lane * 5 + i) % special.len()],
                _ => (bits[at] as f64 / 2f64.powi(60) - 8.0) * 2f64.powi((bits[at] % 40) as i32 - 20),
            };
            if double { x.to_bits() } else { u64::from((x as f32).to_bits()) }
        })
    })
}

macro_rules! table {
    ($operands:expr, $out:literal, $get:expr, [$($text:literal => $f:expr;)*]) => {$(
        let operands: Operands = $operands;
        let found = run($text, $out, &operands);
        for (lane, (&found, operand)) in found.iter().zip(&operands).enumerate() {
            let [a, b, c] = operand.map($get);
            let f: &dyn Fn(_, _, _) -> u64 = &$f;
            let want = f(a, b, c);
            assert_eq!(found, want, "{} on lane {lane}: {a:?}, {b:?}, {c:?}", $text);
        }
    )*};
}

fn word(x: u32) -> u64 {
    x.into()
}

#[test]
fn words() {
    table!(integers(1), "%r9", |x| x as u32, [
        "add.u32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.wrapping_add(b));
        "sub.s32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.wrapping_sub(b));
        "mul.lo.u32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.wrapping_mul(b));
        "mul.hi.u32 %r9, %r1, %r2;" => |a: u32, b: u32, _| (u64::from(a) * u64::from(b)) >> 32;
        "mad.lo.u32 %r9, %r1, %r2, %r3;" => |a: u32, b, c| word(a.wrapping_mul(b).wrapping_add(c));
        "mad.hi.u32 %r9, %r1, %r2, %r3;" => |a: u32, b: u32, c| {
            word((((u64::from(a) * u64::from(b)) >> 32) as u32).wrapping_add(c))
        };
        "div.u32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.checked_div(b).unwrap_or(u32::MAX));
        "rem.u32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.checked_rem(b).unwrap_or(a));
        "min.u32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.min(b));
        "and.b32 %r9, %r1, %r2;" => |a: u32, b, _| word(a & b);
        "or.b32 %r9, %r1, %r2;" => |a: u32, b, _| word(a | b);
        "xor.b32 %r9, %r1, %r2;" => |a: u32, b, _| word(a ^ b);
        "not.b32 %r9, %r1;" => |a: u32, _, _| word(!a);
        "shl.b32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.checked_shl(b).unwrap_or(0));
        "shr.u32 %r9, %r1, %r2;" => |a: u32, b, _| word(a.checked_shr(b).unwrap_or(0));
        "popc.b32 %r9, %r1;" => |a: u32, _, _| word(a.count_ones());
        "clz.b32 %r9, %r1;" => |a: u32, _, _| word(a.leading_zeros());
        "brev.b32 %r9, %r1;" => |a: u32, _, _| word(a.reverse_bits());
        "bfind.u32 %r9, %r1;" => |a: u32, _, _| word(a.checked_ilog2().unwrap_or(u32::MAX));
        "lop3.b32 %r9, %r1, %r2, %r3, 0xE8;" => |a: u32, b, c| word(a & b | a & c | b & c);
        "bfe.u32 %r9, %r1, 5, 9;" => |a: u32, _, _| word(a >> 5 & 511);
        "bfi.b32 %r9, %r1, %r2, 7, 11;" => |a: u32, b: u32, _| word(b & !(2047 << 7) | (a & 2047) << 7);
        "sad.u32 %r9, %r1, %r2, %r3;" => |a: u32, b, c: u32| word(c.wrapping_add(a.abs_diff(b)));
        "selp.b32 %r9, %r1, %r2, 0;" => |_, b: u32, _| word(b);
    ]);
    table!(integers(2), "%r9", |x| x as i32, [
        "mul.hi.s32 %r9, %r1, %r2;" => |a: i32, b: i32, _| word(((i64::from(a) * i64::from(b)) >> 32) as u32);
        "div.s32 %r9, %r1, %r2;" => |a: i32, b, _| word(if b == 0 { u32::MAX } else { a.wrapping_div(b) as u32 });
        "rem.s32 %r9, %r1, %r2;" => |a: i32, b, _| word(if b == 0 { a } else { a.wrapping_rem(b) } as u32);
        "max.s32 %r9, %r1, %r2;" => |a: i32, b, _| word(a.max(b) as u32);
        "shr.s32 %r9, %r1, %r2;" => |a: i32, b: i32, _| word((a >> (b as u32).min(31)) as u32);
        "abs.s32 %r9, %r1;" => |a: i32, _, _| word(a.unsigned_abs());
        "neg.s32 %r9, %r1;" => |a: i32, _, _| word(a.wrapping_neg() as u32);
        "bfe.s32 %r9, %r1, 5, 9;" => |a: i32, _, _| word((a << 18 >> 23) as u32);
        "bfind.shiftamt.s32 %r9, %r1;" => |a: i32, _, _| {
            word((if a < 0 { !a } else { a } as u32).checked_ilog2().map_or(u32::MAX, |place| 31 - place))
        };
    ]);
}

#[test]
fn wides_and_carries() {
    table!(integers(3), "%rd9", |x| x, [
        "add.s64 %rd9, %rd11, %rd12;" => |a: u64, b, _| a.wrapping_add(b);
        "mul.lo.s64 %rd9, %rd11, %rd12;" => |a: u64, b, _| a.wrapping_mul(b);
        "mul.hi.u64 %rd9, %rd11, %rd12;" => |a: u64, b: u64, _| ((u128::from(a) * u128::from(b)) >> 64) as u64;
        "mul.hi.s64 %rd9, %rd11, %rd12;" => |a: u64, b: u64, _| {
            ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
        };
        "mad.lo.s64 %rd9, %rd11, %rd12, %rd13;" => |a: u64, b, c| a.wrapping_mul(b).wrapping_add(c);
        "div.s64 %rd9, %rd11, %rd12;" => |a: u64, b: u64, _| {
            if b == 0 { u64::MAX } else { (a as i64).wrapping_div(b as i64) as u64 }
        };
        "shr.s64 %rd9, %rd11, 17;" => |a: u64, _, _| (a as i64 >> 17) as u64;
        "min.s64 %rd9, %rd11, %rd12;" => |a: u64, b: u64, _| (a as i64).min(b as i64) as u64;
        "mul.wide.s32 %rd9, %r1, %r2;" => |a: u64, b: u64, _| (i64::from(a as i32) * i64::from(b as i32)) as u64;
        "mad.wide.u32 %rd9, %r1, %r2, %rd13;" => |a: u64, b: u64, c: u64| {
            c.wrapping_add(u64::from(a as u32) * u64::from(b as u32))
        };
        "mov.b64 {%r4, %r5}, %rd11;\nmov.b64 %rd9, {%r5, %r4};" => |a: u64, _, _| a.rotate_left(32);
        "{ .reg .b32 %x<8>; mov.b64 {%x0, %x1}, %rd11; mov.b64 {%x2, %x3}, %rd12;\n\
         add.cc.u32 %x4, %x0, %x2; addc.u32 %x5, %x1, %x3; mov.b64 %rd9, {%x4, %x5}; }"
            => |a: u64, b, _| a.wrapping_add(b);
        "{ .reg .b32 %x<8>; mov.b64 {%x0, %x1}, %rd11; mov.b64 {%x2, %x3}, %rd12;\n\
         sub.cc.u32 %x4, %x0, %x2; subc.u32 %x5, %x1, %x3; mov.b64 %rd9, {%x4, %x5}; }"
            => |a: u64, b, _| a.wrapping_sub(b);
        "{ .reg .b32 %x<8>; mov.b64 {%x0, %x1}, %rd13;\n\
         mad.lo.cc.u32 %x4, %r1, %r2, %x0; madc.hi.u32 %x5, %r1, %r2, %x1; mov.b64 %rd9, {%x4, %x5}; }"
            => |a: u64, b: u64, c: u64| c.wrapping_add(u64::from(a as u32) * u64::from(b as u32));
    ]);
}

fn single(x: f32) -> u64 {
    // The payload of a NaN is nobody's promise.
    if x.is_nan() { u64::from(f32::NAN.to_bits()) } else { u64::from(x.to_bits()) }
}

#[test]
fn singles() {
    let clean = "setp.nan.f32 %p8, %f9, %f9;\n@%p8 mov.f32 %f9, 0f7FC00000;";
    macro_rules! singles {
        ($($text:literal => $f:expr;)*) => {$(
            let operands = floats(false);
            let found = run(&format!("{}\n{clean}", $text), "%f9", &operands);
            for (&found, operand) in found.iter().zip(&operands) {
                let [a, b, c] = operand.map(|x| f32::from_bits(x as u32));
                let f: &dyn Fn(f32, f32, f32) -> f32 = &$f;
                assert_eq!(found, single(f(a, b, c)), "{} of {a}, {b}, {c}: {}", $text, f32::from_bits(found as u32));
            }
        )*};
    }
    let flush = |x: f32| if x.is_subnormal() { 0f32.copysign(x) } else { x };
    singles! {
        "add.rn.f32 %f9, %f1, %f2;" => |a, b, _| a + b;
        "sub.f32 %f9, %f1, %f2;" => |a, b, _| a - b;
        "mul.f32 %f9, %f1, %f2;" => |a, b, _| a * b;
        "mul.ftz.f32 %f9, %f1, %f2;" => |a, b, _| flush(flush(a) * flush(b));
        "div.rn.f32 %f9, %f1, %f2;" => |a, b, _| a / b;
        "fma.rn.f32 %f9, %f1, %f2, %f3;" => |a: f32, b, c| a.mul_add(b, c);
        "fma.rn.sat.f32 %f9, %f1, %f2, %f3;" => |a: f32, b, c| {
            let x = a.mul_add(b, c);
            if x > 0.0 { x.min(1.0) } else { 0.0 }
        };
        "neg.f32 %f9, %f1;" => |a: f32, _, _| -a;
        "abs.f32 %f9, %f1;" => |a: f32, _, _| a.abs();
        "sqrt.rn.f32 %f9, %f1;" => |a: f32, _, _| a.sqrt();
        "rcp.rn.f32 %f9, %f1;" => |a: f32, _, _| 1.0 / a;
        "copysign.f32 %f9, %f1, %f2;" => |a: f32, b: f32, _| b.copysign(a);
        "max.f32 %f9, %f1, %f2;" => |a: f32, b, _| if a == 0.0 && b == 0.0 { a + b } else { a.max(b) };
        "max.NaN.f32 %f9, %f1, %f2;" => |a: f32, b: f32, _| {
            if a.is_nan() || b.is_nan() { f32::NAN } else if a == 0.0 && b == 0.0 { a + b } else { a.max(b) }
        };
        "cvt.rni.f32.f32 %f9, %f1;" => |a: f32, _, _| a.round_ties_even();
        "cvt.rzi.f32.f32 %f9, %f1;" => |a: f32, _, _| a.trunc();
        "cvt.sat.f32.f32 %f9, %f1;" => |a: f32, _, _| if a > 0.0 { a.min(1.0) } else { 0.0 };
        "cvt.rn.f32.s32 %f9, %r1;" => |a: f32, _, _| a.to_bits() as i32 as f32;
        "cvt.rz.f32.u32 %f9, %r1;" => |a: f32, _, _| {
            let x = a.to_bits();
            if f64::from(x as f32) > f64::from(x) { (x as f32).next_down() } else { x as f32 }
        };
        "cvt.rn.f16.f32 %h9, %f1;\ncvt.f32.f16 %f9, %h9;" => |a: f32, _, _| {
            // Through the nearest multiple of the last place of a half.
            if !a.is_finite() || a == 0.0 { a } else {
                let unit = 2f64.powi((f64::from(a).abs().log2().floor() as i32).max(-14) - 10);
                let x = (f64::from(a) / unit).round_ties_even() * unit;
                (if x.abs() > 65504.0 { f64::INFINITY.copysign(x) } else { x.abs().copysign(f64::from(a)) }) as f32
            }
        };
        "cvt.rn.bf16x2.f32 %r9, %f1, %f2;\nand.b32 %r9, %r9, 0xFFFF0000;\nmov.b32 %f9, %r9;" => |a: f32, _, _| {
            let bits = a.to_bits();
            if a.is_nan() { a } else { f32::from_bits((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000) }
        };
        "cvt.rna.tf32.f32 %r9, %f1;\nmov.b32 %f9, %r9;" => |a: f32, _, _| {
            if a.is_finite() { f32::from_bits((a.to_bits() + 0x1000) & 0xFFFF_E000) } else { a }
        };
    }
}

#[test]
fn roundings_enclose_the_exact_result() {
    for operation in ["add", "mul", "fma"] {
        let operands: Operands = std::array::from_fn(|lane| {
            let bits = random_bits(3, lane as u64 + 1);
            std::array::from_fn(|i| {
                u64::from((bits[i] as f32 / 2f32.powi(40) * if i == 1 { -1.0 } else { 1.0 }).to_bits())
            })
        });
        let run = |round: &str| {
            let third = if operation == "fma" { ", %f3" } else { "" };
            run(&format!("{operation}.{round}.f32 %f9, %f1, %f2{third};"), "%f9", &operands)
        };
        let [down, near, up, zero] = ["rm", "rn", "rp", "rz"].map(run);
        for lane in 0..32 {
            let [down, near, up, zero] = [&down, &near, &up, &zero].map(|x| f32::from_bits(x[lane] as u32));
            assert!(
                down <= near && near <= up && (down == up || down.next_up() == up),
                "{operation}: {down} {near} {up}"
            );
            assert_eq!(zero, if near > 0.0 { down } else { up });
        }
    }
}

#[test]
fn doubles() {
    let number = |x: f64| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() };
    let clean = "setp.nan.f64 %p8, %d9, %d9;\n@%p8 mov.f64 %d9, 0d7FF8000000000000;";
    macro_rules! doubles {
        ($($text:literal => $f:expr;)*) => {$(
            let operands = floats(true);
            let found = run(&format!("{}\n{clean}", $text), "%d9", &operands);
            for (&found, operand) in found.iter().zip(&operands) {
                let [a, b, c] = operand.map(f64::from_bits);
                let f: &dyn Fn(f64, f64, f64) -> f64 = &$f;
                assert_eq!(found, number(f(a, b, c)), "{} of {a}, {b}, {c}", $text);
            }
        )*};
    }
    doubles! {
        "add.f64 %d9, %d1, %d2;" => |a, b, _| a + b;
        "mul.rn.f64 %d9, %d1, %d2;" => |a, b, _| a * b;
        "fma.rn.f64 %d9, %d1, %d2, %d3;" => |a: f64, b, c| a.mul_add(b, c);
        "div.rn.f64 %d9, %d1, %d2;" => |a, b, _| a / b;
        "sqrt.rn.f64 %d9, %d1;" => |a: f64, _, _| a.sqrt();
        "cvt.rn.f32.f64 %f9, %d1;\ncvt.f64.f32 %d9, %f9;" => |a: f64, _, _| f64::from(a as f32);
        "cvt.rn.f64.s64 %d9, %rd11;" => |a: f64, _, _| a.to_bits() as i64 as f64;
    }
}

#[test]
fn floats_to_integers() {
    table!(floats(false), "%r9", |x| f32::from_bits(x as u32), [
        "cvt.rzi.s32.f32 %r9, %f1;" => |a: f32, _, _| word(a as i32 as u32);
        "cvt.rzi.u32.f32 %r9, %f1;" => |a: f32, _, _| word(a as u32);
        "cvt.rmi.s32.f32 %r9, %f1;" => |a: f32, _, _| word(a.floor() as i32 as u32);
        "cvt.rni.s32.f32 %r9, %f1;" => |a: f32, _, _| word(a.round_ties_even() as i32 as u32);
    ]);
    table!(integers(5), "%r9", |x| x as u32, [
        "cvt.s32.s8 %r9, %r1;" => |a: u32, _, _| word(a as i8 as u32);
        "cvt.u32.u16 %r9, %h1;" => |a: u32, _, _| word(a & 0xFFFF);
        "cvt.s32.s16 %r9, %h1;" => |a: u32, _, _| word(a as i16 as u32);
        "cvt.sat.u8.s32 %h9, %r1;\ncvt.u32.u16 %r9, %h9;" => |a: u32, _, _| word((a as i32).clamp(0, 255) as u32);
        "mov.b32 {%h4, %h5}, %r1;\nmov.b32 %r9, {%h5, %h4};" => |a: u32, _, _| word(a.rotate_left(16));
        "mul.lo.s16 %h9, %h1, %h2;\ncvt.u32.u16 %r9, %h9;" => |a: u32, b: u32, _| {
            word((a as u16).wrapping_mul(b as u16).into())
        };
    ]);
}

#[test]
fn comparisons() {
    table!(floats(false), "%p9", |x| f32::from_bits(x as u32), [
        "setp.lt.f32 %p9, %f1, %f2;" => |a: f32, b, _| u64::from(a < b);
        "setp.ne.f32 %p9, %f1, %f2;" => |a: f32, b: f32, _| u64::from(a.partial_cmp(&b).is_some_and(|order| order.is_ne()));
        "setp.neu.f32 %p9, %f1, %f2;" => |a: f32, b, _| u64::from(a != b);
        "setp.geu.f32 %p9, %f1, %f2;" => |a: f32, b, _| u64::from(!(a < b));
        "setp.num.f32 %p9, %f1, %f2;" => |a: f32, b: f32, _| u64::from(!a.is_nan() && !b.is_nan());
        "setp.gt.f32 %p1|%p9, %f1, %f2;" => |a: f32, b, _| u64::from(!(a > b));
        "testp.infinite.f32 %p9, %f1;" => |a: f32, _, _| u64::from(a.is_infinite());
    ]);
    table!(integers(6), "%p9", |x| x as u32, [
        "setp.lo.u32 %p9, %r1, %r2;" => |a: u32, b, _| u64::from(a < b);
        "setp.lt.s32 %p9, %r1, %r2;" => |a: u32, b: u32, _| u64::from((a as i32) < b as i32);
        "setp.eq.u32 %p1, %r1, %r1;\nsetp.gt.and.u32 %p9, %r1, %r2, !%p1;" => |_: u32, _, _| 0;
        "setp.eq.u32 %p1, %r1, %r1;\nsetp.gt.or.u32 %p9, %r1, %r2, %p1;" => |_: u32, _, _| 1;
        "setp.lt.u32 %p1, %r1, %r2;\nsetp.lt.u32 %p2, %r2, %r3;\nxor.pred %p9, %p1, %p2;" => |a: u32, b, c| {
            u64::from((a < b) ^ (b < c))
        };
    ]);
}

#[test]
fn branches_loops_and_tables() {
    // The Collatz length of each lane's number, by a loop that lanes leave one after another.
    let body = "add.u32 %r4, %r0, 1;\nmov.u32 %r9, 0;\nL:\nsetp.eq.u32 %p1, %r4, 1;\n@%p1 bra E;\nand.b32 %r5, %r4, 1;\n\
                setp.eq.u32 %p2, %r5, 0;\n@%p2 bra H;\nmad.lo.u32 %r4, %r4, 3, 1;\nbra N;\nH:\nshr.u32 %r4, %r4, 1;\n\
                N:\nadd.u32 %r9, %r9, 1;\nbra L;\nE:";
    let collatz = |n: u64| {
        (0..)
            .scan(n, |n, _| {
                let old = *n;
                *n = if old % 2 == 0 { old / 2 } else { 3 * old + 1 };
                (old != 1).then_some(())
            })
            .count() as u64
    };
    let want: Vec<u64> = (1..=32).map(collatz).collect();
    assert_eq!(run(body, "%r9", &integers(7)), want);
    let table = "rem.u32 %r4, %r0, 3;\nT: .branchtargets A, B, C;\nbrx.idx %r4, T;\nA:\nmov.u32 %r9, 10;\nbra E;\n\
                 B:\nmov.u32 %r9, 20;\nbra E;\nC:\nmov.u32 %r9, 30;\nE:";
    assert_eq!(run(table, "%r9", &integers(8)), (0..32).map(|lane| 10 + lane % 3 * 10).collect::<Vec<u64>>());
}

#[test]
fn shuffles_of_every_mode() {
    type Source = fn(u64) -> u64;
    let cases: [(&str, Source); 5] = [
        ("shfl.sync.up.b32 %r9|%p1, %r0, 3, 0, -1;", |lane| if lane < 3 { lane } else { lane - 3 }),
        ("shfl.sync.down.b32 %r9|%p1, %r0, 3, 31, -1;", |lane| if lane > 28 { lane } else { lane + 3 }),
        ("shfl.sync.bfly.b32 %r9|%p1, %r0, 5, 31, -1;", |lane| lane ^ 5),
        ("shfl.sync.idx.b32 %r9|%p1, %r0, 6, 31, -1;", |_| 6),
        // Segments of eight lanes: the upper bits of c.
        ("shfl.sync.idx.b32 %r9|%p1, %r0, 6, 0x181F, -1;", |lane| lane / 8 * 8 + 6),
    ];
    for (text, want) in cases {
        assert_eq!(run(text, "%r9", &integers(9)), (0..32).map(want).collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn atomics_of_every_kind() {
    // All 32 lanes on one word, which begins at 5; what is left of it.
    let cases: [(&str, u32); 8] = [
        ("atom.global.add.u32 %r4, [%rd0], %r0;", 5 + 496),
        ("atom.global.max.s32 %r4, [%rd0], %r0;", 31),
        ("atom.global.min.u32 %r4, [%rd0], %r0;", 0),
        ("atom.global.or.b32 %r4, [%rd0], %r0;", 31),
        ("atom.global.inc.u32 %r4, [%rd0], 9;", 7),
        ("red.global.xor.b32 [%rd0], %r0;", 5),
        ("atom.global.cas.b32 %r4, [%rd0], 5, 77;", 77),
        ("atom.add.u32 %r4, [%rd0], 1;", 37),
    ];
    for (text, want) in cases {
        let gpu = Gpu::new(&wrap(text));
        let word = gpu.upload(&[5u32, 0]);
        gpu.launch("k", [1, 1, 1], [32, 1, 1], &[word.into()]);
        assert_eq!(gpu.download::<u32>(word, 1)[0], want, "{text}");
    }
    let gpu = Gpu::new(&wrap("atom.global.add.f64 %d1, [%rd0], 0d3FE0000000000000;\nred.global.add.u64 [%rd0+8], 3;"));
    let words = gpu.upload(&[0f64, 0.0]);
    gpu.launch("k", [64, 1, 1], [64, 1, 1], &[words.into()]);
    assert_eq!(gpu.download::<f64>(words, 1)[0], 2048.0);
    assert_eq!(gpu.download::<u64>(words + 8, 1)[0], 3 * 4096);
}

#[test]
fn halves_round_once() {
    // 2048 + 1 in half precision is a tie; with a third of one more it is not.
    let half = |x: f32| {
        u64::from(match x {
            2048.0 => 0x6800,
            1.0 => 0x3C00,
            0.5 => 0x3800,
            _ => 0x4200u16,
        })
    };
    let operands: Operands = [[half(2048.0), half(1.0), half(0.5)]; 32];
    assert_eq!(run("add.f16 %h9, %h1, %h2;", "%h9", &operands)[0], 0x6800);
    assert_eq!(run("fma.rn.f16 %h9, %h2, %h3, %h1;", "%h9", &operands)[0], 0x6800);
    assert_eq!(run("mul.f16 %h9, %h2, %h3;", "%h9", &operands)[0], 0x3800);
    let packed: Operands = [[0x3C00_4200, 0x3800_3C00, 0]; 32];
    assert_eq!(run("add.f16x2 %r9, %r1, %r2;", "%r9", &packed)[0], 0x3E00_4400, "1 + 0.5 and 3 + 1");
    assert_eq!(run("setp.gt.f16 %p9, %h1, %h2;", "%p9", &packed)[0], 1);
}
