//! Functions of a regression's targets: the network learns their values, and predictions are taken back.

use std::fmt;

use ndarray::Array2;

use super::dataset::Targets;
use super::raw::Origin;
use super::schema::Schema;
use crate::element::Element;
use crate::error::{Error, Position, Result};

/// The function of a regression's targets that the network learns; normalisation comes after it. Predictions are transformed
/// back, and metrics are in the units of the target; losses are those of the transformed targets.
///
/// A logarithm suits targets that are spread over orders of magnitude, such as prices: the network then learns relative errors.
///
/// ```
/// use mfnet::Dataset;
/// use mfnet::data::{Preparation, RawSamples, Schema, TargetTransform};
/// use ndarray::array;
///
/// let data = Dataset::regression(array![[1.0], [2.0]], array![[1.0], [100.0]])?;
/// let preparation = Preparation { target_transform: TargetTransform::Log, ..Preparation::default() };
/// let fitted = Schema::of(&data).fit(RawSamples::from(data), &preparation)?;
/// // The middle of the scale is the geometric mean.
/// let middle = fitted.schema.unscale(array![[0.0]])?;
/// assert!((middle[[0, 0]] - 10.0_f64).abs() < 1e-9);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum TargetTransform {
    /// The targets as they are.
    #[default]
    None,
    /// ln y, for targets above 0; back by e^z, which is infinite where z is too large, as for features that are far from those of
    /// the training samples.
    Log,
    /// ln(1 + y), for targets of at least 0, such as counts; back by e^z - 1. Predictions are above -1, and may be slightly below
    /// 0 where targets are 0 or close to it: they are not clipped, so that errors and their mean stay as they are. Infinite where
    /// z is too large.
    Log1p,
}

impl TargetTransform {
    /// The transformed value of a target.
    pub(super) fn apply<T: Element>(self, target: T) -> T {
        match self {
            TargetTransform::None => target,
            TargetTransform::Log => T::from_f64(target.as_f64().ln()),
            TargetTransform::Log1p => T::from_f64(target.as_f64().ln_1p()),
        }
    }

    /// The target of which this is the transformed value.
    pub(super) fn invert<T: Element>(self, value: T) -> T {
        match self {
            TargetTransform::None => value,
            TargetTransform::Log => T::from_f64(value.as_f64().exp()),
            TargetTransform::Log1p => T::from_f64(value.as_f64().exp_m1()),
        }
    }

    /// Transforms all targets.
    pub(super) fn apply_all<T: Element>(self, targets: Array2<T>) -> Array2<T> {
        match self {
            TargetTransform::None => targets,
            _ => targets.mapv_into(|target| self.apply(target)),
        }
    }

    /// Takes all values back.
    pub(super) fn invert_all<T: Element>(self, values: Array2<T>) -> Array2<T> {
        match self {
            TargetTransform::None => values,
            _ => values.mapv_into(|value| self.invert(value)),
        }
    }

    /// Whether the function is defined for a target.
    fn accepts(self, target: f64) -> bool {
        match self {
            TargetTransform::None => true,
            TargetTransform::Log => target > 0.0,
            TargetTransform::Log1p => target >= 0.0,
        }
    }

    /// The targets for which the function is defined, with a remedy for others.
    fn domain(self) -> &'static str {
        match self {
            TargetTransform::None => "",
            TargetTransform::Log => {
                "above 0 (log1p takes 0 too); leave the row out, or train without the transform"
            }
            TargetTransform::Log1p => "of at least 0; leave the row out, or train without the transform",
        }
    }

    /// Whether the targets stay as they are.
    #[cfg(feature = "save")]
    pub(super) fn is_none(&self) -> bool {
        *self == TargetTransform::None
    }
}

impl fmt::Display for TargetTransform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TargetTransform::None => "none",
            TargetTransform::Log => "log",
            TargetTransform::Log1p => "log1p",
        })
    }
}

impl<T: Element> Schema<T> {
    /// Refuses targets for which the transform is not defined, with their line in the table that they are from.
    pub(super) fn check_targets(&self, targets: &Targets<T>, origin: Option<&Origin>) -> Result<()> {
        let transform = self.target_transform;
        let (Targets::Values(values), false) = (targets, transform == TargetTransform::None) else {
            return Ok(());
        };
        let refused = values
            .indexed_iter()
            .find(|(_, value)| !transform.accepts(value.as_f64()));
        let Some(((row, target), value)) = refused else {
            return Ok(());
        };
        let name = match self.target_names.get(target) {
            Some(name) => format!("target `{name}`"),
            None => format!("target {target}"),
        };
        let problem = format!(
            "{value}; the transform {transform} takes targets {}",
            transform.domain()
        );
        Err(match origin {
            Some(origin) => {
                let position = Position::Line(origin.lines[row]);
                Error::file(&origin.path, position, format_args!("{name} is {problem}"))
            }
            None => Error::data(format_args!("row {row}, {name}"), format_args!("it is {problem}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::table_of;
    use crate::data::{Columns, Dataset, Preparation, RawSamples};
    use ndarray::array;

    fn with(target_transform: TargetTransform) -> Preparation {
        Preparation {
            target_transform,
            ..Preparation::default()
        }
    }

    fn raw(targets: Array2<f64>) -> Dataset<f64> {
        Dataset::regression(
            Array2::from_shape_fn(targets.dim(), |(row, _)| row as f64),
            targets,
        )
        .unwrap()
    }

    #[test]
    fn targets_are_transformed_before_they_are_scaled() {
        let data = raw(array![[1.0], [std::f64::consts::E.powi(2)]]);
        let fit = |preparation| {
            Schema::of(&data)
                .fit(RawSamples::from(data.clone()), &preparation)
                .unwrap()
        };
        let close = |found: &Array2<f64>, expected: Array2<f64>| {
            let errors = (found - &expected) / &expected;
            assert!(
                errors.iter().all(|error| error.abs() < 1e-14),
                "{found} is not {expected}"
            );
        };
        let fitted = fit(with(TargetTransform::Log));
        close(&fitted.train.values().unwrap().to_owned(), array![[-1.0], [1.0]]);
        close(
            &fitted.schema.unscale(array![[0.0], [2.0]]).unwrap(),
            array![[1.0_f64.exp()], [3.0_f64.exp()]],
        );
        let unscaled = fit(Preparation {
            normalize: false,
            ..with(TargetTransform::Log1p)
        });
        let values = unscaled.train.values().unwrap().to_owned();
        close(
            &values,
            array![[2.0_f64.ln()], [(1.0 + std::f64::consts::E.powi(2)).ln()]],
        );
        close(
            &unscaled.schema.unscale(values).unwrap(),
            array![[1.0], [std::f64::consts::E.powi(2)]],
        );
    }

    #[test]
    fn targets_without_a_logarithm_are_refused_with_their_row() {
        let file = "a,y\n1,2\n3,0\n4,-1.5\n5,2.5\n";
        let table = table_of(file);
        let message = |transform, rows: &[usize]| {
            let examples = table.examples::<f64>(&Columns::default()).unwrap();
            let rows = examples.samples.select(rows).unwrap();
            examples
                .schema
                .fit(rows, &with(transform))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message(TargetTransform::Log, &[0, 1, 3]),
            "t.csv: line 3: target `y` is 0; the transform log takes targets above 0 (log1p takes 0 too); leave the row out, or \
             train without the transform"
        );
        assert!(message(TargetTransform::Log1p, &[0, 1, 2, 3]).contains("line 4: target `y` is -1.5"));
        let data = raw(array![[1.0], [2.0]]);
        let schema = Schema::of(&data)
            .fit(RawSamples::from(data), &with(TargetTransform::Log))
            .unwrap()
            .schema;
        let error = schema.scale(raw(array![[1.0], [0.0]])).unwrap_err().to_string();
        assert!(
            error.starts_with("row 1, target 0: it is 0; the transform log"),
            "{error}"
        );
        let classes = Dataset::<f64>::classification(array![[1.0], [2.0]], vec![0, 1], 2).unwrap();
        let error = Schema::of(&classes).fit(RawSamples::from(classes), &with(TargetTransform::Log));
        assert!(error.unwrap_err().to_string().contains("left out with classes"));
    }
}
