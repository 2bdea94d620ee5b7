//! Philox 4×32-10 in registers: the words of [`Stream`](cotangent_base::Stream), bit for bit.

use super::graph::{Arg, Class, value};
use super::lane::Sym;
use cotangent_base::rng::{MULTIPLIERS, WEYL};

fn word(op: &'static str, ty: &'static str, args: &[Arg]) -> Arg {
    Arg::Value(value(op, ty, Class::B32, args))
}

/// The four words of block `block` (below 2³²) of the stream with this seed and number, two double words.
pub fn words(block: Arg, seed: Arg, stream: Arg) -> [Arg; 4] {
    let halves = |both| {
        let high = Arg::Value(value("shr", "u64", Class::B64, &[both, Arg::Int(32)]));
        [word("cvt.u32", "u64", &[both]), word("cvt.u32", "u64", &[high])]
    };
    let ([mut k0, mut k1], [s0, s1]) = (halves(seed), halves(stream));
    let [mut a, mut b, mut c, mut d] = [block, word("mov", "b32", &[Arg::Int(0)]), s0, s1];
    for round in 0..10 {
        if round > 0 {
            k0 = word("add", "u32", &[k0, Arg::Int(WEYL[0] as i64)]);
            k1 = word("add", "u32", &[k1, Arg::Int(WEYL[1] as i64)]);
        }
        let [m0, m1] = MULTIPLIERS.map(|m| Arg::Int(m as i64));
        let high = |x, m| word("mul.hi", "u32", &[x, m]);
        let low = |x, m| word("mul.lo", "u32", &[x, m]);
        let mix = |x, y, k| word("xor", "b32", &[word("xor", "b32", &[x, y]), k]);
        [a, b, c, d] = [mix(high(c, m1), b, k0), low(c, m1), mix(high(a, m0), d, k1), low(a, m0)];
    }
    [a, b, c, d]
}

/// The top 24 bits of a word as a number in [0, 1).
pub fn unit_f32(word: Arg) -> Sym<f32> {
    let top = value("shr", "u32", Class::B32, &[word, Arg::Int(8)]);
    let x = value("cvt.rn.f32", "u32", Class::F32, &[Arg::Value(top)]);
    let scale = Arg::F32((1.0 / (1 << 24) as f32).to_bits());
    Sym::new(value("mul.rn", "f32", Class::F32, &[Arg::Value(x), scale]))
}

/// 53 bits of two words as a number in [0, 1).
pub fn unit_f64(high: Arg, low: Arg) -> Sym<f64> {
    let long = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B64, args));
    let high = long("shl", "b64", &[long("cvt.u64", "u32", &[high]), Arg::Int(32)]);
    let both = long("or", "b64", &[high, long("cvt.u64", "u32", &[low])]);
    let top = long("shr", "u64", &[both, Arg::Int(11)]);
    let x = value("cvt.rn.f64", "u64", Class::F64, &[top]);
    let scale = Arg::F64((1.0 / (1u64 << 53) as f64).to_bits());
    Sym::new(value("mul.rn", "f64", Class::F64, &[Arg::Value(x), scale]))
}
