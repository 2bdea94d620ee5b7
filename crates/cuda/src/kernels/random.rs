//! Random numbers and dropout: the CPU's words, and the CPU's arithmetic on them.

use super::elementwise::{Elementwise, whole};
use crate::Buffer;
use crate::capture;
use crate::device::CudaDevice;
use crate::emit::{Arg, Class, Real, Sym, cast, parameter, unit_f32, unit_f64, value, words};
use cotangent_base::{DType, Draw, Lane, Result, Shape, Stream, View};
use std::any::TypeId;
use std::f64::consts::TAU;

/// A stream as a kernel sees it. In a graph its number moves with the generator, by what is read at `shift`.
#[derive(Clone, Copy)]
struct Drawn {
    stream: Stream,
    shift: Option<u64>,
}

impl Drawn {
    fn new(device: CudaDevice, stream: Stream) -> Result<Self> {
        Ok(Self { stream, shift: capture::shift(device, stream)? })
    }

    /// What tells its kernels from those of streams that do not move.
    fn variant(self) -> u64 {
        self.shift.is_some() as u64
    }

    /// Seed and number.
    fn words(self) -> [Arg; 2] {
        let long = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B64, args));
        let load = |bits| long("ld.param", "b64", &[Arg::Slot(parameter(bits))]);
        let (seed, number) = (load(self.stream.seed), load(self.stream.stream));
        let Some(address) = self.shift else { return [seed, number] };
        let Arg::Value(address) = load(address) else { unreachable!("a load gives a value") };
        [seed, long("add", "u64", &[number, long("ld.global", "u64", &[Arg::At(address)])])]
    }
}

/// The words of the stream's block that index / `per_block` names, and index modulo `per_block`.
fn block(index: Arg, stream: Drawn, per_block: i64) -> ([Arg; 4], Arg) {
    let (shift, mask) = (Arg::Int(per_block.trailing_zeros() as i64), Arg::Int(per_block - 1));
    let word = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B32, args));
    let number = word("shr", "u32", &[index, shift]);
    let [seed, stream] = stream.words();
    (words(number, seed, stream), word("and", "b32", &[index, mask]))
}

fn is(x: Arg, c: i64) -> Arg {
    Arg::Value(value("setp.eq", "u32", Class::Pred, &[x, Arg::Int(c)]))
}

fn choose(truth: Arg, yes: Arg, no: Arg) -> Arg {
    Arg::Value(value("selp", "b32", Class::B32, &[yes, no, truth]))
}

/// Word `index` of the stream.
fn word(index: Arg, stream: Drawn) -> Arg {
    let (words, which) = block(index, stream, 4);
    (1..4).fold(words[0], |word, k| choose(is(which, k as i64), words[k], word))
}

/// Two words of the stream for element `index`.
fn pair(index: Arg, stream: Drawn) -> [Arg; 2] {
    let (words, odd) = block(index, stream, 2);
    let odd = is(odd, 1);
    [choose(odd, words[2], words[0]), choose(odd, words[3], words[1])]
}

fn uniform<T: Real>(unit: Sym<T>, low: f64, high: f64, last: f64) -> Arg {
    let x = unit * Sym::splat(high - low) + Sym::splat(low);
    let last = Sym::splat(last);
    Sym::select(x.gt(last), last, x).arg()
}

/// Box and Muller's coordinates of a point: the first for even elements, the second for odd ones.
fn normal(positive_unit: Sym<f64>, unit: Sym<f64>, odd: Arg, mean: f64, std: f64) -> Sym<f64> {
    let radius = Sym::splat(std) * (Sym::splat(-2.0) * positive_unit.ln()).sqrt();
    let angle = Sym::splat(TAU) * unit;
    let part = value("selp", "f64", Class::F64, &[angle.sin().arg(), angle.cos().arg(), odd]);
    Sym::splat(mean) + radius * Sym::new(part)
}

fn normal_f32(index: Arg, stream: Drawn, mean: f64, std: f64) -> Arg {
    let (words, which) = block(index, stream, 4);
    let upper = Arg::Value(value("setp.ge", "u32", Class::Pred, &[which, Arg::Int(2)]));
    let [a, b] = [choose(upper, words[2], words[0]), choose(upper, words[3], words[1])];
    let a = Sym::<f64>::new(value("cvt.rn.f64", "u32", Class::F64, &[a]));
    let positive = (a + Sym::splat(0.5)) * Sym::splat(1.0 / (1u64 << 32) as f64);
    let odd = is(Arg::Value(value("and", "b32", Class::B32, &[which, Arg::Int(1)])), 1);
    normal(positive, unit_f32(b).widen(), odd, mean, std).narrow().arg()
}

fn normal_f64(index: Arg, stream: Drawn, mean: f64, std: f64) -> Arg {
    let (words, odd) = block(index, stream, 2);
    // the words of both elements of the pair: block index / 2 has them all
    let positive = Sym::one() - unit_f64(words[0], words[1]);
    normal(positive, unit_f64(words[2], words[3]), is(odd, 1), mean, std).arg()
}

/// `count` numbers from the distribution.
pub fn random(device: CudaDevice, draw: Draw, dtype: DType, count: usize, stream: Stream) -> Result<Buffer> {
    let (y, stream) = (Buffer::uninit(device, dtype, count)?, Drawn::new(device, stream)?);
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "random",
        variant: stream.variant(),
        keep: false,
        outputs: &[whole(&y, Shape::from([count]))],
        inputs: &[],
    };
    kernel.run(device, move |body| vec![draw_element(draw, dtype, body.index, stream)])?;
    Ok(y)
}

fn draw_element(draw: Draw, dtype: DType, index: Arg, stream: Drawn) -> Arg {
    match (draw, dtype) {
        (Draw::Uniform { low, high }, DType::F32) => {
            uniform(unit_f32(word(index, stream)), low, high, (high as f32).next_down() as f64)
        }
        (Draw::Uniform { low, high }, DType::F64) => {
            let [a, b] = pair(index, stream);
            uniform(unit_f64(a, b), low, high, high.next_down())
        }
        (Draw::Normal { mean, std }, DType::F32) => normal_f32(index, stream, mean, std),
        (Draw::Normal { mean, std }, DType::F64) => normal_f64(index, stream, mean, std),
        (Draw::Bernoulli { p }, _) => {
            // 2³² is p = 1: above every word
            let threshold =
                value("ld.param", "u64", Class::B64, &[Arg::Slot(parameter((p * (1u64 << 32) as f64) as u64))]);
            let wide = value("cvt.u64", "u32", Class::B64, &[word(index, stream)]);
            let yes = value("setp.lt", "u64", Class::Pred, &[Arg::Value(wide), Arg::Value(threshold)]);
            cast(crate::emit::from_truth(Arg::Value(yes)), DType::U32, dtype)
        }
        (other, dtype) => panic!("[random] {other:?} is for floats, not for {dtype}"),
    }
}

/// `y = x · mask / (1 − rate)`; a dropped element is 0 whatever `x` is.
pub fn dropout(device: CudaDevice, x: View<Buffer>, rate: f64, stream: Stream) -> Result<Buffer> {
    if rate == 0.0 {
        return super::memory::copy(x);
    }
    let dtype = x.buffer.dtype();
    let (y, stream) = (Buffer::uninit(device, dtype, x.shape().count())?, Drawn::new(device, stream)?);
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "dropout",
        variant: stream.variant(),
        keep: false,
        outputs: &[whole(&y, x.shape())],
        inputs: &[x],
    };
    kernel.run(device, move |body| {
        let threshold = parameter((rate * (1u64 << 32) as f64) as u32 as u64);
        let threshold = Arg::Value(value("ld.param", "u32", Class::B32, &[Arg::Slot(threshold)]));
        let keep = Arg::Value(value("setp.ge", "u32", Class::Pred, &[word(body.index, stream), threshold]));
        vec![match dtype {
            DType::F32 => keep_if::<f32>(body.x[0], keep, rate),
            _ => keep_if::<f64>(body.x[0], keep, rate),
        }]
    })?;
    Ok(y)
}

fn keep_if<T: Real>(x: Arg, keep: Arg, rate: f64) -> Arg {
    let scale = Sym::<T>::splat(1.0 / (1.0 - rate));
    let scaled = value("mul.rn", T::TYPE, T::CLASS, &[x, scale.arg()]);
    Arg::Value(value("selp", T::TYPE, T::CLASS, &[Arg::Value(scaled), Sym::<T>::zero().arg(), keep]))
}
