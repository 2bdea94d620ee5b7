//! Exchange with PyTorch: its names and its layouts of a model's parameters.

use crate::Model;
use crate::graph::{Block, Call, Graph};
use crate::weights::Named;
use cotangent_core::{DataFormat, Error, Result, Tensor};
use cotangent_data::Safetensors;
use std::path::Path;

impl Model {
    /// Takes every parameter from a PyTorch `state_dict`, written by `safetensors.torch.save_file`. `modules` are pairs
    /// of a PyTorch module and the layer here that takes its parameters; a layer without a pair takes those of the
    /// module with its own name.
    ///
    /// ```no_run
    /// # use cotangent_core::Device;
    /// # use cotangent_nn::{Activation::Relu, Conv2d, Dense, Flatten, Layer};
    /// # use cotangent_train::{Seed, Sequential};
    /// let mut model = Sequential::new([28, 28, 1])
    ///     .add(Conv2d::new(8, (3, 3)).activation(Relu))
    ///     .add(Flatten)
    ///     .add(Dense::new(10).named("head"))
    ///     .build(&Device::best(), Seed(0))?;
    /// // safetensors.torch.save_file(net.state_dict(), "net.safetensors")
    /// model.load_torch("net.safetensors", &[("features.0", "conv2d")])?;
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    ///
    /// The layouts are converted:
    ///
    /// | layer | PyTorch | here |
    /// |---|---|---|
    /// | `Dense` | `weight` [out, in] | `kernel` [in, out] |
    /// | `Conv2d` | `weight` [K, C / groups, kh, kw] | `kernel` [kh, kw, C / groups, K] |
    /// | `BatchNorm` | `weight`, `bias`, `running_mean`, `running_var` | `gamma`, `beta`, `moving_mean`, `moving_variance` |
    ///
    /// PyTorch flattens images as C, H, W, and channels-last images are flattened here as H, W, C: the rows of a `Dense`
    /// (and the numbers of a `BatchNorm`) behind a `Flatten`, perhaps with `Dropout` or an activation between, are put in order too.
    /// `num_batches_tracked` is left out. Parameters of other layers keep their names and layouts.
    ///
    /// The numbers are then the same; what is not in the file is for the model to say: PyTorch's `BatchNorm` has
    /// ε = 1e-5, Keras's 1e-3; and channels-last models want `x.permute(&[0, 2, 3, 1])` of PyTorch's images.
    ///
    /// # Errors
    /// If the file cannot be read, `modules` names a layer that is not there, or the tensors are not the model's, with a
    /// list of all that are missing, surplus or misshapen. The model is as it was then.
    pub fn load_torch(&mut self, path: impl AsRef<Path>, modules: &[(&str, &str)]) -> Result<()> {
        let path = path.as_ref();
        let slots = self.torch_slots(modules)?;
        let file = Safetensors::read(path)?;
        let mut found = Named::new();
        for (name, tensor) in file.tensors().filter(|(name, _)| !name.ends_with("num_batches_tracked")) {
            match slots.iter().find(|slot| slot.theirs == name) {
                Some(slot) => found.insert(slot.ours.clone(), slot.layout.taken_from_torch(tensor)),
                None => found.insert(name.to_owned(), tensor.clone()),
            };
        }
        self.take(path, found)
    }

    /// Writes every parameter under PyTorch's names and in its layouts: the opposite of
    /// [`load_torch`](Model::load_torch). In PyTorch, `net.load_state_dict(safetensors.torch.load_file(path))` takes it.
    ///
    /// # Errors
    /// If `modules` names a layer that is not there, or the file cannot be written.
    pub fn save_torch(&self, path: impl AsRef<Path>, modules: &[(&str, &str)]) -> Result<()> {
        let mut file = Safetensors::new();
        for (slot, (_, param)) in self.torch_slots(modules)?.into_iter().zip(self.params()) {
            file.insert(slot.theirs, slot.layout.to_torch(&param.value.detach()));
        }
        file.write(path)
    }

    /// For each parameter, its name and layout in PyTorch, in the order of the parameters.
    fn torch_slots(&self, modules: &[(&str, &str)]) -> Result<Vec<Slot>> {
        let (mut slots, mut layers) = (Vec::new(), Vec::new());
        self.graph.torch_slots("", modules, &mut slots, &mut layers);
        match modules.iter().find(|(_, layer)| !layers.iter().any(|name| name == layer)) {
            Some((_, layer)) => Err(Error::new(
                "modules",
                format!("no layer with parameters is called '{layer}'; there are {layers:?}"),
            )),
            None => Ok(slots),
        }
    }
}

impl Graph {
    /// Adds the parameters, and the paths of the layers that have any; `within` is the path of this graph.
    fn torch_slots(&self, within: &str, modules: &[(&str, &str)], slots: &mut Vec<Slot>, layers: &mut Vec<String>) {
        for (i, entry) in self.layers.iter().enumerate() {
            let path = format!("{within}{}", entry.name);
            if let Block::Model(model) = &entry.block {
                model.graph.torch_slots(&format!("{path}/"), modules, slots, layers);
                continue;
            }
            let pair = modules.iter().find(|(_, layer)| *layer == path);
            let module = pair.map_or_else(|| path.replace('/', "."), |(module, _)| (*module).to_owned());
            for (param, _) in entry.block.params() {
                let (name, layout) = self.torch_param(i, &param);
                slots.push(Slot { ours: format!("{path}/{param}"), theirs: format!("{module}.{name}"), layout });
            }
            if !entry.block.params().is_empty() {
                layers.push(path);
            }
        }
    }

    /// PyTorch's name and layout for the parameter `name` of layer `layer`.
    fn torch_param<'a>(&self, layer: usize, name: &'a str) -> (&'a str, Layout) {
        let rows = || self.flattened(layer);
        match (self.layers[layer].block.kind(), name) {
            ("Conv2d", "kernel") => ("weight", Layout::Filters),
            ("Dense", "kernel") => ("weight", Layout::Matrix(rows())),
            ("BatchNorm", "gamma") => ("weight", Layout::Vector(rows())),
            ("BatchNorm", "beta") => ("bias", Layout::Vector(rows())),
            ("BatchNorm", "moving_mean") => ("running_mean", Layout::Vector(rows())),
            ("BatchNorm", "moving_variance") => ("running_var", Layout::Vector(rows())),
            (_, name) => (name, Layout::Same),
        }
    }

    /// The sizes H, W, C of the images whose elements, flattened in that order, this layer takes; `None` if it takes
    /// something else, or elements in PyTorch's order.
    fn flattened(&self, layer: usize) -> Option<[usize; 3]> {
        let mut value = self.calls.iter().find(|call| call.layer == layer)?.inputs[0];
        while let Some((call, _)) = self.source(value) {
            match self.layers[call.layer].block.kind() {
                "Flatten" => return self.flattens(call),
                // no number changes its place
                "Dropout" | "BatchNorm" | "Activation" => value = call.inputs[0],
                _ => return None,
            }
        }
        None
    }

    /// The same for what a `Flatten` gives.
    fn flattens(&self, call: &Call) -> Option<[usize; 3]> {
        let format = match self.image_format(call) {
            Some(format) => format,
            // as the images come
            None if self.format_of(call.inputs[0]) == DataFormat::ChannelsFirst => return None,
            None => DataFormat::ChannelsLast,
        };
        let image = self.shape(call.inputs[0]);
        let [_, h, w, c] = (image.rank() == 3).then(|| format.nhwc(&image.inserted(0, 1)))?;
        Some([h, w, c])
    }

    /// The format of the images in a value, as the last layer before it says that knows one.
    fn format_of(&self, mut value: usize) -> DataFormat {
        while let Some((call, _)) = self.source(value) {
            if let Some(format) = self.image_format(call) {
                return format;
            }
            value = call.inputs[0];
        }
        DataFormat::default()
    }

    /// The format of the images that a call takes, if its layer says one.
    fn image_format(&self, call: &Call) -> Option<DataFormat> {
        match &self.layers[call.layer].block {
            Block::Layer(layer) => layer.image_format(),
            _ => None,
        }
    }
}

/// A parameter here and there.
struct Slot {
    ours: String,
    theirs: String,
    layout: Layout,
}

/// How a parameter's axes lie, and how those of an image `[H, W, C]` do whose flattened elements it has one axis for.
enum Layout {
    Same,
    Filters,
    Matrix(Option<[usize; 3]>),
    Vector(Option<[usize; 3]>),
}

impl Layout {
    /// A tensor of PyTorch's as it lies here. One with the wrong number of axes or elements stays: it will be refused.
    fn taken_from_torch(&self, x: &Tensor) -> Tensor {
        match (self, x.rank()) {
            (Layout::Filters, 4) => x.permute(&[2, 3, 1, 0]),
            (Layout::Matrix(image), 2) => rows_from_torch(&x.transpose(0, 1), *image),
            (Layout::Vector(image), 1) => rows_from_torch(x, *image),
            _ => x.clone(),
        }
    }

    /// A parameter as it lies in PyTorch.
    fn to_torch(&self, x: &Tensor) -> Tensor {
        match self {
            Layout::Same => x.clone(),
            Layout::Filters => x.permute(&[3, 2, 0, 1]),
            Layout::Matrix(image) => rows_to_torch(x, *image).transpose(0, 1),
            Layout::Vector(image) => rows_to_torch(x, *image),
        }
    }
}

/// The first axis, the elements of an image in the order C, H, W, put in the order H, W, C.
fn rows_from_torch(x: &Tensor, image: Option<[usize; 3]>) -> Tensor {
    match image {
        Some([h, w, c]) if x.shape()[0] == h * w * c => {
            x.reshape([c, h, w, x.count() / (h * w * c)]).permute(&[1, 2, 0, 3]).reshape(x.shape())
        }
        _ => x.clone(),
    }
}

/// The first axis, the elements of an image in the order H, W, C, put in the order C, H, W.
fn rows_to_torch(x: &Tensor, image: Option<[usize; 3]>) -> Tensor {
    match image {
        Some([h, w, c]) => x.reshape([h, w, c, x.count() / (h * w * c)]).permute(&[2, 0, 1, 3]).reshape(x.shape()),
        None => x.clone(),
    }
}
