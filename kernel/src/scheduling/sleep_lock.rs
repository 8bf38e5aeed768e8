//! Sleep locks: mutual exclusion between processes, for as long as a disk access takes.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::sleep::{Channel, sleep, wake};
use crate::sync::SpinLock;

/// Data that one process at a time may touch; the others sleep meanwhile.
pub struct SleepLock<T> {
    locked: SpinLock<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands its value to one process at a time.
unsafe impl<T: Send> Sync for SleepLock<T> {}

impl<T> SleepLock<T> {
    /// A free lock.
    pub const fn new(value: T) -> SleepLock<T> {
        SleepLock {
            locked: SpinLock::new(&"sleep lock", false),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, sleeping until it is free.
    pub fn lock(&self) -> SleepGuard<'_, T> {
        let mut locked = self.locked.lock();
        while *locked {
            locked = sleep(Channel::of(self), locked);
        }
        *locked = true;
        SleepGuard {
            lock: self,
            not_send: PhantomData,
        }
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<SleepGuard<'_, T>> {
        let mut locked = self.locked.lock();
        if core::mem::replace(&mut *locked, true) {
            return None;
        }
        Some(SleepGuard {
            lock: self,
            not_send: PhantomData,
        })
    }
}

/// The right to touch a sleep lock's data, until it is dropped.
pub struct SleepGuard<'a, T> {
    lock: &'a SleepLock<T>,
    not_send: PhantomData<*const ()>,
}

impl<T> Drop for SleepGuard<'_, T> {
    fn drop(&mut self) {
        let mut locked = self.lock.locked.lock();
        *locked = false;
        wake(Channel::of(self.lock));
    }
}

impl<T> Deref for SleepGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for SleepGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock.
        unsafe { &mut *self.lock.value.get() }
    }
}
