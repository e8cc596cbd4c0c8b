//! This program once more, as a process that may be killed: it runs one ignored test, which says line by
//! line what it has done.
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// What a process is told to do.
const TASK: &str = "APPMARKET_TEST_TASK";
/// Longest wait for a line, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Inside the process: its task.
pub fn task() -> Value {
    serde_json::from_str(&std::env::var(TASK).unwrap()).unwrap()
}

/// A running process; it is killed when it is dropped.
pub struct Process {
    child: Child,
    said: mpsc::Receiver<String>,
}

impl Process {
    /// Starts the ignored test of this path, and waits until it says something that ends with `ready`: also
    /// returns that line, without that word.
    pub fn start(test: &str, task: &Value) -> (Self, String) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--ignored", "--nocapture"])
            .env(TASK, task.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|it| sender.send(it)));
        let process = Self { child, said };
        loop {
            let line = process.said.recv_timeout(PATIENCE).unwrap();
            if let Some(before) = line.strip_suffix("ready") {
                return (process, before.trim_end().to_owned());
            }
        }
    }

    /// Kills it; what it has said since it was ready.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said.iter().collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left running when the test fails.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
