//! From a run-time dtype to a Rust type.

/// `$body` with `$T` standing for the float type that `$dtype` names.
macro_rules! for_float {
    ($op:expr, $dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            cotangent_base::DType::F32 => {
                type $T = f32;
                $body
            }
            cotangent_base::DType::F64 => {
                type $T = f64;
                $body
            }
            other => panic!("[{}] is for floats, not for {other}", $op),
        }
    };
}

/// `$body` with `$T` standing for the number type that `$dtype` names; bool is none.
macro_rules! for_number {
    ($op:expr, $dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            cotangent_base::DType::U32 => {
                type $T = u32;
                $body
            }
            cotangent_base::DType::I64 => {
                type $T = i64;
                $body
            }
            cotangent_base::DType::U8 => {
                type $T = u8;
                $body
            }
            cotangent_base::DType::Bool => panic!("[{}] is for numbers, not for bool", $op),
            _ => $crate::dispatch::for_float!($op, $dtype, $T => $body),
        }
    };
}

/// `$body` with `$W` standing for the type of words that `$dtype` names, below [`by_words`](crate::buffer::by_words).
macro_rules! for_words {
    ($dtype:expr, $W:ident => $body:expr) => {
        match $dtype {
            cotangent_base::DType::U8 => {
                type $W = u8;
                $body
            }
            cotangent_base::DType::U32 => {
                type $W = u32;
                $body
            }
            cotangent_base::DType::I64 => {
                type $W = i64;
                $body
            }
            other => unreachable!("{other} is seen as words"),
        }
    };
}

/// `$body` with `$T` standing for the type that `$dtype` names.
macro_rules! for_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            cotangent_base::DType::Bool => {
                type $T = bool;
                $body
            }
            _ => $crate::dispatch::for_number!("", $dtype, $T => $body),
        }
    };
}

pub(crate) use {for_dtype, for_float, for_number, for_words};
