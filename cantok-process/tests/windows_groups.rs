//! On Windows a group is a job object, and ends with its child.
#![cfg(windows)]

#[path = "support/family.rs"]
mod family;

use std::process::Command;
use std::time::Duration;
use std::{process, thread};

use cantok_core::{Cause, SimpleToken, TimeoutToken};
use cantok_process::CommandError;
use cantok_process::prelude::*;
use cantok_testkit::watchdog;
use family::{Family, Role};

const NEVER: Duration = Duration::MAX;

/// Cancels the token once the grandchild is ready, and returns the error of the call and the grandchild.
fn cancel_when_ready(
    family: &Family,
    token: &SimpleToken,
    call: impl FnOnce() -> Result<(), CommandError>,
) -> (CommandError, family::Grandchild) {
    thread::scope(|scope| {
        let grandchild = scope.spawn(|| {
            let grandchild = family.grandchild();
            token.cancel();
            grandchild
        });
        let error = call().unwrap_err();
        (error, grandchild.join().unwrap())
    })
}

/// What the family of a cancelled child wrote to its standard output.
fn written(error: CommandError) -> String {
    match error {
        CommandError::Cancelled { output, .. } => String::from_utf8(output.stdout).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cancel_ends_a_group_whatever_the_grace() {
    let family = Family::of("a_cancel_ends_a_group_whatever_the_grace");
    watchdog("a group that is cancelled", move || {
        for role in [Role::Waits, Role::Nests] {
            for grace in [Duration::ZERO, Duration::from_millis(20), NEVER] {
                let token = SimpleToken::new();
                let mut command = family.child(role);
                let (error, grandchild) = cancel_when_ready(&family, &token, || {
                    let command = command.with_token(&token).group(true);
                    command.grace(grace).status().map(drop)
                });
                assert_eq!(error.status().unwrap().code(), Some(1));
                assert!(error.cancellation().unwrap().is_from(&token));
                grandchild.until_it_is_gone();
            }
        }
    });
}

#[test]
fn a_deadline_ends_a_group() {
    let family = Family::of("a_deadline_ends_a_group");
    watchdog("a group with a deadline", move || {
        let mut after = Duration::from_millis(100);
        loop {
            let token = TimeoutToken::new(after);
            let mut command = family.child(Role::Waits);
            let error = command.with_token(&token).group(true).status();
            let error = error.unwrap_err();
            let cause = error.cancellation().unwrap().cause();
            assert_eq!(cause, &Cause::Timeout { after });
            // The deadline may have passed before there was a grandchild.
            match family.started_grandchild() {
                Some(grandchild) => break grandchild.until_it_is_gone(),
                None => after *= 2,
            }
        }
    });
}

#[test]
fn without_a_group_a_grandchild_lives_on_and_its_pipes_are_not_awaited() {
    let family = Family::of("without_a_group_a_grandchild_lives_on_and_its_pipes_are_not_awaited");
    watchdog("a grandchild that lives on", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::Waits);
        let (error, mut grandchild) = cancel_when_ready(&family, &token, || {
            command.output_with_token(&token).map(drop)
        });
        assert!(grandchild.is_alive());
        assert_eq!(error.status().unwrap().code(), Some(1));
        assert!(written(error).contains("\ngrandchild"));
    });
}

#[test]
fn a_grandchild_that_continues_to_write_is_not_awaited() {
    let family = Family::of("a_grandchild_that_continues_to_write_is_not_awaited");
    watchdog("a grandchild that continues to write", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::Hears);
        let (error, _grandchild) = cancel_when_ready(&family, &token, || {
            command.output_with_token(&token).map(drop)
        });
        assert!(written(error).contains("\nwritten"));
    });
}

#[test]
fn a_child_that_starts_another_and_exits_leaves_a_group_that_is_ended() {
    let family = Family::of("a_child_that_starts_another_and_exits_leaves_a_group_that_is_ended");
    watchdog("a group without its leader", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::Leaves);
        let (error, grandchild) = cancel_when_ready(&family, &token, || {
            command.with_token(&token).group(true).output().map(drop)
        });
        grandchild.until_it_is_gone();
        assert!(written(error).contains("\ngrandchild"));
    });
}

#[test]
fn a_group_whose_child_ends_by_itself_is_left_alone() {
    let family = Family::of("a_group_whose_child_ends_by_itself_is_left_alone");
    watchdog("a group that is left alone", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::Leaves);
        let mut child = command.with_token(&token).group(true).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(3));
        let mut grandchild = family.grandchild();
        token.cancel();
        assert!(grandchild.is_alive());
        drop(child);
        assert!(grandchild.is_alive());
    });
}

#[test]
fn a_process_that_has_left_the_group_lives_on() {
    let family = Family::of("a_process_that_has_left_the_group_lives_on");
    watchdog("a process that has left the group", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::LetsGo);
        let (error, mut grandchild) = cancel_when_ready(&family, &token, || {
            command.with_token(&token).group(true).status().map(drop)
        });
        assert!(error.is_cancelled());
        assert!(grandchild.is_alive());
    });
}

#[test]
fn a_drop_ends_a_group() {
    let family = Family::of("a_drop_ends_a_group");
    watchdog("a group that is dropped", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::Waits);
        let child = command.with_token(&token).group(true).spawn().unwrap();
        let grandchild = family.grandchild();
        drop(child);
        grandchild.until_it_is_gone();
        assert!(token.keep_on());
    });
}

#[test]
fn a_cancel_ends_a_group_that_no_thread_waits_for() {
    let family = Family::of("a_cancel_ends_a_group_that_no_thread_waits_for");
    watchdog("a group that no thread waits for", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::Waits);
        let mut child = command.with_token(&token).group(true).spawn().unwrap();
        let grandchild = family.grandchild();
        assert!(child.try_wait().unwrap().is_none());
        token.cancel();
        grandchild.until_it_is_gone();
        let error = loop {
            match child.try_wait() {
                Ok(status) => assert_eq!(status, None),
                Err(error) => break error,
            }
            thread::yield_now();
        };
        assert_eq!(error.status().unwrap().code(), Some(1));
    });
}

#[test]
fn a_group_taken_out_lives_on() {
    let family = Family::of("a_group_taken_out_lives_on");
    watchdog("a group taken out", move || {
        let token = SimpleToken::new();
        let mut command = family.child(Role::Waits);
        let child = command.with_token(&token).group(true).spawn().unwrap();
        let mut grandchild = family.grandchild();
        let mut child: process::Child = child.into_inner();
        token.cancel();
        assert!(grandchild.is_alive());
        assert!(child.try_wait().unwrap().is_none());
        // The grandchild ends with its socket, and the child with the grandchild.
        drop(grandchild);
        assert_eq!(child.wait().unwrap().code(), Some(3));
    });
}

/// Such a child may have ended before it can join its group.
#[test]
fn short_children_have_their_own_status() {
    watchdog("short children with groups", || {
        let mut command = Command::new("cmd");
        command.args(["/C", "exit 3"]);
        for _ in 0..20 {
            let status = command.with_token(SimpleToken::new()).group(true).status();
            assert_eq!(status.unwrap().code(), Some(3));
        }
    });
}

#[cfg(feature = "tokio")]
mod with_tokio {
    use super::*;
    use std::future::Future;
    use tokio::process::Command;
    use tokio::runtime::Builder;

    fn block_on<T>(f: impl Future<Output = T>) -> T {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        let output = runtime.block_on(f);
        // A plain shutdown waits for threads that read the pipe of a grandchild.
        runtime.shutdown_background();
        output
    }

    #[test]
    fn a_cancel_ends_a_group() {
        let family = Family::of("with_tokio::a_cancel_ends_a_group");
        watchdog("a group that is cancelled", move || {
            for (role, reads_output) in [
                (Role::Waits, false),
                (Role::Waits, true),
                (Role::Leaves, true),
            ] {
                let token = SimpleToken::new();
                let mut command = Command::from(family.child(role));
                let (error, grandchild) = cancel_when_ready(&family, &token, || {
                    block_on(async {
                        let command = command.with_token(&token).group(true).grace(NEVER);
                        if reads_output {
                            command.output().await.map(drop)
                        } else {
                            command.status().await.map(drop)
                        }
                    })
                });
                assert!(error.cancellation().unwrap().is_from(&token));
                grandchild.until_it_is_gone();
            }
        });
    }

    #[test]
    fn without_a_group_a_grandchild_lives_on_and_its_pipes_are_not_awaited() {
        let family = Family::of(
            "with_tokio::without_a_group_a_grandchild_lives_on_and_its_pipes_are_not_awaited",
        );
        watchdog("a grandchild that lives on", move || {
            let token = SimpleToken::new();
            let mut command = Command::from(family.child(Role::Waits));
            let (error, mut grandchild) = cancel_when_ready(&family, &token, || {
                block_on(async { command.output_with_token(&token).await.map(drop) })
            });
            assert!(grandchild.is_alive());
            assert_eq!(error.status().unwrap().code(), Some(1));
            assert!(written(error).contains("\ngrandchild"));
        });
    }

    #[test]
    fn a_grandchild_that_continues_to_write_is_not_awaited() {
        let family = Family::of("with_tokio::a_grandchild_that_continues_to_write_is_not_awaited");
        watchdog("a grandchild that continues to write", move || {
            let token = SimpleToken::new();
            let mut command = Command::from(family.child(Role::Hears));
            let (error, _grandchild) = cancel_when_ready(&family, &token, || {
                block_on(async { command.output_with_token(&token).await.map(drop) })
            });
            assert!(written(error).contains("\nwritten"));
        });
    }

    #[test]
    fn a_cancel_ends_a_group_that_no_task_waits_for() {
        let family = Family::of("with_tokio::a_cancel_ends_a_group_that_no_task_waits_for");
        watchdog("a group that no task waits for", move || {
            block_on(async {
                let token = SimpleToken::new();
                let mut command = Command::from(family.child(Role::Waits));
                let mut child = command.with_token(&token).group(true).spawn().unwrap();
                let grandchild = family.grandchild();
                token.cancel();
                grandchild.until_it_is_gone();
                let error = child.wait().await.unwrap_err();
                assert!(error.cancellation().unwrap().is_from(&token));
            });
        });
    }

    #[test]
    fn a_drop_ends_a_group() {
        let family = Family::of("with_tokio::a_drop_ends_a_group");
        watchdog("a group that is dropped", move || {
            block_on(async {
                let token = SimpleToken::new();
                let mut command = Command::from(family.child(Role::Waits));
                let child = command.with_token(&token).group(true).spawn().unwrap();
                let grandchild = family.grandchild();
                drop(child);
                grandchild.until_it_is_gone();
                assert!(token.keep_on());
            });
        });
    }

    #[test]
    fn a_group_whose_child_ends_by_itself_is_left_alone() {
        let family = Family::of("with_tokio::a_group_whose_child_ends_by_itself_is_left_alone");
        watchdog("a group that is left alone", move || {
            block_on(async {
                let token = SimpleToken::new();
                let mut command = Command::from(family.child(Role::Leaves));
                let mut child = command.with_token(&token).group(true).spawn().unwrap();
                assert_eq!(child.wait().await.unwrap().code(), Some(3));
                let mut grandchild = family.grandchild();
                token.cancel();
                assert!(grandchild.is_alive());
                drop(child);
                assert!(grandchild.is_alive());
            });
        });
    }
}
