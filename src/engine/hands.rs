//! Few threads of their own for work that waits for the disk. The C library keeps something back
//! for each thread, and each that sleeps has to be woken: those of the runtime's own pool, as many
//! as there are jobs, take more memory and more time.

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// Threads that begin when there is work and end when there is none, or when this is dropped. Work
/// that was begun by then goes on; what still waits for a thread may not be done.
#[derive(Debug)]
pub struct Hands {
    // There until the drop, which may not wait.
    runtime: Option<Runtime>,
}

impl Hands {
    /// So many at most.
    pub fn of(count: usize) -> Self {
        let runtime = Builder::new_current_thread().max_blocking_threads(count).build();
        // Nothing of it asks the system for anything.
        Self { runtime: Some(runtime.expect("a runtime without drivers can always be made")) }
    }

    /// Does `work` as soon as a hand is free.
    pub fn put_to<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.as_ref().expect("it is there until the drop").spawn_blocking(work)
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        thread::{self, ThreadId},
        time::Duration,
    };

    use super::*;

    #[tokio::test]
    async fn few_threads_do_all_the_work() {
        let hands = Hands::of(2);
        let work = || {
            thread::sleep(Duration::from_millis(1));
            thread::current().id()
        };
        let under_way: Vec<JoinHandle<ThreadId>> = (0..100).map(|_| hands.put_to(work)).collect();

        let mut threads = Vec::new();
        for one in under_way {
            let thread = one.await.unwrap();
            if !threads.contains(&thread) {
                threads.push(thread);
            }
        }

        assert!(threads.len() <= 2, "{threads:?}");
        assert!(!threads.contains(&thread::current().id()));
    }

    #[tokio::test]
    async fn work_that_was_begun_goes_on_when_nobody_waits_for_it() {
        let hands = Hands::of(1);
        let (begun, beginning) = tokio::sync::oneshot::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let ending = hands.put_to(move || {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            7
        });
        beginning.await.unwrap();

        drop(hands); // Does not wait for the work, which would wait for ever.
        go_on.send(()).unwrap();

        assert_eq!(ending.await.unwrap(), 7);
    }
}
