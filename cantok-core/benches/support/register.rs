//! Callbacks that are registered and unregistered, beside others.

use crate::calls::{Contender, call};
use cantok_core::{CancellationError, Registration, SimpleToken, Token};
use std::hint::black_box;
use std::sync::{Arc, Mutex};

/// Registers a callback that captures something, as most do: its box has to be allocated.
pub(crate) fn register(token: &Token) -> Registration {
    let captured = black_box(1_u64);
    token.on_cancel(move |_| {
        black_box(captured);
    })
}

/// Callbacks behind a lock, without any of the guarantees of a [`Registration`].
#[derive(Default)]
struct Slab(Mutex<Slots>);

type Callback = Box<dyn FnOnce(&CancellationError) + Send>;

#[derive(Default)]
struct Slots {
    callbacks: Vec<Option<Callback>>,
    free: Vec<usize>,
}

impl Slab {
    /// Returns the key that removes the callback.
    fn insert(&self) -> usize {
        let captured = black_box(1_u64);
        let callback: Callback = Box::new(move |_| {
            black_box(captured);
        });
        let slots = &mut *self.0.lock().expect("not poisoned");
        match slots.free.pop() {
            Some(key) => {
                slots.callbacks[key] = Some(callback);
                key
            }
            None => {
                slots.callbacks.push(Some(callback));
                slots.callbacks.len() - 1
            }
        }
    }

    fn remove(&self, key: usize) -> Option<Callback> {
        let slots = &mut *self.0.lock().expect("not poisoned");
        slots.free.push(key);
        slots.callbacks[key].take()
    }
}

/// The limit: a boxed closure that is put into a slab and removed.
pub(crate) fn hand_written() -> Contender {
    let slab = Slab::default();
    slab.insert();
    call("limit: hand-written slab", move || {
        let key = slab.insert();
        slab.remove(key)
    })
}

/// The same where a registration keeps the slab alive.
fn owned() -> Contender {
    let slab = Arc::new(Slab::default());
    slab.insert();
    call("control: an Arc of the slab", move || {
        let key = slab.insert();
        let registration = (Arc::clone(&slab), key);
        let (slab, key) = black_box(registration);
        slab.remove(key)
    })
}

pub(crate) fn registered() -> Vec<Contender> {
    let others = [
        ("beside 1", 1),
        ("beside 100", 100),
        ("beside 10000", 10_000),
        ("beside 100000", 100_000),
    ];
    let ours = others.into_iter().map(|(name, others)| {
        let token = SimpleToken::new();
        let others: Vec<_> = (0..others).map(|_| register(&token)).collect();
        call(name, move || {
            let _ = &others;
            register(&token)
        })
    });
    [hand_written(), owned()].into_iter().chain(ours).collect()
}
