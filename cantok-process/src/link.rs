use crate::reading::Reading;
use crate::sys::Ending;
use crate::{CommandError, Settings};
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration, stopped_early};
use cantok_core::{CancellationError, IdleToken, SimpleToken, Token, start_threads};
use std::process::{ExitStatus, Output};
use std::sync::Arc;
use std::task::{Wake, Waker};

/// Connects a child to its token. Wakers send the signals, so that they do not depend on the caller.
#[derive(Debug)]
pub(crate) struct Link {
    /// The token of this child alone, a child of the caller's token.
    pub(crate) token: SimpleToken,
    idle: Option<IdleToken>,
    pub(crate) ending: Arc<Ending>,
    output_limit: Option<usize>,
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
    /// Makes the one check of a call, which only peeks after that.
    pub(crate) fn new(token: &Token, settings: &Settings) -> Result<Self, CommandError> {
        token.check().map_err(refused)?;
        // The registrations would panic without these threads.
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
        // The token may have been cancelled meanwhile.
        match link.token.cancellation() {
            Some(error) => Err(refused(error)),
            None => Ok(link),
        }
    }

    /// Call this after adding that many bytes to standard output (0) or standard error (1).
    pub(crate) fn has_read(&self, reading: &mut Reading, index: usize, bytes: usize) {
        if bytes == 0 {
            return;
        }
        if let Some(idle) = &self.idle {
            idle.touch();
        }
        let Some(limit) = self.output_limit else {
            return;
        };
        let kept = reading.output.stdout.len() + reading.output.stderr.len();
        if kept > limit {
            let last = &mut *reading.kept()[index];
            last.truncate(last.len() - (kept - limit));
            if !reading.is_over_limit {
                reading.is_over_limit = true;
                self.token.cancel();
            }
        }
    }

    /// The result of a reaped child.
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

    /// Makes one event, even if the caller waits several times.
    fn report(&mut self, error: &CancellationError) {
        if !self.is_reported {
            stopped_early("child", error);
        }
        self.is_reported = true;
    }

    /// Lets the child continue when the token is cancelled.
    pub(crate) fn let_go(&mut self) {
        self.registrations = None;
        self.ending.give_up();
    }
}

fn refused(error: CancellationError) -> CommandError {
    stopped_early("child", &error);
    CommandError::not_started(error)
}
