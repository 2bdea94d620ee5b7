//! The transcendental functions of a [`Lane`](cotangent_base::Lane), as its implementation wants them.

/// The methods from `exp` to `powf` of an `impl Lane`, number by number.
macro_rules! functions {
    ($scalar:ty) => {
        functions!(@unary $scalar: exp exp_m1 ln ln_1p sin cos tanh sigmoid erf);
        #[inline(always)]
        fn powf(self, y: Self) -> Self {
            use $crate::simd::Vector;
            let (mut x, y) = (self.to_array(), y.to_array());
            for i in 0..Self::WIDTH {
                x[i] = cotangent_base::Lane::powf(x[i], y[i]);
            }
            // SAFETY: the array holds WIDTH numbers at every level.
            unsafe { Self::load(x.as_ptr()) }
        }
    };
    (@unary $scalar:ty: $($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            $crate::simd::Vector::each(self, <$scalar as cotangent_base::Lane>::$name)
        }
    )*};
}

/// `+ − × ÷` and negation of a lane, each from an expression over the registers.
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
