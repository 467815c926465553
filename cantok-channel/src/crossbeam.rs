//! The only module that imports channels. Under `cfg(cantok_loom)`, which `models/build.rs` sets, a stand-in replaces
//! it, so that loom can run every interleaving.

pub(crate) use crossbeam_channel::{
    Receiver, Select, SelectedOperation, Sender, TryIter, unbounded,
};
