//! Four processes on one shared bucket, simulated: every point is used, in equal parts, and no request is refused.

use std::time::Duration;

use crate::limit_store::{Exchange, MOST_POINTS, Millis, SharedReading, millis};
use crate::shared_bucket::SharedBucket;

const NOW: Millis = 1_700_000_000_000;

struct Request {
    process: usize,
    arrives: Millis,
    sent: Millis,
    spent: u64,
    remaining: Option<f64>,
}

#[derive(Clone, Copy, Default)]
struct Client {
    points: u32,
    in_flight: u32,
    spent: u32,
    counted: u64,
    ask_at: Millis,
    reading: Option<SharedReading>,
}

impl Client {
    /// Takes a point, after an exchange if there is none and it is time for one.
    fn take(&mut self, process: usize, bucket: &mut SharedBucket, now: Millis) -> bool {
        if self.points == 0 && self.ask_at <= now {
            let reply = bucket.exchange(
                &Exchange {
                    process: process as u64,
                    wanted: MOST_POINTS,
                    held: self.in_flight,
                    spent: std::mem::take(&mut self.spent),
                    reading: self.reading.take(),
                    closed_for: None,
                },
                now,
            );
            self.points = reply.granted;
            self.counted = reply.spent;
            self.ask_at = reply.wait.map_or(0, |wait| now + millis(wait));
        }
        let taken = self.points > 0;
        self.points -= u32::from(taken);
        self.in_flight += u32::from(taken);
        taken
    }
}

/// A service with one bucket and four processes with so many workers each, millisecond by millisecond. Returns the
/// requests that each process sent in two minutes, and how many were refused.
fn simulate(workers: [usize; 4], latency: Millis) -> ([u32; 4], u32) {
    let mut bucket = SharedBucket::default();
    let (mut service, mut used, mut refused) = (800.0_f64, [0; 4], 0);
    let mut clients = [Client::default(); 4];
    let mut requests: Vec<Request> = Vec::new();
    for now in NOW..NOW + 120_000 {
        service = (service + 800.0 / 60_000.0).min(800.0);
        for request in &mut requests {
            if request.remaining.is_none() && request.arrives <= now {
                match service >= 1.0 {
                    true => service -= 1.0,
                    false => refused += 1,
                }
                used[request.process] += 1;
                request.remaining = Some(service.floor());
            }
        }
        requests.retain(|request| {
            let Some(remaining) = request.remaining.filter(|_| request.arrives + latency / 2 <= now) else {
                return true;
            };
            let client = &mut clients[request.process];
            client.in_flight -= 1;
            client.spent += 1;
            client.reading = Some(SharedReading {
                limit: 800.0,
                remaining,
                full_in: Duration::from_secs_f64((800.0 - remaining) / 800.0 * 60.0),
                sent: request.sent,
                read: now,
                spent: request.spent,
            });
            client.ask_at = client.ask_at.min(now + 20);
            false
        });
        for (process, client) in clients.iter_mut().enumerate() {
            while client.in_flight < workers[process] as u32 {
                if !client.take(process, &mut bucket, now) {
                    break;
                }
                requests.push(Request {
                    process,
                    arrives: now + 1 + latency / 2,
                    sent: now,
                    spent: client.counted + u64::from(client.spent) + 1,
                    remaining: None,
                });
            }
        }
    }
    (used, refused)
}

#[test]
fn four_processes_use_all_points_in_equal_parts_without_a_refusal() {
    for (workers, latency) in [
        ([2, 2, 2, 2], 4),
        ([2, 2, 2, 2], 150),
        ([1, 2, 4, 8], 20),
        ([8, 8, 8, 8], 400),
    ] {
        let (used, refused) = simulate(workers, latency);
        let sum = f64::from(used.iter().sum::<u32>());
        let squares: f64 = used.iter().map(|used| f64::from(*used).powi(2)).sum();
        let fairness = sum * sum / (4.0 * squares);
        let share = sum / 2400.0;
        let all = format!("{workers:?}, {latency} ms: {used:?}, {share:.3} used, {fairness:.3}, {refused} refused");
        assert!(refused == 0 && share > 0.97, "{all}");
        // In the first seconds, while there are points for all, who has more workers has more of them.
        assert!(fairness > if workers[0] == workers[3] { 0.99 } else { 0.8 }, "{all}");
    }
}
