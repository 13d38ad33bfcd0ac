//! Fine-tuning: inspecting, freezing and replacing the layers of a trained network.

use std::ops::{Bound, RangeBounds};

use ndarray::Array2;

use super::{NeuralNetwork, Stage};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::optimizer::NetworkId;

impl<T: Element> NeuralNetwork<T> {
    /// The layers in order, activations not counted.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &dyn Layer<T>> {
        self.stages.iter().map(|stage| &*stage.layer)
    }

    /// Freezes layers or makes them trainable again; all layers are trainable at first. Layers are counted from 0,
    /// without activations.
    ///
    /// Training, weight decay included, does not change the parameters and running statistics of a frozen layer. A
    /// frozen batch normalisation uses its running statistics, as in predictions; a frozen dropout still drops values.
    /// No gradients are computed below the first trainable layer. Model files do not store which layers are frozen; a
    /// checkpoint does, and is refused by a training with other frozen layers.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a layer that does not exist.
    ///
    /// ```
    /// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sgd, Trainer};
    /// use ndarray::array;
    ///
    /// let mut network = NeuralNetwork::<f64>::builder(1).linear(4).tanh().linear(1).seed(7).build()?;
    /// network.set_trainable(..1, false)?;
    /// let first = network.layers().next().unwrap().parameters().to_vec();
    ///
    /// let line = Dataset::regression(array![[0.0], [1.0]], array![[1.0], [3.0]])?;
    /// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?);
    /// trainer.fit(&line)?;
    /// assert_eq!(trainer.network().layers().next().unwrap().parameters(), first);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn set_trainable(&mut self, layers: impl RangeBounds<usize>, trainable: bool) -> Result<()> {
        let count = self.stages.len();
        let start = match layers.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match layers.end_bound() {
            Bound::Included(&end) => end.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => count,
        };
        let Some(stages) = self.stages.get_mut(start..end) else {
            let value = format_args!("{start}..{end} of {count}");
            return Err(Error::option("layers", value, "a range of the network's layers"));
        };
        for stage in stages {
            stage.trainable = trainable;
        }
        Ok(())
    }

    /// Lists the layers that are frozen, such as `0, 2`; `none` if all learn.
    #[cfg(feature = "save")]
    pub(crate) fn frozen_layers(&self) -> String {
        let frozen = self
            .stages
            .iter()
            .enumerate()
            .filter(|(_, stage)| !stage.trainable);
        let frozen: Vec<String> = frozen.map(|(layer, _)| layer.to_string()).collect();
        match frozen.is_empty() {
            true => "none".to_owned(),
            false => frozen.join(", "),
        }
    }

    /// Replaces a layer, counted from 0, by one with as many inputs and outputs, such as one with other weights, and
    /// returns the old one. The activation stays, and a layer in the place of a frozen one is frozen.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a layer that does not exist, [`Error::Shape`] for another number of inputs or
    /// outputs.
    ///
    /// ```
    /// use mfnet::{NeuralNetwork, layer::Linear};
    /// use ndarray::array;
    ///
    /// let mut network = NeuralNetwork::<f64>::builder(2).linear(1).build()?;
    /// let layer = Linear::from_weights(array![[1.0, 2.0]].view(), &[0.5])?;
    /// network.replace_layer(0, Box::new(layer))?;
    /// assert_eq!(network.predict(array![[3.0, 4.0]].view())?, array![[11.5]]);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn replace_layer(&mut self, index: usize, layer: Box<dyn Layer<T>>) -> Result<Box<dyn Layer<T>>> {
        let count = self.stages.len();
        let Some(Stage { layer: old, .. }) = self.stages.get_mut(index) else {
            let value = format_args!("{index} of {count}");
            return Err(Error::option("layer", value, "one of the network's layers"));
        };
        let widths =
            |layer: &dyn Layer<T>| format!("{} inputs and {} outputs", layer.inputs(), layer.outputs());
        if widths(&**old) != widths(&*layer) {
            let expected = format!("a layer of {}", widths(&**old));
            return Err(Error::shape(
                "NeuralNetwork::replace_layer",
                expected,
                widths(&*layer),
            ));
        }
        self.version = NetworkId::next();
        Ok(std::mem::replace(old, layer))
    }

    /// Sets all parameters and buffers to those of [`NeuralNetwork::tensors`] of a network with the same layers, such as an
    /// earlier state of this one.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of tensors, or for one of another shape; [`Error::InvalidData`] for a number that
    /// is not finite, and for another constant row of a parameter tensor. The network then does not change.
    ///
    /// ```
    /// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sgd, Trainer};
    /// use ndarray::array;
    ///
    /// let network = NeuralNetwork::<f64>::builder(1).linear(1).seed(7).build()?;
    /// let before: Vec<_> = network.tensors().cloned().collect();
    /// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?);
    /// trainer.fit(&Dataset::regression(array![[0.0], [1.0]], array![[1.0], [3.0]])?)?;
    /// let mut network = trainer.into_network();
    /// assert_ne!(network.tensors().next(), before.first());
    /// network.set_tensors(&before)?;
    /// assert_eq!(network.tensors().next(), before.first());
    /// assert!(network.set_tensors(&[]).is_err());
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn set_tensors(&mut self, tensors: &[Array2<T>]) -> Result<()> {
        const OPERATION: &str = "NeuralNetwork::set_tensors";
        let count = self.tensors().count();
        if tensors.len() != count {
            let expected = format_args!("{count} tensors");
            return Err(Error::shape(OPERATION, expected, tensors.len()));
        }
        let shown = |tensor: &Array2<T>| format!("{} x {}", tensor.nrows(), tensor.ncols());
        for (index, (own, new)) in self.tensors().zip(tensors).enumerate() {
            if own.dim() != new.dim() {
                let expected = format_args!("tensor {index} of {}", shown(own));
                return Err(Error::shape(OPERATION, expected, shown(new)));
            }
            if new.iter().any(|number| !number.is_finite()) {
                let problem = format_args!("tensor {index} has a number that is not finite");
                return Err(Error::data(OPERATION, problem));
            }
        }
        let layers = self.stages.iter().map(|stage| &stage.layer);
        let are_parameters = layers.flat_map(|layer| {
            let parameters = layer.parameters().iter().map(|_| true);
            parameters.chain(layer.buffers().iter().map(|_| false))
        });
        let pairs = self.tensors().zip(tensors).zip(are_parameters);
        for (index, ((own, new), is_parameter)) in pairs.enumerate() {
            if is_parameter && own.row(0) != new.row(0) {
                let problem = format_args!("row 0 of tensor {index} is constant, and another row is given");
                return Err(Error::data(OPERATION, problem));
            }
        }
        self.restore_snapshot(tensors);
        Ok(())
    }
}
