//! The transcendental functions of a [`Lane`](cotangent_base::Lane), as its implementation wants them.

/// The methods from `exp` to `powf` of an `impl Lane`: of f32 side by side, of f64 number by number.
macro_rules! functions {
    (f32) => {
        functions!(@one cotangent_base::math; exp exp_m1 ln ln_1p sin cos tanh sigmoid erf);
        functions!(@powf);
    };
    (f64) => {
        functions!(@each exp exp_m1 ln ln_1p sin cos tanh sigmoid erf);
        functions!(@powf);
    };
    (@one $from:path; $($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            use $from as from;
            from::$name(self)
        }
    )*};
    (@each $($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            self.each(Lane::$name)
        }
    )*};
    (@powf) => {
        #[inline(always)]
        fn powf(self, y: Self) -> Self {
            let (mut x, y) = (self.to_array(), y.to_array());
            for i in 0..Self::WIDTH {
                x[i] = Lane::powf(x[i], y[i]);
            }
            // SAFETY: the array holds WIDTH numbers at every level.
            unsafe { Self::load(x.as_ptr()) }
        }
    };
}

/// `+ − × ÷` of a lane, each from an expression over the registers.
macro_rules! operators {
    ($lane:ty, $new:path, |$a:ident, $b:ident| $($trait:ident $method:ident $e:expr;)*) => {$(
        impl std::ops::$trait for $lane {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                let ($a, $b) = (self.0, other.0);
                $new($e)
            }
        }
    )*};
}
