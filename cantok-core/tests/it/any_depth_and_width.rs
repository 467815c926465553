//! Tokens in any arrangement, up to a million, are created, checked, armed, printed, waited on, cancelled and dropped
//! on 256 KiB of stack.

use std::error::Error;
use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::support::small_stack::small_stack;
use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
use cantok_core::{
    CancellationError, Cause, ConditionToken, CounterToken, IdleToken, SimpleToken, TimeoutToken,
    Token,
};

const MILLION: usize = 1_000_000;
/// For arrangements that take longer.
const MANY: usize = 200_000;
const HOUR: Duration = Duration::from_secs(3600);

/// A root and the last of the tokens that derive from it.
struct Arrangement {
    root: SimpleToken,
    last: Token,
    tokens: usize,
}

impl Arrangement {
    /// `tokens` tokens, each made by `derive` from the one before and its number.
    fn nested(tokens: usize, mut derive: impl FnMut(Token, usize) -> Token) -> Self {
        let root = SimpleToken::new();
        let mut last = Token::from(&root);
        for number in 0..tokens {
            last = derive(last, number);
        }
        Self { root, last, tokens }
    }
}

/// Prints the token, at a length in proportion to the number of tokens that it is made of.
fn print(arrangement: &Arrangement) {
    let text = format!("{:?}", arrangement.last);
    assert!(!text.is_empty());
    let limit = 200 * (arrangement.tokens + 1);
    assert!(text.len() <= limit, "{} bytes of {limit}", text.len());
    assert!(!arrangement.last.to_string().is_empty());
}

/// Does with the last token whatever can be done with a token.
fn exercise(what: &str, build: fn() -> Arrangement) {
    small_stack(what, move || {
        let arrangement = build();
        let Arrangement { root, last, .. } = &arrangement;
        assert!(!last.is_cancelled());
        assert!(last.cancellation().is_none());
        assert!(last.can_be_cancelled());
        let deadline = last.deadline();
        print(&arrangement);
        assert!(
            (0..100).all(|_| last.keep_on()),
            "checked until it is armed"
        );
        assert!(last.wait_timeout(Duration::ZERO).is_none());
        assert_eq!(last.deadline(), deadline);

        let calls = Arc::<AtomicUsize>::default();
        let registration = last.on_cancel({
            let calls = calls.clone();
            move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        });
        let canceller = thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn({
                let root = root.clone();
                move || root.cancel()
            })
            .expect("a thread of 256 KiB");
        assert!(last.wait().is_from(root));
        assert!(canceller.join().expect("no panic"));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(last.check().is_err_and(|error| error.is_from(root)));
        print(&arrangement);
        drop(registration);
        drop(arrangement);
    });
}

/// Nested children.
fn children(tokens: usize) -> Arrangement {
    Arrangement::nested(tokens, |last, _| last.child().into())
}

/// Nested sums, each with a flag of its own.
fn borrowed_sums(tokens: usize) -> Arrangement {
    Arrangement::nested(tokens, |last, number| match number % 2 {
        0 => &last + SimpleToken::new(),
        _ => SimpleToken::new() + &last,
    })
}

/// Cancels before the last token was ever asked, and drops a second arrangement that was never cancelled.
fn exercise_fresh(what: &str, build: fn() -> Arrangement) {
    small_stack(what, move || {
        let Arrangement { root, last, .. } = build();
        assert!(root.cancel());
        assert!(
            last.cancellation()
                .is_some_and(|error| error.is_from(&root))
        );
        drop(root);
        drop(last);
        let Arrangement { root, last, .. } = build();
        drop(last);
        assert!(!root.is_cancelled());
    });
}

#[test]
fn nested_children() {
    exercise("a million nested children", || children(MILLION));
}

#[test]
fn nested_children_that_were_never_checked() {
    exercise_fresh("unchecked children", || children(MANY));
}

/// Each with an idle token of its own.
fn sums_of_idle_tokens(tokens: usize) -> Arrangement {
    Arrangement::nested(tokens, |last, _| &last + IdleToken::new(HOUR))
}

#[test]
fn nested_sums_of_idle_tokens() {
    exercise("nested sums of idle tokens", || sums_of_idle_tokens(MANY));
}

#[test]
fn nested_sums_of_idle_tokens_that_were_never_checked() {
    exercise_fresh("unchecked sums of idle tokens", || {
        sums_of_idle_tokens(MANY)
    });
}

#[test]
fn a_wide_sum_of_idle_tokens() {
    exercise("a sum of many idle tokens", || {
        let root = SimpleToken::new();
        let tokens = (0..MANY).map(|_| Token::from(IdleToken::new(HOUR)));
        let last = Token::any(tokens.chain([Token::from(&root)]));
        Arrangement {
            root,
            last,
            tokens: MANY,
        }
    });
}

#[test]
fn nested_delays() {
    exercise_fresh("nested delays", || {
        let root = SimpleToken::new();
        let (mut last, tokens) = (Token::from(&root), MANY / 10);
        for _ in 0..tokens {
            // Cancelled with its source, but only by a sum that is there beside the delay.
            last = last.delayed(HOUR) + &root;
        }
        Arrangement { root, last, tokens }
    });
}

#[test]
fn nested_sums_of_borrowed_tokens() {
    exercise("a million nested sums", || borrowed_sums(MILLION));
}

#[test]
fn nested_sums_that_were_never_checked() {
    exercise_fresh("unchecked sums", || borrowed_sums(MANY));
}

#[test]
fn nested_sums_of_owned_tokens() {
    exercise("a million owned sums", || {
        Arrangement::nested(MILLION, |last, number| match number % 2 {
            0 => last + SimpleToken::new(),
            _ => SimpleToken::new() + last,
        })
    });
}

#[test]
fn nested_sums_with_deadlines() {
    exercise("nested sums with a deadline each", || {
        Arrangement::nested(MANY, |last, _| &last + TimeoutToken::new(HOUR))
    });
}

#[test]
fn nested_sums_with_counters() {
    exercise("nested sums with a counter each", || {
        Arrangement::nested(MANY / 10, |last, _| &last + CounterToken::new(1000))
    });
}

#[test]
fn sums_of_sums_that_share_their_operands() {
    exercise("nested sums with shared operands", || {
        let shared: Vec<_> = (0..16).map(|_| SimpleToken::new()).collect();
        Arrangement::nested(MANY, move |last, number| {
            let (one, other) = (&shared[number % 16], &shared[number / 16 % 16]);
            Token::any([&last, &(one + other), &last, &(&last + one)])
        })
    });
}

#[test]
fn diamonds_with_an_exponential_number_of_paths() {
    exercise("two to the power of 200,000 paths", || {
        Arrangement::nested(MANY, |last, _| last.child() + last.child())
    });
    exercise(
        "two to the power of 100,000 paths through kept tokens",
        || {
            Arrangement::nested(MANY / 2, |last, _| {
                let (left, right) = (last.child(), &last + SimpleToken::new());
                &left + &right
            })
        },
    );
}

#[test]
fn fibonacci_sums() {
    exercise("each token the sum of the two before", || {
        let mut before = Token::from(SimpleToken::new());
        Arrangement::nested(MANY, move |last, _| {
            let next = &last + &before;
            before = last;
            next
        })
    });
}

#[test]
fn a_sum_of_a_million_shared_tokens() {
    exercise("a million shared operands", || {
        let mut operands: Vec<_> = (0..MILLION).map(|_| SimpleToken::new()).collect();
        let last = Token::any(&operands);
        let root = operands.swap_remove(MILLION / 2);
        // The others live on in the sum alone.
        Arrangement {
            root,
            last,
            tokens: MILLION,
        }
    });
}

#[test]
fn a_sum_of_a_million_owned_tokens() {
    exercise("a million owned operands", || {
        let root = SimpleToken::new();
        let owned = (1..MILLION).map(|_| Token::from(SimpleToken::new()));
        let last = owned.chain([Token::from(&root)]).sum();
        Arrangement {
            root,
            last,
            tokens: MILLION,
        }
    });
}

#[test]
fn a_sum_of_many_owned_deadlines() {
    exercise("many owned deadlines", || {
        let root = SimpleToken::new();
        let owned = (1..MANY).map(|_| Token::from(TimeoutToken::new(HOUR)));
        Arrangement {
            last: [Token::from(&root)].into_iter().chain(owned).collect(),
            root,
            tokens: MANY,
        }
    });
}

#[test]
fn nested_children_that_all_have_callbacks() {
    small_stack("armed links", || {
        let calls = Arc::<AtomicUsize>::default();
        let root = SimpleToken::new();
        let mut links = vec![root.child()];
        for number in 1..MANY {
            links.push(links[number - 1].child());
        }
        for link in &links {
            let calls = calls.clone();
            link.on_cancel(move |_| {
                calls.fetch_add(1, Ordering::Relaxed);
            })
            .detach();
        }
        assert!(root.cancel());
        assert_eq!(calls.load(Ordering::Relaxed), MANY);
        assert!(links.iter().all(|link| link.is_cancelled()));
        assert!(links[MANY - 1].wait().is_from(&root));
        // From the root to the end.
        for link in links {
            drop(link);
        }
    });
}

#[test]
fn nested_children_with_callbacks_that_are_dropped_uncancelled() {
    small_stack("armed links without a cancel", || {
        let root = SimpleToken::new();
        let mut last = root.child();
        for _ in 1..MANY {
            last = last.child();
            last.on_cancel(|_| ()).detach();
        }
        assert!(!last.is_cancelled());
        drop(last);
        assert!(root.cancel());
    });
}

/// A task that owns what keeps the next one.
struct Owns<T>(T);

impl<T: Send + Sync> Wake for Owns<T> {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn tasks_that_own_each_others_registrations() {
    small_stack("wakers that own registrations", || {
        for cancel in [false, true] {
            let root = SimpleToken::new();
            let mut last: Option<WakerRegistration> = None;
            for _ in 0..MANY {
                let waker = Waker::from(Arc::new(Owns(last.take())));
                last = Some(root.register_owned(&waker));
            }
            if cancel {
                assert!(root.cancel());
            }
            drop(last);
        }
    });
}

#[test]
fn tasks_that_own_each_others_tokens() {
    small_stack("wakers that own tokens", || {
        for cancel in [false, true] {
            let mut last = SimpleToken::new();
            for _ in 0..MANY {
                let next = SimpleToken::new();
                mem::forget(next.register(&Waker::from(Arc::new(Owns(last)))));
                last = next;
            }
            if cancel {
                assert!(last.cancel());
            }
            drop(last);
        }
    });
}

#[test]
fn a_million_children_of_one_token() {
    small_stack("a million children of one token", || {
        let root = SimpleToken::new();
        let children: Vec<_> = (0..MILLION).map(|_| root.child()).collect();
        let registrations: Vec<_> = children
            .iter()
            .step_by(2)
            .map(|child| child.on_cancel(|_| ()))
            .collect();
        assert!(!format!("{root:?}").is_empty());
        assert!(root.cancel());
        assert!(children.iter().all(|child| child.is_cancelled()));
        drop(registrations);
    });
}

/// `MANY` tokens, each given to the next one by `give`, and the last one.
fn chained(mut give: impl FnMut(SimpleToken, SimpleToken) -> SimpleToken) -> SimpleToken {
    (0..MANY).fold(SimpleToken::new(), |previous, _| {
        give(SimpleToken::new(), previous)
    })
}

#[test]
fn tokens_that_own_each_other_through_what_users_gave_them_are_dropped() {
    small_stack("attached tokens", || {
        drop(chained(|token, previous| {
            token.attach(previous);
            token
        }));
    });
    small_stack("callbacks that own tokens", || {
        drop(chained(|token, previous| {
            token.on_cancel(move |_| drop(previous)).detach();
            token
        }));
    });
    small_stack("conditions that own tokens", || {
        drop(
            (0..MANY).fold(Token::from(SimpleToken::new()), |previous, _| {
                ConditionToken::new(move || previous.cancellation().is_some()).into()
            }),
        );
    });
}

/// A reason with a source.
#[derive(Debug)]
struct DiskFull(fmt::Error);

impl fmt::Display for DiskFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is full")
    }
}

impl Error for DiskFull {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// An error whose reason is another token's error, and so on for `length` tokens.
fn chain<E>(length: usize, reason: impl Fn(CancellationError) -> E) -> CancellationError
where
    E: Error + Send + Sync + 'static,
{
    let first = SimpleToken::new().named("first");
    first.cancel_with(DiskFull(fmt::Error));
    (0..length).fold(first.cancellation().unwrap(), |previous, _| {
        let token = SimpleToken::new().named("next");
        token.cancel_with(reason(previous));
        token.cancellation().unwrap()
    })
}

#[test]
fn errors_that_are_the_reasons_of_each_other_are_printed_and_dropped() {
    small_stack("a million errors as reasons", || {
        let error = chain(MILLION, |previous| previous);

        let message = "next: cancelled: first: cancelled: the disk is full";
        assert_eq!(error.to_string(), message);
        assert_eq!(format!("{error:?}"), message);
        assert_eq!(
            format!("{error:#?}"),
            format!(
                "{message} CancellationError {{\n    cause: Reason(\n        \"{message}\",\n    ),\n    \
                 name: Some(\n        \"next\",\n    ),\n}}"
            )
        );
        assert!(error.source().unwrap().is::<fmt::Error>());

        let Cause::Reason(reason) = error.cause() else {
            panic!("the cause is {:?}", error.cause());
        };
        assert_eq!(reason.to_string(), message);
        assert_eq!(format!("{reason:?}"), format!("{message:?}"));
        assert_eq!(
            format!("{:?}", error.cause()),
            format!("Reason({message:?})")
        );
        assert!(reason.as_error().source().unwrap().is::<fmt::Error>());

        let deepest = {
            let mut error = &error;
            let mut depth = 0;
            while let Some(inner) = error.reason::<CancellationError>() {
                error = inner;
                depth += 1;
            }
            assert!(error.reason::<DiskFull>().is_some());
            depth
        };
        assert_eq!(deepest, MILLION);
        drop(error);
    });
}

#[test]
fn errors_that_are_the_reasons_of_each_other_as_io_errors_are_printed_and_dropped() {
    small_stack("errors in io errors as reasons", || {
        let error = chain(MANY, io::Error::from);
        let message = "next: cancelled: first: cancelled: the disk is full";
        assert_eq!(error.to_string(), message);
        assert_eq!(format!("{error:?}"), message);
        assert!(format!("{error:#?}").starts_with(message));
        assert!(error.source().unwrap().is::<fmt::Error>());
        assert!(error.reason::<io::Error>().is_some());
        drop(error);
    });
}

#[test]
fn registrations_that_own_each_other_through_their_callbacks_are_dropped() {
    small_stack("registrations", || {
        let token = SimpleToken::new();
        let mut last = token.on_cancel(|_| {});
        for _ in 0..MANY {
            last = token.on_cancel(move |_| drop(last));
        }
        drop(last);
        assert!(token.cancel());
    });
}

#[test]
fn a_sum_that_grows_by_one_token_at_a_time_is_no_slower_each_time() {
    small_stack("a growing sum", || {
        let stop = SimpleToken::new();
        let mut sum = Token::from(SimpleToken::new());
        for _ in 0..MANY {
            sum += &stop;
            sum += CounterToken::new(1);
            sum += ConditionToken::new(|| false);
        }
        assert!(sum.keep_on());
        assert!(sum.is_cancelled());
    });
}

#[test]
fn a_sum_that_grows_by_one_deadline_at_a_time_is_no_slower_each_time() {
    exercise("a deadline on either side, and a shared token", || {
        let stop = SimpleToken::new();
        Arrangement::nested(MANY, move |sum, _| {
            TimeoutToken::new(HOUR) + (sum + TimeoutToken::new(HOUR) + &stop)
        })
    });
}

#[test]
fn a_sum_that_grows_by_one_name_at_a_time_is_no_slower_each_time() {
    exercise("a named token on either side, and a shared one", || {
        let stop = SimpleToken::new();
        Arrangement::nested(MANY, move |sum, _| {
            let named = || SimpleToken::new().named("one of many");
            named() + (sum + named() + &stop)
        })
    });
}
