//! The thread that cancels, done with what has come so far.

use std::sync::mpsc;

use cantok_signal::{SecondSignal, Signal, SignalToken};
use signal_hook::consts::SIGUSR2;

/// A token that is cancelled after all others: until then the thread that cancels may have those in its hands, which
/// keeps them alive.
pub(crate) struct Bell(SignalToken);

impl Bell {
    /// To be made before the signals whose tokens are waited for: like every new token, it restarts their count.
    pub(crate) fn new() -> Bell {
        let builder = SignalToken::builder()
            .signals([SIGUSR2])
            .second(SecondSignal::Ignore);
        Bell(builder.build().expect("a token"))
    }

    /// Waits until the thread has nothing else to do.
    pub(crate) fn ring(self) {
        let (told, heard) = mpsc::channel();
        let _registration = self.0.on_cancel(move |error| {
            told.send(Signal::of(error)).expect("a listener");
        });
        signal_hook::low_level::raise(SIGUSR2).expect("raised");
        assert_eq!(heard.recv(), Ok(Some(Signal::USR2)));
    }
}
