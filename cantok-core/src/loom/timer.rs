//! Replaces the timer in loom's models. Loom has no clock, so nothing is ever due; a model calls `expire` itself.

use std::io;
use std::marker::PhantomData;
use std::time::Instant;

pub(crate) struct Timer<T>(PhantomData<fn(T)>);

pub(crate) struct Alarm(());

impl Alarm {
    pub(crate) fn to_bits(self) -> u64 {
        1
    }

    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        (bits != 0).then_some(Alarm(()))
    }
}

impl<T> Timer<T> {
    pub(crate) const fn new(_name: &'static str, _run: fn()) -> Self {
        Timer(PhantomData)
    }

    pub(crate) fn start(&self) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn start_here(&self) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn is_forked(&self) -> bool {
        false
    }

    pub(crate) fn wakes_by(&self, _at: Instant) -> bool {
        false
    }

    pub(crate) fn insert(&self, _at: Instant, _value: T) -> Alarm {
        Alarm(())
    }

    pub(crate) fn remove(&self, _alarm: Alarm) -> Option<T> {
        None
    }

    pub(crate) fn run(&self, _fire: impl FnMut(Instant, &mut Vec<T>), _free: fn(Box<dyn Send>)) {}
}
