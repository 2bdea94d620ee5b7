//! Numbers as PTX writes them.

/// A number: an integer, or the bits of a float that is written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    Integer(u64),
    Single(u32),
    Double(u64),
}

impl Literal {
    /// Reads `42`, `0x2A`, `052`, `0b101010`, each with an optional `U`, `0f3F800000`, `0d3FF0000000000000` or `1.5`.
    pub fn parse(text: &str) -> Option<Literal> {
        let lower = text.to_ascii_lowercase();
        if let Some(bits) = lower.strip_prefix("0f") {
            return u32::from_str_radix(bits, 16).ok().map(Literal::Single);
        }
        if let Some(bits) = lower.strip_prefix("0d") {
            return u64::from_str_radix(bits, 16).ok().map(Literal::Double);
        }
        let digits = lower.strip_suffix('u').unwrap_or(&lower);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let radix = |prefix, radix| digits.strip_prefix(prefix).map(|rest: &str| u64::from_str_radix(rest, radix).ok());
        let integer = match (radix("0x", 16), radix("0b", 2)) {
            (Some(hexadecimal), _) => hexadecimal,
            (_, Some(binary)) => binary,
            _ if digits.len() > 1 && digits.starts_with('0') => u64::from_str_radix(digits, 8).ok(),
            _ => digits.parse().ok(),
        };
        integer.map(Literal::Integer).or_else(|| digits.parse::<f64>().ok().map(|x| Literal::Double(x.to_bits())))
    }

    /// The same number with the other sign.
    pub fn negated(self) -> Literal {
        match self {
            Literal::Integer(x) => Literal::Integer(x.wrapping_neg()),
            Literal::Single(bits) => Literal::Single(bits ^ 1 << 31),
            Literal::Double(bits) => Literal::Double(bits ^ 1 << 63),
        }
    }

    /// The bits in an operand that is an `f64` (`double`) or anything else.
    pub fn bits(self, double: bool) -> u64 {
        match self {
            Literal::Single(bits) if double => f64::from(f32::from_bits(bits)).to_bits(),
            Literal::Double(bits) if !double => u64::from((f64::from_bits(bits) as f32).to_bits()),
            Literal::Integer(bits) | Literal::Double(bits) => bits,
            Literal::Single(bits) => bits.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_read() {
        for text in ["42", "0x2A", "0x2aU", "052", "0b101010", "42U"] {
            assert_eq!(Literal::parse(text), Some(Literal::Integer(42)), "{text}");
        }
        assert_eq!(Literal::parse("0f3FC00000"), Some(Literal::Single(1.5f32.to_bits())));
        assert_eq!(Literal::parse("0d3FF8000000000000"), Some(Literal::Double(1.5f64.to_bits())));
        assert_eq!(Literal::parse("1.5"), Some(Literal::Double(1.5f64.to_bits())));
        assert_eq!(Literal::parse("18446744073709551615"), Some(Literal::Integer(u64::MAX)));
        assert_eq!(Literal::parse("%r1"), None);
        assert_eq!(Literal::parse("x"), None);
    }

    #[test]
    fn bits_fit_the_operand() {
        assert_eq!(Literal::parse("0f3FC00000").unwrap().bits(true), 1.5f64.to_bits());
        assert_eq!(Literal::parse("0d3FF8000000000000").unwrap().bits(false), u64::from(1.5f32.to_bits()));
        assert_eq!(Literal::parse("1").unwrap().negated().bits(false), u64::MAX);
        assert_eq!(Literal::parse("0f3FC00000").unwrap().negated().bits(false), u64::from((-1.5f32).to_bits()));
    }
}
