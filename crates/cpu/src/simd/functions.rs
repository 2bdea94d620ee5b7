//! The transcendental functions of a [`Lane`](cotangent_base::Lane), as its implementation wants them.
//!
//! Most are compiled once for each lane and called: inlined into every op that uses them, they would be most of the
//! library's code and of the time to compile it, to save a call for each register. Those that are as fast as memory, or
//! used once, are inlined.

/// The methods from `exp` to `gelu_slope` of an `impl Lane`, with the instructions of `$feature`: of f32 side by side, of
/// f64 number by number.
macro_rules! functions {
    ($lane:ty, f32 $(, $feature:literal)?) => {
        functions!(@all $lane, math $(, $feature)?);
        functions!(@here exp);
        functions!(@here gelu);
        functions!(@here gelu_slope);
    };
    ($lane:ty, f64 $(, $feature:literal)?) => {
        functions!(@all $lane, each $(, $feature)?);
        functions!(@one $lane, exp, each $(, $feature)?);
    };
    (@all $lane:ty, $how:ident $(, $feature:literal)?) => {
        functions!(@one $lane, exp_m1, $how $(, $feature)?);
        functions!(@one $lane, ln, $how $(, $feature)?);
        functions!(@one $lane, ln_1p, $how $(, $feature)?);
        functions!(@one $lane, sin, $how $(, $feature)?);
        functions!(@one $lane, cos, $how $(, $feature)?);
        functions!(@one $lane, tanh, $how $(, $feature)?);
        functions!(@one $lane, sigmoid, $how $(, $feature)?);
        functions!(@one $lane, erf, $how $(, $feature)?);
        functions!(@one $lane, normal_tail, $how $(, $feature)?);
        functions!(@two $lane, times_gaussian, $how $(, $feature)?);
        fn powf(self, y: Self) -> Self {
            self.each_with(y, Lane::powf)
        }
    };
    (@here $name:ident) => {
        #[inline(always)]
        fn $name(self) -> Self {
            cotangent_base::math::$name(self)
        }
    };
    (@one $lane:ty, $name:ident, $how:ident $(, $feature:literal)?) => {
        #[inline(always)]
        fn $name(self) -> Self {
            #[inline(never)]
            $(#[target_feature(enable = $feature)])?
            fn out_of_line(x: $lane) -> $lane {
                functions!(@body $how $name x)
            }
            // SAFETY: whoever has a lane of this level is on a CPU that has its instructions.
            #[allow(unused_unsafe)]
            unsafe {
                out_of_line(self)
            }
        }
    };
    (@two $lane:ty, $name:ident, $how:ident $(, $feature:literal)?) => {
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            #[inline(never)]
            $(#[target_feature(enable = $feature)])?
            fn out_of_line(x: $lane, y: $lane) -> $lane {
                functions!(@body $how $name x, y)
            }
            // SAFETY: whoever has a lane of this level is on a CPU that has its instructions.
            #[allow(unused_unsafe)]
            unsafe {
                out_of_line(self, other)
            }
        }
    };
    (@body math $name:ident $($x:ident),*) => {
        cotangent_base::math::$name($($x),*)
    };
    (@body each $name:ident $x:ident) => {
        $x.each(Lane::$name)
    };
    (@body each $name:ident $x:ident, $y:ident) => {
        $x.each_with($y, Lane::$name)
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
