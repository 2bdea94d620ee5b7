//! Training on the device against training on the CPU: the same batches, the same masks, nearly the same numbers.

use cotangent::prelude::*;
use cotangent::train::{EarlyStopping, ModelCheckpoint};
use cotangent_cuda_suite::{device, on_device};

/// Digits of noise, and their labels as one-hot vectors.
pub fn data(count: usize) -> (Tensor, Tensor) {
    let mut rng = Rng::new(5);
    let x = Tensor::uniform([count, 12, 12, 1], 0.0, 1.0, DType::F32, &mut rng);
    let labels: Vec<i64> = (0..count as i64).map(|i| i * 7 % 4).collect();
    (x, Tensor::from(labels).one_hot(4, DType::F32))
}

pub fn model(device: &Device, format: DataFormat) -> Model {
    let input = format.shape([1, 12, 12, 1]).without(0);
    let mut model = Sequential::new(input)
        .add(Conv2d::new(6, (3, 3)).data_format(format).activation(Relu))
        .add(BatchNorm::new())
        .add(MaxPool2d::new((2, 2)).data_format(format))
        .add(Dropout::new(0.25))
        .add(Flatten.data_format(format))
        .add(Dense::new(16).activation(Relu))
        .add(Dropout::new(0.5))
        .add(Dense::new(4).activation(Softmax))
        .build(device, Seed(3))
        .expect("the layers fit");
    model.compile(Adam::default(), CategoricalCrossentropy, [Accuracy]);
    model
}

/// The losses of 20 steps, and the parameters after them.
fn train(device: &Device) -> (Vec<f64>, Vec<Vec<f32>>) {
    let (x, y) = data(16);
    let (x, y) = (x.to_device(device).expect("it fits"), y.to_device(device).expect("it fits"));
    let mut model = model(device, DataFormat::ChannelsLast);
    let losses = (0..20).map(|_| model.train_step(&x, &y).expect("a step")[0]).collect();
    (losses, model.params().map(|(_, p)| p.value.to_vec()).collect())
}

on_device! {
    fn twenty_steps_are_the_cpus() {
        let ((want, _), (got, _)) = (train(&Device::Cpu), train(&device()));
        for (step, (got, want)) in got.iter().zip(&want).enumerate() {
            if !((got - want).abs() <= 1e-5) {
                panic!("step {step}: the loss is {got}, on the CPU {want}\n{got:?}\n{want:?}");
            }
        }
    }

    fn two_runs_give_the_same_bits() {
        assert_eq!(train(&device()), train(&device()));
    }

    fn dropout_drops_the_same_elements() {
        let x = Tensor::ones([7, 333]);
        let drop = |x: &Tensor| x.dropout(0.3, &mut Rng::new(9)).to_vec::<f32>();
        assert_eq!(drop(&x.to_device(&device()).unwrap()), drop(&x));
    }

    fn random_numbers_are_the_cpus() {
        let draw = |device: &Device, dtype: DType| {
            let (mut rng, like) = (Rng::new(11), Tensor::zeros([1]).cast(dtype).to_device(device).unwrap().expand([1001]));
            let drawn = [
                like.uniform_like(-2.0, 3.0, &mut rng),
                like.normal_like(1.0, 2.0, &mut rng),
                like.bernoulli_like(0.3, &mut rng),
            ];
            drawn.map(|x| x.cast(DType::F64).to_vec::<f64>())
        };
        assert_eq!(draw(&device(), DType::F32), draw(&Device::Cpu, DType::F32));
        let (got, want) = (draw(&device(), DType::F64), draw(&Device::Cpu, DType::F64));
        // the sine and cosine of f64 are not the standard library's, to the last bit
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-14;
        assert!(got.iter().zip(&want).all(|(got, want)| got.iter().zip(want).all(near)));
    }

    fn fit_evaluate_and_predict_take_data_from_the_host() {
        let (x, y) = data(40);
        let run = |device: &Device| {
            let mut model = model(device, DataFormat::ChannelsLast);
            model.fit(&x, &y).batch_size(16).epochs(1).verbose(0).validation(&x, &y).run().expect("it trains");
            let score = model.evaluate(&x, &y).expect("it evaluates");
            (score.loss, model.predict(&x).expect("it predicts"))
        };
        let ((want, here), (got, there)) = (run(&Device::Cpu), run(&device()));
        assert!((got - want).abs() <= 1e-5, "{got} on the device, {want} on the CPU");
        assert_eq!(there.device(), Device::Cpu, "predictions lie where their samples do");
        assert!(here.to_vec::<f32>().iter().zip(there.to_vec::<f32>()).all(|(a, b)| (a - b).abs() <= 1e-5));
    }

    fn a_checkpoint_goes_on_on_the_device() {
        let (x, y) = data(40);
        let path = std::env::temp_dir().join(format!("cotangent-cuda-{}.safetensors", std::process::id()));
        let train = |epochs: usize, from: Option<&std::path::Path>| {
            let mut model = model(&device(), DataFormat::ChannelsLast);
            let mut fit = model.fit(&x, &y).batch_size(16).epochs(epochs).verbose(0);
            fit = fit.callback(EarlyStopping::new("loss").patience(9).restore_best_weights(true));
            match from {
                Some(path) => fit = fit.resume(path),
                None => fit = fit.callback(ModelCheckpoint::new(&path)),
            }
            fit.run().expect("it trains");
            model.params().map(|(_, p)| p.value.to_vec::<f32>()).collect::<Vec<_>>()
        };
        let want = train(2, None);
        train(1, None);
        let got = train(2, Some(&path));
        std::fs::remove_file(&path).expect("it was written");
        assert_eq!(got, want);
    }
}
