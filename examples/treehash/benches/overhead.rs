//! What the tokens cost the whole program: a tree of 20,000 small files, hashed by it and by the same program built
//! without them, in turn. And how long it takes from Ctrl-C to the end of the process.

#[path = "../../../cantok-core/benches/support/turns.rs"]
mod turns;

use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use turns::take_turns;

const FILES: usize = 20_000;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = &folder.path().join("tree");
    let sums = &folder.path().join("sums");
    grow(tree);
    let with_tokens = Path::new(env!("CARGO_BIN_EXE_treehash"));
    let without_tokens = build_without_tokens();
    let all = |program: &Path| {
        let began = Instant::now();
        let status = start(program, tree, sums).wait().expect("its end");
        assert!(status.success(), "{status}");
        began.elapsed()
    };
    let contenders: [(&str, &dyn Fn() -> Duration); 2] = [
        ("without tokens", &|| all(&without_tokens)),
        ("with tokens", &|| all(with_tokens)),
    ];
    let name = "treehash of 20,000 small files, per file";
    take_turns(name, FILES as u64, &contenders, 30);

    // It takes an hour to read.
    let endless = File::create(tree.join("endless")).expect("a file");
    endless.set_len(1 << 40).expect("a sparse file");
    let mut random = SmallRng::seed_from_u64(7);
    let mut times: Vec<_> = (0..100)
        .map(|_| {
            let mut program = start(with_tokens, tree, sums);
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

fn start(program: &Path, tree: &Path, sums: &Path) -> Child {
    Command::new(program)
        .arg(tree)
        .stdout(File::create(sums).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

fn build_without_tokens() -> PathBuf {
    let with_tokens = Path::new(env!("CARGO_BIN_EXE_treehash"));
    let folder = with_tokens.with_file_name("without-tokens");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--profile",
            "bench",
            "--bin",
            "treehash",
        ])
        .args(["--no-default-features", "--target-dir"])
        .arg(&folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo");
    assert!(status.success(), "{status}");
    folder.join("release/treehash")
}
