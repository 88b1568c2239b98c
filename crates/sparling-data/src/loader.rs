//! Batches made in background threads, in an order that does not depend on the threads.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::domain::Domain;
use crate::example::Footprint;
use crate::seed::Split;

/// How many finished batches each worker may hold ready.
const PREFETCHED_PER_WORKER: usize = 2;

/// Consecutive examples of one split.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The index of the first example.
    pub first_index: u64,
    /// The inputs, row-major `[batch, channels, height, width]`.
    pub inputs: Vec<f32>,
    /// Each example's output tokens, without start and end.
    pub tokens: Vec<Vec<usize>>,
    /// Each example's footprints, for evaluation alone.
    pub footprints: Vec<Vec<Footprint>>,
}

/// Makes the examples `first_index..first_index + batch_size`.
pub fn batch(domain: &dyn Domain, split: Split, first_index: u64, batch_size: usize) -> Batch {
    let input_size: usize = domain.input_shape().iter().product();
    let mut batch = Batch {
        first_index,
        inputs: Vec::with_capacity(batch_size * input_size),
        tokens: Vec::with_capacity(batch_size),
        footprints: Vec::with_capacity(batch_size),
    };
    for offset in 0..batch_size as u64 {
        let example = domain.example(split, first_index + offset);
        assert_eq!(
            example.input.len(),
            input_size,
            "the domain made an input of another size than its shape"
        );
        batch.inputs.extend_from_slice(&example.input);
        batch.tokens.push(example.tokens);
        batch.footprints.push(example.footprints);
    }
    batch
}

/// An endless sequence of consecutive batches, made ahead of time by background threads.
///
/// Worker `w` of `n` makes the batches `w`, `w + n`, `w + 2n`, ..., and they are taken in turn: the
/// order is that of a single thread, whatever the number of workers. Each worker stays at most a
/// few batches ahead.
///
/// Dropping the loader ends its threads and waits for them: for no longer than the batch that each
/// is at.
#[derive(Debug)]
pub struct Loader {
    workers: Vec<Worker>,
    turn: usize,
}

#[derive(Debug)]
struct Worker {
    /// Gone once the loader is being dropped.
    batches: Option<Receiver<Batch>>,
    /// Gone once the thread has been joined.
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    /// Starts `workers` threads (at least one) that make batches of `batch_size` examples from
    /// `first_index` on.
    ///
    /// # Panics
    ///
    /// If the batch size is 0 or the system can start no more threads.
    pub fn new(
        domain: Arc<dyn Domain>,
        split: Split,
        first_index: u64,
        batch_size: usize,
        workers: usize,
    ) -> Self {
        assert!(batch_size > 0, "a batch needs at least one example");
        let workers = workers.max(1);
        let start = |worker: usize| {
            let domain = Arc::clone(&domain);
            let first = first_index + (worker * batch_size) as u64;
            let stride = workers * batch_size;
            let (sender, batches) = sync_channel(PREFETCHED_PER_WORKER);
            let thread = std::thread::Builder::new()
                .name(format!("loader-{worker}"))
                .spawn(move || work(&*domain, split, first, stride, batch_size, &sender))
                .expect("cannot start a loader thread");
            Worker {
                batches: Some(batches),
                thread: Some(thread),
            }
        };
        Self {
            workers: (0..workers).map(start).collect(),
            turn: 0,
        }
    }
}

impl Iterator for Loader {
    type Item = Batch;

    /// The next batch; never `None`.
    ///
    /// # Panics
    ///
    /// If the domain panicked while it made this batch: the worker's panic goes on here.
    fn next(&mut self) -> Option<Batch> {
        let worker = &mut self.workers[self.turn];
        let received = worker.batches.as_ref().map(Receiver::recv);
        let Some(Ok(batch)) = received else {
            worker.fail()
        };
        self.turn = (self.turn + 1) % self.workers.len();
        Some(batch)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // All at once, so that no worker goes on while another is waited for.
        for worker in &mut self.workers {
            worker.batches = None;
        }
        for thread in self.workers.iter_mut().filter_map(|w| w.thread.take()) {
            // A worker's panic that nobody has come across concerns a batch nobody asked for.
            drop(thread.join());
        }
    }
}

impl Worker {
    /// Passes on the panic that ended the thread.
    fn fail(&mut self) -> ! {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            _ => panic!("a loader thread ended early"),
        }
    }
}

/// A worker's life: every `stride`th batch, until nobody takes them any more.
fn work(
    domain: &dyn Domain,
    split: Split,
    first: u64,
    stride: usize,
    batch_size: usize,
    sender: &SyncSender<Batch>,
) {
    let mut index = first;
    while sender.send(batch(domain, split, index, batch_size)).is_ok() {
        index += stride as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::example::Example;
    use crate::vocab::Vocabulary;

    const SPLIT: Split = Split::Validation;

    /// Examples that hold their index; panics at one of them.
    struct Counting {
        vocabulary: Vocabulary,
        panics_at: u64,
        made: AtomicUsize,
    }

    impl Counting {
        fn new(panics_at: u64) -> Arc<Self> {
            Arc::new(Self {
                vocabulary: Vocabulary::new(["a"]),
                panics_at,
                made: AtomicUsize::new(0),
            })
        }
    }

    impl Domain for Counting {
        fn input_shape(&self) -> [usize; 3] {
            [1, 1, 2]
        }
        fn vocabulary(&self) -> &Vocabulary {
            &self.vocabulary
        }
        fn symbols(&self) -> &[String] {
            self.vocabulary.names()
        }
        fn longest_output(&self) -> usize {
            1
        }
        fn example(&self, _: Split, index: u64) -> Example {
            assert_ne!(index, self.panics_at, "no such example");
            self.made.fetch_add(1, Ordering::Relaxed);
            // Uneven work, so that the workers overtake one another.
            std::thread::sleep(std::time::Duration::from_micros(index * 7919 % 300));
            Example {
                input: vec![index as f32, -(index as f32)],
                tokens: vec![0],
                footprints: Vec::new(),
            }
        }
    }

    #[test]
    fn a_batch_is_its_examples() {
        let batch = batch(&*Counting::new(u64::MAX), SPLIT, 5, 3);
        assert_eq!(batch.first_index, 5);
        assert_eq!(batch.inputs, [5.0, -5.0, 6.0, -6.0, 7.0, -7.0]);
        assert_eq!(batch.tokens, [[0], [0], [0]]);
        assert_eq!(batch.footprints, [[], [], []]);
    }

    #[test]
    fn order_does_not_depend_on_the_workers() {
        for workers in 0..=4 {
            for first in [0, 1234] {
                let domain = Counting::new(u64::MAX);
                let loader = Loader::new(domain.clone(), SPLIT, first, 3, workers);
                for (position, loaded) in loader.take(25).enumerate() {
                    let index = first + 3 * position as u64;
                    assert_eq!(loaded, batch(&*domain, SPLIT, index, 3));
                }
            }
        }
    }

    #[test]
    fn workers_do_not_run_far_ahead() {
        let domain = Counting::new(u64::MAX);
        let loader = Loader::new(domain.clone(), SPLIT, 0, 1, 2);
        std::thread::sleep(std::time::Duration::from_millis(100));
        // Each has the prefetched batches in the channel and one in its hands.
        let most = 2 * (PREFETCHED_PER_WORKER + 1);
        assert!(domain.made.load(Ordering::Relaxed) <= most);
        drop(loader);
        assert_eq!(Arc::strong_count(&domain), 1, "a thread is still running");
    }

    #[test]
    fn a_panic_comes_out_at_its_batch() {
        for workers in 1..=3 {
            let mut loader = Loader::new(Counting::new(11), SPLIT, 0, 2, workers);
            for first in [0, 2, 4, 6, 8] {
                assert_eq!(loader.next().unwrap().first_index, first);
            }
            for message in ["no such example", "a loader thread ended early"] {
                let next = std::panic::AssertUnwindSafe(|| loader.next());
                let panic = std::panic::catch_unwind(next).unwrap_err();
                let text = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                assert!(text.unwrap().contains(message));
            }
        }
    }

    #[test]
    fn a_loader_with_a_panicked_worker_can_be_dropped() {
        let mut loader = Loader::new(Counting::new(1), SPLIT, 0, 1, 2);
        assert_eq!(loader.next().unwrap().first_index, 0);
        drop(loader);
    }
}
