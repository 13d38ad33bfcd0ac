//! Tables of names: the names of activations, losses, optimizers and schedules, and how they are looked up.

use std::fmt;

use strsim::levenshtein;

use crate::error::{Error, Result};

/// The name of an activation, a loss, an optimizer or a schedule, with its aliases and its help text.
///
/// ```
/// use mfnet::layer::activation;
///
/// let tanh = activation::names().into_iter().find(|named| named.is_called("tanh")).unwrap();
/// assert_eq!((tanh.name, tanh.help), ("tanh", "Hyperbolic tangent"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// The name.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// The meaning of the number after the name and a colon, as in `leaky-relu:0.2`; `None` if the name takes no number.
    pub parameter: Option<&'static str>,
    /// One sentence without a full stop, for a help text.
    pub help: &'static str,
}

impl Named {
    pub(crate) const fn new(name: &'static str, help: &'static str) -> Self {
        Named {
            name,
            aliases: &[],
            parameter: None,
            help,
        }
    }

    /// Sets the aliases.
    pub(crate) const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Lets an optional number with this meaning follow the name.
    pub(crate) const fn with_parameter(mut self, parameter: &'static str) -> Self {
        self.parameter = Some(parameter);
        self
    }

    /// Whether `name` is the name or one of the aliases.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// The name as a user may write it, such as `leaky-relu[:slope]`.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.parameter {
            Some(parameter) => write!(f, "[:{parameter}]"),
            None => Ok(()),
        }
    }
}

/// Finds the entry that a text names; returns it with the number after the name, if there is one.
///
/// # Errors
///
/// [`Error::InvalidData`] for a name that is not in the table, with all known names and the closest one; for a number after
/// a name that takes none; and for a parameter that is not a number.
pub(crate) fn find<M: Copy>(what: &str, text: &str, table: &[(Named, M)]) -> Result<(M, Option<f64>)> {
    let fail = |problem: String| {
        let what = format_args!("{what} \"{}\"", text.escape_debug());
        Err(Error::data(what, problem))
    };
    let (name, parameter) = match text.split_once(':') {
        Some((name, parameter)) => (name, Some(parameter)),
        None => (text, None),
    };
    let Some((named, found)) = table.iter().find(|(named, _)| named.is_called(name)) else {
        let names: Vec<String> = table.iter().map(|(named, _)| named.to_string()).collect();
        let closest = match closest(name, table.iter().map(|(named, _)| named.name)) {
            Some(closest) => format!("; did you mean {closest}?"),
            None => String::new(),
        };
        return fail(format!(
            "this name is not known; known are {}{closest}",
            names.join(", ")
        ));
    };
    match (parameter, named.parameter) {
        (None, _) => Ok((*found, None)),
        (Some(_), None) => fail(format!("{} takes no number", named.name)),
        (Some(text), Some(meaning)) => match text.parse() {
            Ok(number) => Ok((*found, Some(number))),
            Err(_) => fail(format!("the {meaning} is not a number")),
        },
    }
}

/// Returns the name with the smallest Levenshtein distance, if this is at most half the length of the name.
fn closest(text: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let text: String = text.to_lowercase().chars().take(100).collect();
    let distances = names.map(|name| (levenshtein(&text, name), name));
    let near = distances.filter(|(distance, name)| distance * 2 <= name.len());
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(Named, char); 3] = [
        (Named::new("plain", "Nothing added"), 'p'),
        (Named::new("sloped", "With a slope").with_parameter("slope"), 's'),
        (Named::new("xavier", "Named twice").with_aliases(&["glorot"]), 'x'),
    ];

    #[test]
    fn names_and_numbers_are_found() {
        let find = |text| find("shape", text, &TABLE).unwrap();
        assert_eq!(find("plain"), ('p', None));
        assert_eq!(find("sloped"), ('s', None));
        assert_eq!(find("sloped:0.2"), ('s', Some(0.2)));
        assert_eq!(find("sloped:-1e-3"), ('s', Some(-1e-3)));
        assert_eq!(find("glorot"), ('x', None));
    }

    #[test]
    fn errors_list_the_known_names() {
        let message = |text| find("shape", text, &TABLE).unwrap_err().to_string();
        assert_eq!(
            message("Slope"),
            "shape \"Slope\": this name is not known; known are plain, sloped[:slope], xavier; did you mean sloped?"
        );
        assert!(message("").ends_with("known are plain, sloped[:slope], xavier"));
        assert!(message("\u{1b}[31m").starts_with("shape \"\\u{1b}[31m\""));
        assert_eq!(message("plain:1"), "shape \"plain:1\": plain takes no number");
        assert_eq!(message("sloped:"), "shape \"sloped:\": the slope is not a number");
    }
}
