//! What an interrupt does while a request is on its way.

use itch_client::Client;

use crate::interrupt::Interrupts;
use crate::printer::Printer;

/// Stops the client at the first interrupt. A write that is on its way is waited for, which the user should know.
pub(super) fn stop_at_interrupt(client: &Client, writes: bool, printer: &Printer) -> anyhow::Result<Interrupts> {
    let (client, printer) = (client.clone(), printer.clone());
    Interrupts::catch(move || {
        client.cancel();
        if writes {
            printer.note("interrupted: waiting for the request on its way; another Ctrl-C ends itch at once");
        }
    })
}
