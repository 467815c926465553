//! Programs that show cantok at work, one in each file beside this one.
//!
//! This library is empty. It lets `cargo test` compile and run the code of the workspace's README and of the guide in
//! `docs`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct WorkspaceReadme;

/// One item for each page with code.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../docs/src/introduction.md")]
    struct Introduction;

    #[doc = include_str!("../docs/src/pattern.md")]
    struct Pattern;

    #[doc = include_str!("../docs/src/tokens.md")]
    struct Tokens;

    #[doc = include_str!("../docs/src/tokens/simple.md")]
    struct Simple;

    #[doc = include_str!("../docs/src/tokens/timeout.md")]
    struct Timeout;

    #[doc = include_str!("../docs/src/tokens/idle.md")]
    struct Idle;

    #[doc = include_str!("../docs/src/tokens/counter.md")]
    struct Counter;

    #[doc = include_str!("../docs/src/tokens/condition.md")]
    struct Condition;

    #[doc = include_str!("../docs/src/tokens/default.md")]
    struct Default;

    #[doc = include_str!("../docs/src/composing.md")]
    struct Composing;

    #[doc = include_str!("../docs/src/checks-and-peeks.md")]
    struct ChecksAndPeeks;

    #[doc = include_str!("../docs/src/waiting-and-callbacks.md")]
    struct WaitingAndCallbacks;

    #[doc = include_str!("../docs/src/errors-and-causes.md")]
    struct ErrorsAndCauses;

    #[doc = include_str!("../docs/src/iterators-and-adapters.md")]
    struct IteratorsAndAdapters;

    #[doc = include_str!("../docs/src/which-adapter.md")]
    struct WhichAdapter;

    #[doc = include_str!("../docs/src/how-do-i/stop-a-rayon-job.md")]
    struct StopARayonJob;

    #[doc = include_str!("../docs/src/how-do-i/stop-a-worker-on-a-channel.md")]
    struct StopAWorkerOnAChannel;

    #[doc = include_str!("../docs/src/how-do-i/stop-a-copy-or-a-download.md")]
    struct StopACopyOrADownload;

    #[doc = include_str!("../docs/src/how-do-i/stop-a-cli-on-ctrl-c.md")]
    struct StopACliOnCtrlC;

    #[doc = include_str!("../docs/src/how-do-i/print-the-error-from-main.md")]
    struct PrintTheErrorFromMain;
    #[doc = include_str!("../docs/src/how-do-i/end-a-child-process.md")]
    struct EndAChildProcess;

    #[doc = include_str!("../docs/src/how-do-i/shut-down-gracefully.md")]
    struct ShutDownGracefully;

    #[doc = include_str!("../docs/src/how-do-i/drain-a-service.md")]
    struct DrainAService;

    #[doc = include_str!("../docs/src/how-do-i/time-out-an-idle-connection.md")]
    struct TimeOutAnIdleConnection;

    #[doc = include_str!("../docs/src/how-do-i/unblock-a-socket-or-a-pipe.md")]
    struct UnblockASocketOrAPipe;

    #[doc = include_str!("../docs/src/how-do-i/reach-code-without-a-parameter.md")]
    struct ReachCodeWithoutAParameter;

    #[doc = include_str!("../docs/src/how-do-i/stop-cpu-work-behind-an-http-handler.md")]
    struct StopCpuWorkBehindAnHttpHandler;

    #[doc = include_str!("../docs/src/how-do-i/pass-a-deadline-on.md")]
    struct PassADeadlineOn;

    #[doc = include_str!("../docs/src/how-do-i/test-cancellable-code.md")]
    struct TestCancellableCode;

    #[doc = include_str!("../docs/src/migrating/from-tokio-util.md")]
    struct FromTokioUtil;

    #[doc = include_str!("../docs/src/migrating/from-python-cantok.md")]
    struct FromPythonCantok;

    #[doc = include_str!("../docs/src/migrating/from-an-atomic-bool.md")]
    struct FromAnAtomicBool;
}
