//! Part of Cotangent.
