//! The exported functions, by what they are about.

/// Exports functions of the driver: each body is an [`Answer`](crate::answer::Answer).
macro_rules! exports {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $ty:ty),* $(,)?) $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// Every pointer is null or points to what the driver's manual says.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case, clippy::too_many_arguments)]
        pub unsafe extern "C" fn $name($($argument: $ty),*) -> $crate::answer::CUresult {
            $crate::answer::answer(|| $body)
        }
    )*};
}

mod context;
mod device;
mod graph;
mod launch;
mod memory;
mod module;
mod own;
mod stream;
