//! The figures that the project aims at, with remarks on those that it does not reach, and those of others beside them.

use std::borrow::Cow;
use std::iter;

/// A figure.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) what: Cow<'static, str>,
    /// The name of the benchmark that prints it.
    pub(crate) bench: &'static str,
    /// A `*` and an ending stand for all groups with that ending.
    pub(crate) group: &'static str,
    pub(crate) contender: &'static str,
    pub(crate) limit: Limit,
    /// Why it does not hold, or what else to know. Must not be empty if it does not hold.
    pub(crate) remark: &'static str,
    /// Its name in the chart of its group, if it is in one.
    pub(crate) name: Option<&'static str>,
    /// The names of others in that chart, and the contenders. They have no limit.
    pub(crate) others: &'static [(&'static str, &'static str)],
}

/// The limit of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// A multiple of the median of another contender of the same group.
    Times(f64, &'static str),
    /// A multiple of the least time of another contender of the same group. For work of one thread, to whose time other
    /// programs can only add.
    Least(f64, &'static str),
    /// Nanoseconds.
    Nanos(f64),
}

use Limit::{Least, Nanos, Times};

/// Stands for no limit.
const ANY: f64 = f64::INFINITY;

impl Limit {
    /// Returns the greatest figure that is allowed, if there is a limit.
    pub(crate) fn most(self) -> Option<f64> {
        let (Times(most, _) | Least(most, _) | Nanos(most)) = self;
        most.is_finite().then_some(most)
    }
}

/// Returns all rows, each followed by those of others.
pub(crate) fn rows() -> impl Iterator<Item = Row> {
    ROWS.iter().flat_map(|row| {
        let others = row.others.iter().map(|(name, contender)| Row {
            what: format!("{name}, to the same").into(),
            contender,
            limit: match row.limit {
                Times(_, of) => Times(ANY, of),
                Least(_, of) => Least(ANY, of),
                Nanos(_) => Nanos(ANY),
            },
            remark: "",
            name: Some(name),
            ..row.clone()
        });
        iter::once(row.clone()).chain(others)
    })
}

const LOAD: &str = "limit: Arc<AtomicBool>";
const TOKIO: &str = "peer: tokio-util";
const TWO: &str = "check, a second thread too";
const HAND_WRITTEN: &str = "limit: hand-written Arc";
const SLAB: &str = "limit: hand-written slab";
const SEVENTEEN: &str = "17 tokens";
const SLEEP: &str = "peer: tokio's Sleep";
const REQUEST: &str = "peer: timeout of run_until_cancelled";
const CANCEL: &str = "cancel, 100,000 children";
const TOKIO_WAITING: &str = "waiting children, peer: tokio-util";
const MEMORY: &str = "* from memory";
const COLLECT: &str = "collect, memory";
const CACHE: &str = "* from cache";
const FUSE: &str = "rayon's panic_fuse";
const RAYON_CANCEL: &str = "peer: rayon-cancel";
const UNTIL_CANCELLED: &str = "tokio-util: run_until_cancelled";

const TOKENS_OF_OTHERS: &[(&str, &str)] = &[
    ("almost-enough", "peer: almost-enough"),
    ("cancel-this", "peer: cancel-this"),
    ("tokio-util", TOKIO),
    (
        "almost-enough with a timeout",
        "peer: almost-enough with timeout",
    ),
];
const ITERATORS_OF_OTHERS: &[(&str, &str)] =
    &[("rayon: panic_fuse", FUSE), ("rayon-cancel", RAYON_CANCEL)];

const LINES: &str = "Both loops have the same seven instructions. Such a loop takes up to twice as long if it crosses a line of \
    the instruction cache, so the worst of 24 ratios is that of the unluckiest loop.";
const BLOCKS: &str =
    "The worst of 24 ratios, on a machine whose memory and cores are shared. The median is 1.00.";
const COUNTED: &str = "Two threads add to one counter. Its cache line takes some 50 ns to change its core. A third of a block of 1,024 \
    numbers, added up several at a time, takes as long. With `check_every(16384)` this cost disappears.";
const COLLECTED: &str = "Rayon collects into a `Result` through a list of vectors, which it then copies into one. Plain rayon takes two to \
    six times as long for that as into a `Vec`. `collect_vec` has no such copy.";
const MARKED_FIRST: &str = "All derived tokens are marked before the first waker is called, so that all threads agree on \
    which tokens are cancelled. This takes a list of all wakers, which tokio-util does without.";
const CHILD_EACH: &str = "Each task gives back its reference to the parent and to the one error that all tasks get. Several \
    threads then write these counts in turn. Tasks that share one token have only the error in common.";
const FUTEX: &str = "The scheduler sets the pace of two threads that sleep and wake each other, and the ratio changes from \
    run to run. The cancel adds a list of waiters and the error that each of them gets.";

const SCHEDULER: &str = "The handler runs on the main thread, and another thread cancels the token. If every core computes, \
    that thread waits for its turn, and the scheduler decides how long.";

const ALARM: &str = "tokio's `Sleep` is only a timer and lives on the stack. This also makes and drops a token, which is an \
    allocation. It reads the clock once more, to find a deadline that has already passed.";
const HANDLE: &str = "A registration keeps its token alive, so it takes and gives back a reference count. The list also holds \
    wakers and links, and returns its memory after a burst.";
const LATE: &str = "The timing wheel refiles a quarter of a million entries every 268 ms, which takes 10 to 20 ms. After a first \
    burst glibc merges what it freed, which takes 100 ms and more. Otherwise a deadline is late by about a millisecond.";
const ALLOCATIONS: &str = "The sum of four tokens takes five allocations, the limit a single one.";
const TWO_OBJECTS: &str = "The error, which has the time and the cause, is a second allocation.";
const COUNTS: &str = "Each child is found through a weak reference. Its two counts and its state are written in turn, in two cache \
    lines. 1,000 children reach the figure, but 100,000 no longer fit into the cache.";
const OWNED: &str =
    "The future holds a handle of its token, and takes and gives back a reference count.";
const REQUESTS: &str = "Makes two tokens on the heap and links them to the root. The peer makes one, and its timeout lives on the stack.";
const ASKED: &str = "Depends on the processor: 1.2 to 1.4 on an Intel Xeon, where an atomic decrement takes 6 ns. On an AMD EPYC it \
    takes 2 ns, and finding the condition and the counter in the list takes more than both.";
const WAITERS: &str = "0.5 to 1.0 on an Intel Xeon. Here the two differ by a few nanoseconds, and two threads that wait for one \
    token take turns on its lock.";

const SHARED_ROOT: &str = "Makes the counter and the sum, two objects on the heap, and takes a reference to the root. The limit makes \
    one object.";
const ALL_TASKS: &str = "Each task takes a reference to the one error, which has the time and the cause, and gives it back. All tasks \
    write this count in turn. Tasks of tokio-util get no error.";

const WORST: &str = "The worst of the builds in one run. It is mostly within 1 per cent of the limit, and two threads on two cores \
    vary by more.";

const ROWS: &[Row] = &[
    row(
        "check of a SimpleToken, to a load of an `Arc<AtomicBool>`",
        "core",
        "check",
        "simple",
        Least(1.15, LOAD),
        "",
    )
    .named("cantok: SimpleToken"),
    row(
        "check of 16 shared tokens and a timeout, to the same",
        "core",
        "check",
        "16 shared and timeout",
        Least(1.15, LOAD),
        "",
    )
    .named("cantok: 16 tokens and a timeout"),
    row(
        "check at depth 1,000 of nested children, to the same",
        "core",
        "check",
        "depth 1000",
        Least(1.15, LOAD),
        "",
    )
    .named("cantok: 1,000 nested children")
    .beside(TOKENS_OF_OTHERS),
    row(
        "check of a SimpleToken, a second thread checking too, to the same load",
        "core",
        TWO,
        "simple",
        Times(ANY, LOAD),
        "",
    )
    .named("cantok: SimpleToken"),
    row(
        "check of 16 shared tokens and a timeout, a second thread too, to the same",
        "core",
        TWO,
        "16 shared and timeout",
        Times(ANY, LOAD),
        "",
    )
    .named("cantok: 16 tokens and a timeout")
    .beside(TOKENS_OF_OTHERS),
    row(
        "check, to tokio-util's",
        "core",
        "check",
        "simple",
        Least(0.25, TOKIO),
        "",
    ),
    row(
        "the same, a second thread checking too",
        "core",
        TWO,
        "simple",
        Times(0.15, TOKIO),
        "",
    ),
    row(
        "a child, made and dropped, to tokio-util's",
        "core",
        "made and dropped",
        "child",
        Least(0.6, "child, peer: tokio-util"),
        "",
    ),
    row(
        "the same, a second thread doing so too",
        "core",
        "made and dropped, a second thread too",
        "child",
        Times(0.3, "child, peer: tokio-util"),
        "",
    ),
    row(
        "a `TimeoutToken`, made and dropped, to a hand-written `Arc` with parent, flag, counter and deadline",
        "core",
        "made and dropped, with a deadline",
        "timeout",
        Least(1.5, HAND_WRITTEN),
        "",
    ),
    row(
        "a `CounterToken`, to the same without a clock read",
        "core",
        "made and dropped, with a counter",
        "counter",
        Least(2.0, HAND_WRITTEN),
        "",
    ),
    row(
        "`&root + TimeoutToken`, to the same with a clock read",
        "core",
        "made and dropped, with a deadline",
        "root and timeout",
        Least(2.5, HAND_WRITTEN),
        "",
    ),
    row(
        "`&root + CounterToken`, to the same without one",
        "core",
        "made and dropped, with a counter",
        "root and counter",
        Least(3.5, HAND_WRITTEN),
        SHARED_ROOT,
    ),
    row(
        "the quick start's sum, to the same with a clock read",
        "core",
        "made and dropped, with a deadline",
        "quick start",
        Least(5.0, HAND_WRITTEN),
        ALLOCATIONS,
    ),
    row(
        "a token made, cancelled and dropped, to tokio-util's and a clock read",
        "core",
        "made, cancelled and dropped",
        "simple",
        Least(1.0, "peer: tokio-util and a clock read"),
        TWO_OBJECTS,
    ),
    row(
        "cancel, 100,000 children that merely check",
        "core",
        CANCEL,
        "polling children",
        Nanos(10_000.0),
        "",
    ),
    row(
        "cancel, 100,000 armed children, to tokio-util's with waiting ones",
        "core",
        CANCEL,
        "armed children",
        Least(0.8, TOKIO_WAITING),
        COUNTS,
    ),
    row(
        "cancel, 100,000 children with a task that waits, to the same",
        "core",
        CANCEL,
        "waiting children",
        Least(1.1, TOKIO_WAITING),
        MARKED_FIRST,
    ),
    row(
        "one check of the quick start's sum, to the same by hand, without a timeout",
        "core",
        "check that asks",
        "quick start",
        Least(1.5, "limit: quick start by hand"),
        ASKED,
    ),
    row(
        "`on_cancel` and drop, beside 1 other, to a boxed closure in a hand-written slab",
        "core",
        "on_cancel and drop",
        "beside 1",
        Least(1.5, SLAB),
        HANDLE,
    ),
    row(
        "the same, beside 100,000 others",
        "core",
        "on_cancel and drop",
        "beside 100000",
        Least(1.5, SLAB),
        HANDLE,
    ),
    row(
        "`on_cancel` of an armed sum of 1 token, to the same slab",
        "core",
        "on_cancel and drop, an armed sum",
        "1 token",
        Least(1.5, SLAB),
        HANDLE,
    ),
    row(
        "the same, of 100,000 tokens",
        "core",
        "on_cancel and drop, an armed sum",
        "100000 tokens",
        Least(1.5, SLAB),
        HANDLE,
    ),
    row(
        "a child of an armed sum of 100,000 tokens, to one of 17",
        "core",
        "a child of an armed sum",
        "100000 tokens",
        Least(1.5, SEVENTEEN),
        "",
    ),
    row(
        "a sum with an armed sum of 100,000 tokens, to one of 17",
        "core",
        "a sum with an armed sum",
        "100000 tokens",
        Least(1.5, SEVENTEEN),
        "",
    ),
    row(
        "`cancellation()` of an armed sum of 100,000 tokens, to one of 17",
        "core",
        "cancellation() of an armed sum",
        "100000 tokens",
        Least(1.5, SEVENTEEN),
        "",
    ),
    row(
        "a touch of an idle token, to a clock read and a store",
        "core",
        "touch of an idle token",
        "touch",
        Least(1.5, "limit: a clock read and a store"),
        "",
    ),
    row(
        "the same, with 1,000 armed sums of it",
        "core",
        "touch of an idle token",
        "touch, 1,000 armed sums of it",
        Least(1.5, "limit: a clock read and a store"),
        "",
    ),
    row(
        "a deadline of 60 s armed and disarmed, beside none, to tokio's `Sleep`",
        "core",
        "arm 60 s, beside none",
        "timeout",
        Least(1.0, SLEEP),
        ALARM,
    ),
    row(
        "the same, a second thread doing so too",
        "core",
        "arm 60 s, beside none, a second thread too",
        "timeout",
        Times(1.0, SLEEP),
        "",
    ),
    row(
        "a deadline at random within an hour, beside none, to the same",
        "core",
        "arm at random, beside none",
        "timeout",
        Least(1.0, SLEEP),
        ALARM,
    ),
    row(
        "the same, a second thread doing so too",
        "core",
        "arm at random, beside none, a second thread too",
        "timeout",
        Times(1.0, SLEEP),
        "",
    ),
    row(
        "a deadline of 60 s armed and disarmed, beside a million others, to the same",
        "core",
        "arm 60 s, beside a million",
        "timeout",
        Least(1.0, SLEEP),
        ALARM,
    ),
    row(
        "the same, a second thread doing so too",
        "core",
        "arm 60 s, beside a million, a second thread too",
        "timeout",
        Times(1.0, SLEEP),
        "",
    ),
    row(
        "a deadline at random within an hour, beside a million others, to the same",
        "core",
        "arm at random, beside a million",
        "timeout",
        Least(1.0, SLEEP),
        ALARM,
    ),
    row(
        "the same, a second thread doing so too",
        "core",
        "arm at random, beside a million, a second thread too",
        "timeout",
        Times(1.0, SLEEP),
        "",
    ),
    row(
        "a million deadlines within a second: 99 of 100 callbacks are late by at most",
        "core",
        "a million deadlines within a second",
        "callbacks, p99",
        Nanos(5e6),
        LATE,
    ),
    row(
        "the same, wakers",
        "core",
        "a million deadlines within a second",
        "wakers, p99",
        Nanos(5e6),
        LATE,
    ),
    row(
        "`cancelled()` polled once and dropped, to tokio-util's",
        "core",
        "cancelled() polled once",
        "simple",
        Least(1.0, TOKIO),
        WAITERS,
    ),
    row(
        "the same, of an armed sum with a timeout",
        "core",
        "cancelled() polled once",
        "root and timeout",
        Least(1.0, TOKIO),
        WAITERS,
    ),
    row(
        "`cancelled()` of one token, a second thread polling too, to tokio-util's",
        "core",
        "cancelled() polled once, a second thread too",
        "simple",
        Times(1.0, TOKIO),
        WAITERS,
    ),
    row(
        "the same, of an armed sum with a timeout",
        "core",
        "cancelled() polled once, a second thread too",
        "root and timeout",
        Times(1.0, TOKIO),
        WAITERS,
    ),
    row(
        "a child, its `cancelled()` polled once, both dropped, to tokio-util's",
        "core",
        "a child's cancelled() polled once",
        "child",
        Least(1.0, TOKIO),
        WAITERS,
    ),
    row(
        "`with_token` of a future that is ready, to `run_until_cancelled`",
        "core",
        "a future that is ready",
        "with_token",
        Least(0.7, UNTIL_CANCELLED),
        OWNED,
    ),
    row(
        "the same of one that waits once",
        "core",
        "a future that waits once",
        "with_token",
        Least(1.0, UNTIL_CANCELLED),
        WAITERS,
    ),
    row(
        "a request that waits once under `&root + TimeoutToken`, alone, to `timeout` around `run_until_cancelled` of a child",
        "core",
        "a request, alone",
        "with_token of root and timeout",
        Least(1.0, REQUEST),
        REQUESTS,
    ),
    row(
        "the same, 64 tasks on two threads",
        "core",
        "a request, 64 tasks on two threads",
        "with_token of root and timeout",
        Times(1.0, REQUEST),
        "",
    ),
    row(
        "the same, 10,000 requests at once",
        "core",
        "a request, 10,000 at once",
        "with_token of root and timeout",
        Times(1.0, REQUEST),
        REQUESTS,
    ),
    row(
        "cancel to the blocked thread running again, to a condition variable's notify",
        "core",
        "wake",
        "cancel",
        Times(1.2, "limit: condvar"),
        FUTEX,
    ),
    row(
        "rayon, the worst of eight computations over `u64` from the cache and of three builds, a check for each item, to `panic_fuse`",
        "rayon",
        CACHE,
        "with_token",
        Times(1.1, FUSE),
        LINES,
    ),
    row(
        "the same from memory",
        "rayon",
        MEMORY,
        "with_token",
        Times(1.1, FUSE),
        LINES,
    ),
    row(
        "the same from the cache, to plain rayon",
        "rayon",
        CACHE,
        "with_token",
        Times(ANY, "plain"),
        "",
    )
    .named("cantok: with_token"),
    row(
        "the same from the cache, `check_every(1024)`, to plain rayon",
        "rayon",
        CACHE,
        "check_every(1024)",
        Times(1.03, "plain"),
        BLOCKS,
    )
    .named("cantok: check_every(1024)")
    .beside(ITERATORS_OF_OTHERS),
    row(
        "the same from memory, a check for each item",
        "rayon",
        MEMORY,
        "with_token",
        Times(ANY, "plain"),
        "",
    )
    .named("cantok: with_token"),
    row(
        "the same from memory, `check_every(1024)`",
        "rayon",
        MEMORY,
        "check_every(1024)",
        Times(1.03, "plain"),
        BLOCKS,
    )
    .named("cantok: check_every(1024)")
    .beside(ITERATORS_OF_OTHERS),
    row(
        "the same from the cache, `check_every(1024)` with a counter in the token",
        "rayon",
        CACHE,
        "check_every(1024), counter",
        Times(1.1, "plain"),
        COUNTED,
    ),
    row(
        "the same from memory",
        "rayon",
        MEMORY,
        "check_every(1024), counter",
        Times(1.1, "plain"),
        BLOCKS,
    ),
    row(
        "rayon, `try_with_token` and `collect_vec` from memory, the worst of three builds, to a plain `collect`",
        "rayon",
        COLLECT,
        "collect_vec",
        Times(1.5, "plain"),
        "",
    ),
    row(
        "the same with `check_every(1024)`",
        "rayon",
        COLLECT,
        "collect_vec, check_every(1024)",
        Times(1.1, "plain"),
        WORST,
    ),
    row(
        "`try_with_token` and `collect` into a `Result`, to a plain `collect` into one",
        "rayon",
        COLLECT,
        "try_with_token",
        Times(1.5, "plain, into a Result"),
        COLLECTED,
    ),
    row(
        "the same with `check_every(1024)`",
        "rayon",
        COLLECT,
        "try_with_token, check_every(1024)",
        Times(1.1, "plain, into a Result"),
        COLLECTED,
    ),
    row(
        "rayon, 20 ns of work for each item, the worst of three builds, to plain rayon",
        "rayon",
        "20 ns",
        "with_token",
        Times(1.03, "plain"),
        WORST,
    )
    .named("cantok: with_token"),
    row(
        "the same, `check_every(1024)`",
        "rayon",
        "20 ns",
        "check_every(1024)",
        Times(ANY, "plain"),
        "",
    )
    .named("cantok: check_every(1024)")
    .beside(ITERATORS_OF_OTHERS),
    row(
        "rayon, sum of `u64` from memory, the worst of three builds, to rayon-cancel",
        "rayon",
        "sum from memory",
        "with_token",
        Times(0.1, RAYON_CANCEL),
        "",
    ),
    row(
        "the same from the cache",
        "rayon",
        "sum from cache",
        "with_token",
        Times(0.1, RAYON_CANCEL),
        "",
    ),
    row(
        "`recv`, bounded, a message is ready, to crossbeam's",
        "channel",
        "recv, bounded, a message is ready",
        "with_token",
        Times(1.2, "crossbeam's recv"),
        "",
    ),
    row(
        "`recv`, unbounded, a message is ready, to crossbeam's",
        "channel",
        "recv, unbounded, a message is ready",
        "with_token",
        Times(1.2, "crossbeam's recv"),
        "",
    ),
    row(
        "ping-pong of two threads, every receive sleeps, to a `select!` by hand",
        "channel",
        "ping-pong, bounded(0): every receive sleeps",
        "with_token",
        Times(1.1, "select! by hand"),
        "",
    ),
    row(
        "a cancel until 100,000 tasks ran, one token, current-thread, to tokio-util's",
        "tokio",
        "all ran, one token, current-thread",
        "cantok",
        Times(0.8, "tokio-util"),
        ALL_TASKS,
    ),
    row(
        "the same, multi-thread",
        "tokio",
        "all ran, one token, multi-thread",
        "cantok",
        Times(0.8, "tokio-util"),
        ALL_TASKS,
    ),
    row(
        "the same with a child for each task, current-thread",
        "tokio",
        "all ran, a child for each, current-thread",
        "cantok",
        Times(1.0, "tokio-util"),
        CHILD_EACH,
    ),
    row(
        "the same, multi-thread",
        "tokio",
        "all ran, a child for each, multi-thread",
        "cantok",
        Times(1.0, "tokio-util"),
        CHILD_EACH,
    ),
    row(
        "`cancelled()` made once and polled in each turn of a loop, in tokio's `block_on`, to tokio-util's",
        "tokio",
        "cancelled(), polled again in tokio's block_on",
        "cantok",
        Least(1.0, "tokio-util"),
        "",
    ),
    row(
        "the same in a task of tokio",
        "tokio",
        "cancelled(), polled again in a task of tokio",
        "cantok",
        Least(1.0, "tokio-util"),
        "",
    ),
    row(
        "a signal until `wait` is over",
        "signal",
        "the main thread sleeps",
        "SignalToken: wait over",
        Nanos(1e6),
        "",
    ),
    row(
        "a signal until the token is seen cancelled, the main thread computing",
        "signal",
        "the main thread computes",
        "SignalToken: seen cancelled",
        Nanos(1e6),
        "",
    ),
    row(
        "the same, every core computing",
        "signal",
        "a thread on each core computes",
        "all: SignalToken: seen cancelled",
        Nanos(1e6),
        SCHEDULER,
    ),
    row(
        "`output_with_token` of `true`",
        "process",
        "output of `true`",
        "output_with_token",
        Times(1.05, "Command::output"),
        "",
    ),
    row(
        "a cancel until `wait` of a child that obeys is over",
        "process",
        "from the cancel to the end of a child that obeys",
        "cancel and wait",
        Nanos(2e7),
        "",
    ),
    row(
        "the same with a group",
        "process",
        "from the cancel to the end of a child that obeys",
        "cancel and wait, in a group",
        Nanos(2e7),
        "",
    ),
    row(
        "`treehash` of 20,000 small files, to the same program without tokens",
        "treehash",
        "treehash of 20,000 small files, per file",
        "with tokens",
        Times(1.05, "without tokens"),
        "",
    ),
    row(
        "`treehash`, from Ctrl-C until it has exited",
        "treehash",
        "treehash: from Ctrl-C to the end of the process",
        "with tokens",
        Nanos(1e8),
        "",
    ),
];

const fn row(
    what: &'static str,
    bench: &'static str,
    group: &'static str,
    contender: &'static str,
    limit: Limit,
    remark: &'static str,
) -> Row {
    Row {
        what: Cow::Borrowed(what),
        bench,
        group,
        contender,
        limit,
        remark,
        name: None,
        others: &[],
    }
}

impl Row {
    /// Shows it in the chart of its group, under this name.
    const fn named(mut self, name: &'static str) -> Row {
        self.name = Some(name);
        self
    }

    /// Adds others of the same group, compared with the same.
    const fn beside(mut self, others: &'static [(&'static str, &'static str)]) -> Row {
        self.others = others;
        self
    }
}
