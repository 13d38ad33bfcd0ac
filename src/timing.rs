//! A recorder of the tasks of a training step: it measures them on one thread, to predict the step on many.
//!
//! Code that hands out work marks it with [`phase`] and [`task`]. While nothing is recorded, a mark costs the look at a
//! flag of the current thread.

use std::cell::{Cell, RefCell};
use std::time::Instant;

/// A part of a task, in the order of the work.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Seconds of work that is not shared.
    Serial(f64),
    /// Work that is shared among threads.
    Phase(Phase),
}

/// Tasks that threads may share, and that are all done before the work goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// The name that the code gave.
    pub name: &'static str,
    /// The tasks, in the order of their start.
    pub tasks: Vec<Vec<Step>>,
}

/// The phases and tasks that have begun and not ended.
enum Open {
    Task(Vec<Step>),
    Phase(Phase),
}

/// The tasks and phases that are open, the innermost last.
struct Recorder {
    open: Vec<Open>,
    /// The end of the work that is recorded already.
    mark: Instant,
}

thread_local! {
    static RECORDS: Cell<bool> = const { Cell::new(false) };
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Runs work and returns the steps it took, as far as it ran on the current thread: call it in a pool of one thread.
///
/// Time between the tasks of a phase is not recorded: it is the cost of handing out work.
///
/// # Panics
///
/// Panics within the work of another recording.
pub fn record<R>(work: impl FnOnce() -> R) -> (R, Vec<Step>) {
    assert!(!RECORDS.get(), "a recording within another");
    let open = vec![Open::Task(Vec::new())];
    RECORDER.set(Some(Recorder {
        open,
        mark: Instant::now(),
    }));
    RECORDS.set(true);
    let result = work();
    RECORDS.set(false);
    let steps = RECORDER.take().map(|mut recorder| {
        recorder.end_serial();
        match recorder.open.pop() {
            Some(Open::Task(steps)) => steps,
            _ => Vec::new(),
        }
    });
    (result, steps.unwrap_or_default())
}

/// Runs work that consists of [tasks](task), which threads share if it is `parallel`.
#[inline]
pub(crate) fn phase<R>(name: &'static str, parallel: bool, work: impl FnOnce() -> R) -> R {
    if !parallel || !RECORDS.get() {
        return work();
    }
    with(|recorder| {
        recorder.end_serial();
        recorder.open.push(Open::Phase(Phase {
            name,
            tasks: Vec::new(),
        }));
    });
    let result = work();
    with(Recorder::end);
    result
}

/// Runs one task of a [`phase`]; outside of one, runs the work alone.
#[inline]
pub(crate) fn task<R>(work: impl FnOnce() -> R) -> R {
    if !RECORDS.get() {
        return work();
    }
    let in_phase = with(|recorder| {
        let in_phase = matches!(recorder.open.last(), Some(Open::Phase(_)));
        if in_phase {
            recorder.open.push(Open::Task(Vec::new()));
            recorder.mark = Instant::now();
        }
        in_phase
    });
    let result = work();
    if in_phase == Some(true) {
        with(Recorder::end);
    }
    result
}

/// Changes the recorder of this thread, if there is one.
#[cold]
fn with<R>(change: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    RECORDER.with_borrow_mut(|recorder| recorder.as_mut().map(change))
}

impl Recorder {
    /// Enters the time since the mark into the innermost task; not into a phase, whose time is that of its tasks.
    fn end_serial(&mut self) {
        if let Some(Open::Task(steps)) = self.open.last_mut() {
            steps.push(Step::Serial(self.mark.elapsed().as_secs_f64()));
        }
    }

    /// Ends the innermost task or phase, and enters it into what it is part of.
    fn end(&mut self) {
        self.end_serial();
        match (self.open.pop(), self.open.last_mut()) {
            (Some(Open::Task(task)), Some(Open::Phase(phase))) => phase.tasks.push(task),
            (Some(Open::Phase(phase)), Some(Open::Task(steps))) => steps.push(Step::Phase(phase)),
            _ => {}
        }
        self.mark = Instant::now();
    }
}

/// The durations of all work that is not shared, in the order of the steps, to be read or replaced.
pub fn durations(steps: &mut [Step]) -> Vec<&mut f64> {
    let mut durations = Vec::new();
    collect_durations(steps, &mut durations);
    durations
}

fn collect_durations<'a>(steps: &'a mut [Step], durations: &mut Vec<&'a mut f64>) {
    for step in steps {
        match step {
            Step::Serial(seconds) => durations.push(seconds),
            Step::Phase(phase) => {
                for task in &mut phase.tasks {
                    collect_durations(task, durations);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps without their durations.
    fn outline(steps: &[Step]) -> String {
        let step = |step: &Step| match step {
            Step::Serial(seconds) => {
                assert!(*seconds >= 0.0);
                "-".to_owned()
            }
            Step::Phase(phase) => {
                let tasks: Vec<String> = phase.tasks.iter().map(|task| outline(task)).collect();
                format!("{}({})", phase.name, tasks.join(" "))
            }
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn phases_within_tasks_are_recorded_in_order() {
        let ((), mut steps) = record(|| {
            task(|| ());
            phase("outer", true, || {
                task(|| phase("inner", true, || (0..2).for_each(|_| task(|| ()))));
                task(|| phase("alone", false, || task(|| ())));
            });
        });
        assert_eq!(outline(&steps), "-outer(-inner(- -)- -)-");
        assert_eq!(durations(&mut steps).len(), 7);
    }

    #[test]
    fn nothing_is_recorded_unless_asked_for() {
        assert_eq!(phase("outer", true, || task(|| 3)), 3);
        let ((), steps) = record(|| ());
        assert_eq!(outline(&steps), "-");
    }

    #[test]
    fn durations_are_those_of_the_work() {
        let pause = std::time::Duration::from_millis(5);
        let ((), steps) = record(|| phase("outer", true, || task(|| std::thread::sleep(pause))));
        let [Step::Serial(before), Step::Phase(phase), Step::Serial(after)] = &steps[..] else {
            panic!("{steps:?}");
        };
        let [Step::Serial(seconds)] = phase.tasks[0][..] else {
            panic!("{phase:?}");
        };
        assert!(
            seconds >= pause.as_secs_f64() && before + after < seconds,
            "{steps:?}"
        );
    }
}
