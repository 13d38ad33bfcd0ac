//! L-BFGS: minimizes a function of many numbers by its gradients, with a curvature that the last steps have shown.

use std::collections::VecDeque;

use super::line_search::{LineSearch, Next, Place};
use crate::error::Result;

/// The most evaluations of a line search.
const MOST_TRIALS: usize = 20;

/// The longest step of a line search, in directions.
const LONGEST: f64 = 1e10;

/// The factor of a step whose loss is not finite.
const RETREAT: f64 = 0.1;

/// A function: its value at a point, and its gradient there, which is written into the second argument; `None` where the work
/// was interrupted.
pub(super) type Function<'a> = dyn FnMut(&[f64], &mut [f64]) -> Result<Option<f64>> + 'a;

/// The end of an iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Iteration {
    /// At a better point, a step of this many directions away, with a value that is lower by this much.
    Moved { step: f64, fall: f64 },
    /// At the old point: no step lowers the value.
    Stuck,
    /// At the old point: the function was interrupted.
    Interrupted,
}

/// A minimization: the point, and the value and the gradient there.
#[derive(Debug)]
pub(super) struct Minimizer {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    pairs: VecDeque<Pair>,
    /// The most pairs.
    history: usize,
    iterations: usize,
    evaluations: usize,
    /// The direction of the current line search.
    direction: Vec<f64>,
    trial: Vec<f64>,
    trial_gradient: Vec<f64>,
}

/// A step s, the change y of the gradient along it, and y's.
#[derive(Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    product: f64,
}

impl Minimizer {
    /// Starts at a point; `None` if the function was interrupted.
    pub(super) fn new(point: Vec<f64>, history: usize, function: &mut Function<'_>) -> Result<Option<Self>> {
        let mut gradient = vec![0.0; point.len()];
        let Some(value) = function(&point, &mut gradient)? else {
            return Ok(None);
        };
        Ok(Some(Minimizer {
            direction: gradient.clone(),
            trial: point.clone(),
            trial_gradient: gradient.clone(),
            point,
            value,
            gradient,
            pairs: VecDeque::new(),
            history,
            iterations: 0,
            evaluations: 1,
        }))
    }

    pub(super) fn point(&self) -> &[f64] {
        &self.point
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    pub(super) fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// The largest number of the gradient, without its sign.
    pub(super) fn steepness(&self) -> f64 {
        self.gradient
            .iter()
            .fold(0.0, |most, number| f64::max(most, number.abs()))
    }

    /// Moves to a better point along the direction -H g, where H approximates the inverse of the curvature. Where that direction
    /// brings nothing, the pairs are forgotten, and the direction is the negative gradient.
    pub(super) fn iterate(&mut self, function: &mut Function<'_>) -> Result<Iteration> {
        loop {
            self.set_direction();
            match self.search(function)? {
                Iteration::Stuck if !self.pairs.is_empty() => self.pairs.clear(),
                end => return Ok(end),
            }
        }
    }

    /// The direction -H g, by the two loops over the pairs.
    ///
    /// Source: J. Nocedal, "Updating quasi-Newton matrices with limited storage", 1980.
    fn set_direction(&mut self) {
        let direction = &mut self.direction;
        for (place, number) in direction.iter_mut().zip(&self.gradient) {
            *place = -number;
        }
        let mut factors = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let factor = dot(&pair.step, direction) / pair.product;
            add(direction, -factor, &pair.change);
            factors.push(factor);
        }
        if let Some(last) = self.pairs.back() {
            let scale = last.product / dot(&last.change, &last.change);
            direction.iter_mut().for_each(|number| *number *= scale);
        }
        for (pair, factor) in self.pairs.iter().zip(factors.iter().rev()) {
            let other = dot(&pair.change, direction) / pair.product;
            add(direction, factor - other, &pair.step);
        }
    }

    /// Searches along the direction, and moves to the place found.
    fn search(&mut self, function: &mut Function<'_>) -> Result<Iteration> {
        let start = Place {
            step: 0.0,
            value: self.value,
            slope: dot(&self.gradient, &self.direction),
        };
        if start.slope >= 0.0 || start.slope.is_nan() {
            return Ok(Iteration::Stuck);
        }
        let mut step = match self.iterations {
            0 => (1.0 / dot(&self.direction, &self.direction).sqrt()).min(LONGEST),
            _ => 1.0,
        };
        let mut search = LineSearch::new(start, step, LONGEST);
        for _ in 0..MOST_TRIALS {
            if !(step > 0.0 && step.is_finite()) {
                break;
            }
            let points = self.trial.iter_mut().zip(&self.point).zip(&self.direction);
            points.for_each(|((trial, point), along)| *trial = step * along + point);
            let Some(value) = function(&self.trial, &mut self.trial_gradient)? else {
                return Ok(Iteration::Interrupted);
            };
            self.evaluations = self.evaluations.saturating_add(1);
            let slope = dot(&self.trial_gradient, &self.direction);
            if !(value.is_finite() && slope.is_finite()) {
                // Beyond the numbers: the search begins again with shorter steps.
                let longest = step / 2.0;
                step *= RETREAT;
                search = LineSearch::new(start, step, longest);
                continue;
            }
            match search.next(Place { step, value, slope }) {
                Next::Try(next) => step = next,
                Next::Take if value > start.value => break,
                Next::Take => {
                    self.move_to(step, value, start.slope, slope);
                    let fall = start.value - value;
                    return Ok(Iteration::Moved { step, fall });
                }
            }
        }
        Ok(Iteration::Stuck)
    }

    /// Moves to the trial point, `step` directions away, and remembers the pair unless the curvature along it is not above 0.
    fn move_to(&mut self, step: f64, value: f64, slope_before: f64, slope: f64) {
        let product = (slope - slope_before) * step;
        if self.history > 0 && product > f64::EPSILON * -slope_before * step {
            let mut pair = match self.pairs.len() < self.history {
                true => None,
                false => self.pairs.pop_front(),
            }
            .unwrap_or_else(|| Pair {
                step: self.direction.clone(),
                change: self.direction.clone(),
                product,
            });
            pair.product = product;
            for (place, along) in pair.step.iter_mut().zip(&self.direction) {
                *place = step * along;
            }
            let gradients = self.trial_gradient.iter().zip(&self.gradient);
            for (place, (new, old)) in pair.change.iter_mut().zip(gradients) {
                *place = new - old;
            }
            self.pairs.push_back(pair);
        }
        std::mem::swap(&mut self.point, &mut self.trial);
        std::mem::swap(&mut self.gradient, &mut self.trial_gradient);
        self.value = value;
        self.iterations = self.iterations.saturating_add(1);
    }
}

/// The sum of products, with partial sums that do not wait for each other.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    const SUMS: usize = 8;
    let mut sums = [0.0; SUMS];
    let (lefts, left_rest) = left.as_chunks::<SUMS>();
    let (rights, right_rest) = right.as_chunks::<SUMS>();
    for (left, right) in lefts.iter().zip(rights) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    let rest = left_rest.iter().zip(right_rest).map(|(left, right)| left * right);
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

/// to <- to + factor from
fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    for (place, number) in to.iter_mut().zip(from) {
        *place += factor * number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Iterates until the gradient is within a tolerance of 0; returns the minimizer.
    fn minimize(start: &[f64], tolerance: f64, function: &mut Function<'_>) -> Minimizer {
        let mut minimizer = Minimizer::new(start.to_vec(), 10, function).unwrap().unwrap();
        while minimizer.steepness() > tolerance {
            let end = minimizer.iterate(function).unwrap();
            assert!(matches!(end, Iteration::Moved { .. }), "{end:?}");
            assert!(minimizer.iterations < 200);
        }
        minimizer
    }

    /// Rosenbrock's function, whose minimum is at (1, 1). scipy's L-BFGS-B needs 47 evaluations for a gradient of 1e-9.
    #[test]
    fn a_bent_valley() {
        let mut rosenbrock = |point: &[f64], gradient: &mut [f64]| {
            let [x, y] = [point[0], point[1]];
            let (one, two) = (1.0 - x, y - x * x);
            gradient.copy_from_slice(&[-2.0 * one - 400.0 * x * two, 200.0 * two]);
            Ok(Some(one * one + 100.0 * two * two))
        };
        let minimizer = minimize(&[-1.2, 1.0], 1e-9, &mut rosenbrock);
        assert!(minimizer.point.iter().all(|number| (number - 1.0).abs() < 1e-8));
        assert!(minimizer.evaluations <= 55, "{}", minimizer.evaluations);
    }

    #[test]
    fn an_uneven_bowl_of_many_numbers() {
        let mut bowl = |point: &[f64], gradient: &mut [f64]| {
            let mut value = 0.0;
            for (index, (place, x)) in gradient.iter_mut().zip(point).enumerate() {
                let weight = 1.0 + index as f64;
                *place = weight * (x - weight);
                value += *place * (x - weight) / 2.0;
            }
            Ok(Some(value))
        };
        let minimizer = minimize(&[0.0; 37], 1e-9, &mut bowl);
        let numbers = minimizer.point.iter().enumerate();
        assert!(
            numbers
                .into_iter()
                .all(|(index, x)| (x - 1.0 - index as f64).abs() < 1e-8)
        );
    }

    /// The first step leaves the domain of the logarithm.
    #[test]
    fn steps_beyond_the_numbers_are_shortened() {
        let mut barrier = |point: &[f64], gradient: &mut [f64]| {
            let x = point[0];
            gradient[0] = 1.0 - 1e-3 / x;
            Ok(Some(x - 1e-3 * x.ln()))
        };
        let minimizer = minimize(&[0.5], 1e-5, &mut barrier);
        assert!((minimizer.point[0] - 1e-3).abs() < 1e-7);
    }

    #[test]
    fn a_search_without_success_leaves_the_point() {
        // A gradient that does not belong to the function.
        let mut odd = |point: &[f64], gradient: &mut [f64]| {
            gradient[0] = -1.0;
            Ok(Some(point[0]))
        };
        let mut minimizer = Minimizer::new(vec![2.0], 10, &mut odd).unwrap().unwrap();
        assert_eq!(minimizer.iterate(&mut odd).unwrap(), Iteration::Stuck);
        assert_eq!((minimizer.point(), minimizer.value()), (&[2.0][..], 2.0));
        let mut interrupted = |_: &[f64], _: &mut [f64]| Ok(None);
        assert_eq!(
            minimizer.iterate(&mut interrupted).unwrap(),
            Iteration::Interrupted
        );
    }
}
