//! How many floating-point operations a job is, and how many the machine can do.

use mfnet::data::Inputs;
use mfnet::internal::machine;
use mfnet::{Dataset, Element};
use ndarray::Array2;

use mfnet::internal::jobs::{Job, Work};

/// The largest share of features other than 0 at which samples count as mostly zeros, which mfnet then skips.
const MOSTLY_ZEROS: f64 = 0.4;

/// Floating-point operations per second, all threads together, in registers alone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Peak {
    pub(super) f32: f64,
    pub(super) f64: f64,
}

impl Peak {
    /// As `mfnet doctor` measures it.
    pub(super) fn measured() -> Self {
        Peak {
            f32: machine::peak_flops::<f32>(),
            f64: machine::peak_flops::<f64>(),
        }
    }

    /// The greater of two measurements: whatever disturbed one made it less.
    pub(super) fn max(self, other: Self) -> Self {
        Peak {
            f32: self.f32.max(other.f32),
            f64: self.f64.max(other.f64),
        }
    }

    /// That of a precision.
    pub(super) fn of(self, precision: &str) -> Option<f64> {
        match precision {
            "f32" => Some(self.f32),
            "f64" => Some(self.f64),
            _ => None,
        }
    }
}

/// The multiplications and additions in the matrix products of an epoch, or of an evaluation; none of a job that has no
/// products.
///
/// A layer of n inputs and k outputs takes 2 n k for each sample on the way forward, as much for the gradient of its
/// weights, and as much for the gradient of its inputs, which the first layer does not need. Where samples are mostly
/// zeros, the first layer counts only the features that are not 0.
pub(super) fn flops<T: Element>(job: &Job, data: &Dataset<T>) -> Option<f64> {
    let ways = match job.work {
        Work::Mean => return None,
        Work::Train | Work::Reach => 3.0,
        Work::Evaluate => 1.0,
    };
    let (samples, features) = (data.samples() as f64, data.features() as f64);
    let present = nonzeros(data) as f64 / samples;
    let mut inputs = if present <= MOSTLY_ZEROS * features {
        present
    } else {
        features
    };
    let mut ways_of_layer = f64::max(ways - 1.0, 1.0);
    let mut flops = 0.0;
    for &outputs in job.hidden.iter().chain([&data.outputs()]) {
        flops += 2.0 * ways_of_layer * samples * inputs * outputs as f64;
        (inputs, ways_of_layer) = (outputs as f64, ways);
    }
    Some(flops)
}

fn nonzeros<T: Element>(data: &Dataset<T>) -> usize {
    let of_values = |values: &Array2<T>| values.iter().filter(|&&value| value != T::from_f64(0.0)).count();
    match data.inputs() {
        Inputs::Values(values) => of_values(values),
        Inputs::Pixels(pixels) => pixels.iter().filter(|&&pixel| pixel != 0).count(),
        Inputs::Sparse(rows) => of_values(&rows.to_values()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mfnet::internal::jobs::{Data, JOBS};

    #[test]
    fn products_are_counted_as_by_hand() {
        let job = |work| Job {
            work,
            data: Data::DrawnClasses,
            hidden: &[3],
            ..JOBS[0]
        };
        let data = |ones: usize| {
            let inputs = Array2::from_shape_fn((2, 10), |(_, feature)| f64::from(feature < ones));
            Dataset::classification(inputs, vec![0, 1], 5).unwrap()
        };
        let dense = data(10);
        // Two samples; 10 x 3 weights, then 3 x 5.
        assert_eq!(
            flops(&job(Work::Evaluate), &dense),
            Some(2.0 * 2.0 * (30.0 + 15.0))
        );
        assert_eq!(
            flops(&job(Work::Train), &dense),
            Some(2.0 * 2.0 * (2.0 * 30.0 + 3.0 * 15.0))
        );
        let sparse = data(4);
        assert_eq!(
            flops(&job(Work::Train), &sparse),
            Some(2.0 * 2.0 * (2.0 * 12.0 + 3.0 * 15.0))
        );
        assert_eq!(
            flops(&job(Work::Train), &data(5)),
            flops(&job(Work::Train), &dense)
        );
        assert_eq!(flops(&job(Work::Mean), &dense), None);
    }
}
