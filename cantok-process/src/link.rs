use crate::reading::Reading;
use crate::sys::Ending;
use crate::{CommandError, Settings};
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{CancellationError, IdleToken, SimpleToken, Token, start_threads};
use std::process::{ExitStatus, Output};
use std::sync::Arc;
use std::task::{Wake, Waker};

/// What connects a child to its token. Its signals are sent by wakers, so that they do not depend on what the caller is
/// doing.
#[derive(Debug)]
pub(crate) struct Link {
    /// Of this child alone. It is cancelled with the caller's token.
    pub(crate) token: SimpleToken,
    pub(crate) idle: Option<IdleToken>,
    pub(crate) ending: Arc<Ending>,
    pub(crate) output_limit: Option<usize>,
    registrations: Option<[WakerRegistration; 2]>,
    is_reported: bool,
}

struct Ask(Arc<Ending>);

impl Wake for Ask {
    fn wake(self: Arc<Self>) {
        self.0.ask();
    }
}

struct Kill(Arc<Ending>);

impl Wake for Kill {
    fn wake(self: Arc<Self>) {
        self.0.kill();
    }
}

impl Link {
    /// The check. After it only peeks.
    pub(crate) fn new(token: &Token, settings: &Settings) -> Result<Self, CommandError> {
        token.check().map_err(refused)?;
        // What follows panics without them.
        start_threads()?;
        let idle = settings.idle.map(IdleToken::new);
        let token = match &idle {
            Some(idle) => (token + idle).child(),
            None => token.child(),
        };
        let ending = Arc::new(Ending::new(settings));
        let ask = Waker::from(Arc::new(Ask(Arc::clone(&ending))));
        let kill = Waker::from(Arc::new(Kill(Arc::clone(&ending))));
        let registrations = [
            token.register_owned(&ask),
            token.delayed(settings.grace).register_owned(&kill),
        ];
        let link = Link {
            token,
            idle,
            ending,
            output_limit: settings.output_limit,
            registrations: Some(registrations),
            is_reported: false,
        };
        // One that came meanwhile.
        match link.token.cancellation() {
            Some(error) => Err(refused(error)),
            None => Ok(link),
        }
    }

    /// The outcome of a child that was reaped.
    pub(crate) fn outcome(
        &mut self,
        status: ExitStatus,
        reading: Reading,
    ) -> Result<Output, CommandError> {
        let Reading { output, .. } = reading;
        let is_ended = reading.is_cut_short || self.ending.has_ended_child();
        match (self.token.cancellation(), self.output_limit) {
            (Some(error), Some(limit)) if reading.is_over_limit => {
                self.report(&error);
                Err(CommandError::OutputLimit {
                    limit,
                    status,
                    output,
                })
            }
            (Some(error), _) if is_ended => {
                self.report(&error);
                Err(CommandError::Cancelled {
                    error,
                    status: Some(status),
                    output,
                })
            }
            _ => Ok(Output {
                status,
                stdout: output.stdout,
                stderr: output.stderr,
            }),
        }
    }

    /// Once, however often the caller waits.
    fn report(&mut self, error: &CancellationError) {
        #[cfg(feature = "tracing")]
        if !self.is_reported {
            crate::trace::stopped_early("child", error);
        }
        #[cfg(not(feature = "tracing"))]
        let _ = error;
        self.is_reported = true;
    }

    /// From now on the child is not ended with the token.
    pub(crate) fn let_go(&mut self) {
        self.registrations = None;
        self.ending.give_up();
    }
}

fn refused(error: CancellationError) -> CommandError {
    #[cfg(feature = "tracing")]
    crate::trace::stopped_early("child", &error);
    CommandError::not_started(error)
}
