mod before {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Condvar, Mutex};
    use std::thread;

    #[derive(PartialEq, Eq, Debug)]
    enum Error {
        Stopped,
    }

    fn checks(stop: &AtomicBool) -> Result<(), Error> {
        if stop.load(Ordering::Acquire) {
            return Err(Error::Stopped);
        }
        Ok(())
    }

    fn keeps(stop: Arc<AtomicBool>) -> bool {
        while !stop.load(Ordering::Acquire) {
            thread::yield_now();
        }
        true
    }

    #[test]
    fn names() {
        let stop = Arc::new(AtomicBool::new(false));
        assert_eq!(checks(&stop), Ok(()));
        stop.store(true, Ordering::Release);
        assert_eq!(checks(&stop), Err(Error::Stopped));
        assert!(keeps(Arc::clone(&stop)));

        stop.store(false, Ordering::Release);
        let mut firsts = 0;
        for _caller in 0..2 {
            if !stop.swap(true, Ordering::AcqRel) {
                firsts += 1;
            }
        }
        assert_eq!(firsts, 1);

        let (stopped, changed) = (Mutex::new(true), Condvar::new());
        let stopped = changed.wait_while(stopped.lock().unwrap(), |stopped| !*stopped);
        assert!(*stopped.unwrap());
    }
}

mod after {
    use cantok::{CancellationError, SimpleToken, Token};
    use std::thread;
    use std::time::Duration;

    fn checks(token: &Token) -> Result<(), CancellationError> {
        token.check()?;
        Ok(())
    }

    fn keeps(token: impl Into<Token>) -> bool {
        let token = token.into();
        while token.keep_on() {
            thread::yield_now();
        }
        true
    }

    #[test]
    fn names() {
        let stop = SimpleToken::new();
        let token = stop.child();
        assert_eq!(checks(&token), Ok(()));
        assert_eq!(checks(&Token::never()), Ok(()));
        assert!(token.wait_timeout(Duration::ZERO).is_none());

        let mut firsts = 0;
        for _caller in 0..2 {
            if stop.cancel() {
                firsts += 1;
            }
        }
        assert_eq!(firsts, 1);
        assert!(checks(&token).is_err());
        assert!(keeps(stop.clone()));
        assert!(token.wait().is_from(&stop));

        let stop = SimpleToken::new();
        let token = stop.child();
        let reason = "maintenance";
        stop.cancel_with(reason);
        assert!(token.cancellation().is_some());
        let error = token.cancellation().unwrap();
        assert_eq!(error.to_string(), "cancelled: maintenance");
    }
}
