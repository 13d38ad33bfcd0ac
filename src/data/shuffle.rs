//! Parallel shuffling, whose result does not depend on the number of threads.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rayon::prelude::*;

use crate::pool;
use crate::random::{Stream, generator};

/// The number of samples from which several threads are faster than one.
const SERIAL: usize = 1 << 17;

/// The number of piles into which a large order is dealt; a power of two.
const PILES: usize = 64;

/// Fills `order` with the numbers from 0 on in a random order, which depends on seed, epoch and length alone.
///
/// A large order is dealt into piles, each number to a random pile, and the piles are shuffled in parallel. All orders are
/// equally likely, as with a single shuffle (Rao 1961, Sandelius 1962).
pub(crate) fn shuffle(order: &mut [usize], seed: u64, epoch: u64) {
    let mut dealer = generator(seed, Stream::Order, epoch);
    if order.len() < SERIAL {
        order
            .iter_mut()
            .enumerate()
            .for_each(|(number, place)| *place = number);
        order.shuffle(&mut dealer);
        return;
    }
    pool::enter(|| deal(order, epoch, &mut dealer));
}

/// Deals a large order into piles, and shuffles each.
fn deal(order: &mut [usize], epoch: u64, dealer: &mut (impl Rng + Send)) {
    let pile_of = draw_piles(order.len(), dealer);
    let mut next = [0; PILES];
    for &pile in &pile_of {
        next[usize::from(pile)] += 1;
    }
    let mut piles = Vec::with_capacity(PILES);
    let mut rest = &mut *order;
    let mut start = 0;
    for size in &mut next {
        let count = *size;
        *size = start;
        start += count;
    }
    for (number, &pile) in pile_of.iter().enumerate() {
        let place = &mut next[usize::from(pile)];
        rest[*place] = number;
        *place += 1;
    }
    // `next` now holds the end of each pile.
    let mut start = 0;
    for end in next {
        let (pile, others) = rest.split_at_mut(end - start);
        piles.push((pile, dealer.next_u64()));
        rest = others;
        start = end;
    }
    piles
        .into_par_iter()
        .for_each(|(pile, seed)| pile.shuffle(&mut generator(seed, Stream::Order, epoch)));
}

/// Draws a pile for each number, in chunks of a fixed size, each with a generator of its own.
fn draw_piles(count: usize, dealer: &mut impl Rng) -> Vec<u8> {
    const CHUNK: usize = 1 << 16;
    let seed = dealer.next_u64();
    let mut piles = vec![0; count];
    piles
        .par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(chunk, piles)| {
            let mut generator = generator(seed, Stream::Order, chunk as u64);
            piles
                .iter_mut()
                .for_each(|pile| *pile = generator.random::<u8>() % PILES as u8);
        });
    piles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
        let mut order = vec![0; count];
        shuffle(&mut order, seed, epoch);
        order
    }

    #[test]
    fn an_order_holds_every_number_once() {
        for count in [1, 2, 1000, SERIAL - 1, SERIAL, 3 * SERIAL + 5] {
            let mut order = drawn(count, 7, 1);
            assert!(count < 3 || order.iter().enumerate().any(|(place, &number)| place != number));
            order.sort_unstable();
            assert!(order.iter().enumerate().all(|(place, &number)| place == number));
        }
    }

    #[test]
    fn orders_are_stable_values() {
        assert_eq!(drawn(8, 7, 1), drawn(8, 7, 1));
        assert_ne!(drawn(100, 7, 1), drawn(100, 7, 2));
        assert_ne!(drawn(100, 7, 1), drawn(100, 8, 1));
    }

    #[test]
    fn threads_do_not_change_the_order() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| drawn(2 * SERIAL, 7, 1))
        };
        assert_eq!(with(1), with(4));
    }

    #[test]
    fn numbers_move_far_in_a_large_order() {
        // The mean distance between a number and its place is a third of the length in a uniform order.
        let count = 2 * SERIAL;
        let order = drawn(count, 7, 1);
        let distance: f64 = order
            .iter()
            .enumerate()
            .map(|(place, &number)| place.abs_diff(number) as f64)
            .sum();
        let relative = distance / (count * count) as f64;
        assert!((relative - 1.0 / 3.0).abs() < 0.005, "{relative}");
    }
}
