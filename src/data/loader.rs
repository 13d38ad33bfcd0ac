//! The data loader, which shuffles a data set and cuts it into batches.

use super::dataset::Dataset;
use super::shuffle::shuffle;
use crate::element::Element;
use crate::error::{Error, Result};

/// The unit shuffled before each epoch: samples or whole batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shuffle {
    /// The samples, as the report's text says: the default.
    #[default]
    Samples,
    /// The order of batches whose samples stay together, as the report's code does.
    Batches,
    /// Nothing.
    None,
}

/// Cuts a data set into batches, epoch after epoch.
///
/// The order of an epoch depends on the seed and the number of the epoch alone, so that a training can be continued.
///
/// ```
/// use mfnet::{DataLoader, Dataset, Shuffle};
/// use ndarray::Array2;
///
/// let data = Dataset::regression(Array2::<f64>::zeros((10, 3)), Array2::zeros((10, 1)))?;
/// let mut loader = DataLoader::new(&data, 4, Shuffle::Samples, 7)?;
/// loader.start_epoch(1);
/// let sizes: Vec<usize> = loader.batches().map(|batch| batch.samples()).collect();
/// assert_eq!(sizes, [4, 4, 2]);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct DataLoader<'a, T> {
    dataset: &'a Dataset<T>,
    batch_size: usize,
    shuffle: Shuffle,
    seed: u64,
    /// The epoch that was started last; 0 before the first.
    epoch: u64,
    /// The samples in the epoch's order, unless batches are shuffled.
    order: Vec<usize>,
    /// The batches in the epoch's order.
    batches: Vec<usize>,
}

impl<'a, T: Element> DataLoader<'a, T> {
    /// Creates a loader. Until [`DataLoader::start_epoch`] is called, samples are in the order of the data set.
    ///
    /// `batch_size` is at least 1; a data set of fewer samples is one batch.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a batch size of 0.
    pub fn new(dataset: &'a Dataset<T>, batch_size: usize, shuffle: Shuffle, seed: u64) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::option("batch size", batch_size, "at least 1"));
        }
        let samples = dataset.samples();
        let batch_size = batch_size.min(samples);
        Ok(DataLoader {
            dataset,
            batch_size,
            shuffle,
            seed,
            epoch: 0,
            order: (0..samples).collect(),
            batches: (0..samples.div_ceil(batch_size)).collect(),
        })
    }

    /// Sets whether the last, short batch of an epoch is left out, so that all batches have [`DataLoader::batch_size`]
    /// samples. Default: `false`.
    ///
    /// With [`Shuffle::Samples`] other samples are left out in each epoch, otherwise the last of the data set. A data set of
    /// fewer samples than a batch is one full batch.
    pub fn with_drop_last(mut self, drop_last: bool) -> Self {
        let samples = self.order.len();
        let batches = match drop_last {
            true => samples / self.batch_size,
            false => samples.div_ceil(self.batch_size),
        };
        self.batches = (0..batches).collect();
        self
    }

    /// The number of samples of an epoch.
    pub fn samples(&self) -> usize {
        self.order.len().min(self.batches.len() * self.batch_size)
    }

    /// Starts an epoch: draws its order. [`Trainer`](crate::Trainer) counts epochs from 1.
    pub fn start_epoch(&mut self, epoch: u64) {
        self.epoch = epoch;
        match self.shuffle {
            Shuffle::Samples => shuffle(&mut self.order, self.seed, epoch),
            Shuffle::Batches => shuffle(&mut self.batches, self.seed, epoch),
            Shuffle::None => {}
        }
    }

    /// Iterates over the batches of the epoch; the one with the last samples may be short.
    pub fn batches(&self) -> impl ExactSizeIterator<Item = Batch<'_, T>> {
        self.batches.iter().map(|&batch| {
            let start = batch * self.batch_size;
            let end = self.order.len().min(start + self.batch_size);
            Batch {
                dataset: self.dataset,
                indices: &self.order[start..end],
                epoch: self.epoch,
                first: start as u64,
            }
        })
    }

    /// The number of samples of a full batch.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }
}

/// A batch: samples of a data set, in the order of the epoch.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    dataset: &'a Dataset<T>,
    indices: &'a [usize],
    epoch: u64,
    first: u64,
}

impl<'a, T: Element> Batch<'a, T> {
    /// The number of samples, at least 1.
    pub fn samples(&self) -> usize {
        self.indices.len()
    }

    /// The data set of the samples.
    pub fn dataset(&self) -> &'a Dataset<T> {
        self.dataset
    }

    /// The indices of the samples in the data set.
    pub fn indices(&self) -> &'a [usize] {
        self.indices
    }

    /// The number of the epoch, which keys the random numbers of layers in training.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The position of its first sample among the samples of the epoch.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn dataset(samples: usize) -> Dataset<f64> {
        Dataset::regression(Array2::zeros((samples, 1)), Array2::zeros((samples, 1))).unwrap()
    }

    fn epoch(loader: &mut DataLoader<'_, f64>, epoch: u64) -> Vec<Vec<usize>> {
        loader.start_epoch(epoch);
        loader.batches().map(|batch| batch.indices().to_vec()).collect()
    }

    #[test]
    fn samples_are_shuffled_anew_each_epoch() {
        let data = dataset(10);
        let mut loader = DataLoader::new(&data, 4, Shuffle::Samples, 7).unwrap();
        let (first, second) = (epoch(&mut loader, 1), epoch(&mut loader, 2));
        assert_ne!(first, second);
        assert_eq!(
            epoch(&mut loader, 1),
            first,
            "the order of an epoch does not depend on earlier epochs"
        );
        let mut all = second.concat();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn batches_are_shuffled_as_a_whole_or_not_at_all() {
        let data = dataset(10);
        let fixed = [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]];
        let mut loader = DataLoader::new(&data, 4, Shuffle::None, 7).unwrap();
        assert_eq!(epoch(&mut loader, 1), fixed);
        let mut loader = DataLoader::new(&data, 4, Shuffle::Batches, 7).unwrap();
        let orders: Vec<_> = (1..20).map(|number| epoch(&mut loader, number)).collect();
        assert!(orders.iter().any(|order| order != &fixed));
        for mut order in orders {
            order.sort();
            assert_eq!(order, fixed);
        }
    }

    #[test]
    fn the_short_last_batch_can_be_left_out() {
        let data = dataset(10);
        for shuffle in [Shuffle::Samples, Shuffle::Batches, Shuffle::None] {
            let mut loader = DataLoader::new(&data, 4, shuffle, 7).unwrap();
            assert_eq!(loader.samples(), 10);
            let whole = epoch(&mut loader, 1);
            loader = loader.with_drop_last(true);
            assert_eq!(loader.samples(), 8);
            let full = epoch(&mut loader, 1);
            assert!(
                full.len() == 2 && full.iter().all(|batch| batch.len() == 4),
                "{shuffle:?}"
            );
            if shuffle == Shuffle::Samples {
                assert_eq!(full, whole[..2], "the order of the samples is the same");
            }
            assert_eq!(loader.with_drop_last(false).samples(), 10);
        }
        let exact = DataLoader::new(&data, 5, Shuffle::None, 0)
            .unwrap()
            .with_drop_last(true);
        assert_eq!(exact.batches().len(), 2);
        let wide = DataLoader::new(&data, 11, Shuffle::None, 0)
            .unwrap()
            .with_drop_last(true);
        assert_eq!((wide.batches().len(), wide.samples()), (1, 10));
    }

    #[test]
    fn batch_sizes_from_zero_to_huge() {
        let data = dataset(3);
        assert!(DataLoader::new(&data, 0, Shuffle::None, 0).is_err());
        for size in [3, 4, usize::MAX] {
            let loader = DataLoader::new(&data, size, Shuffle::None, 0).unwrap();
            assert_eq!(
                loader.batches().map(|batch| batch.samples()).collect::<Vec<_>>(),
                [3]
            );
        }
    }
}
