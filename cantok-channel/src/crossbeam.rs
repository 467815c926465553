//! The one place where channels come from: crossbeam, or a stand-in whose every interleaving loom can run, under
//! `--cfg loom`.

pub(crate) use crossbeam_channel::{
    Receiver, Select, SelectedOperation, Sender, TryIter, unbounded,
};
