//! What the MNIST examples share: their command line, the data, and what they show at the end.

#![allow(dead_code, unused_imports, reason = "each example takes what it has a use for")]

mod arguments;
mod mnist;
mod show;

pub use arguments::{Arguments, Data, Defaults, DeviceChoice};
pub use mnist::mnist;
pub use show::{show_curves, show_digits, tuple};

use cotangent::prelude::{DataFormat, Device, ModelCheckpoint, Result};
use cotangent::train::Fit;

/// The device that `--device` names, with products of `--precision`, and a line that says what it is.
pub fn device(arguments: &Arguments) -> Result<Device> {
    let device = match arguments.device {
        DeviceChoice::Auto => Device::best(),
        DeviceChoice::Cpu => Device::Cpu,
        DeviceChoice::Cuda => Device::cuda(0)?,
    };
    let device = device.with_precision(arguments.precision)?;
    println!("computing on {}", device.describe());
    Ok(device)
}

/// Training that writes the checkpoint `--save` and goes on from the checkpoint `--resume`.
pub fn checkpointed<'a>(fit: Fit<'a>, arguments: &Arguments) -> Fit<'a> {
    let fit = match &arguments.save {
        Some(path) => fit.callback(ModelCheckpoint::new(path)),
        None => fit,
    };
    match &arguments.resume {
        Some(path) => fit.resume(path),
        None => fit,
    }
}

/// The format that `--data-format` names.
pub fn data_format(arguments: &Arguments) -> DataFormat {
    if arguments.channels_first { DataFormat::ChannelsFirst } else { DataFormat::ChannelsLast }
}
