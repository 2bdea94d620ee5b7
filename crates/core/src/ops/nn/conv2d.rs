//! Convolution of images: `y[n, p, k] = b[k] + Σ x[n, p·stride + tap·dilation − before, c] · w[tap, c, k]`
//! (a cross-correlation, as in every deep-learning library). `dx` and `dw` are the ops of
//! [`conv2d_vjp`](super::conv2d_vjp), `db = Σ dy` over all but the channel. Saves `x`, `w`.

use super::apply_to;
use super::conv2d_vjp::{Conv2dDw, Conv2dDx};
use super::rectified::Rectify;
use crate::autograd::{Op, Saved, apply, is_tracking};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Axes, ConvGeometry, DataFormat, Saves, ShapeError, WindowSpec};

/// What a convolution is besides its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dSpec {
    /// Kernel size, stride, padding, dilation.
    pub window: WindowSpec,
    /// How many blocks the channels fall into; block g of y sees block g of x alone.
    pub groups: usize,
    /// Which axis of x and y is the channel.
    pub format: DataFormat,
}

impl Conv2dSpec {
    /// One group, channels last.
    pub fn new(window: WindowSpec) -> Self {
        Self { window, groups: 1, format: DataFormat::ChannelsLast }
    }

    /// The geometry over `x` and `w`, or why they do not fit.
    pub fn geometry(&self, x: Spec, w: Spec) -> Result<ConvGeometry, ShapeError> {
        check::same_dtype("conv2d", x, w)?;
        check::float("conv2d", x)?;
        check::rank("conv2d", "x", x, 4)?;
        check::rank("conv2d", "w", w, 4)?;
        let fail = |message| Err(ShapeError::new("conv2d", message));
        let [batch, height, width, channels] = self.format.nhwc(&x.shape);
        let [kernel, wants, filters] = [&w.shape[..2], &w.shape[2..3], &w.shape[3..]];
        let (wants, filters, groups) = (wants[0], filters[0], self.groups);
        if kernel != self.window.kernel {
            return fail(format!("w {} has a {kernel:?} kernel, the window {:?}", w.shape, self.window.kernel));
        }
        if groups == 0 || channels % groups != 0 || filters % groups != 0 {
            return fail(format!("{groups} groups do not divide {channels} channels and {filters} filters"));
        }
        if channels / groups != wants {
            let per_group = if groups > 1 { format!(" in each of {groups} groups") } else { String::new() };
            let (x, w, has) = (x.shape, w.shape, channels / groups);
            return fail(format!("in-channels differ: x {x} has C={has}{per_group}, w {w} wants {wants}"));
        }
        let window = self.window.over("conv2d", [height, width])?;
        Ok(ConvGeometry { batch, channels, filters, groups, window, format: self.format })
    }

    /// Every axis but the channel.
    pub(super) fn pixels(&self) -> Axes {
        self.format.pixels()
    }

    fn compute(&self, x: &Tensor, w: &Tensor, b: Option<&Tensor>, relu: bool) -> Tensor {
        let geometry = self.geometry(x.spec(), w.spec()).expect("infer has checked");
        kernels::conv2d(x, w, b, relu, &geometry)
    }

    pub(super) fn cotangents(&self, x: &Tensor, w: &Tensor, dy: &Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let geometry = self.geometry(x.spec(), w.spec()).expect("forward has checked");
        let spec = *self;
        [
            need[0].then(|| apply(Conv2dDx { spec, geometry }, [dy, w])),
            need[1].then(|| apply(Conv2dDw { spec, geometry }, [x, dy])),
        ]
    }
}

/// The convolution: operands x and w, or x, w and a bias.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d(pub Conv2dSpec);

impl Op<2> for Conv2d {
    const NAME: &'static str = "conv2d";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x, w]: [Spec; 2]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: self.0.geometry(x, w)?.y_shape(), ..x })
    }

    fn forward(&self, [x, w]: [&Tensor; 2], _: Spec) -> (Tensor, ()) {
        (self.0.compute(x, w, None, false), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [x, w] = saved.x();
        self.0.cotangents(x, w, &dy, need)
    }
}

impl Op<3> for Conv2d {
    const NAME: &'static str = "conv2d";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x, w, b]: [Spec; 3]) -> Result<Spec, ShapeError> {
        let y = Op::<2>::infer(self, [x, w])?;
        check::bias("conv2d", b, w)?;
        Ok(y)
    }

    fn forward(&self, [x, w, b]: [&Tensor; 3], _: Spec) -> (Tensor, ()) {
        (self.0.compute(x, w, Some(b), false), ())
    }

    fn vjp(&self, saved: Saved<3, ()>, dy: Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let [x, w, _] = saved.x();
        let [dx, dw] = self.0.cotangents(x, w, &dy, [need[0], need[1]]);
        [dx, dw, need[2].then(|| dy.sum(self.0.pixels()))]
    }
}

impl Rectify<2> for Conv2d {
    const RECTIFIED: &'static str = "conv2d_relu";

    fn rectified(&self, [x, w]: [&Tensor; 2], _: Spec) -> (Tensor, ()) {
        (self.0.compute(x, w, None, true), ())
    }
}

impl Rectify<3> for Conv2d {
    const RECTIFIED: &'static str = "conv2d_relu";

    fn rectified(&self, [x, w, b]: [&Tensor; 3], _: Spec) -> (Tensor, ()) {
        (self.0.compute(x, w, Some(b), true), ())
    }

    fn fused_vjp(&self, saved: &Saved<3, ()>, dy: &Tensor, need: [bool; 3]) -> Option<[Option<Tensor>; 3]> {
        let [x, w, _] = saved.x();
        if is_tracking() || need != [false, true, true] {
            return None;
        }
        let geometry = self.0.geometry(x.spec(), w.spec()).expect("forward has checked");
        kernels::conv2d_relu_dw(x, [saved.y(), dy], &geometry).map(|[dw, db]| [None, Some(dw), Some(db)])
    }
}

impl Tensor {
    /// The 2-D convolution with weights w `[kh, kw, C / groups, K]` and bias b `[K]`: x `[N, H, W, C]` to y
    /// `[N, H′, W′, K]`, or the channel after N if `spec.format` says so.
    ///
    /// ```
    /// # use cotangent_core::{Conv2dSpec, Tensor, WindowSpec};
    /// let x = Tensor::ones([1, 4, 4, 3]);
    /// let w = Tensor::ones([3, 3, 3, 8]);
    /// let y = x.conv2d(&w, None, &Conv2dSpec::new(WindowSpec::new([3, 3])));
    /// assert_eq!(y.dims(), [1, 2, 2, 8]);
    /// assert_eq!(y.to_vec::<f32>()[0], 27.0);
    /// ```
    ///
    /// # Panics
    /// If the shapes or dtypes do not fit, or the window does not fit into the image.
    #[track_caller]
    pub fn conv2d(&self, w: &Tensor, b: Option<&Tensor>, spec: &Conv2dSpec) -> Tensor {
        apply_to(Conv2d(*spec), self, w, b)
    }
}
