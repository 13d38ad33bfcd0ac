//! A table's columns matched with those that a model was trained on.

use std::collections::HashMap;

use super::answers::known_answers;
use super::by_rows::by_rows;
use super::columns::{delimiter_hint, enumerated, listed, nearest};
use super::dataset::{Dataset, Inputs, Targets};
use super::examples::{missing_target, read_numbers};
use super::features::{Features, Use, read_features};
use super::infer::whole;
use super::raw::RawSamples;
use super::read::shorten;
use super::schema::{Schema, Task};
use super::table::{Cell, Table, truth_value};
use crate::element::Element;
use crate::error::Result;

impl Table {
    /// The inputs of a model, whose schema was kept, from a table with or without targets: missing values are imputed, and
    /// categories are the numbers of their texts in the schema, as `Model::predict` takes them.
    ///
    /// If both have names, a feature is the column of its name: the order is free, and other columns are left out.
    /// Else columns go by their place: the table has the features alone, or all columns that the model's table had.
    ///
    /// # Shapes
    ///
    /// rows x the schema's features
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`](crate::Error::InvalidData) for a table without the model's features;
    /// [`Error::InvalidFile`](crate::Error::InvalidFile), with line and column, as [`Table::examples`], for a missing value if
    /// the model imputes none, and for a category that it does not know, unless it ignores those.
    pub fn inputs_for<T: Element>(&self, schema: &Schema<T>) -> Result<Inputs<T>> {
        let columns = feature_columns(self, schema)?;
        let (values, texts) = self.features_for(schema, &columns)?;
        // Targets that nobody reads.
        let targets = Targets::Values(ndarray::Array2::zeros((self.rows(), 1)));
        schema.complete_inputs(self.samples(values, texts, targets, columns))
    }

    /// The samples, targets included, for a model whose schema was kept, completed as by [`Table::inputs_for`]:
    /// [`Schema::scale`] makes them ready for the network.
    ///
    /// # Errors
    ///
    /// As [`Table::inputs_for`], and for a table without rows or targets, or with a class that the model never saw.
    ///
    /// ```
    /// use mfnet::data::{Columns, read::{CsvOptions, read_csv_from}};
    ///
    /// let table = |file: &str| read_csv_from("trees.csv", file.as_bytes(), &CsvOptions::default());
    /// let schema = table("height,kind\n12.5,oak\n9,birch\n")?.examples::<f32>(&Columns::default())?.schema;
    /// assert_eq!(table("kind,height\noak,8\n")?.samples_for(&schema)?.samples(), 1);
    /// let error = table("kind,height\nelm,8\n")?.samples_for(&schema).unwrap_err().to_string();
    /// assert!(error.ends_with("the class \"elm\" was not there in training, which knew birch, oak"));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn samples_for<T: Element>(&self, schema: &Schema<T>) -> Result<Dataset<T>> {
        schema.complete(self.raw_samples_for(schema)?)
    }

    /// The raw samples of a table whose columns are those of a schema that may not be fitted yet, such as those to test with:
    /// [`Schema::apply`] makes data of them when it is.
    ///
    /// # Errors
    ///
    /// As [`Table::samples_for`], but for missing values and categories.
    pub fn raw_samples_for<T: Element>(&self, schema: &Schema<T>) -> Result<RawSamples<T>> {
        let columns = target_columns(self, schema)?;
        let features = feature_columns(self, schema)?;
        let (values, texts) = self.features_for(schema, &features)?;
        let targets = match (schema.task, columns.as_slice()) {
            (Task::Classification, &[column]) => Targets::Classes {
                labels: labels(self, column, schema)?,
                classes: schema.outputs,
            },
            (Task::Binary, columns) => {
                let missing = schema.missing.as_deref();
                Targets::Values(known_answers(self, columns, &schema.answers, missing)?)
            }
            _ => Targets::Values(read_numbers(self, &columns, schema.missing.as_deref())?.0),
        };
        Ok(self.samples(values, texts, targets, features))
    }

    fn features_for<T: Element>(
        &self,
        schema: &Schema<T>,
        columns: &[usize],
    ) -> Result<(ndarray::Array2<T>, Vec<Vec<String>>)> {
        let use_of = |feature: usize| match schema.is_categorical(feature) {
            true => Use::Categories,
            false => Use::Numbers,
        };
        let uses: Vec<Use> = (0..columns.len()).map(use_of).collect();
        match read_features(self, columns, &uses, schema.missing.as_deref()) {
            Ok(Features { values, texts, .. }) => Ok((values, texts)),
            Err(problems) => Err(self.refuse_columns(problems)),
        }
    }
}

fn feature_columns<T: Element>(table: &Table, schema: &Schema<T>) -> Result<Vec<usize>> {
    if !table.names().is_empty() && !schema.feature_names.is_empty() {
        return by_name(table, &schema.feature_names, "feature");
    }
    let width = table.width();
    if width == schema.features {
        Ok((0..width).collect())
    } else if width == schema.layout.width {
        Ok(schema.layout.features.clone())
    } else {
        Err(table.refuse_all(format_args!(
            "the file has {width} columns, and the model was trained on {} features (in a file of {} columns): it is \
             a file for another model{}",
            schema.features,
            schema.layout.width,
            delimiter_hint(table)
        )))
    }
}

fn target_columns<T: Element>(table: &Table, schema: &Schema<T>) -> Result<Vec<usize>> {
    if !table.names().is_empty() && !schema.target_names.is_empty() {
        return by_name(table, &schema.target_names, "target");
    }
    if table.width() == schema.layout.width {
        return Ok(schema.layout.targets.clone());
    }
    Err(table.refuse_all(format_args!(
        "the file has {} columns, and to compare with the truth it takes {}, the targets among them",
        table.width(),
        schema.layout.width
    )))
}

/// The columns of these names.
fn by_name(table: &Table, names: &[String], what: &str) -> Result<Vec<usize>> {
    let columns: HashMap<&str, usize> = table.names().iter().map(String::as_str).zip(0..).collect();
    let find = |name: &String| {
        columns.get(name.as_str()).copied().ok_or_else(|| {
            let near = nearest(table.names(), name);
            let near = near.map_or(String::new(), |near| format!(" (is it `{near}`?)"));
            table.refuse_all(format_args!(
                "the model's {what} `{name}` is not there{near}: the table has {}",
                listed(table)
            ))
        })
    };
    names.iter().map(find).collect()
}

/// The labels of a column of classes whose names are known.
fn labels<T: Element>(table: &Table, column: usize, schema: &Schema<T>) -> Result<Vec<u32>> {
    let names = &schema.labels;
    let known: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    let truth = truth_labels(names);
    let label = |row| {
        let text = table.text(row, column);
        let number = match table.cell_by(row, column, schema.missing.as_deref()) {
            Cell::Missing => return Err(missing_target(table, row, column)),
            Cell::Number(number) => whole(number).map(|number| number.to_string()),
            Cell::Text(_) => None,
        };
        // Whole numbers may be written as "1" here and as "1.0" there.
        let found = known.get(text).or_else(|| known.get(number.as_deref()?)).copied();
        let of_truth = || Some(truth?[usize::from(truth_of(number.as_deref().unwrap_or(text))?)]);
        found.or_else(of_truth).ok_or_else(|| {
            table.refuse(
                row,
                column,
                format_args!(
                    "the class {:?} was not there in training, which knew {}",
                    shorten(text),
                    enumerated(names)
                ),
            )
        })
    };
    let labels = by_rows(table.rows(), 1, |rows| {
        rows.map(label).collect::<Result<Vec<u32>>>()
    });
    Ok(labels.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// The labels of false and true where the classes are these two, by whatever names: `False` and `True`, or 0 and 1.
pub(super) fn truth_labels(names: &[String]) -> Option<[u32; 2]> {
    let [first, second] = names else { return None };
    match (truth_of(first)?, truth_of(second)?) {
        (false, true) => Some([0, 1]),
        (true, false) => Some([1, 0]),
        _ => None,
    }
}

/// Whether a text stands for true (or 1) or for false (or 0), if it does for either.
fn truth_of(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => truth_value(text).map(|number| number == 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::{CsvOptions, read_csv_from};
    use crate::data::{Columns, Imputation, Preparation};
    use ndarray::array;

    fn table(content: &str) -> Table {
        read_csv_from("t.csv", content.as_bytes(), &CsvOptions::default()).unwrap()
    }

    fn schema(content: &str, columns: &Columns) -> Schema<f64> {
        table(content).examples(columns).unwrap().schema
    }

    fn inputs(content: &str, schema: &Schema<f64>) -> Result<ndarray::Array2<f64>> {
        match table(content).inputs_for(schema)? {
            Inputs::Values(values) => Ok(values),
            _ => panic!("a table has numbers"),
        }
    }

    #[test]
    fn named_columns_may_stand_anywhere() {
        let schema = schema("a,b,y\n1,2,0.5\n3,4,0.6\n", &Columns::default());
        let expected = array![[1.0, 2.0]];
        assert_eq!(
            inputs("b,a\n2,1\n", &schema).unwrap(),
            expected,
            "without a target"
        );
        assert_eq!(inputs("y,b,more,a\nx,2,text,1\n", &schema).unwrap(), expected);
        let found = table("y,b,a\n7,2,1\n").samples_for(&schema).unwrap();
        assert_eq!(
            found,
            Dataset::regression(expected.clone(), array![[7.0]]).unwrap()
        );
        assert_eq!(
            inputs("1,2\n", &schema).unwrap(),
            expected,
            "names on one side only"
        );

        let error = inputs("A,c\n1,2\n", &schema).unwrap_err().to_string();
        assert_eq!(
            error,
            "t.csv: the model's feature `a` is not there (is it `A`?): the table has the columns A, c"
        );
        let error = table("b,a\n2,1\n").samples_for(&schema).unwrap_err().to_string();
        assert!(error.contains("the model's target `y` is not there"), "{error}");
    }

    #[test]
    fn columns_without_names_keep_their_places() {
        let columns = Columns {
            targets: vec!["1".into()],
            ignore: vec!["0".into()],
            ..Columns::default()
        };
        let schema = schema("9,0.5,1,2\n9,0.6,3,4\n", &columns);
        assert_eq!(inputs("9,0.5,1,2\n", &schema).unwrap(), array![[1.0, 2.0]]);
        assert_eq!(inputs("1,2\n", &schema).unwrap(), array![[1.0, 2.0]]);
        let error = inputs("1,2,3\n", &schema).unwrap_err().to_string();
        assert!(
            error.contains("3 columns") && error.contains("2 features"),
            "{error}"
        );
        assert_eq!(
            table("9,0.5,1,2\n").samples_for(&schema).unwrap().targets(),
            &Targets::Values(array![[0.5]])
        );
        let error = table("1,2\n").samples_for(&schema).unwrap_err().to_string();
        assert!(error.contains("it takes 4"), "{error}");
    }

    #[test]
    fn classes_are_known_by_name_or_value() {
        let schema = schema("a,y\n1,10\n2,2\n3,10\n4,2\n", &Columns::default());
        let labels = |content: &str| match table(content).samples_for(&schema)?.targets() {
            Targets::Classes { labels, classes: 2 } => Ok(labels.clone()),
            other => panic!("{other:?}"),
        };
        let labels = |content| -> Result<Vec<u32>> { labels(content) };
        assert_eq!(labels("a,y\n1,2.0\n2,10\n").unwrap(), [0, 1]);
        let error = labels("a,y\n1,2\n2,3\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "t.csv: line 3, column 2: column `y`: the class \"3\" was not there in training, which knew 2, 10"
        );
        assert!(
            labels("a,y\n1,?\n2,2\n")
                .unwrap_err()
                .to_string()
                .contains("missing")
        );
    }

    #[test]
    fn truth_values_and_0_and_1_are_the_same_classes() {
        let labels = |training: &str, content: &str| -> Result<Vec<u32>> {
            match table(content)
                .samples_for(&schema(training, &Columns::default()))?
                .targets()
            {
                Targets::Classes { labels, .. } => Ok(labels.clone()),
                other => panic!("{other:?}"),
            }
        };
        let (words, digits) = ("a,y\n1,True\n2,False\n", "a,y\n1,1\n2,0\n");
        for training in [words, digits, "a,y\n1,true\n2,FALSE\n"] {
            for content in [words, digits, "a,y\n1,1.0\n2,0.0\n", "a,y\n1,TRUE\n2,false\n"] {
                assert_eq!(labels(training, content).unwrap(), [1, 0], "{training} {content}");
            }
        }
        let error = labels("a,y\n1,0\n2,1\n3,2\n4,2\n5,1\n6,0\n", words).unwrap_err();
        assert!(
            error.to_string().contains("\"True\" was not there in training"),
            "{error}"
        );
        let error = labels(words, "a,y\n1,2\n2,0\n").unwrap_err();
        assert!(
            error.to_string().contains("\"2\" was not there in training"),
            "{error}"
        );
    }

    #[test]
    fn training_means_stand_in() {
        let table = table("a,b,y\n1,2,0.5\n3,?,0.6\n");
        let examples = table.examples::<f64>(&Columns::default()).unwrap();
        let impute = Preparation {
            imputation: Some(Imputation::Mean),
            ..Preparation::default()
        };
        let filled = examples.schema.fit(examples.samples, &impute).unwrap().schema;
        assert_eq!(
            inputs("a,b\n,7\n5,\n", &filled).unwrap(),
            array![[2.0, 7.0], [5.0, 2.0]]
        );
        let strict = schema("a,b,y\n1,2,0.5\n3,4,0.6\n", &Columns::default());
        let error = inputs("a,b\n1,\n5,6\n", &strict).unwrap_err().to_string();
        assert!(
            error.contains("t.csv: line 2, column 2: column `b`: the value is missing"),
            "{error}"
        );
    }

    #[test]
    fn categories_and_spellings_are_those_of_the_training() {
        let options = CsvOptions {
            missing: Some(vec!["-".into()]),
            ..CsvOptions::default()
        };
        let content = "a,b,y\nred,2,0.5\nnone,3,1\nred,1,2\nnone,1,2\n";
        let table = read_csv_from("t.csv", content.as_bytes(), &options).unwrap();
        let schema = table.examples::<f64>(&Columns::default()).unwrap().schema;
        assert_eq!(
            inputs("b,a\n7,red\n8,none\n", &schema).unwrap(),
            array![[1.0, 7.0], [0.0, 8.0]]
        );
        let error = inputs("b,a\n7,red\n8,green\n", &schema).unwrap_err().to_string();
        assert_eq!(
            error,
            "t.csv: line 3, column 2: column `a`: the category \"green\" was not there in training, which knew none, \
             red; --unknown ignore trains a model that takes any"
        );
    }
}
