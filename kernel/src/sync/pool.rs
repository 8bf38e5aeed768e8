//! Counted values in static memory: `Arc` without an allocator, for a bounded number of values.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ops::Deref;

use super::SpinLock;

/// Room for `ROOM` values, at most 128. No operation sleeps.
pub struct Pool<T, const ROOM: usize> {
    state: SpinLock<State<ROOM>>,
    values: [UnsafeCell<MaybeUninit<T>>; ROOM],
}

struct State<const ROOM: usize> {
    /// Bit n: there is a value in place n.
    used: u128,
    /// How many hold the value in each place.
    holders: [u16; ROOM],
}

// SAFETY: every hart may look at a value through a `Counted` or in `each`, and the hart that drops
// the last `Counted` takes the value; places are given and taken under the lock.
unsafe impl<T: Send + Sync, const ROOM: usize> Sync for Pool<T, ROOM> {}

/// A holder of a value in a pool. The last one that goes drops the value.
pub struct Counted<T: 'static, const ROOM: usize> {
    pool: &'static Pool<T, ROOM>,
    place: u8,
}

impl<T, const ROOM: usize> Pool<T, ROOM> {
    /// Room without values; the name is that of its lock.
    pub const fn new(name: &'static &'static str) -> Self {
        const { assert!(ROOM <= 128) }
        Pool {
            state: SpinLock::new(
                name,
                State {
                    used: 0,
                    holders: [0; ROOM],
                },
            ),
            values: [const { UnsafeCell::new(MaybeUninit::uninit()) }; ROOM],
        }
    }

    /// Puts `value` into a free place.
    ///
    /// # Panics
    /// If there is no room left.
    pub fn add(&'static self, value: T) -> Counted<T, ROOM> {
        let mut state = self.state.lock();
        let place = state.used.trailing_ones() as usize;
        let slot = self.values.get(place);
        let slot = slot.unwrap_or_else(|| panic!("a pool has room for {ROOM} values only"));
        // SAFETY: the place is free and the lock is held, so nothing else refers to it.
        unsafe { (*slot.get()).write(value) };
        state.used |= 1 << place;
        state.holders[place] = 1;
        Counted {
            pool: self,
            place: place as u8,
        }
    }

    /// Looks at the value in `place`, under the pool's lock, if there is one.
    pub fn look<R>(&self, place: u8, look: impl FnOnce(&T) -> R) -> Option<R> {
        let state = self.state.lock();
        let slot = self.values.get(usize::from(place))?;
        if state.used & (1 << place) == 0 {
            return None;
        }
        // SAFETY: the place is in use, and stays so under the lock.
        Some(look(unsafe { (*slot.get()).assume_init_ref() }))
    }

    /// Looks at every value, under the pool's lock, so that none is dropped at that time.
    pub fn each(&self, mut look: impl FnMut(&T)) {
        let state = self.state.lock();
        let mut rest = state.used;
        while rest != 0 {
            let place = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            // SAFETY: the place is in use, and stays so under the lock.
            look(unsafe { (*self.values[place].get()).assume_init_ref() });
        }
    }
}

impl<T, const ROOM: usize> Counted<T, ROOM> {
    /// The value's place in the pool.
    #[inline]
    pub fn place(&self) -> u8 {
        self.place
    }
}

impl<T, const ROOM: usize> Clone for Counted<T, ROOM> {
    fn clone(&self) -> Self {
        self.pool.state.lock().holders[usize::from(self.place)] += 1;
        Counted { ..*self }
    }
}

impl<T, const ROOM: usize> Deref for Counted<T, ROOM> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the place is in use for as long as it has a holder, and this is one.
        unsafe { (*self.pool.values[usize::from(self.place)].get()).assume_init_ref() }
    }
}

impl<T, const ROOM: usize> Drop for Counted<T, ROOM> {
    fn drop(&mut self) {
        let place = usize::from(self.place);
        let mut state = self.pool.state.lock();
        state.holders[place] -= 1;
        if state.holders[place] == 0 {
            state.used &= !(1 << place);
            // SAFETY: this was the last holder, and the lock keeps `add` and `each` away.
            let value = unsafe { (*self.pool.values[place].get()).assume_init_read() };
            drop(state);
            drop(value);
        }
    }
}
