//! Lists of columns on the command line, such as `--target height,"girth, in m"`.

use std::str::FromStr;

use csv::ReaderBuilder;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The columns of one argument: separated by commas, and in quotes, as in a CSV file, where a name has a comma itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnList(Vec<String>);

impl FromStr for ColumnList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut names = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            names.extend(record.iter().map(str::to_owned));
        }
        match names.is_empty() {
            true => Err("it must be names of columns, or their positions".to_owned()),
            false => Ok(ColumnList(names)),
        }
    }
}

/// The name of one column, as a list of columns has it: in quotes if it has a comma.
pub(crate) fn one_column(text: &str) -> Result<String, String> {
    let ColumnList(mut names) = text.parse()?;
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        _ => Err("it must be one column; a name with a comma stands in quotes: '\"a,b\"'".to_owned()),
    }
}

/// The columns of all arguments.
pub(crate) fn names_of(lists: &[ColumnList]) -> Vec<String> {
    lists.iter().flat_map(|list| list.0.iter().cloned()).collect()
}

/// The columns as `config.toml` has them: one list.
pub(crate) fn serialize<S: Serializer>(lists: &[ColumnList], serializer: S) -> Result<S::Ok, S::Error> {
    names_of(lists).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ColumnList>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(match names.is_empty() {
        true => Vec::new(),
        false => vec![ColumnList(names)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_are_quoted() {
        let names = |text: &str| names_of(&[text.parse().unwrap()]);
        assert_eq!(names("a,b c,-1"), ["a", "b c", "-1"]);
        assert_eq!(names("\"a,b\",c"), ["a,b", "c"]);
        assert_eq!(names("\"a \"\"b\"\", c\""), ["a \"b\", c"]);
        assert_eq!(names("5\" pipe"), ["5\" pipe"]);
        assert!("".parse::<ColumnList>().is_err());
        assert_eq!(one_column("\"a,b\""), Ok("a,b".to_owned()));
        assert_eq!(one_column("-1"), Ok("-1".to_owned()));
        assert!(one_column("a,b").unwrap_err().contains("in quotes"));
    }
}
