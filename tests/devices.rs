//! Choosing a device: what is there is taken, what is not is refused in words.

use cotangent::Device;

#[test]
fn the_best_device_is_always_there() {
    let device = Device::best();
    assert!(device.describe().starts_with(&device.to_string()[..3]), "{}", device.describe());
}

#[test]
fn a_device_that_is_not_there_is_an_error_with_a_hint() {
    let error = Device::cuda(1000).expect_err("nobody has a thousand").to_string();
    assert!(error.starts_with("[cuda:1000] "), "{error}");
    assert!(error.contains("\n  hint: "), "{error}");
}
