//! The types and state spaces of PTX.

/// An operand type. Untyped bits (`.b32`) count as unsigned integers of their width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Type {
    Pred,
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    S64,
    F16,
    BF16,
    F16x2,
    BF16x2,
    TF32,
    F32,
    F64,
}

impl Type {
    /// The type that a modifier such as `f32` or `b64` names.
    pub fn named(name: &str) -> Option<Type> {
        Some(match name {
            "pred" => Type::Pred,
            "b8" | "u8" => Type::U8,
            "s8" => Type::S8,
            "b16" | "u16" => Type::U16,
            "s16" => Type::S16,
            "b32" | "u32" => Type::U32,
            "s32" => Type::S32,
            "b64" | "u64" => Type::U64,
            "s64" => Type::S64,
            "f16" => Type::F16,
            "bf16" => Type::BF16,
            "f16x2" => Type::F16x2,
            "bf16x2" => Type::BF16x2,
            "tf32" => Type::TF32,
            "f32" => Type::F32,
            "f64" => Type::F64,
            _ => return None,
        })
    }

    /// Bytes in memory.
    pub fn size(self) -> usize {
        match self {
            Type::Pred | Type::U8 | Type::S8 => 1,
            Type::U16 | Type::S16 | Type::F16 | Type::BF16 => 2,
            Type::U64 | Type::S64 | Type::F64 => 8,
            _ => 4,
        }
    }

    /// The register file that holds it.
    pub fn class(self) -> Class {
        match self.size() {
            _ if self == Type::Pred => Class::Predicate,
            8 => Class::Wide,
            _ => Class::Word,
        }
    }

    /// Whether it is an integer with a sign.
    pub fn is_signed(self) -> bool {
        matches!(self, Type::S8 | Type::S16 | Type::S32 | Type::S64)
    }

    /// Whether it is a number with a fraction, packed ones included.
    pub fn is_float(self) -> bool {
        use Type::*;
        matches!(self, F16 | BF16 | F16x2 | BF16x2 | TF32 | F32 | F64)
    }

    /// The integer of twice the width, of the same sign: what `mul.wide` makes.
    pub fn widened(self) -> Type {
        match self {
            Type::U16 => Type::U32,
            Type::S16 => Type::S32,
            Type::S32 => Type::S64,
            _ => Type::U64,
        }
    }
}

/// A register file: one bit, 32 bits (16-bit and 8-bit values lie in the low part) or 64 bits for each lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Class {
    Predicate,
    Word,
    Wide,
}

/// Where an access goes. Constant memory is global memory that the host fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Space {
    Param,
    Global,
    Shared,
    Local,
    Generic,
}

impl Space {
    /// The space that an instruction's modifiers name; without one it is generic.
    pub fn of(parts: &[&str]) -> Space {
        let named = parts.iter().find_map(|part| match *part {
            "global" | "const" => Some(Space::Global),
            "shared" | "shared::cta" => Some(Space::Shared),
            "local" => Some(Space::Local),
            "param" => Some(Space::Param),
            _ => None,
        });
        named.unwrap_or(Space::Generic)
    }
}

/// Added to a shared-memory offset to make it a generic address.
pub const SHARED_WINDOW: u64 = 1 << 60;
/// Added to a local-memory offset to make it a generic address.
pub const LOCAL_WINDOW: u64 = 1 << 61;
