//! A connection that notes when the last byte of an answer with tokens was written, or that it never was.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{oauth::Receipt, state::State};

/// The answer that is being written.
#[derive(Debug)]
pub(crate) struct Watch {
    state: Arc<State>,
    awaited: Mutex<Option<Awaited>>,
}

#[derive(Debug)]
struct Awaited {
    receipt: Receipt,
    /// Whether any byte was written since.
    begun: bool,
}

impl Watch {
    pub(crate) fn new(state: Arc<State>) -> Watch {
        Watch {
            state,
            awaited: Mutex::default(),
        }
    }

    /// The next bytes that are written are those of this answer.
    pub(crate) fn expect(&self, receipt: Receipt) {
        self.settle(false);
        *self.awaited() = Some(Awaited { receipt, begun: false });
    }

    fn awaited(&self) -> std::sync::MutexGuard<'_, Option<Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrote(&self) {
        if let Some(awaited) = &mut *self.awaited() {
            awaited.begun = true;
        }
    }

    /// Everything that was to be written has been.
    fn flushed(&self) {
        let begun = self.awaited().as_ref().is_some_and(|awaited| awaited.begun);
        if begun {
            self.settle(true);
        }
    }

    fn settle(&self, sent: bool) {
        let awaited = self.awaited().take();
        if let Some(Awaited { receipt, .. }) = awaited {
            self.state.sessions().note_answer(receipt, sent);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.settle(false);
    }
}

/// The stream of a connection.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) stream: TcpStream,
    pub(crate) watch: Arc<Watch>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.watch.wrote();
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, parts));
        self.watch.wrote();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when the buffers before this one are empty.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        if flushed.is_ok() {
            self.watch.flushed();
        }
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
