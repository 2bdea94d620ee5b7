//! The samples that `fit` and `evaluate` are given: checked once, handed out by batch.

use crate::{Model, Tensors};
use cotangent_core::{DType, Device, Error, Result, Shape, Spec, Tensor};
use cotangent_data::checksum;

/// About how many samples are looked at to tell them from others.
const CHECKED: usize = 256;

/// Inputs and targets, one sample for each index of their first axis.
#[derive(Clone)]
pub(crate) struct Samples {
    pub x: Vec<Tensor>,
    pub y: Vec<Tensor>,
    /// How much each sample counts, `[N]`; all the same if there are none.
    pub weights: Option<Tensor>,
    pub count: usize,
}

/// Some of the samples.
pub(crate) struct Batch {
    pub x: Vec<Tensor>,
    pub y: Vec<Tensor>,
    pub weights: Option<Tensor>,
}

impl Batch {
    /// The batch on `device`.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        let move_all = |list: &[Tensor]| list.iter().map(|x| x.to_device(device)).collect::<Result<Vec<_>>>();
        let weights = self.weights.as_ref().map(|weights| weights.to_device(device)).transpose()?;
        Ok(Self { x: move_all(&self.x)?, y: move_all(&self.y)?, weights })
    }
}

impl Samples {
    /// Checks `x` and `y` against the model and its losses.
    pub fn new(place: &'static str, model: &Model, x: &Tensors, y: &Tensors) -> Result<Self> {
        let count = check_inputs(place, model, x)?;
        check_number(place, "y", "outputs", y, model.graph.outputs.len())?;
        let objectives = &model.compiled(place)?.objectives;
        for (i, ((y, objective), (name, shape))) in y.list().iter().zip(objectives).zip(model.outputs()).enumerate() {
            let what = describe("y", i, &name, objectives.len());
            let targets = y.shape().first().copied();
            if targets != Some(count) {
                let (x, targets) = (x.list()[0].shape(), targets.unwrap_or(0));
                let message = format!("x {x} has {count} samples, {what} {} has {targets}", y.shape());
                return Err(Error::new(place, message).hint("the first axes of x and y must be equal"));
            }
            let predicted = Spec::new(shape.inserted(0, count), DType::F32);
            let metrics = objective.metrics.iter().map(|metric| metric.check(y, predicted));
            let suits = std::iter::once(objective.loss.check(y, predicted)).chain(metrics).collect::<Result<()>>();
            suits.map_err(|e| Error::new(place, format!("{what} does not suit the model")).because(e))?;
        }
        let detached = |list: &Tensors| list.list().iter().map(Tensor::detach).collect();
        Ok(Self { x: detached(x), y: detached(y), weights: None, count })
    }

    /// These samples with weights, `[N]`, times those they have.
    pub fn weighted(self, place: &'static str, weights: &Tensor) -> Result<Self> {
        if *weights.shape() != [self.count] {
            let message = format!("{} samples, weights {}", self.count, weights.shape());
            return Err(Error::new(place, message).hint("one weight for each sample, [N]"));
        }
        let weights = weights.detach().cast(DType::F64);
        Ok(Self { weights: Some(self.weights.map_or(weights.clone(), |known| known * weights)), ..self })
    }

    /// All but the last `part` of the samples, and those.
    pub fn split(self, place: &'static str, part: f64) -> Result<(Self, Self)> {
        let first = (self.count as f64 * (1.0 - part)).floor() as usize;
        if !(part > 0.0 && part < 1.0) || first == 0 || first == self.count {
            let message = format!("validation_split {part} of {} samples", self.count);
            return Err(Error::new(place, message).hint("a part between 0 and 1 that leaves samples on both sides"));
        }
        let of = |start: usize, count: usize| {
            let Batch { x, y, weights } = self.range(start, count);
            Self { x, y, weights, count }
        };
        Ok((of(0, first), of(first, self.count - first)))
    }

    /// A number that other samples hardly ever have: the checksum of some of them, evenly spread, with their targets and
    /// weights.
    pub fn checksum(&self) -> Result<u32> {
        let some: Vec<usize> = (0..self.count).step_by(self.count.div_ceil(CHECKED).max(1)).collect();
        let Batch { x, y, weights } = self.select(&some)?;
        Ok(checksum(x.iter().chain(&y).chain(&weights)))
    }

    /// All samples on `device`.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        let Batch { x, y, weights } = self.range(0, self.count).to_device(device)?;
        Ok(Self { x, y, weights, count: self.count })
    }

    /// The samples that `index`, on their device, names.
    pub fn at(&self, index: &Tensor) -> Batch {
        self.part(|x| x.index_select(0, index))
    }

    /// The samples `index`, in that order.
    pub fn select(&self, index: &[usize]) -> Result<Batch> {
        let index = Tensor::from_vec(index.iter().map(|&i| i as i64).collect());
        Ok(self.at(&index.to_device(&self.x[0].device())?))
    }

    /// The samples from `start` on, `len` of them.
    pub fn range(&self, start: usize, len: usize) -> Batch {
        self.part(|x| x.narrow(0, start, len))
    }

    fn part(&self, of: impl Fn(&Tensor) -> Tensor) -> Batch {
        let [x, y] = [&self.x, &self.y].map(|list| list.iter().map(&of).collect());
        Batch { x, y, weights: self.weights.as_ref().map(of) }
    }
}

/// The weight of each sample by its class, for class numbers `[N]` or `[N, 1]`, or one-hot `[N, C]`. Classes that are not
/// named count once.
pub(crate) fn class_weights(place: &'static str, y: &[Tensor], weights: &[(usize, f64)]) -> Result<Tensor> {
    let refuse = |message| Err(Error::new(place, message).hint("give `sample_weight`, a number for each sample"));
    let [y] = y else { return refuse(format!("class_weight for {} outputs", y.len())) };
    let classes = match *y.shape() {
        [_] | [_, 1] => y.cast(DType::I64).flatten(0),
        [_, _] => y.cast(DType::F64).argmax(1),
        _ => return refuse(format!("class_weight for targets {}", y.shape())),
    };
    let weight = |class: &i64| weights.iter().find(|(c, _)| *c as i64 == *class).map_or(1.0, |(_, weight)| *weight);
    Ok(Tensor::from_vec(classes.to_vec::<i64>().iter().map(weight).collect()))
}

/// The number of samples in `x`, if there is a tensor for each of the model's inputs, each sample has its shape, and
/// all have as many.
pub(crate) fn check_inputs(place: &'static str, model: &Model, x: &Tensors) -> Result<usize> {
    check_number(place, "x", "inputs", x, model.graph.inputs.len())?;
    let mut count = None;
    for (i, (x, (name, wanted))) in x.list().iter().zip(model.inputs()).enumerate() {
        let what = describe("x", i, name, model.graph.inputs.len());
        let samples = check_input(place, &what, x.shape(), wanted)?;
        let first = *count.get_or_insert(samples);
        if samples != first {
            let message = format!("x[0] has {first} samples, {what} has {samples}");
            return Err(Error::new(place, message).hint("the first axes of all inputs must be equal"));
        }
    }
    Ok(count.unwrap_or(0))
}

fn check_input(place: &'static str, what: &str, shape: Shape, wanted: Shape) -> Result<usize> {
    if shape.rank() == wanted.rank() + 1 && shape[1..] == *wanted {
        return Ok(shape[0]);
    }
    let message = format!("{what} has shape {shape}, the model wants {}", wanted.of_batch());
    let fits = !shape.is_empty() && shape[1..].iter().product::<usize>() == wanted.count();
    let hint = if fits {
        format!("the sizes fit: reshape it with `x.reshape({})`", wanted.inserted(0, shape[0]))
    } else {
        "each sample must have the shape given to `Sequential::new` or `Input::new`".to_owned()
    };
    Err(Error::new(place, message).hint(hint))
}

/// Fails unless there is a tensor for each input or output; also what `train_step` asks.
pub(crate) fn check_number(place: &str, what: &str, of: &str, list: &Tensors, wanted: usize) -> Result<()> {
    let given = list.list().len();
    if given == wanted {
        return Ok(());
    }
    let tensors = if given == 1 { "one tensor".to_owned() } else { format!("a list of {given}") };
    let message = format!("{what} is {tensors}, the model has {wanted} {of}");
    Err(Error::new(place, message).hint("pass `&a`, or `[&a, &b]` for several, in the model's order"))
}

/// `y`, or ``y[1] (`odd`)`` if there are several.
fn describe(list: &str, i: usize, name: &str, count: usize) -> String {
    if count == 1 { list.to_owned() } else { format!("{list}[{i}] (`{name}`)") }
}

/// The first NaN of a batch, as (row, element within the row).
pub(crate) fn first_nan(x: &Tensor) -> Option<(usize, usize)> {
    let values = x.cast(DType::F64).to_vec::<f64>();
    let at = values.iter().position(|v| v.is_nan())?;
    let row = x.count() / x.shape()[0];
    Some((at / row, at % row))
}
