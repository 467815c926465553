//! The eight guarantees of every token, one module each.

#[path = "support/small_stack.rs"]
mod small_stack;

mod guarantee_1_once_cancelled_always_cancelled_with_the_first_cause {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier, OnceLock};
    use std::thread;
    use std::time::Duration;

    use cantok_core::{
        CancellationError, Cause, ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token,
    };

    use cantok_testkit::shapes::{HOUR, shapes};
    use cantok_testkit::watchdog;

    fn text(error: &CancellationError) -> String {
        match error.cause() {
            Cause::Reason(reason) => reason.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_first_of_racing_reasons_stays() {
        watchdog("four cancellers with a reason each", || {
            for _ in 0..200 {
                let token = SimpleToken::new();
                let derived = shapes(&token);
                let start = Barrier::new(4);
                let winners: Vec<_> = thread::scope(|scope| {
                    let cancellers: Vec<_> = (0..4)
                        .map(|number| {
                            let (token, start) = (&token, &start);
                            scope.spawn(move || {
                                start.wait();
                                let reason = format!("reason {number}");
                                let won = token.cancel_with(reason.clone());
                                let seen = text(&token.cancellation().expect("cancelled"));
                                (won, reason, seen)
                            })
                        })
                        .collect();
                    cancellers
                        .into_iter()
                        .map(|canceller| canceller.join().expect("no panic"))
                        .collect()
                });
                let first: Vec<_> = winners.iter().filter(|(won, ..)| *won).collect();
                assert_eq!(first.len(), 1);
                let reason = &first[0].1;
                assert!(winners.iter().all(|(.., seen)| seen == reason));
                for (shape, token) in &derived {
                    let error = token.cancellation().expect("cancelled");
                    assert_eq!(&text(&error), reason, "{shape}");
                }
            }
        });
    }

    #[test]
    fn a_sum_keeps_the_cause_that_it_gave_first() {
        watchdog("two cancelled operands and four readers", || {
            for round in 0..200 {
                let (left, right) = (SimpleToken::new(), SimpleToken::new());
                let sum = &left + &right;
                let token = if round % 2 == 0 {
                    sum
                } else {
                    sum.child().into()
                };
                if round % 4 < 2 {
                    assert!((0..100).all(|_| token.keep_on()));
                }
                let start = Barrier::new(6);
                thread::scope(|scope| {
                    scope.spawn(|| {
                        start.wait();
                        left.cancel_with("left")
                    });
                    scope.spawn(|| {
                        start.wait();
                        right.cancel_with("right")
                    });
                    let readers: Vec<_> = (0..4)
                        .map(|_| {
                            scope.spawn(|| {
                                start.wait();
                                let first = loop {
                                    if let Some(error) = token.cancellation() {
                                        break text(&error);
                                    }
                                };
                                for _ in 0..20 {
                                    let again = token.cancellation().expect("one way");
                                    assert_eq!(text(&again), first);
                                    let again = token.check().expect_err("one way");
                                    assert_eq!(text(&again), first);
                                }
                                first
                            })
                        })
                        .collect();
                    let seen: Vec<_> = readers
                        .into_iter()
                        .map(|reader| reader.join().expect("no panic"))
                        .collect();
                    assert!(seen.iter().all(|text| *text == seen[0]), "{seen:?}");
                });
            }
        });
    }

    #[test]
    fn a_cancel_and_a_deadline_agree_on_who_was_first() {
        watchdog("a cancel at the deadline", || {
            for round in 0..300 {
                let token = TimeoutToken::new(Duration::from_micros(round % 100));
                let derived = token.child();
                let done = AtomicBool::new(false);
                thread::scope(|scope| {
                    let reader = scope.spawn(|| {
                        let mut first = None;
                        while !done.load(Ordering::SeqCst) {
                            let seen = derived.cancellation().map(|error| error.cause().clone());
                            if first.is_some() {
                                assert_eq!(seen, first, "the cause has changed");
                            }
                            first = seen;
                        }
                    });
                    for _ in 0..round % 50 {
                        std::hint::spin_loop();
                    }
                    let won = token.cancel();
                    let error = token
                        .cancellation()
                        .expect("cancelled by the one or the other");
                    let expected = if won {
                        Cause::Cancelled
                    } else {
                        let after = Duration::from_micros(round % 100);
                        Cause::Timeout { after }
                    };
                    assert_eq!(error.cause(), &expected);
                    assert_eq!(
                        derived.cancellation().expect("cancelled").cause(),
                        &expected
                    );
                    done.store(true, Ordering::SeqCst);
                    reader.join().expect("no panic");
                });
            }
        });
    }

    #[test]
    fn a_cancel_that_comes_after_the_deadline_or_another_cancel_is_not_the_cause() {
        for (shape, token) in shapes(&TimeoutToken::new(Duration::ZERO)) {
            assert!(!token.cancel(), "{shape}");
            assert!(!token.cancel_with("too late"), "{shape}");
            let error = token.cancellation().expect("cancelled");
            let after = Duration::ZERO;
            assert_eq!(error.cause(), &Cause::Timeout { after }, "{shape}");
        }
        let source = SimpleToken::new();
        let tokens = shapes(&source);
        source.cancel_with("closing time");
        for (shape, token) in tokens {
            assert!(!token.cancel(), "{shape}");
            let error = token.cancellation().expect("cancelled");
            assert_eq!(text(&error), "closing time", "{shape}");
        }
    }

    #[test]
    fn a_condition_that_was_met_is_not_called_by_checks_that_begin_later() {
        watchdog("checks of a condition that was met", || {
            // What runs after the condition has another thread check, which begins after the condition was met.
            let calls = Arc::<AtomicUsize>::default();
            let own = Arc::<OnceLock<Token>>::default();
            let count = |weight: usize| {
                let calls = calls.clone();
                move || {
                    calls.fetch_add(weight, Ordering::SeqCst);
                }
            };
            let (called, ended) = (count(10), count(100));
            let condition = ConditionToken::new(move || {
                called();
                true
            })
            .before(count(1))
            .after({
                let own = own.clone();
                move || {
                    let token = own.get().expect("set before the first check").clone();
                    let other = thread::spawn(move || token.is_cancelled());
                    assert!(other.join().expect("no panic"));
                    ended();
                }
            });
            let token = condition.child();
            own.set((&token).into()).expect("not set before");
            assert!(token.is_cancelled());
            assert!(condition.is_cancelled());
            assert_eq!(calls.load(Ordering::SeqCst), 111);

            // Once one of many threads knows, no thread calls it any more.
            for _ in 0..100 {
                let calls = Arc::<AtomicUsize>::default();
                let condition = ConditionToken::new({
                    let calls = calls.clone();
                    move || calls.fetch_add(1, Ordering::SeqCst) >= 20
                });
                let tokens = shapes(&condition);
                let start = Barrier::new(4);
                thread::scope(|scope| {
                    for number in 0..4 {
                        let (tokens, calls, start) = (&tokens, &calls, &start);
                        scope.spawn(move || {
                            start.wait();
                            while tokens[number].1.keep_on() {}
                            for (_, token) in tokens {
                                assert!(token.is_cancelled());
                            }
                            // Each of the other three may have been about to call it.
                            assert!(calls.load(Ordering::SeqCst) <= 24);
                        });
                    }
                });
                let calls_before = calls.load(Ordering::SeqCst);
                assert!(tokens.iter().all(|(_, token)| token.is_cancelled()));
                assert_eq!(calls.load(Ordering::SeqCst), calls_before);
            }
        });
    }

    #[test]
    fn nothing_that_happens_later_changes_the_answer() {
        watchdog("peeks and checks of a cancelled token", || {
            let met = Arc::new(AtomicBool::new(true));
            let condition = ConditionToken::new({
                let met = met.clone();
                move || met.load(Ordering::SeqCst)
            });
            assert!(condition.is_cancelled());
            met.store(false, Ordering::SeqCst);
            let sources: [Token; 4] = [
                condition.into(),
                TimeoutToken::new(Duration::ZERO).into(),
                CounterToken::new(0).into(),
                SimpleToken::new().into(),
            ];
            sources[3].cancel();
            for source in &sources {
                let cause = source.check().expect_err("cancelled").cause().clone();
                for (shape, token) in shapes(source) {
                    let late = &token + TimeoutToken::new(HOUR);
                    assert!(!token.cancel_with("too late"), "{shape}");
                    assert!(!source.cancel(), "{shape}");
                    for token in [&token, source, &late] {
                        assert!(token.is_cancelled(), "{shape}");
                        assert!(!token.keep_on(), "{shape}");
                        let error = token.check().expect_err("cancelled");
                        assert_eq!(error.cause(), &cause, "{shape}");
                        assert!(error.is_from(source), "{shape}");
                        assert_eq!(token.wait().cause(), &cause, "{shape}");
                        let error = token.cancellation().expect("cancelled");
                        assert_eq!(error.cause(), &cause, "{shape}");
                    }
                }
            }
        });
    }
}

mod guarantee_2_a_deadline_is_never_reported_early {
    use std::sync::mpsc;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::{Duration, Instant};

    use cantok_core::adapter::TokenAdapterExt as _;
    use cantok_core::{SimpleToken, TimeoutToken, Token};

    use cantok_testkit::shapes::{HOUR, shapes};
    use cantok_testkit::watchdog;

    #[test]
    fn not_by_a_check_a_peek_or_a_wait() {
        watchdog("tokens asked until their deadline", || {
            for micros in (0..3000).step_by(250) {
                for index in 0..shapes(&Token::never()).len() {
                    let before = Instant::now();
                    let after = Duration::from_micros(micros);
                    let source = TimeoutToken::new(after);
                    let deadline = source.deadline().expect("a deadline");
                    assert!(deadline >= before + after);
                    let (shape, token) = shapes(&source).swap_remove(index);
                    match index % 4 {
                        // From the 65th check on or so it is a thread that marks it.
                        0 => while token.check().is_ok() {},
                        1 => while token.cancellation().is_none() {},
                        2 => drop(token.wait()),
                        _ => while source.remaining() != Some(Duration::ZERO) {},
                    }
                    assert!(Instant::now() >= deadline, "{shape}");
                    assert!(token.is_cancelled(), "{shape}");
                    assert!(
                        token
                            .cancellation()
                            .is_some_and(|error| error.is_from(&source))
                    );
                }
            }
        });
    }

    #[test]
    fn not_by_a_callback() {
        watchdog("callbacks at deadlines", || {
            let (sender, receiver) = mpsc::channel();
            let tokens: Vec<_> = (0..100)
                .map(|number: u64| {
                    let token = TimeoutToken::new(Duration::from_micros(number * 37 % 3000));
                    let deadline = token.deadline().expect("a deadline");
                    let sender = sender.clone();
                    let registration = token.on_cancel(move |_| {
                        sender.send(Instant::now() >= deadline).expect("a receiver");
                    });
                    (token, registration)
                })
                .collect();
            for _ in 0..100 {
                assert_eq!(receiver.recv(), Ok(true));
            }
            drop(tokens);
        });
    }

    #[test]
    fn and_a_token_that_is_only_asked_by_armed_checks_is_marked_by_a_thread() {
        watchdog("an armed token at its deadline", || {
            let token = SimpleToken::new() + TimeoutToken::new(Duration::from_millis(20));
            while token.keep_on() {
                thread::yield_now();
            }
            assert!(token.cancellation().is_some());
        });
    }

    #[test]
    fn and_what_is_dropped_at_one_deadline_delays_no_other() {
        struct Stuck(Arc<Mutex<()>>);
        impl Drop for Stuck {
            fn drop(&mut self) {
                drop(self.0.lock());
            }
        }
        watchdog("drops that block at a deadline", || {
            for _ in 0..100 {
                let lock = Arc::new(Mutex::new(()));
                let token = TimeoutToken::new(Duration::from_micros(200));
                let stuck = Stuck(lock.clone());
                token.on_cancel(move |_| drop(stuck)).detach();
                token.attach(Stuck(lock.clone()));
                let held = lock.lock().expect("no panic under it");
                let dropper = thread::spawn(move || {
                    while token.cancellation().is_none() {}
                    drop(token);
                });
                let armed = TimeoutToken::new(Duration::from_micros(400));
                drop(armed.on_cancel(|_| ()));
                let child = armed.child();
                let waiting = child.on_cancel(|_| ());
                while armed.keep_on() || child.keep_on() {
                    thread::yield_now();
                }
                drop(held);
                dropper.join().expect("no panic");
                drop(waiting);
            }
        });
    }

    #[test]
    fn and_a_far_deadline_delays_no_near_one() {
        watchdog("deadlines in descending order", || {
            let tokens: Vec<_> = (0..50)
                .map(|number| TimeoutToken::new(HOUR - Duration::from_secs(number)))
                .collect();
            let waiting: Vec<_> = tokens.iter().map(|token| token.on_cancel(|_| ())).collect();
            let (sender, receiver) = mpsc::channel();
            let near = TimeoutToken::new(Duration::from_millis(1));
            let registration = near.on_cancel(move |_| sender.send(()).expect("a receiver"));
            receiver.recv().expect("a callback that is run");
            assert!(tokens.iter().all(|token| token.cancellation().is_none()));
            drop((waiting, registration));
        });
    }
}

mod guarantee_3_when_cancel_returns_every_derived_token_answers_cancelled {
    use std::sync::Barrier;
    use std::sync::mpsc;
    use std::thread;

    use cantok_core::{SimpleToken, TimeoutToken, Token};

    use cantok_testkit::shapes::HOUR;
    use cantok_testkit::watchdog;

    /// How the derived tokens of a round are used before the cancel.
    #[derive(Clone, Copy)]
    enum Armed {
        /// Not at all.
        No,
        /// By many checks.
        ByChecks,
        /// By a callback.
        ByRegistration,
        /// One of the three, in turn.
        Mixed,
    }

    fn arm(how: Armed, number: usize, token: &Token) {
        match (how, number % 3) {
            (Armed::No, _) | (Armed::Mixed, 0) => {}
            (Armed::ByChecks, _) | (Armed::Mixed, 1) => assert!((0..80).all(|_| token.keep_on())),
            (Armed::ByRegistration, _) | (Armed::Mixed, _) => token.on_cancel(|_| ()).detach(),
        }
    }

    fn all_answer(tokens: &[Token]) {
        for (number, token) in tokens.iter().enumerate() {
            assert!(token.is_cancelled(), "token {number} of {}", tokens.len());
            assert!(
                token.cancellation().is_some(),
                "token {number} of {}",
                tokens.len()
            );
        }
    }

    /// Cancels each of `cancelled` on a thread of its own, all at once; each thread then asks those derived from its token.
    fn cancel_all_at_once(cancelled: &[(&Token, &[Token])]) {
        let start = Barrier::new(cancelled.len());
        thread::scope(|scope| {
            for (token, derived) in cancelled {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    token.cancel();
                    assert!(token.is_cancelled());
                    all_answer(derived);
                });
            }
        });
    }

    #[test]
    fn in_a_chain_cancelled_at_the_top_and_in_the_middle() {
        watchdog("two cancellers in one chain", || {
            for how in [
                Armed::No,
                Armed::ByChecks,
                Armed::ByRegistration,
                Armed::Mixed,
            ] {
                for round in 0..60 {
                    let mut chain = vec![Token::from(SimpleToken::new())];
                    for number in 1..100 {
                        chain.push(chain[number - 1].child().into());
                    }
                    // From the far end in every other round, which arms the links in another order.
                    for number in 0..100 {
                        let number = if round % 2 == 0 { number } else { 99 - number };
                        arm(how, number, &chain[number]);
                    }
                    cancel_all_at_once(&[
                        (&chain[0], &chain[1..]),
                        (&chain[1], &chain[2..]),
                        (&chain[round], &chain[round + 1..]),
                    ]);
                }
            }
        });
    }

    #[test]
    fn in_sums_of_two_cancelled_roots() {
        watchdog("two cancellers of overlapping roots", || {
            for how in [
                Armed::No,
                Armed::ByChecks,
                Armed::ByRegistration,
                Armed::Mixed,
            ] {
                for _ in 0..60 {
                    let (left, right) = (SimpleToken::new(), SimpleToken::new());
                    let mut derived = vec![&left + &right];
                    for number in 1..60 {
                        let last = &derived[number - 1];
                        let next = match number % 5 {
                            0 => last.child().into(),
                            1 => last + &right,
                            2 => last + TimeoutToken::new(HOUR),
                            3 => Token::any([last, &derived[number / 2], &left.child()]),
                            _ => &left + last,
                        };
                        derived.push(next);
                    }
                    for (number, token) in derived.iter().enumerate() {
                        arm(how, number, token);
                    }
                    cancel_all_at_once(&[
                        (&left, &derived),
                        (&right, &derived),
                        (&derived[20], &derived[21..]),
                    ]);
                }
            }
        });
    }

    #[test]
    fn in_what_derives_from_a_sum_of_any_width() {
        for width in [1, 2, 15, 16, 17, 18, 40, 200] {
            for cancelled in [0, width / 2, width - 1] {
                for early in [false, true] {
                    let operands: Vec<_> = (0..width).map(|_| SimpleToken::new()).collect();
                    let sum = Token::any(&operands);
                    // Before or after anything derives from a sum that has not been asked yet.
                    if early {
                        assert!(operands[cancelled].cancel());
                    }
                    let derived = vec![
                        sum.child().into(),
                        &sum + TimeoutToken::new(HOUR),
                        (&sum + &operands[0]).child().into(),
                        sum,
                    ];
                    if !early {
                        assert!(operands[cancelled].cancel());
                    }
                    all_answer(&derived);
                    for token in &derived {
                        let error = token.cancellation().expect("cancelled");
                        assert!(
                            error.is_from(&operands[cancelled]),
                            "{cancelled} of {width}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn in_a_wide_tree_with_two_roots() {
        watchdog("two cancellers of a wide tree", || {
            for _ in 0..60 {
                let (left, right) = (SimpleToken::new(), SimpleToken::new());
                let derived: Vec<Token> = (0..300)
                    .map(|number| match number % 3 {
                        0 => &left + &right,
                        1 => (&right + &left).child().into(),
                        _ => Token::any([left.child(), right.child()]),
                    })
                    .collect();
                for token in &derived {
                    arm(Armed::ByRegistration, 0, token);
                }
                cancel_all_at_once(&[(&left, &derived), (&right, &derived)]);
            }
        });
    }

    #[test]
    fn while_others_wait() {
        watchdog("two cancellers and four waiters", || {
            for _ in 0..100 {
                let (left, right) = (SimpleToken::new(), SimpleToken::new());
                let sum = &left + &right;
                let derived: Vec<Token> = (0..4)
                    .map(|number| match number {
                        0 => sum.clone(),
                        1 => sum.child().into(),
                        2 => &sum + TimeoutToken::new(HOUR),
                        _ => (&sum + &left).child().child().into(),
                    })
                    .collect();
                thread::scope(|scope| {
                    for token in &derived {
                        scope.spawn(|| {
                            token.wait();
                            assert!(token.is_cancelled());
                        });
                    }
                    cancel_all_at_once(&[(&left, &derived), (&right, &derived)]);
                });
            }
        });
    }

    #[test]
    fn while_another_cancel_is_stuck_in_a_callback() {
        watchdog("a cancel while another runs a callback that blocks", || {
            for _ in 0..50 {
                let (left, right) = (SimpleToken::new(), SimpleToken::new());
                let sum = &left + &right;
                let derived: Vec<Token> = vec![
                    sum.clone(),
                    sum.child().into(),
                    &sum + TimeoutToken::new(HOUR),
                ];
                let (started, has_started) = mpsc::channel();
                let (release, released) = mpsc::channel::<()>();
                let registration = left.on_cancel(move |_| {
                    started.send(()).expect("a receiver");
                    released.recv().expect("a release");
                });
                let others: Vec<_> = derived
                    .iter()
                    .map(|token| token.on_cancel(|_| ()))
                    .collect();
                thread::scope(|scope| {
                    scope.spawn(|| assert!(left.cancel()));
                    has_started.recv().expect("a callback that is run");
                    all_answer(&derived);
                    right.cancel();
                    assert!(!left.cancel());
                    assert!(!sum.cancel());
                    all_answer(&derived);
                    release.send(()).expect("the callback that blocks");
                });
                drop((registration, others));
            }
        });
    }

    #[test]
    fn while_tokens_are_derived_on_another_thread() {
        watchdog("deriving tokens against a cancel", || {
            for _ in 0..300 {
                let root = SimpleToken::new();
                let parent = root.child();
                let start = Barrier::new(2);
                thread::scope(|scope| {
                    scope.spawn(|| {
                        start.wait();
                        for _ in 0..20 {
                            let child = (&parent + TimeoutToken::new(HOUR)).child();
                            let registration = child.on_cancel(|_| ());
                            if parent.is_cancelled() {
                                assert!(child.is_cancelled());
                            }
                            drop(registration);
                        }
                    });
                    start.wait();
                    assert!(root.cancel());
                    assert!(parent.is_cancelled());
                    assert!(parent.child().is_cancelled());
                });
            }
        });
    }
}

mod guarantee_4_cancelled_implies_a_cause {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Barrier};
    use std::thread;
    use std::time::Duration;

    use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};

    use cantok_testkit::shapes::shapes;
    use cantok_testkit::watchdog;

    /// Threads spin on every shape of `source` until it is cancelled by `cancel` or by itself and must then see a cause.
    fn spin(source: &Token, cancel: impl FnOnce()) {
        let tokens: Vec<Token> = shapes(source).into_iter().map(|(_, token)| token).collect();
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for first in 0..3 {
                let (tokens, start) = (&tokens, &start);
                scope.spawn(move || {
                    start.wait();
                    for number in 0..tokens.len() {
                        let token = &tokens[(first * 4 + number) % tokens.len()];
                        while !token.is_cancelled() {}
                        assert!(token.cancellation().is_some(), "{token:?}");
                        assert!(token.check().is_err(), "{token:?}");
                    }
                });
            }
            start.wait();
            cancel();
        });
    }

    #[test]
    fn of_a_cancel() {
        watchdog("spinning on tokens that are cancelled", || {
            for round in 0..100 {
                let source = SimpleToken::new();
                spin(&source, || {
                    if round % 2 == 0 {
                        source.cancel();
                    } else {
                        source.cancel_with("closing time");
                    }
                });
            }
        });
    }

    #[test]
    fn of_a_deadline() {
        watchdog("spinning on deadlines", || {
            for round in 0..50 {
                let source = TimeoutToken::new(Duration::from_micros(round * 20));
                spin(&source, || ());
            }
        });
    }

    #[test]
    fn of_a_condition() {
        watchdog("spinning on conditions", || {
            for _ in 0..50 {
                let met = Arc::<AtomicBool>::default();
                let source = ConditionToken::new({
                    let met = met.clone();
                    move || met.load(Ordering::Relaxed)
                });
                spin(&source, || met.store(true, Ordering::Relaxed));
            }
        });
    }

    #[test]
    fn of_a_counter() {
        watchdog("spinning on counters", || {
            for round in 0..50 {
                spin(&CounterToken::new(round * 20), || ());
            }
        });
    }
}

mod guarantee_5_composition_never_touches_its_operands {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use cantok_core::{
        ConditionToken, CounterToken, DefaultToken, SimpleToken, TimeoutToken, Token,
    };

    use cantok_testkit::shapes::HOUR;

    fn operands(calls: &Arc<AtomicUsize>) -> Vec<Token> {
        let calls = calls.clone();
        let shared = SimpleToken::new();
        vec![
            SimpleToken::new().into(),
            ConditionToken::new(move || {
                calls.fetch_add(1, Ordering::SeqCst);
                false
            })
            .into(),
            TimeoutToken::new(HOUR).into(),
            CounterToken::new(5).into(),
            CounterToken::new(5).direct_only().into(),
            DefaultToken::new().into(),
            Token::never(),
            shared.child().into(),
            &shared + CounterToken::new(5),
            Token::any([&shared, &SimpleToken::new()]),
        ]
    }

    /// Everything that a peek can see.
    fn peeks(tokens: &[Token]) -> Vec<String> {
        tokens
            .iter()
            .map(|token| {
                let cause = token.cancellation().map(|error| error.cause().clone());
                let (deadline, can_be) = (token.deadline(), token.can_be_cancelled());
                format!("{token:?} {token} {cause:?} {deadline:?} {can_be}")
            })
            .collect()
    }

    fn composed(a: &Token, b: &Token) -> Vec<Token> {
        let mut added = a.clone();
        added += b;
        vec![
            a + b,
            a.clone() + b,
            a + b.clone(),
            a.clone() + b.clone(),
            Token::any([a, b, a]),
            [a, b].into_iter().sum(),
            vec![a.clone(), b.clone()].into_iter().collect(),
            added,
            (a + SimpleToken::new()) + (b + TimeoutToken::new(HOUR)),
        ]
    }

    #[test]
    fn composing_and_cancelling_the_sum_leaves_the_operands_alone() {
        let calls = Arc::<AtomicUsize>::default();
        let operands = operands(&calls);
        let before = peeks(&operands);
        for a in &operands {
            for b in &operands {
                let sums = composed(a, b);
                assert_eq!(peeks(&operands), before, "composed");
                for sum in &sums {
                    assert!(sum.cancel());
                }
                assert_eq!(peeks(&operands), before, "cancelled");
                drop(sums);
                assert_eq!(peeks(&operands), before, "dropped");
            }
        }
        assert_eq!(calls.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn cancelling_one_operand_cancels_the_sum_and_no_other_operand() {
        let calls = Arc::<AtomicUsize>::default();
        let kinds = operands(&calls).len();
        for a in 0..kinds {
            for b in 0..kinds {
                if a == b {
                    continue;
                }
                let operands = operands(&calls);
                let sums = composed(&operands[a], &operands[b]);
                let others: Vec<Token> = (0..kinds)
                    .filter(|&number| number != a)
                    .map(|number| operands[number].clone())
                    .collect();
                let before = peeks(&others);
                let cancelled = operands[a].cancel();
                assert_eq!(cancelled, operands[a].can_be_cancelled());
                assert_eq!(peeks(&others), before);
                for sum in &sums {
                    assert_eq!(sum.cancellation().is_some(), cancelled);
                    assert_eq!(
                        sum.cancellation()
                            .is_some_and(|error| error.is_from(&operands[a])),
                        cancelled
                    );
                }
                assert_eq!(peeks(&others), before);
            }
        }
    }

    #[test]
    fn a_token_that_is_kept_and_composed_is_not_taken_for_a_temporary_one() {
        struct Job {
            token: SimpleToken,
        }
        let job = Job {
            token: SimpleToken::new(),
        };
        let sum = job.token.clone() + TimeoutToken::new(Duration::from_secs(60));
        let other = &job.token + SimpleToken::new();
        assert!(other.cancel());
        assert!(!sum.is_cancelled());
        assert!(job.token.cancel());
        assert!(sum.is_cancelled());
        assert!(
            sum.cancellation()
                .is_some_and(|error| error.is_from(&job.token))
        );
    }
}

mod guarantee_6_no_lock_is_held_while_user_code_runs {
    use std::error::Error;
    use std::fmt;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{self, Sender};
    use std::sync::{Arc, Mutex};
    use std::task::{Wake, Waker};
    use std::thread;
    use std::time::Duration;

    use cantok_core::adapter::{TokenAdapterExt as _, WakerRegistration};
    use cantok_core::{ConditionToken, CounterToken, SimpleToken, TimeoutToken, Token};

    use cantok_testkit::shapes::HOUR;
    use cantok_testkit::watchdog;

    /// A lock of the user's.
    #[derive(Clone)]
    struct Gate {
        lock: Arc<Mutex<()>>,
        entered: Sender<()>,
    }

    impl Gate {
        /// Says that it is there and takes the lock.
        fn pass(&self) {
            let _ = self.entered.send(());
            drop(self.lock.lock());
        }
    }

    /// Takes the user's lock when it is dropped.
    struct LocksInDrop(Gate);

    impl Drop for LocksInDrop {
        fn drop(&mut self) {
            self.0.pass();
        }
    }

    /// An error that takes the user's lock when it is dropped.
    struct Reason(Gate);

    impl Drop for Reason {
        fn drop(&mut self) {
            self.0.pass();
        }
    }

    impl fmt::Debug for Reason {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Reason")
        }
    }

    impl fmt::Display for Reason {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("closing time")
        }
    }

    impl Error for Reason {}

    /// Holds the user's lock, lets another thread run into it with `stuck`, and has `meanwhile` done before it lets go.
    fn holding_the_lock(
        what: &str,
        stuck: impl FnOnce(Gate) + Send + 'static,
        meanwhile: impl FnOnce() + Send + 'static,
    ) {
        watchdog(what, move || {
            let (entered, has_entered) = mpsc::channel();
            let lock = Arc::<Mutex<()>>::default();
            let gate = Gate { lock, entered };
            let lock = gate.lock.clone();
            let held = lock.lock().expect("no panic under it");
            let other = thread::spawn(move || stuck(gate));
            has_entered.recv().expect("user code that is run");
            meanwhile();
            drop(held);
            other.join().expect("no panic");
        });
    }

    /// Peeks and derivations, which run no user code at all.
    fn peek_and_derive(token: &Token) {
        assert!(!format!("{token:?} {token}").is_empty());
        let _ = (
            token.cancellation(),
            token.deadline(),
            token.can_be_cancelled(),
        );
        let sum = token + TimeoutToken::new(HOUR);
        let child = sum.child();
        let _ = (child.cancellation(), sum.cancellation());
        token.attach(());
        drop(token.clone());
        drop((sum, child));
    }

    /// Everything that a cancelled token can be asked for, after cancelling it.
    fn cancel_and_use(token: &Token) {
        peek_and_derive(token);
        let (child, sum) = (token.child(), token + SimpleToken::new());
        let registrations = (child.on_cancel(|_| ()), sum.on_cancel(|_| ()));
        drop(token.on_cancel(|_| ()));
        token.cancel();
        for token in [token, &child, &sum] {
            assert!(token.is_cancelled());
            assert!(token.check().is_err());
            assert!(!token.cancel());
            token.wait();
            assert!(token.wait_timeout(Duration::ZERO).is_some());
            drop(token.on_cancel(|_| ()));
            peek_and_derive(token);
        }
        drop(registrations);
    }

    /// What passes the gate.
    type Pass = Arc<dyn Fn() + Send + Sync>;

    /// A condition token, made with a gate that is known later.
    fn gated(make: impl FnOnce(Pass) -> ConditionToken) -> (ConditionToken, impl FnOnce(Gate)) {
        let slot = Arc::<Mutex<Option<Gate>>>::default();
        let pass = {
            let slot = slot.clone();
            Arc::new(move || {
                let gate = slot.lock().expect("no panic under it").clone();
                gate.expect("a gate before the first check").pass();
            })
        };
        let set = move |gate| *slot.lock().expect("no panic under it") = Some(gate);
        (make(pass), set)
    }

    #[test]
    fn conditions() {
        for returned in [false, true] {
            let (token, set) = gated(move |pass| {
                ConditionToken::new(move || {
                    pass();
                    returned
                })
            });
            let sum = &token + CounterToken::new(9);
            holding_the_lock(
                "a condition",
                {
                    let sum = sum.clone();
                    move |gate| {
                        set(gate);
                        assert!(sum.is_cancelled(), "cancelled while it asked");
                    }
                },
                move || {
                    cancel_and_use(&sum);
                    cancel_and_use(&token);
                },
            );
        }
    }

    #[test]
    fn what_runs_before_and_after_a_condition() {
        let makes: [fn(Pass) -> ConditionToken; 2] = [
            |pass| ConditionToken::new(|| false).before(move || pass()),
            |pass| ConditionToken::new(|| false).after(move || pass()),
        ];
        for make in makes {
            let (token, set) = gated(make);
            holding_the_lock(
                "before and after a condition",
                {
                    let token = token.clone();
                    move |gate| {
                        set(gate);
                        assert!(token.is_cancelled(), "cancelled while it asked");
                    }
                },
                move || cancel_and_use(&token),
            );
        }
    }

    #[test]
    fn drops_of_a_conditions_errors() {
        let slot = Arc::<Mutex<Option<Gate>>>::default();
        let token = ConditionToken::fallible({
            let slot = slot.clone();
            move || {
                let gate = slot.lock().expect("no panic under it").clone();
                Err(LocksInDrop(gate.expect("a gate before the first check")))
            }
        });
        holding_the_lock(
            "the drop of a condition's error",
            {
                let token = token.clone();
                move |gate| {
                    *slot.lock().expect("no panic under it") = Some(gate);
                    assert!(token.is_cancelled(), "cancelled while it asked");
                }
            },
            move || cancel_and_use(&token),
        );
    }

    #[test]
    fn callbacks() {
        let root = SimpleToken::new();
        let token = &root + TimeoutToken::new(HOUR);
        holding_the_lock(
            "a callback",
            {
                let (root, token) = (root.clone(), token.clone());
                move |gate| {
                    let registration = token.on_cancel(move |_| gate.pass());
                    assert!(root.cancel());
                    drop(registration);
                }
            },
            move || {
                cancel_and_use(&token);
                cancel_and_use(&root);
            },
        );
    }

    #[test]
    fn callbacks_at_a_deadline() {
        let token = TimeoutToken::new(Duration::from_millis(1));
        holding_the_lock(
            "a callback at a deadline",
            {
                let token = token.clone();
                move |gate| token.on_cancel(move |_| gate.pass()).detach()
            },
            move || cancel_and_use(&token),
        );
    }

    #[test]
    fn callbacks_that_are_run_at_once() {
        let token = SimpleToken::new();
        token.cancel();
        holding_the_lock(
            "a callback on a cancelled token",
            {
                let token = token.clone();
                move |gate| drop(token.on_cancel(move |_| gate.pass()))
            },
            move || cancel_and_use(&token),
        );
    }

    #[test]
    fn detached_callbacks_of_a_dropped_token() {
        for is_sum in [false, true] {
            let root = SimpleToken::new();
            let other = root.child();
            holding_the_lock(
                "a detached callback of a token without handles",
                {
                    let root = root.clone();
                    move |gate| {
                        let token = if is_sum {
                            &root + SimpleToken::new().named("operand")
                        } else {
                            root.child().into()
                        };
                        token.on_cancel(move |_| gate.pass()).detach();
                        drop(token);
                        assert!(root.cancel());
                    }
                },
                move || {
                    cancel_and_use(&other);
                    cancel_and_use(&root);
                },
            );
        }
    }

    /// Takes the user's lock when it is woken.
    struct LocksInWake(Gate);

    impl Wake for LocksInWake {
        fn wake(self: Arc<Self>) {
            self.0.pass();
        }
    }

    #[test]
    fn wakers() {
        for is_late in [false, true] {
            let root = SimpleToken::new();
            let token = &root + TimeoutToken::new(HOUR);
            holding_the_lock(
                "a waker",
                {
                    let (root, token) = (root.clone(), token.clone());
                    move |gate| {
                        if is_late {
                            assert!(root.cancel());
                        }
                        let waker = Waker::from(Arc::new(LocksInWake(gate)));
                        let registration = token.register(&waker);
                        assert_eq!(root.cancel(), !is_late);
                        drop(registration);
                    }
                },
                move || {
                    cancel_and_use(&token);
                    cancel_and_use(&root);
                },
            );
        }
    }

    /// A waker whose last reference takes the user's lock when it is dropped.
    struct Sleeps(#[expect(dead_code, reason = "for its drop")] LocksInDrop);

    impl Wake for Sleeps {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn drops_of_wakers() {
        for way in 0..6 {
            let root = SimpleToken::new();
            let token = root.child();
            holding_the_lock(
                "the drop of a waker",
                {
                    let (root, token) = (root.clone(), token.clone());
                    move |gate| {
                        let mut registration = WakerRegistration::new(&*token);
                        let never = Token::never();
                        let waker = Waker::from(Arc::new(Sleeps(LocksInDrop(gate))));
                        let is_late = way == 5;
                        if is_late {
                            root.cancel();
                        }
                        assert_eq!(registration.register(&waker), !is_late);
                        let of_never = never.register(&waker);
                        drop(waker);
                        drop(of_never);
                        match way {
                            0 => drop(registration),
                            1 => registration.clear(),
                            2 => _ = registration.register(Waker::noop()),
                            3 => assert!(root.cancel()),
                            4 => assert!(token.cancel()),
                            _ => {}
                        }
                    }
                },
                move || {
                    cancel_and_use(&token);
                    cancel_and_use(&root);
                },
            );
        }
    }

    #[test]
    fn drops_of_callbacks() {
        for way in 0..4 {
            let root = SimpleToken::new();
            let token = root.child();
            holding_the_lock(
                "the drop of a callback",
                {
                    let token = token.clone();
                    move |gate| {
                        let owned = LocksInDrop(gate);
                        match way {
                            0 => drop(token.on_cancel(move |_| drop(owned))),
                            1 => {
                                token.on_cancel(move |_| drop(owned)).unregister();
                            }
                            2 => {
                                token.on_cancel(move |_| drop(owned)).detach();
                                assert!(token.cancel());
                            }
                            _ => drop(Token::never().on_cancel(move |_| drop(owned))),
                        }
                    }
                },
                move || {
                    cancel_and_use(&token);
                    cancel_and_use(&root);
                },
            );
        }
    }

    #[test]
    fn drops_of_conditions_callbacks_and_guards_with_the_last_handle() {
        for way in 0..4 {
            let root = SimpleToken::new();
            let armed = root.child();
            let registration = armed.on_cancel(|_| ());
            holding_the_lock(
                "the drop of the last handle",
                {
                    let root = root.clone();
                    move |gate| {
                        let owned = LocksInDrop(gate);
                        match way {
                            0 => {
                                let condition = ConditionToken::new(move || {
                                    let _owned = &owned;
                                    false
                                });
                                let sum = &root + condition;
                                // Armed.
                                assert!((0..100).all(|_| sum.keep_on()));
                                drop(sum);
                            }
                            1 => {
                                let own = SimpleToken::new();
                                own.on_cancel(move |_| drop(owned)).detach();
                                drop(own);
                            }
                            2 => {
                                // Kept for as long as the parent is there.
                                let own = SimpleToken::new();
                                own.child().on_cancel(move |_| drop(owned)).detach();
                                drop(own);
                            }
                            _ => {
                                let child = root.child();
                                child.attach(owned);
                                drop(child.child());
                                drop(child);
                            }
                        }
                    }
                },
                move || {
                    cancel_and_use(&armed);
                    cancel_and_use(&root);
                    drop(registration);
                },
            );
        }
    }

    #[test]
    fn drops_of_reasons() {
        // One that came too late.
        let token = SimpleToken::new();
        holding_the_lock(
            "the drop of a reason that came too late",
            {
                let token = token.clone();
                move |gate| {
                    token.cancel();
                    assert!(!token.cancel_with(Reason(gate)));
                }
            },
            move || cancel_and_use(&token),
        );
        // One for a token that is never cancelled.
        holding_the_lock(
            "the drop of a reason without use",
            |gate| assert!(!Token::never().cancel_with(Reason(gate))),
            || peek_and_derive(&Token::never()),
        );
        // One that goes with the last handle.
        let root = SimpleToken::new();
        holding_the_lock(
            "the drop of a reason with its token",
            {
                let root = root.clone();
                move |gate| {
                    let child = root.child();
                    child.on_cancel(|_| ()).detach();
                    assert!(child.cancel_with(Reason(gate)));
                    drop(child);
                }
            },
            move || cancel_and_use(&root),
        );
    }

    #[test]
    fn a_waiter_that_is_stuck_in_a_condition_holds_up_no_other_waiter() {
        watchdog("waiters beside one that is stuck", || {
            let (entered, has_entered) = mpsc::channel();
            let lock = Arc::<Mutex<()>>::default();
            let gate = Gate { lock, entered };
            let lock = gate.lock.clone();
            let is_first = AtomicBool::new(true);
            // The first call runs into the lock, on any thread; the others do not.
            let token = ConditionToken::new(move || {
                if is_first.swap(false, Ordering::SeqCst) {
                    gate.pass();
                }
                false
            });
            let held = lock.lock().expect("no panic under it");
            thread::scope(|scope| {
                let stuck = scope.spawn(|| token.wait());
                has_entered.recv().expect("a poll that is stuck");
                assert!(token.wait_timeout(Duration::from_millis(1)).is_none());
                assert!(token.child().wait_timeout(Duration::ZERO).is_none());
                let timeout = TimeoutToken::new(Duration::from_millis(1));
                let timed = &token + &timeout;
                assert!(timed.wait().is_from(&timeout));
                let stop = SimpleToken::new();
                let sum = &token + &stop;
                let other = scope.spawn(move || sum.wait());
                assert!(stop.cancel());
                assert!(other.join().expect("no panic").is_from(&stop));
                assert!(token.cancel());
                drop(held);
                assert!(stuck.join().expect("no panic").is_from(&token));
            });
        });
    }

    #[test]
    fn two_waiters_on_a_condition_that_takes_a_lock_end_with_the_cancel() {
        watchdog("two waiters and a user's lock", || {
            for _ in 0..50 {
                let lock = Arc::<Mutex<u32>>::default();
                let token = ConditionToken::new({
                    let lock = lock.clone();
                    move || *lock.lock().expect("no panic under it") > 0
                });
                let sum = &token + SimpleToken::new();
                thread::scope(|scope| {
                    let waiters = [
                        scope.spawn(|| token.wait()),
                        scope.spawn(|| token.wait()),
                        scope.spawn(|| sum.wait()),
                    ];
                    let mut held = lock.lock().expect("no panic under it");
                    let callback = sum.on_cancel(|_| ());
                    peek_and_derive(&token);
                    peek_and_derive(&sum);
                    *held += 1;
                    assert!(token.cancel() || token.cancellation().is_some());
                    drop(held);
                    drop(callback);
                    for waiter in waiters {
                        assert!(waiter.join().expect("no panic").is_from(&token));
                    }
                });
            }
        });
    }
}

mod guarantee_7_any_depth_and_any_width {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use cantok_core::adapter::TokenAdapterExt as _;
    use cantok_core::{SimpleToken, TimeoutToken, Token};

    use crate::small_stack::small_stack;
    use cantok_testkit::shapes::HOUR;

    #[test]
    fn a_hundred_thousand_nested_tokens_work_on_a_small_stack() {
        small_stack("a deep chain", || {
            let root = SimpleToken::new();
            let mut last = Token::from(&root);
            let mut earliest = None;
            for number in 0..100_000 {
                last = match number % 3 {
                    0 => last.child().into(),
                    1 => {
                        let timeout = TimeoutToken::new(HOUR);
                        earliest = earliest.or(timeout.deadline());
                        &last + timeout
                    }
                    _ => SimpleToken::new() + &last,
                };
            }
            assert!(!last.is_cancelled());
            assert_eq!(last.deadline(), earliest);
            assert!(format!("{last:?}").starts_with("SimpleToken(child of Token("));
            assert!(root.cancel());
            assert!(last.check().is_err_and(|error| error.is_from(&root)));
            drop(root);
            drop(last);
        });
    }

    #[test]
    fn a_hundred_thousand_operands_work_on_a_small_stack() {
        small_stack("a wide sum", || {
            let operands: Vec<_> = (0..100_000).map(|_| SimpleToken::new()).collect();
            let sum = Token::any(&operands);
            assert!(!sum.is_cancelled());
            assert!(operands[99_999].cancel());
            assert!(
                sum.check()
                    .is_err_and(|error| error.is_from(&operands[99_999]))
            );
        });
    }

    #[test]
    fn nothing_of_a_dropped_child_stays_behind() {
        struct Counted(Arc<AtomicUsize>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let root = SimpleToken::new();
        let dropped = Arc::<AtomicUsize>::default();
        let count = || Counted(dropped.clone());
        for number in 0..10_000 {
            let child = &root + TimeoutToken::new(HOUR);
            child.attach(count());
            let (own, of_child, detached) = (count(), count(), count());
            let registrations = (
                child.on_cancel(move |_| drop(own)),
                child.child().on_cancel(move |_| drop(of_child)),
            );
            drop(registrations);
            drop(child);
            assert_eq!(dropped.load(Ordering::SeqCst), 4 * number + 3);
            // Kept for as long as something can cancel it.
            let (left, right) = (SimpleToken::new(), SimpleToken::new());
            let sum = &left + &right;
            sum.on_cancel(move |_| drop(detached)).detach();
            drop(sum);
            drop(left);
            assert_eq!(dropped.load(Ordering::SeqCst), 4 * number + 3);
            drop(right);
            assert_eq!(dropped.load(Ordering::SeqCst), 4 * number + 4);
        }
        assert!(!root.is_cancelled());
    }
}

mod guarantee_8_a_condition_that_panics_or_checks_itself_harms_nothing {
    use std::panic;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    use cantok_core::{Cause, ConditionToken, CounterToken, SimpleToken, Token};

    use cantok_testkit::shapes::shapes;
    use cantok_testkit::watchdog;

    /// A condition that panics at its first calls, quietly, and is met by the last of `panics + quiet + 1` calls.
    fn panicking(panics: usize, quiet: usize) -> (ConditionToken, Arc<AtomicUsize>) {
        let calls = Arc::<AtomicUsize>::default();
        let token = ConditionToken::new({
            let calls = calls.clone();
            move || {
                let call = calls.fetch_add(1, Ordering::SeqCst);
                if call < panics {
                    panic::resume_unwind(Box::new("the condition's panic"));
                }
                call >= panics + quiet
            }
        });
        (token, calls)
    }

    #[test]
    fn a_panic_reaches_the_check_and_the_token_stays_usable() {
        watchdog("a condition that panics", || {
            for index in 0..shapes(&Token::never()).len() {
                let (condition, calls) = panicking(3, 2);
                let (shape, token) = shapes(&condition).swap_remove(index);
                let checks: [fn(&Token) -> bool; 3] = [
                    |token| token.check().is_ok(),
                    |token| token.is_cancelled(),
                    |token| token.keep_on(),
                ];
                for check in checks {
                    let payload = panic::catch_unwind(|| check(&token)).expect_err("a panic");
                    let text = payload.downcast_ref::<&str>().copied();
                    assert_eq!(text, Some("the condition's panic"), "{shape}");
                    assert!(token.cancellation().is_none(), "{shape}");
                }
                assert!(token.keep_on(), "{shape}");
                assert!(condition.keep_on(), "{shape}");
                let error = token.check().expect_err("met");
                assert_eq!(error.cause(), &Cause::Condition, "{shape}");
                assert!(error.is_from(&condition), "{shape}");
                assert_eq!(calls.load(Ordering::SeqCst), 6, "{shape}");
            }
        });
    }

    #[test]
    fn a_token_whose_condition_always_panics_can_be_cancelled() {
        watchdog("a condition that always panics", || {
            let (condition, calls) = panicking(usize::MAX, 0);
            let token = &condition + SimpleToken::new();
            assert!(panic::catch_unwind(|| token.is_cancelled()).is_err());
            assert!(condition.cancel());
            assert!(token.is_cancelled());
            assert!(token.wait().is_from(&condition));
            assert_eq!(calls.load(Ordering::SeqCst), 1);
        });
    }

    #[test]
    fn a_condition_that_checks_its_own_token_sees_itself_as_not_satisfied() {
        watchdog("a condition that checks itself", || {
            for index in 0..shapes(&Token::never()).len() {
                let own = Arc::<OnceLock<Token>>::default();
                let calls = Arc::<AtomicUsize>::default();
                let condition = ConditionToken::new({
                    let (own, calls) = (own.clone(), calls.clone());
                    move || {
                        calls.fetch_add(1, Ordering::SeqCst);
                        let token = own.get().expect("set before the first check");
                        assert!(!token.is_cancelled());
                        assert!(token.check().is_ok());
                        assert!(token.cancellation().is_none());
                        assert!(token.wait_timeout(Duration::ZERO).is_none());
                        true
                    }
                });
                let (shape, token) = shapes(&condition).swap_remove(index);
                own.set(token.clone()).expect("not set before");
                let error = token.check().expect_err("met in the end");
                assert!(error.is_from(&condition), "{shape}");
                assert_eq!(calls.load(Ordering::SeqCst), 1, "{shape}");
                assert!(condition.is_cancelled(), "{shape}");
            }
        });
    }

    #[test]
    fn two_conditions_that_check_each_other_come_to_an_end() {
        watchdog("two conditions that check each other", || {
            let tokens = Arc::<[OnceLock<Token>; 2]>::default();
            for number in 0..2 {
                let others = tokens.clone();
                let token = ConditionToken::new(move || {
                    let other = others[1 - number]
                        .get()
                        .expect("set before the first check");
                    other.is_cancelled()
                });
                tokens[number].set(token.into()).expect("not set before");
            }
            let [first, second] = &*tokens;
            let (first, second) = (first.get().expect("set"), second.get().expect("set"));
            for _ in 0..200 {
                assert!(!first.is_cancelled());
                assert!(!second.is_cancelled());
            }
            assert!(second.cancel());
            assert!(first.is_cancelled());
        });
    }

    #[test]
    fn a_condition_may_cancel_its_own_token() {
        watchdog("a condition that cancels its token", || {
            let own = Arc::<OnceLock<Token>>::default();
            let condition = ConditionToken::new({
                let own = own.clone();
                move || own.get().expect("set before the first check").cancel()
            });
            own.set((&condition).into()).expect("not set before");
            let error = condition.check().expect_err("cancelled");
            assert_eq!(error.cause(), &Cause::Cancelled, "the first cause wins");
        });
    }

    #[test]
    fn a_check_that_panics_spends_no_unit() {
        let (condition, _) = panicking(1, 1);
        let counter = CounterToken::new(2);
        let token = &counter + &condition;
        assert!(panic::catch_unwind(|| token.is_cancelled()).is_err());
        assert_eq!(counter.remaining(), 2);
        assert!(token.keep_on());
        assert_eq!(counter.remaining(), 1);
        assert!(
            token.is_cancelled(),
            "the condition is met before a unit is spent"
        );
        assert_eq!(counter.remaining(), 1);
    }
}
