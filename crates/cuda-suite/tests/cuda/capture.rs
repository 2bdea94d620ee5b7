//! Steps as graphs: the record of a step gives the step's own numbers, to the last bit.

use cotangent::prelude::*;
use cotangent::{Capture, Carry};
use cotangent_cuda_suite::{device, on_device};

/// A network of two layers with dropout, and all that its training changes.
struct Training {
    params: [Tensor; 4],
    optimizer: Box<dyn Optimizer>,
    rng: Rng,
    /// The batch: images and labels.
    batch: (Tensor, Tensor),
    total: Tensor,
}

impl Carry for Training {
    fn carry(&mut self, ledger: &mut cotangent::Ledger) {
        (&mut self.params, &mut self.rng, &mut self.batch, &mut self.total).carry(ledger);
        self.optimizer.carry(ledger);
    }
}

impl Training {
    fn new(device: &Device, optimizer: Box<dyn Optimizer>) -> Self {
        let mut rng = Rng::new(8);
        let mut param = |shape: &[usize]| {
            let x = Tensor::normal(shape, 0.0, 0.3, DType::F32, &mut rng);
            x.to_device(device).expect("it fits").tracked()
        };
        let params = [param(&[6, 20]), param(&[20]), param(&[20, 3]), param(&[3])];
        let there = |x: Tensor| x.to_device(device).expect("it fits");
        let batch = (there(Tensor::zeros([8, 6])), there(Tensor::full([8], 0.0, DType::I64)));
        Self { params, optimizer, rng: Rng::new(2), batch, total: there(Tensor::zeros([])) }
    }

    fn step(&mut self) -> Result<Tensor> {
        let [w1, b1, w2, b2] = &self.params;
        let hidden = self.batch.0.linear(w1, Some(b1)).relu().dropout(0.3, &mut self.rng);
        let loss = hidden.linear(w2, Some(b2)).softmax_cross_entropy(&self.batch.1).mean(..);
        let grads = self.optimizer.scale_loss(&loss).backward();
        self.total.assign_(&(&self.total + loss.detach()));
        self.optimizer.step_targets(self.params.iter_mut().map(Into::into).collect(), &grads)?;
        Ok(loss.detach())
    }

    /// Puts the batch of step `i` in place of the one before.
    fn feed(&mut self, i: usize) {
        let mut rng = Rng::new(100 + i as u64);
        let x = Tensor::uniform([8, 6], -1.0, 1.0, DType::F32, &mut rng);
        let device = self.total.device();
        self.batch.0.assign_(&x.to_device(&device).expect("it fits"));
        self.batch.1.assign_(&x.narrow(1, 0, 3).argmax(1).to_device(&device).expect("it fits"));
    }

    fn numbers(&self) -> Vec<Vec<f32>> {
        self.params.iter().chain([&self.total]).map(Tensor::to_vec).collect()
    }
}

const STEPS: usize = 24;

/// The losses of all steps and what they end with; whether most of them were run from a record.
fn train(device: &Device, optimizer: Box<dyn Optimizer>, captured: bool) -> (Vec<f64>, Vec<Vec<f32>>, bool) {
    let mut training = Training::new(device, optimizer);
    let mut capture = Capture::new();
    let losses = (0..STEPS).map(|i| {
        training.feed(i);
        let loss = match captured {
            true => capture.run(&mut training, Training::step),
            false => training.step(),
        };
        loss.expect("a step").item()
    });
    (losses.collect(), training.numbers(), capture.is_recorded())
}

fn optimizers() -> Vec<Box<dyn Optimizer>> {
    let rate = || CosineDecay::new(0.05, 20);
    vec![
        Box::new(Sgd::new(rate())),
        Box::new(Sgd::new(rate()).momentum(0.9).nesterov(true).clip(Clip::GlobalNorm(0.5))),
        Box::new(Adam::new(rate()).weight_decay(0.1).average(0.9)),
        Box::new(AdamW::new(rate()).amsgrad(true)),
        Box::new(Adadelta::new(1.0).clip(Clip::Norm(0.1))),
        Box::new(RmsProp::new(rate()).centered(true).momentum(0.5).weight_decay(0.01)),
        Box::new(Adagrad::new(0.05)),
        Box::new(Sgd::new(rate()).loss_scale(LossScale::Fixed(1024.0))),
    ]
}

/// A step that works on the host, and another that does not.
fn double(x: &mut Tensor) -> Result<Tensor> {
    x.assign_(&(&*x + &*x));
    Ok(x.sum(..))
}

on_device! {
    fn a_record_is_the_step_to_the_last_bit() {
        for ((plain, captured), on_cpu) in optimizers().into_iter().zip(optimizers()).zip(optimizers()) {
            let name = plain.name();
            let (want, numbers, _) = train(&device(), plain, false);
            let (got, captured, recorded) = train(&device(), captured, true);
            assert!(recorded, "{name} was refused");
            assert_eq!(got, want, "{name}");
            assert_eq!(captured, numbers, "{name}");
            let (on_cpu, _, recorded) = train(&Device::Cpu, on_cpu, true);
            assert!(!recorded);
            for (step, (got, want)) in got.iter().zip(&on_cpu).enumerate() {
                assert!((got - want).abs() <= 1e-5, "{name}, step {step}: {got}, on the CPU {want}");
            }
        }
    }

    fn a_dynamic_loss_scale_is_computed_every_time() {
        let [cpu, gpu] = [Device::Cpu, device()].map(|device| {
            let scale = LossScale::Dynamic { initial: 2f64.powi(126), growth_steps: 4 };
            let mut training = Training::new(&device, Box::new(Adam::new(0.01).loss_scale(scale)));
            let mut capture = Capture::new();
            let losses = (0..STEPS).map(|i| {
                training.feed(i);
                capture.run(&mut training, Training::step).expect("a step").item()
            });
            let losses: Vec<f64> = losses.collect();
            assert!((3..STEPS as u64).contains(&training.optimizer.state().steps()), "some were skipped");
            let why = capture.refused().unwrap_or("a dynamic loss scale looks at the gradients on the host");
            assert_eq!(why, "a dynamic loss scale looks at the gradients on the host");
            (losses, training.optimizer.common().scale())
        });
        assert_eq!(cpu.1, gpu.1);
        assert!(cpu.0.iter().zip(&gpu.0).all(|(a, b)| (a - b).abs() <= 1e-5), "{cpu:?}, {gpu:?}");
    }

    fn a_step_that_reads_numbers_is_computed_every_time() {
        let mut x = Tensor::from([1.0_f32, 2.0]).to_device(&device()).unwrap();
        let mut capture = Capture::new();
        for want in [2.0, 4.0, 8.0, 16.0] {
            let sum = capture.run(&mut x, |x| {
                let before = double(x)?.item();
                Ok((before, x.sum(..)))
            });
            let (before, after) = sum.unwrap();
            assert_eq!((before, after.item()), (3.0 * want, 3.0 * want));
        }
        assert!(!capture.is_recorded());
        assert_eq!(capture.refused(), Some("it reads numbers on the host"));
    }

    fn a_clone_keeps_its_numbers_and_the_step_is_recorded_anew() {
        let mut x = Tensor::from([1.0_f32]).to_device(&device()).unwrap();
        let mut capture = Capture::new();
        let mut kept = Vec::new();
        for i in 0..14 {
            if i % 4 == 3 {
                kept.push(x.clone());
            }
            assert_eq!(capture.run(&mut x, double).unwrap().item(), f64::from(2 << i));
        }
        assert!(capture.is_recorded());
        assert_eq!(kept.iter().map(Tensor::item).collect::<Vec<_>>(), [8.0, 128.0, 2048.0]);
    }

    fn what_a_record_uses_is_nobody_elses() {
        let mut x = Tensor::from([1.0_f32]).to_device(&device()).unwrap();
        let mut capture = Capture::new();
        let mut others = Vec::new();
        for i in 0..8 {
            let sum = capture.run(&mut x, |x| double(x).map(|sum| sum + 1.0)).unwrap();
            others.push(x.new_full([1], f64::from(i)));
            assert_eq!(sum.item(), f64::from(2 << i) + 1.0);
        }
        assert!(others.iter().enumerate().all(|(i, x)| x.item() == i as f64));
        let sum = capture.run(&mut x, |x| double(x).map(|sum| sum + 1.0)).unwrap();
        drop(capture);
        let other = x.new_full([1], 0.5);
        assert_eq!((sum.item(), other.item()), (513.0, 0.5));
    }

    fn random_numbers_of_a_record_move_with_their_generator() {
        let (mut carried, mut rng) = ((Tensor::zeros([5]).to_device(&device()).unwrap(), Rng::new(3)), Rng::new(3));
        let mut capture = Capture::new();
        for i in 0..6 {
            let x = capture.run(&mut carried, |(zeros, rng)| Ok(zeros.normal_like(0.0, 1.0, rng) + zeros.uniform_like(0.0, 1.0, rng)));
            let zeros = &carried.0;
            let want = zeros.normal_like(0.0, 1.0, &mut rng) + zeros.uniform_like(0.0, 1.0, &mut rng);
            assert_eq!(x.unwrap().to_vec::<f32>(), want.to_vec::<f32>(), "call {i}");
            // somebody else draws from it too
            assert_eq!(rng.next_stream(), carried.1.next_stream());
        }
        assert!(capture.is_recorded());
    }

    fn a_panic_in_a_recorded_step_leaves_the_device_at_work() {
        let mut x = Tensor::from([1.0_f32]).to_device(&device()).unwrap();
        let mut capture: Capture<Tensor> = Capture::new();
        for i in 0..2 {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _ = capture.run(&mut x, |x| double(x).map(|sum| if i == 1 { panic!("on purpose") } else { sum }));
            }));
            assert_eq!(panic.is_err(), i == 1);
        }
        assert_eq!(double(&mut x).unwrap().item(), 8.0);
    }

    fn many_parameters_are_moved_as_each_alone() {
        let sizes: Vec<usize> = (0..150).map(|i| [1, 700, 33, 256, 257][i % 5]).collect();
        let mut together: Vec<Tensor> = Vec::new();
        for (i, &n) in sizes.iter().enumerate() {
            let x = Tensor::uniform([n], -1.0, 1.0, DType::F32, &mut Rng::new(i as u64));
            together.push(x.to_device(&device()).unwrap().tracked());
        }
        let mut alone = together.iter().map(|x| x.detach().tracked()).collect::<Vec<_>>();
        let loss = |x: &[Tensor]| x.iter().map(|x| x.square().sum(..)).reduce(|a, b| a + b).unwrap().backward();
        let (mut all, mut each) = (Adam::new(0.1), Adam::new(0.1));
        for _ in 0..2 {
            let grads = loss(&together);
            all.step(together.iter_mut(), &grads).unwrap();
            let grads = loss(&alone);
            let step = each.state().steps();
            for x in &mut alone {
                each.state_mut().set_steps(step);
                each.step([x], &grads).unwrap();
            }
        }
        assert!(together.iter().zip(&alone).all(|(a, b)| a.to_vec::<f32>() == b.to_vec::<f32>()));
    }
}
