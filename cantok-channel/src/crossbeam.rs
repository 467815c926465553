//! The one place where channels come from: crossbeam, or a stand-in whose every interleaving loom can run, under
//! `cfg(cantok_loom)`, which `models/build.rs` sets.

pub(crate) use crossbeam_channel::{
    Receiver, Select, SelectedOperation, Sender, TryIter, unbounded,
};
