//! The line search of Moré and Thuente: a step that lowers a function enough, and its slope.

/// The part of the fall along the first slope that a step must bring.
const LEAST_FALL: f64 = 1e-3;

/// The part of the first slope that the slope behind a step may keep.
const MOST_SLOPE: f64 = 0.9;

/// The length of the bracket, as a part of its upper end, at which a search ends.
const LEAST_BRACKET: f64 = 0.1;

/// A place on the line: its distance from the start, and the function's value and slope there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) step: f64,
    pub(super) value: f64,
    pub(super) slope: f64,
}

/// The next demand of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// The value and the slope behind this step.
    Try(f64),
    /// Nothing more: the last step is the result.
    Take,
}

/// A search for a step with f(step) <= f(0) + 1e-3 step f'(0) and |f'(step)| <= 0.9 |f'(0)|, the strong Wolfe conditions.
///
/// Source: J. Moré and D. Thuente, "Line search algorithms with guaranteed sufficient decrease", 1994, with the constants
/// that scipy's L-BFGS-B has.
#[derive(Debug)]
pub(super) struct LineSearch {
    start: Place,
    /// The best place so far: one end of the bracket.
    best: Place,
    /// The other end of the bracket.
    other: Place,
    is_bracketed: bool,
    /// Whether no place has brought enough and had a slope of at least 0: the search then works on the function without the fall
    /// that is asked for.
    is_first_stage: bool,
    /// The widths of the last two brackets.
    widths: [f64; 2],
    /// The limits of the next step.
    limits: [f64; 2],
    longest: f64,
}

impl LineSearch {
    /// Starts a search with a first step, which must be above 0 and at most `longest`; the slope of the start is below 0.
    pub(super) fn new(start: Place, first: f64, longest: f64) -> Self {
        LineSearch {
            start,
            best: start,
            other: start,
            is_bracketed: false,
            is_first_stage: true,
            widths: [longest, 2.0 * longest],
            limits: [0.0, 5.0 * first],
            longest,
        }
    }

    /// Takes the value and the slope behind the step that was tried last.
    pub(super) fn next(&mut self, place: Place) -> Next {
        let fall = LEAST_FALL * self.start.slope;
        let enough = self.start.value + place.step * fall;
        if self.is_first_stage && place.value <= enough && place.slope >= 0.0 {
            self.is_first_stage = false;
        }
        let [least, most] = self.limits;
        let is_narrow = most - least <= LEAST_BRACKET * most;
        let is_stuck = self.is_bracketed && (place.step <= least || place.step >= most || is_narrow);
        let is_longest = place.step >= self.longest && place.value <= enough && place.slope <= fall;
        let is_found = place.value <= enough && place.slope.abs() <= MOST_SLOPE * -self.start.slope;
        if is_stuck || is_longest || is_found {
            return Next::Take;
        }
        let next = if self.is_first_stage && place.value <= self.best.value && place.value > enough {
            let tilt = |place: Place, fall: f64| Place {
                value: place.value - place.step * fall,
                slope: place.slope - fall,
                ..place
            };
            (self.best, self.other) = (tilt(self.best, fall), tilt(self.other, fall));
            let next = self.shorten(tilt(place, fall));
            (self.best, self.other) = (tilt(self.best, -fall), tilt(self.other, -fall));
            next
        } else {
            self.shorten(place)
        };
        Next::Try(self.within_limits(next))
    }

    /// Sets the limits of the next step, and returns it within them.
    fn within_limits(&mut self, mut next: f64) -> f64 {
        let (best, other) = (self.best.step, self.other.step);
        if self.is_bracketed {
            if (other - best).abs() >= 0.66 * self.widths[1] {
                next = best + 0.5 * (other - best);
            }
            self.widths = [(other - best).abs(), self.widths[0]];
            self.limits = [best.min(other), best.max(other)];
        } else {
            self.limits = [next + 1.1 * (next - best), next + 4.0 * (next - best)];
        }
        next = next.clamp(0.0, self.longest);
        let [least, most] = self.limits;
        let is_narrow = most - least <= LEAST_BRACKET * most;
        if self.is_bracketed && (next <= least || next >= most || is_narrow) {
            return best;
        }
        next
    }

    /// Takes a place into the bracket, and returns the next step: the minimum of a cubic or a quadratic through the places.
    fn shorten(&mut self, place: Place) -> f64 {
        let best = self.best;
        let Place { step, value, slope } = place;
        let along = best.step - step;
        let has_turned = (slope < 0.0 && best.slope > 0.0) || (slope > 0.0 && best.slope < 0.0);
        let secant = step + slope / (slope - best.slope) * along;
        let next;
        if value > best.value {
            let cubic = cubic_minimum(best, place, false).0;
            let quadratic =
                best.step - best.slope / ((best.value - value) / -along + best.slope) / 2.0 * along;
            next = if (cubic - best.step).abs() <= (quadratic - best.step).abs() {
                cubic
            } else {
                cubic + (quadratic - cubic) / 2.0
            };
            self.is_bracketed = true;
        } else if has_turned {
            let cubic = cubic_minimum(place, best, false).0;
            let is_farther = (cubic - step).abs() > (secant - step).abs();
            next = if is_farther { cubic } else { secant };
            self.is_bracketed = true;
        } else if slope.abs() < best.slope.abs() {
            let [least, most] = self.limits;
            let cubic = match cubic_minimum(place, best, true) {
                (cubic, true) => cubic,
                _ if step > best.step => most,
                _ => least,
            };
            let is_nearer = (cubic - step).abs() < (secant - step).abs();
            next = match (self.is_bracketed, is_nearer) {
                (true, true) => inside(cubic, best.step, self.other.step, step),
                (true, false) => inside(secant, best.step, self.other.step, step),
                (false, _) if (cubic - step).abs() > (secant - step).abs() => cubic.max(least).min(most),
                (false, _) => secant.max(least).min(most),
            };
        } else if self.is_bracketed {
            next = cubic_minimum(place, self.other, false).0;
        } else {
            let [least, most] = self.limits;
            next = if step > best.step { most } else { least };
        }
        if value > best.value {
            self.other = place;
        } else {
            if has_turned {
                self.other = best;
            }
            self.best = place;
        }
        next
    }
}

/// Keeps a step on the near two thirds of the way from `step` to `other`.
fn inside(next: f64, best: f64, other: f64, step: f64) -> f64 {
    let limit = step + 0.66 * (other - step);
    if step > best {
        next.min(limit)
    } else {
        next.max(limit)
    }
}

/// The step to the minimum of the cubic with the values and slopes of two places, and whether the cubic has one on the side of
/// `from` that is away from `to`; that is asked only with `extrapolates`.
fn cubic_minimum(from: Place, to: Place, extrapolates: bool) -> (f64, bool) {
    let length = to.step - from.step;
    let theta = 3.0 * (from.value - to.value) / length + from.slope + to.slope;
    let scale = theta.abs().max(from.slope.abs()).max(to.slope.abs());
    let square = (theta / scale).powi(2) - from.slope / scale * (to.slope / scale);
    let square = if extrapolates { square.max(0.0) } else { square };
    let root = scale * square.sqrt();
    let gamma = if length < 0.0 { -root } else { root };
    let above = (gamma - from.slope) + theta;
    let below = match extrapolates {
        true => (gamma + (to.slope - from.slope)) + gamma,
        false => ((gamma - from.slope) + gamma) + to.slope,
    };
    let ratio = above / below;
    (from.step + ratio * length, ratio < 0.0 && gamma != 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches along a function with this value and slope; returns the step and the number of evaluations.
    fn search(of: impl Fn(f64) -> (f64, f64), first: f64) -> (f64, usize) {
        let at = |step| {
            let (value, slope) = of(step);
            Place { step, value, slope }
        };
        let mut search = LineSearch::new(at(0.0), first, 1e10);
        let (mut step, mut count) = (first, 1);
        while let Next::Try(next) = search.next(at(step)) {
            (step, count) = (next, count + 1);
            assert!(count < 50, "{search:?}");
        }
        (step, count)
    }

    fn is_wolfe(of: impl Fn(f64) -> (f64, f64), step: f64) -> bool {
        let ((value, slope), (start, first)) = (of(step), of(0.0));
        value <= start + LEAST_FALL * step * first && slope.abs() <= MOST_SLOPE * first.abs()
    }

    /// The first test function of Moré and Thuente, with a wide valley, and two with narrower ones.
    #[test]
    fn steps_meet_the_wolfe_conditions_from_any_start() {
        let functions: [fn(f64) -> (f64, f64); 3] = [
            |x| (-x / (x * x + 2.0), (x * x - 2.0) / (x * x + 2.0).powi(2)),
            |x| ((x - 3.0).powi(2), 2.0 * (x - 3.0)),
            |x| (x.exp() - 5.0 * x, x.exp() - 5.0),
        ];
        for of in functions {
            for first in [1e-3, 0.1, 1.0, 10.0, 40.0] {
                let (step, _) = search(of, first);
                assert!(is_wolfe(of, step), "{first}: {step}");
            }
        }
    }

    #[test]
    fn a_good_first_step_is_taken() {
        assert_eq!(search(|x| ((x - 1.0).powi(2), 2.0 * (x - 1.0)), 1.0), (1.0, 1));
    }
}
