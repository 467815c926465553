//! What errors say, hold and convert into.

use std::error::Error;
use std::fmt::{self, Debug};

use cantok_channel::{
    RecvTimeoutTokenError, RecvTokenError, SendTimeoutTokenError, SendTokenError,
    TryRecvTokenError, TrySendTokenError,
};
use cantok_core::{CancellationError, SimpleToken};
use crossbeam_channel::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};

#[derive(Debug)]
struct DiskFull;

impl fmt::Display for DiskFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is full")
    }
}

impl Error for DiskFull {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&fmt::Error)
    }
}

fn cancellation() -> CancellationError {
    let token = SimpleToken::new().named("stop");
    token.cancel_with(DiskFull);
    token.check().unwrap_err()
}

/// Neither `Debug` nor `Clone` nor anything else.
struct Opaque;

#[test]
fn of_a_cancel_they_say_what_it_says() {
    let cancel = cancellation();
    let errors: [Box<dyn Error>; 6] = [
        Box::new(RecvTokenError::Cancelled(cancel.clone())),
        Box::new(TryRecvTokenError::Cancelled(cancel.clone())),
        Box::new(RecvTimeoutTokenError::Cancelled(cancel.clone())),
        Box::new(SendTokenError::Cancelled(Opaque, cancel.clone())),
        Box::new(TrySendTokenError::Cancelled(Opaque, cancel.clone())),
        Box::new(SendTimeoutTokenError::Cancelled(Opaque, cancel.clone())),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "stop: cancelled: the disk is full");
        assert!(error.source().unwrap().is::<fmt::Error>());
        let shown = format!("{error:?}");
        assert!(
            shown.starts_with("Cancelled(") && shown.contains(&error.to_string()),
            "{shown}"
        );
    }
}

#[test]
fn otherwise_they_say_what_crossbeams_say() {
    fn same<T: Error, C: Error>(ours: T, crossbeams: C) {
        assert_eq!(ours.to_string(), crossbeams.to_string());
        assert!(ours.source().is_none());
    }

    same(RecvTokenError::Disconnected, RecvError);
    same(TryRecvTokenError::Empty, TryRecvError::Empty);
    same(TryRecvTokenError::Disconnected, TryRecvError::Disconnected);
    same(RecvTimeoutTokenError::Timeout, RecvTimeoutError::Timeout);
    same(
        RecvTimeoutTokenError::Disconnected,
        RecvTimeoutError::Disconnected,
    );
    same(SendTokenError::Disconnected(1), SendError(1));
    same(TrySendTokenError::Full(1), TrySendError::Full(1));
    same(
        TrySendTokenError::Disconnected(1),
        TrySendError::Disconnected(1),
    );
    same(
        SendTimeoutTokenError::Timeout(1),
        SendTimeoutError::Timeout(1),
    );
    same(
        SendTimeoutTokenError::Disconnected(1),
        SendTimeoutError::Disconnected(1),
    );
}

#[test]
fn they_are_shown_without_the_message() {
    fn shown(error: impl Debug) -> String {
        format!("{error:?}")
    }

    assert_eq!(
        shown(SendTokenError::Disconnected(Opaque)),
        "Disconnected(..)"
    );
    assert_eq!(shown(TrySendTokenError::Full(Opaque)), "Full(..)");
    assert_eq!(
        shown(TrySendTokenError::Disconnected(Opaque)),
        "Disconnected(..)"
    );
    assert_eq!(shown(SendTimeoutTokenError::Timeout(Opaque)), "Timeout(..)");
    assert_eq!(
        shown(SendTimeoutTokenError::Disconnected(Opaque)),
        "Disconnected(..)"
    );
}

#[test]
fn they_tell_what_they_are() {
    let cancel = cancellation();

    let error = RecvTokenError::Cancelled(cancel.clone());
    assert_eq!(error.cancellation(), Some(&cancel));
    assert_eq!(
        (error.is_cancelled(), error.is_disconnected()),
        (true, false)
    );
    let error = RecvTokenError::Disconnected;
    assert_eq!(
        (error.is_cancelled(), error.is_disconnected()),
        (false, true)
    );
    assert_eq!(error.cancellation(), None);

    let of = |error: TryRecvTokenError| {
        assert_eq!(error.cancellation().is_some(), error.is_cancelled());
        (
            error.is_cancelled(),
            error.is_empty(),
            error.is_disconnected(),
        )
    };
    assert_eq!(
        of(TryRecvTokenError::Cancelled(cancel.clone())),
        (true, false, false)
    );
    assert_eq!(of(TryRecvTokenError::Empty), (false, true, false));
    assert_eq!(of(TryRecvTokenError::Disconnected), (false, false, true));

    let of = |error: RecvTimeoutTokenError| {
        assert_eq!(error.cancellation().is_some(), error.is_cancelled());
        (
            error.is_cancelled(),
            error.is_timeout(),
            error.is_disconnected(),
        )
    };
    assert_eq!(
        of(RecvTimeoutTokenError::Cancelled(cancel.clone())),
        (true, false, false)
    );
    assert_eq!(of(RecvTimeoutTokenError::Timeout), (false, true, false));
    assert_eq!(
        of(RecvTimeoutTokenError::Disconnected),
        (false, false, true)
    );

    let of = |error: SendTokenError<u32>| {
        assert_eq!(error.cancellation().is_some(), error.is_cancelled());
        (
            error.is_cancelled(),
            error.is_disconnected(),
            error.into_inner(),
        )
    };
    assert_eq!(
        of(SendTokenError::Cancelled(7, cancel.clone())),
        (true, false, 7)
    );
    assert_eq!(of(SendTokenError::Disconnected(8)), (false, true, 8));

    let of = |error: TrySendTokenError<u32>| {
        assert_eq!(error.cancellation().is_some(), error.is_cancelled());
        let what = (
            error.is_cancelled(),
            error.is_full(),
            error.is_disconnected(),
        );
        (what, error.into_inner())
    };
    assert_eq!(
        of(TrySendTokenError::Cancelled(7, cancel.clone())),
        ((true, false, false), 7)
    );
    assert_eq!(of(TrySendTokenError::Full(8)), ((false, true, false), 8));
    assert_eq!(
        of(TrySendTokenError::Disconnected(9)),
        ((false, false, true), 9)
    );

    let of = |error: SendTimeoutTokenError<u32>| {
        assert_eq!(error.cancellation().is_some(), error.is_cancelled());
        let what = (
            error.is_cancelled(),
            error.is_timeout(),
            error.is_disconnected(),
        );
        (what, error.into_inner())
    };
    assert_eq!(
        of(SendTimeoutTokenError::Cancelled(7, cancel)),
        ((true, false, false), 7)
    );
    assert_eq!(
        of(SendTimeoutTokenError::Timeout(8)),
        ((false, true, false), 8)
    );
    assert_eq!(
        of(SendTimeoutTokenError::Disconnected(9)),
        ((false, false, true), 9)
    );
}

#[test]
fn they_convert_as_crossbeams_do() {
    let cancel = cancellation();

    let of = |error: RecvTokenError| {
        (
            TryRecvTokenError::from(error.clone()),
            RecvTimeoutTokenError::from(error),
        )
    };
    assert_eq!(
        of(RecvTokenError::Cancelled(cancel.clone())),
        (
            TryRecvTokenError::Cancelled(cancel.clone()),
            RecvTimeoutTokenError::Cancelled(cancel.clone())
        )
    );
    assert_eq!(
        of(RecvTokenError::Disconnected),
        (
            TryRecvTokenError::Disconnected,
            RecvTimeoutTokenError::Disconnected
        )
    );

    let of = |error: SendTokenError<u32>| {
        (
            TrySendTokenError::from(error.clone()),
            SendTimeoutTokenError::from(error),
        )
    };
    assert_eq!(
        of(SendTokenError::Cancelled(7, cancel.clone())),
        (
            TrySendTokenError::Cancelled(7, cancel.clone()),
            SendTimeoutTokenError::Cancelled(7, cancel)
        )
    );
    assert_eq!(
        of(SendTokenError::Disconnected(7)),
        (
            TrySendTokenError::Disconnected(7),
            SendTimeoutTokenError::Disconnected(7)
        )
    );
}

/// For `token.check()?` in a function that receives.
#[test]
fn a_cancel_converts_into_those_that_need_no_message() {
    let cancel = cancellation();
    assert!(RecvTokenError::from(cancel.clone()).is_cancelled());
    assert!(TryRecvTokenError::from(cancel.clone()).is_cancelled());
    assert!(RecvTimeoutTokenError::from(cancel).is_cancelled());
}
