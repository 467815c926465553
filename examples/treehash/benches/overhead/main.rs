//! What the tokens cost the whole program: a tree of 20,000 small files, hashed by it, by the same program without tokens,
//! and by the programs that users have for this, in turn. And how long it takes from Ctrl-C to the end of the process.

#[path = "../../../../cantok-core/benches/support/turns.rs"]
mod turns;
mod without_tokens;

use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use turns::take_turns;

const FILES: usize = 20_000;

/// Names the tree, for this program as the one without tokens.
const WITHOUT_TOKENS: &str = "TREEHASH_WITHOUT_TOKENS";

/// What users have, without the names of files.
const OTHERS: [&str; 2] = ["sha256sum", "openssl dgst -sha256 -r"];

fn main() {
    if let Some(tree) = env::var_os(WITHOUT_TOKENS) {
        return without_tokens::run(tree.as_ref());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tree = &folder.path().join("tree");
    let sums = &folder.path().join("sums");
    grow(tree);
    let with_tokens = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_treehash"));
        command.arg(tree);
        command
    };
    let without_tokens = || {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.env(WITHOUT_TOKENS, tree);
        command
    };
    let other = |program: &str| {
        let find = "find \"$1\" -type f -print0 | xargs -0 -n 1000 -P \"$(nproc)\"";
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{find} {program}"), "sh"]);
        command.arg(tree);
        command
    };
    let all = |command: Command| {
        let began = Instant::now();
        let status = start(command, sums).wait().expect("its end");
        assert!(status.success(), "{status}");
        began.elapsed()
    };
    let contenders: [(&str, &dyn Fn() -> Duration); 4] = [
        ("without tokens", &|| all(without_tokens())),
        ("with tokens", &|| all(with_tokens())),
        (OTHERS[0], &|| all(other(OTHERS[0]))),
        (OTHERS[1], &|| all(other(OTHERS[1]))),
    ];
    let name = "treehash of 20,000 small files, per file";
    take_turns(name, FILES as u64, &contenders, 60);

    // It takes an hour to read.
    let endless = File::create(tree.join("endless")).expect("a file");
    endless.set_len(1 << 40).expect("a sparse file");
    let mut random = SmallRng::seed_from_u64(7);
    let mut times: Vec<_> = (0..100)
        .map(|_| {
            let mut program = start(with_tokens(), sums);
            thread::sleep(Duration::from_millis(random.random_range(20..200)));
            let began = Instant::now();
            kill_process(Pid::from_child(&program), Signal::INT).expect("sent");
            program.wait().expect("its end");
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let name = "treehash: from Ctrl-C to the end of the process";
    turns::record::record(name, "with tokens", 1, &times);
    println!("\n{name}, {} runs", times.len());
    let [median, most] = [times[times.len() / 2], times[times.len() - 1]];
    println!("    median {median:?}, most {most:?}");
}

fn grow(tree: &Path) {
    let mut random = SmallRng::seed_from_u64(7);
    let mut content = vec![0; 4_000];
    random.fill_bytes(&mut content);
    for folder in 0..100 {
        let folder = tree.join(folder.to_string());
        fs::create_dir_all(&folder).expect("a folder");
        for file in 0..FILES / 100 {
            let length = random.random_range(0..=content.len());
            fs::write(folder.join(file.to_string()), &content[..length]).expect("a file");
        }
    }
}

fn start(mut command: Command, sums: &Path) -> Child {
    command
        .stdout(File::create(sums).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}
