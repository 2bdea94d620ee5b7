//! Keras's names for layers.

use std::collections::HashMap;

/// Gives layers the names that Keras gives them: `conv2d`, `conv2d_1`, `max_pool2d`, …
#[derive(Default)]
pub(super) struct Names(HashMap<String, usize>);

impl Names {
    /// The name of a layer of this kind: its own, if it was given one.
    pub fn name(&mut self, kind: &str, own: Option<&str>) -> String {
        if let Some(name) = own {
            return name.to_owned();
        }
        let stem = snake_case(kind);
        let count = self.0.entry(stem.clone()).or_default();
        *count += 1;
        if *count == 1 { stem } else { format!("{stem}_{}", *count - 1) }
    }
}

/// `MaxPool2d` → `max_pool2d`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn layers_are_named_as_keras_names_them() {
        let names = ["Dense", "Conv2d", "MaxPool2d", "BatchNorm"].map(snake_case);
        assert_eq!(names, ["dense", "conv2d", "max_pool2d", "batch_norm"]);
    }
}
