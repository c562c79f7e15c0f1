//! What a run tells while it goes on; the face draws bars of it, tests ignore it.

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::{StageName, Tally};

#[derive(Clone, Debug)]
pub enum Event {
    /// A stage begins; `due` items will be worked on.
    Begun {
        stage: StageName,
        due: u64,
    },
    Advanced {
        stage: StageName,
        tally: Tally,
    },
    /// How much of a stage that looks at everything at once is done.
    Portion {
        stage: StageName,
        done: u64,
        of: u64,
    },
    /// Words beside the bar of the stage: the epoch, the place being listed.
    Word {
        stage: StageName,
        text: String,
    },
    Ended {
        stage: StageName,
        tally: Tally,
    },
}

/// The sending end; nobody has to listen.
#[derive(Clone, Debug)]
pub struct Events(UnboundedSender<Event>);

impl Events {
    pub fn channel() -> (Self, UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub fn send(&self, event: Event) {
        drop(self.0.send(event)); // Without a listener there is nobody to tell.
    }

    pub fn word(&self, stage: StageName, text: String) {
        self.send(Event::Word { stage, text });
    }
}
