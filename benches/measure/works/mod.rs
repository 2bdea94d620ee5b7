//! The works that are timed, by the words that they are asked for with.

mod convolutions;
mod kernels;
mod models;
mod training;

/// Something to time.
pub type Work = Box<dyn FnMut()>;

/// Prepares the work that the words name, if there is such a work:
///
/// - `step cnn|mlp|dropout BATCH`, `step images BATCH IMAGE WIDTH`, `infer BATCH`: training steps, and the CNN's answers.
/// - `gemm M N K`, `sparse M N K PERCENT`: products, of many numbers that are not 0 and of few.
/// - `conv forward|dx|dw first|last N SIZE C K KERNEL STRIDE PAD`, `pooled forward|backward N SIZE C K`: convolutions.
/// - `over OP COUNT`, `overhead`: a pass over many numbers, and an op on few.
/// - `update COUNT`: an optimizer's step.
/// - `peak FLOPS`, `copy COUNT`: what the machine can do at best.
pub fn make(words: &[&str]) -> Option<Work> {
    let size = |word: &str| word.parse().expect("a size");
    let sizes = |words: &[&str]| words.iter().map(|word| size(word)).collect::<Vec<usize>>();
    Some(match *words {
        ["step", "images", ..] => {
            let [batch, image, width] = sizes(&words[2..])[..] else { return None };
            training::images_step(batch, image, width)
        }
        ["step", name, batch] => training::mnist_step(name, size(batch)),
        ["infer", batch] => training::inference(size(batch)),
        ["gemm", ..] => kernels::gemm(sizes(&words[1..]).try_into().ok()?),
        ["sparse", ..] => kernels::sparse(sizes(&words[1..]).try_into().ok()?),
        ["conv", which, format, ..] => convolutions::conv(which, format, sizes(&words[3..]).try_into().ok()?)?,
        ["pooled", which, ..] => convolutions::pooled(which, sizes(&words[2..]).try_into().ok()?)?,
        ["over", name, count] => kernels::over(name, size(count))?,
        ["update", count] => training::update(size(count)),
        ["overhead"] => kernels::overhead(),
        ["copy", count] => kernels::copy(size(count)),
        ["peak", flops] => kernels::peak(size(flops)),
        _ => return None,
    })
}
