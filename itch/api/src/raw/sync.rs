//! Mutexes whose holder may have panicked: what ours guard is whole at every step, so that others can go on.

use std::sync::{LockResult, Mutex, MutexGuard, PoisonError};

/// Locks a mutex, also one whose holder panicked.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    ignore_poison(mutex.lock())
}

/// The same for whatever else tells that a holder panicked: a read-write lock, a condition variable.
pub fn ignore_poison<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
