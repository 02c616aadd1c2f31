//! Ctrl-C and SIGTERM as a flag that phases look at between their steps: what was begun is ended in good order.
//!
//! A second signal ends the program at once. That is safe too: every phase can be killed at any instant.
//!
//! SIGXFSZ is caught and otherwise ignored: a write beyond the process's file-size limit then fails like one on a full
//! disk, and is told as such (E4010, E1013), instead of ending the program without a word.

use std::io;

use rustix::process::Signal;
use sterna_engine::Stop;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// Listens to SIGINT and SIGTERM from now on, and gives the wish to stop that phases look at.
pub(crate) fn listen() -> io::Result<Stop> {
    let stop = Stop::default();
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    // once caught it stays caught, also when the stream is dropped
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    let wish = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
            }
            if wish.is_wanted() {
                leave_at_once();
            }
            wish.want();
        }
    });
    Ok(stop)
}

#[expect(clippy::disallowed_methods, reason = "the operator asked twice and does not want to wait for good order")]
fn leave_at_once() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.number()))
}
