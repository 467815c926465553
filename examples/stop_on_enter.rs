//! Works for five seconds, or until you press Enter.

use std::io::stdin;
use std::thread;
use std::time::Duration;

use cantok::{SimpleToken, TimeoutToken};

fn main() {
    let enter = SimpleToken::new().named("Enter");
    let token = &enter + TimeoutToken::new(Duration::from_secs(5));

    // Never joined, since no token interrupts a blocked read: it ends with the process.
    thread::spawn({
        let enter = enter.clone();
        move || {
            let read = stdin().read_line(&mut String::new());
            if read.is_ok_and(|bytes| bytes > 0) {
                enter.cancel();
            }
        }
    });

    println!("working for five seconds, press Enter to stop sooner");
    let mut rounds = 0;
    let error = loop {
        // A pause that ends at once when the token is cancelled.
        if let Some(error) = token.wait_timeout(Duration::from_millis(500)) {
            break error;
        }
        rounds += 1;
        println!("round {rounds}");
    };

    println!("stopped after {rounds} rounds: {error}");
    if error.is_from(&enter) {
        println!("you did not want to wait");
    }
}
