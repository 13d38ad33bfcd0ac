//! A simulation of threads that share the tasks of a training step.

use std::collections::VecDeque;

use mfnet::internal::timing::{Phase, Step};

/// The costs of a phase besides its tasks, in seconds.
pub(super) struct Costs<'a> {
    /// Handing out work to so many threads and waiting for them.
    pub(super) fork_join: &'a dyn Fn(usize) -> f64,
    /// The least duration of a phase, whatever the number of threads: that of its memory traffic.
    pub(super) least: &'a dyn Fn(&Phase) -> f64,
}

/// The duration of these steps on so many threads.
///
/// A free thread takes the first task that nobody has begun; tasks of an inner phase go before others. The thread that
/// ends the last task of a phase goes on with the work behind the phase, after the cost of waiting for all.
pub(super) fn makespan(steps: &[Step], threads: usize, costs: &Costs<'_>) -> f64 {
    let root = Running {
        steps,
        parent: None,
        phase: None,
    };
    let mut simulation = Simulation {
        threads,
        costs,
        now: 0.0,
        running: vec![root],
        waiting: VecDeque::from([0]),
        busy: Vec::new(),
    };
    simulation.run();
    simulation.now
}

/// A task that has been handed out.
struct Running<'a> {
    /// The steps that it has not begun.
    steps: &'a [Step],
    /// The task whose phase it is part of.
    parent: Option<usize>,
    /// The phase that it waits for.
    phase: Option<Pending<'a>>,
}

/// A phase that is not done.
struct Pending<'a> {
    phase: &'a Phase,
    start: f64,
    /// The number of tasks that are not done.
    tasks: usize,
}

struct Simulation<'a> {
    threads: usize,
    costs: &'a Costs<'a>,
    now: f64,
    /// All tasks so far; others name them by index.
    running: Vec<Running<'a>>,
    /// Tasks that no thread has begun.
    waiting: VecDeque<usize>,
    /// For each busy thread, the time when it ends a step, and the task of that step.
    busy: Vec<(f64, usize)>,
}

impl Simulation<'_> {
    fn run(&mut self) {
        loop {
            while self.busy.len() < self.threads
                && let Some(task) = self.waiting.pop_front()
            {
                self.advance(task);
            }
            let ends = self.busy.iter().enumerate();
            let Some((first, &(end, task))) = ends.min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0)) else {
                return;
            };
            self.busy.remove(first);
            self.now = end;
            self.advance(task);
        }
    }

    /// Begins the next step of a task on a free thread.
    fn advance(&mut self, task: usize) {
        let now = self.now;
        let Some((step, rest)) = self.running[task].steps.split_first() else {
            return self.end(task);
        };
        self.running[task].steps = rest;
        match step {
            Step::Serial(seconds) => self.busy.push((now + seconds, task)),
            Step::Phase(phase) if phase.tasks.is_empty() => self.advance(task),
            Step::Phase(phase) => {
                self.running[task].phase = Some(Pending {
                    phase,
                    start: now,
                    tasks: phase.tasks.len(),
                });
                let first = self.running.len();
                self.running.extend(phase.tasks.iter().map(|steps| Running {
                    steps,
                    parent: Some(task),
                    phase: None,
                }));
                for child in (first..self.running.len()).rev() {
                    self.waiting.push_front(child);
                }
            }
        }
    }

    /// Ends a task and, if it is the last of its phase, goes on with what waits for the phase.
    fn end(&mut self, task: usize) {
        let Some(parent) = self.running[task].parent else {
            return;
        };
        let Some(pending) = &mut self.running[parent].phase else {
            return;
        };
        pending.tasks -= 1;
        if pending.tasks == 0 {
            let threads = self.threads.min(pending.phase.tasks.len());
            let least = pending.start + (self.costs.least)(pending.phase);
            let end = self.now.max(least) + (self.costs.fork_join)(threads);
            self.busy.push((end, parent));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Costs<'static> = Costs {
        fork_join: &|_| 0.0,
        least: &|_| 0.0,
    };

    fn phase(tasks: Vec<Vec<Step>>) -> Step {
        Step::Phase(Phase { name: "phase", tasks })
    }

    /// A phase of tasks with these durations.
    fn tasks(durations: &[f64]) -> Step {
        phase(
            durations
                .iter()
                .map(|&seconds| vec![Step::Serial(seconds)])
                .collect(),
        )
    }

    #[test]
    fn one_thread_takes_the_sum() {
        let steps = [Step::Serial(1.0), tasks(&[3.0, 2.0, 2.0]), Step::Serial(0.5)];
        assert_eq!(makespan(&steps, 1, &FREE), 8.5);
        assert_eq!(makespan(&[], 1, &FREE), 0.0);
        assert_eq!(makespan(&[tasks(&[])], 1, &FREE), 0.0);
    }

    #[test]
    fn a_free_thread_takes_the_next_task() {
        // 3 and 2 begin; at 2 the next 2 begins and ends at 4; at 3 the last 2 begins and ends at 5.
        let step = [tasks(&[3.0, 2.0, 2.0, 2.0])];
        assert_eq!(makespan(&step, 2, &FREE), 5.0);
        assert_eq!(makespan(&step, 3, &FREE), 4.0);
        assert_eq!(makespan(&step, 4, &FREE), 3.0);
        assert_eq!(makespan(&step, 64, &FREE), 3.0);
    }

    #[test]
    fn a_phase_begins_when_the_one_before_is_done() {
        let steps = [tasks(&[3.0, 1.0]), Step::Serial(1.0), tasks(&[2.0, 2.0])];
        assert_eq!(makespan(&steps, 2, &FREE), 6.0);
    }

    #[test]
    fn tasks_of_inner_phases_are_shared_too() {
        // One task of 2 x 4, and one of 3, on two threads: 4 | 4 in the inner phase, then 3. On three: all at once.
        let steps = [phase(vec![vec![tasks(&[4.0, 4.0])], vec![Step::Serial(3.0)]])];
        assert_eq!(makespan(&steps, 2, &FREE), 7.0);
        assert_eq!(makespan(&steps, 3, &FREE), 4.0);
        // What follows an inner phase waits for it alone.
        let steps = [phase(vec![
            vec![tasks(&[1.0, 1.0]), Step::Serial(2.0)],
            vec![Step::Serial(5.0)],
        ])];
        assert_eq!(makespan(&steps, 3, &FREE), 5.0);
        assert_eq!(makespan(&steps, 1, &FREE), 9.0);
    }

    #[test]
    fn each_phase_costs_a_fork_and_join_of_the_threads_it_uses() {
        let costs = Costs {
            fork_join: &|threads| 0.25 * (threads as f64).log2(),
            ..FREE
        };
        let steps = [tasks(&[1.0, 1.0]), tasks(&[1.0; 8])];
        assert_eq!(makespan(&steps, 1, &costs), 10.0);
        assert_eq!(makespan(&steps, 2, &costs), 1.25 + 4.25);
        assert_eq!(makespan(&steps, 4, &costs), 1.25 + 2.5);
        assert_eq!(makespan(&steps, 64, &costs), 1.25 + 1.75);
    }

    #[test]
    fn memory_traffic_limits_a_phase() {
        let costs = Costs {
            least: &|_| 1.5,
            ..FREE
        };
        let steps = [Step::Serial(1.0), tasks(&[1.0; 4])];
        assert_eq!(makespan(&steps, 1, &costs), 5.0);
        assert_eq!(makespan(&steps, 2, &costs), 3.0);
        assert_eq!(makespan(&steps, 4, &costs), 2.5);
    }
}
