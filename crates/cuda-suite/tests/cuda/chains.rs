//! Pointwise ops of a recorded step, joined to chains: the same bits as one by one.

use cotangent::prelude::*;
use cotangent::{Capture, Carry, Ledger};
use cotangent_cuda_suite::{device, on_device};

/// Dice for programs, the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// The shape of all that a program computes.
const SHAPE: [usize; 2] = [6, 8];

/// What a program finds and leaves changed.
struct State {
    x: Vec<Tensor>,
    rng: Rng,
}

impl Carry for State {
    fn carry(&mut self, ledger: &mut Ledger) {
        (&mut self.x, &mut self.rng).carry(ledger);
    }
}

impl State {
    fn new(dtype: DType) -> Self {
        let draw = |seed| Tensor::uniform(SHAPE, -2.0, 2.0, dtype, &mut Rng::new(seed));
        Self { x: (1..4).map(|seed| draw(seed).to_device(&device()).expect("it fits")).collect(), rng: Rng::new(7) }
    }
}

/// A random program of pointwise ops, and of a few others between them. It keeps some results, and forgets some.
struct Program<'a> {
    dice: Dice,
    state: &'a mut State,
    held: Vec<Tensor>,
    masks: Vec<Tensor>,
}

impl Program<'_> {
    /// The program of a seed, run on `state`. What it has held in the end.
    fn run(seed: u64, state: &mut State) -> Vec<Tensor> {
        let mut program = Program { dice: Dice(seed), state, held: Vec::new(), masks: Vec::new() };
        for _ in 0..24 {
            program.step();
        }
        program.held.into_iter().chain(program.masks).collect()
    }

    /// Some operand, seen in some way, in the shape of all others.
    fn any(&mut self) -> Tensor {
        let (carried, held) = (self.state.x.len(), self.held.len());
        let i = self.dice.roll(carried + held);
        let x = if i < carried { &self.state.x[i] } else { &self.held[i - carried] };
        let [rows, columns] = SHAPE;
        match self.dice.roll(12) {
            0 => x.narrow(0, i % rows, 1).expand(SHAPE),
            1 => x.narrow(1, i % columns, 1).expand(SHAPE),
            2 => x.flip(1),
            3 => x.reshape([columns, rows]).t(),
            4 => x.narrow(0, 2, 1).narrow(1, 3, 1).expand(SHAPE),
            _ => x.detach(),
        }
    }

    fn step(&mut self) {
        let (x, y) = (self.any(), self.any());
        let dtype = x.dtype();
        let z = match self.dice.roll(24) {
            0 => &x + &y,
            1 => &x - &y,
            2 => &x * &y,
            3 => x.maximum(&y),
            4 => x.gelu(),
            5 => x.tanh() * 0.5,
            6 => x.sigmoid() + 0.25,
            7 => x.relu(),
            8 => (x.reshape([48]) * y.reshape([48])).reshape(SHAPE),
            9 => (x.reshape([2, 3, 8]) - y.reshape([2, 3, 8])).sin().reshape(SHAPE),
            10 => (&x * 40.0).cast(DType::U8).cast(dtype),
            11 => (&x * 3.0).cast(DType::I64).cast(dtype),
            12 => x.cast(DType::F64).exp().recip().cast(DType::F32).cast(dtype),
            13 => x.dropout(0.4, &mut self.state.rng),
            14 => x.uniform_like(-1.0, 1.0, &mut self.state.rng) + &y,
            15 => self.mask(&x, &y).where_(&x, &y),
            16 => self.mask(&x, &y).and(&self.mask(&y, &x)).cast(dtype),
            17 => {
                let (i, z) = (self.dice.roll(self.state.x.len()), &x * 0.5 + &y * 0.25);
                drop((x, y));
                self.state.x[i].assign_(&z);
                return;
            }
            18 => Self::gradient(&x, &y),
            19 => x.softmax(1) + y.mean_keepdim([0]),
            20 => x.t().matmul(&y).narrow(0, 0, 6) * 0.1,
            21 => Tensor::concat(&[&x.narrow(0, 0, 2), &(&y + 1.0).narrow(0, 1, 4)], 0),
            22 => {
                let i = self.dice.roll(self.held.len() + 1);
                self.held.truncate(i);
                return;
            }
            _ => x.zeros_like() + 3.0,
        };
        self.held.push(z);
        if self.held.len() > 9 {
            let i = self.dice.roll(5);
            self.held.remove(i);
        }
    }

    fn mask(&mut self, x: &Tensor, y: &Tensor) -> Tensor {
        let mask = x.gt(y);
        if self.dice.roll(2) == 0 {
            self.masks.push(mask.clone());
        }
        mask
    }

    /// The derivative of something by `x`, which reaches its sum by several ways.
    fn gradient(x: &Tensor, y: &Tensor) -> Tensor {
        let x = x.detach().tracked();
        let z = (&x * y + &x).gelu() * x.silu();
        z.backward_with(&y.tanh()).get(&x).expect("x is tracked").clone()
    }
}

/// The numbers of all, by their bits.
fn bits(x: &[Tensor]) -> Vec<Vec<u64>> {
    let of = |x: &Tensor| match x.dtype() {
        DType::F32 => x.to_vec::<f32>().into_iter().map(|x| x.to_bits() as u64).collect(),
        DType::F64 => x.to_vec::<f64>().into_iter().map(f64::to_bits).collect(),
        _ => x.cast(DType::I64).to_vec::<i64>().into_iter().map(|x| x as u64).collect(),
    };
    x.iter().map(of).collect()
}

fn compare(seed: u64, dtype: DType) {
    let (mut plain, mut captured, mut capture) = (State::new(dtype), State::new(dtype), Capture::new());
    for call in 0..4 {
        let want = Program::run(seed, &mut plain);
        let got = capture.run(&mut captured, |state| Ok(Program::run(seed, state))).expect("no step fails");
        assert_eq!(bits(&got), bits(&want), "program {seed} of {dtype}, call {call}");
        assert_eq!(bits(&captured.x), bits(&plain.x), "program {seed} of {dtype}, after call {call}");
    }
    assert!(capture.is_recorded(), "program {seed} of {dtype}: {:?}", capture.refused());
}

on_device! {
    fn any_program_gives_the_same_bits() {
        for seed in 0..60 {
            compare(seed, if seed % 4 == 3 { DType::F64 } else { DType::F32 });
        }
    }

    fn an_operand_changed_between_two_ops_is_seen_as_it_was() {
        let mut x = Tensor::from([1.0_f32, 2.0, 3.0, 4.0]).to_device(&device()).unwrap();
        let mut capture = Capture::new();
        for _ in 0..3 {
            let (before, reversed, after) = capture.run(&mut x, |x| {
                let (before, reversed) = (&*x * 10.0, x.flip(0) * 100.0);
                x.assign_(&(&*x + 1.0));
                Ok((before, reversed, &*x * 10.0))
            }).unwrap();
            let now = x.to_vec::<f32>();
            assert_eq!(after.to_vec::<f32>(), now.iter().map(|x| x * 10.0).collect::<Vec<_>>());
            assert_eq!(before.to_vec::<f32>(), now.iter().map(|x| (x - 1.0) * 10.0).collect::<Vec<_>>());
            assert_eq!(reversed.to_vec::<f32>(), now.iter().rev().map(|x| (x - 1.0) * 100.0).collect::<Vec<_>>());
        }
        assert!(capture.is_recorded());
    }

    fn bytes_wrap_in_a_chain_as_in_memory() {
        let mut x = Tensor::from([250_i64, 255, 256, 511]).to_device(&device()).unwrap();
        let mut capture = Capture::new();
        for _ in 0..3 {
            let y = capture.run(&mut x, |x| Ok((x.cast(DType::U8) + x.ones_like().cast(DType::U8)).cast(DType::I64)));
            assert_eq!(y.unwrap().to_vec::<i64>(), [251, 0, 1, 0]);
        }
        assert!(capture.is_recorded());
    }
}
