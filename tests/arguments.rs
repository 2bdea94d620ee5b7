//! The command line of the examples.

#[allow(dead_code, reason = "`parse` reads the real command line")]
#[path = "../examples/common/arguments.rs"]
mod common;

use common::{Arguments, Data, Defaults, DeviceChoice};
use cotangent::MatmulPrecision;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    let defaults = Defaults { about: "Trains a network.", epochs: 12, batch_size: 128 };
    Arguments::try_parse_from(defaults, line.split(' '))
}

#[test]
fn an_example_brings_its_own_defaults() {
    let arguments = parse("mnist_cnn").unwrap();
    assert_eq!((arguments.epochs, arguments.batch_size, arguments.seed), (12, 128, 0));
    assert_eq!((arguments.data, arguments.device), (Data::Anywhere, DeviceChoice::Auto));
    assert_eq!((arguments.train_images, arguments.test_images), (None, None));
    assert_eq!((arguments.figure, arguments.channels_first), (None, false));
}

#[test]
fn every_argument_is_read() {
    let line = "mnist_cnn --data synthetic --epochs 1 --batch-size 32 --train-images 512 --test-images 64 --device cpu --threads 2 \
                --seed 7 --data-format channels_first --figure out/a.png --save a.run --resume b.run";
    let arguments = parse(line).unwrap();
    assert_eq!((arguments.epochs, arguments.batch_size, arguments.seed), (1, 32, 7));
    assert_eq!((&arguments.data, arguments.device), (&Data::Synthetic, DeviceChoice::Cpu));
    assert_eq!((arguments.train_images, arguments.test_images), (Some(512), Some(64)));
    assert!(arguments.channels_first);
    assert_eq!(arguments.figure.as_deref(), Some("out/a.png".as_ref()));
    assert_eq!((&arguments.save, &arguments.resume), (&Some("a.run".into()), &Some("b.run".into())));
    assert_ne!(arguments, parse(&line.replace("--threads 2", "--threads 3")).unwrap());
    assert_eq!(parse("mnist_cnn --device cuda").unwrap().device, DeviceChoice::Cuda);
    let precision = |line| parse(line).unwrap().precision;
    assert_eq!(precision("mnist_cnn --device cuda"), MatmulPrecision::Fp32);
    assert_eq!(precision("mnist_cnn --precision tf32"), MatmulPrecision::Tf32);
    assert_eq!(precision("mnist_cnn --precision bf16"), MatmulPrecision::Bf16);
    assert_eq!(parse("mnist_cnn --data my/mnist").unwrap().data, Data::Folder("my/mnist".into()));
}

#[test]
fn nonsense_is_refused_by_name() {
    for (line, named) in [
        ("mnist_cnn --epochs 0", "--epochs"),
        ("mnist_cnn --batch-size none", "--batch-size"),
        ("mnist_cnn --device abacus", "[possible values: auto, cpu, cuda]"),
        ("mnist_cnn --data-format nhwc", "channels_last, channels_first"),
        ("mnist_cnn --sed 1", "--sed"),
    ] {
        let message = parse(line).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn help_tells_the_defaults_of_the_example() {
    let help = parse("target/mnist_cnn --help").unwrap_err().to_string();
    for words in ["Trains a network.", "Usage: mnist_cnn", "[default: 12]", "[default: 128]", "[default: MNIST_DIR"] {
        assert!(help.contains(words), "no `{words}` in\n{help}");
    }
}
