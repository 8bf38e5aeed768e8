//! Spin locks: mutual exclusion between harts, with interrupts off while one is held.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::arch::{hart, interrupt};

/// Data that one hart at a time may touch.
///
/// The three words before the data are those of the C kernel's `struct spinlock`, so that tools
/// find the allocator's fields where they find them in a C kernel.
#[repr(C)]
pub struct SpinLock<T> {
    locked: AtomicU32,
    name: &'static &'static str,
    /// The holding hart's number plus one; 0 if the lock is free.
    holder: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands its value to one hart at a time.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// A free lock; the name is for panics.
    pub const fn new(name: &'static &'static str, value: T) -> SpinLock<T> {
        SpinLock {
            locked: AtomicU32::new(0),
            name,
            holder: AtomicU64::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock and takes it. Interrupts are off on this hart until the guard goes.
    ///
    /// # Panics
    /// If this hart holds the lock already: it would wait for ever.
    #[inline]
    pub fn lock(&self) -> SpinGuard<'_, T> {
        interrupt::push_off();
        let me = (hart::id() as u64).wrapping_add(1);
        while self.locked.swap(1, Ordering::Acquire) != 0 {
            // Checked only here: a hart that takes a lock twice always finds it taken.
            if self.holder.load(Ordering::Relaxed) == me {
                panic!("lock {} is taken twice by hart {}", self.name, me - 1);
            }
            core::hint::spin_loop();
        }
        self.holder.store(me, Ordering::Relaxed);
        SpinGuard {
            lock: self,
            not_send: PhantomData,
        }
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<SpinGuard<'_, T>> {
        interrupt::push_off();
        if self.locked.swap(1, Ordering::Acquire) != 0 {
            interrupt::pop_off();
            return None;
        }
        let me = (hart::id() as u64).wrapping_add(1);
        self.holder.store(me, Ordering::Relaxed);
        Some(SpinGuard {
            lock: self,
            not_send: PhantomData,
        })
    }

    /// Releases a lock whose guard is on a stack that is never returned to, or that another context
    /// took for this one.
    ///
    /// # Safety
    /// This hart holds the lock, and no guard of it will be used or dropped afterwards.
    pub unsafe fn force_unlock(&self) {
        self.holder.store(0, Ordering::Relaxed);
        self.locked.store(0, Ordering::Release);
        interrupt::pop_off();
    }
}

/// The right to touch a lock's data, until it is dropped.
pub struct SpinGuard<'a, T> {
    lock: &'a SpinLock<T>,
    /// Interrupt depth is a matter of this hart.
    not_send: PhantomData<*const ()>,
}

impl<'a, T> SpinGuard<'a, T> {
    /// Releases the lock, and returns it so that it can be taken again later.
    pub fn unlock(self) -> &'a SpinLock<T> {
        self.lock
    }
}

impl<T> Drop for SpinGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this guard is the proof of holding the lock, and it is gone now.
        unsafe { self.lock.force_unlock() }
    }
}

impl<T> Deref for SpinGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for SpinGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock.
        unsafe { &mut *self.lock.value.get() }
    }
}
