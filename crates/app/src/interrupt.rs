//! Ctrl-C and SIGTERM as a flag that phases look at between their steps: what was begun is ended in good order.
//!
//! A second signal ends the program at once. That is safe too: every phase can be killed at any instant.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::exit::Exit;

/// Whether somebody asked the program to end.
#[derive(Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens to SIGINT and SIGTERM from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        let (sender, receiver) = watch::channel(false);
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = terminations.recv() => {}
                }
                if sender.send_replace(true) {
                    leave_at_once();
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Returns when somebody asks.
    pub(crate) async fn asked(&self) {
        let mut receiver = self.0.clone();
        // an error means that nobody can ask any more: the listener lives as long as the program
        if receiver.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the operator asked twice and does not want to wait for good order")]
fn leave_at_once() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.number()))
}
