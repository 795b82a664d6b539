//! How a body is sent: whole, slowly, in part, or not at all.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How long a stalled body is silent before the connection closes: longer than any client's timeout.
const STALL: Duration = Duration::from_secs(15 * 60);

/// A slow body is sent in this many parts, with this pause between them.
const SLOW_PARTS: usize = 20;
const SLOW_PAUSE: Duration = Duration::from_millis(100);

/// The pause between the last byte of a cut body and closing the connection, so that the byte reaches the client.
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// A body that may be delivered badly. `Content-Length` is that of the whole body in any case.
#[derive(Debug)]
pub(crate) struct Delivery {
    rest: Bytes,
    part: usize,
    pause: Duration,
    /// Close the connection when only so many bytes are left.
    break_at: Option<usize>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Delivery {
    pub(crate) fn whole(body: Bytes) -> Delivery {
        let part = body.len();
        Delivery {
            rest: body,
            part,
            pause: Duration::ZERO,
            break_at: None,
            waiting: None,
        }
    }

    pub(crate) fn slow(body: Bytes) -> Delivery {
        let part = body.len().div_ceil(SLOW_PARTS);
        Delivery {
            part,
            pause: SLOW_PAUSE,
            ..Delivery::whole(body)
        }
    }

    pub(crate) fn cut(body: Bytes) -> Delivery {
        let part = body.len() / 2;
        let break_at = Some(body.len() - part);
        Delivery {
            part,
            pause: CUT_PAUSE,
            break_at,
            ..Delivery::whole(body)
        }
    }

    pub(crate) fn stalled(body: Bytes) -> Delivery {
        let (break_at, waiting) = (Some(body.len()), Some(Box::pin(sleep(STALL))));
        Delivery {
            break_at,
            waiting,
            ..Delivery::whole(body)
        }
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        if self.break_at == Some(self.rest.len()) {
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let part = self.part.min(self.rest.len());
        let part = self.rest.split_to(part);
        if !self.pause.is_zero() && !self.is_end_stream() {
            self.waiting = Some(Box::pin(sleep(self.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.break_at.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
