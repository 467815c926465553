//! A child that starts a grandchild, for tests on Windows. Both are the test's own executable, run again.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind::{AlreadyExists, PermissionDenied};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{env, process, thread};

use cantok_core::Token;
use cantok_process::prelude::*;

/// How often to look for a file: nothing that is safe notifies this process when another one's file goes.
const INTERVAL: Duration = Duration::from_millis(10);

const ROLE: &str = "CANTOK_TEST_ROLE";
const PORT: &str = "CANTOK_TEST_PORT";

/// A process with this flag does not join the job object of its parent.
const CREATE_BREAKAWAY_FROM_JOB: u32 = 0x0100_0000;

/// The system removes the file when the process that has opened it ends, in whatever way.
const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;

pub(crate) struct Family {
    test: &'static str,
    listener: TcpListener,
}

/// What the child does. It ends with the exit code 3.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// Waits for the grandchild.
    Waits,
    /// Leaves the grandchild behind.
    Leaves,
    /// Starts the grandchild outside of the group, and waits for it.
    LetsGo,
    /// Starts the grandchild in a group of its own, and waits for it.
    Nests,
    /// Waits for a grandchild that writes all the time.
    Hears,
}

impl Family {
    /// For the test of this name. A process of the family does not return from here, so this comes first in a test.
    pub(crate) fn of(test: &'static str) -> Self {
        if let Ok(role) = env::var(ROLE) {
            play(test, &role);
            process::exit(3);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Family { test, listener }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    pub(crate) fn child(&self, role: Role) -> Command {
        let mut command = again(self.test, &format!("{role:?}"));
        command.env(PORT, self.port().to_string());
        command
    }

    /// Waits until the grandchild is ready.
    pub(crate) fn grandchild(&self) -> Grandchild {
        let (stream, _) = self.listener.accept().unwrap();
        let mut grandchild = self.on(stream);
        assert_eq!(grandchild.hear(), "ready");
        assert!(grandchild.life.exists());
        grandchild
    }

    fn on(&self, stream: TcpStream) -> Grandchild {
        Grandchild {
            stream: BufReader::new(stream),
            life: life(self.port()),
        }
    }

    /// Returns the connection of the grandchild if it has come as far as that.
    pub(crate) fn started_grandchild(&self) -> Option<Grandchild> {
        self.listener.set_nonblocking(true).unwrap();
        let accepted = self.listener.accept();
        self.listener.set_nonblocking(false).unwrap();
        let (stream, _) = accepted.ok()?;
        stream.set_nonblocking(false).unwrap();
        Some(self.on(stream))
    }
}

fn again(test: &str, role: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role);
    command
}

fn play(test: &str, role: &str) {
    let mut grandchild = again(test, "grandchild");
    match role {
        "grandchild" => answer().unwrap(),
        "Waits" => drop(grandchild.status().unwrap()),
        "Hears" => drop(again(test, "writer").status().unwrap()),
        "writer" => {
            thread::spawn(|| {
                loop {
                    println!("written");
                }
            });
            answer().unwrap();
        }
        "Leaves" => drop(grandchild.spawn().unwrap()),
        "LetsGo" => {
            grandchild.creation_flags(CREATE_BREAKAWAY_FROM_JOB);
            grandchild.status().unwrap();
        }
        "Nests" => {
            let grandchild = grandchild.with_token(Token::never()).group(true);
            grandchild.status().unwrap();
        }
        other => panic!("{other}"),
    }
}

/// The file that exists as long as the grandchild lives.
fn life(port: u16) -> PathBuf {
    env::temp_dir().join(format!("cantok-grandchild-{port}"))
}

/// Opens it, once an earlier grandchild of the same test is gone.
fn live(port: u16) -> File {
    loop {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        options.custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
        match options.open(life(port)).map_err(|error| error.kind()) {
            Ok(file) => return file,
            // It exists, or is just being removed.
            Err(AlreadyExists | PermissionDenied) => thread::sleep(INTERVAL),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Ends with its test.
fn answer() -> io::Result<()> {
    println!("\ngrandchild");
    let port = env::var(PORT).unwrap().parse::<u16>().unwrap();
    let _life = live(port);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    writeln!(stream, "ready")?;
    for _ in BufReader::new(stream.try_clone()?).lines() {
        writeln!(stream, "alive")?;
    }
    Ok(())
}

/// A grandchild, as the test sees it.
pub(crate) struct Grandchild {
    stream: BufReader<TcpStream>,
    life: PathBuf,
}

impl Grandchild {
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        writeln!(self.stream.get_mut(), "are you").unwrap();
        self.hear() == "alive"
    }

    /// Blocks until the grandchild has ended. Does not rely on the end of the stream: wine 8 may keep the socket of a
    /// killed process.
    pub(crate) fn until_it_is_gone(self) {
        while self.life.exists() {
            thread::sleep(INTERVAL);
        }
    }
}
