//! Networks as files.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::ArrayD;

use super::description::Description;
use super::saved;
use super::tensors::TensorFile;
use super::weights;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::{Part, Record, Tensor, part};
use crate::network::NeuralNetwork;

impl<T: Element> NeuralNetwork<T> {
    /// Saves the network in a safetensors file, with PyTorch's names and shapes: `0.weight` (outputs x inputs),
    /// `0.bias`, and so on, by the places in `nn.Sequential`, activations and dropouts counted.
    ///
    /// The file is replaced as a whole, or stays as it was.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a layer of your own without a [record](crate::layer::Layer::record) or a weight that
    /// is not finite, [`Error::Io`] if the file cannot be written.
    ///
    /// ```
    /// use mfnet::NeuralNetwork;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("network.safetensors");
    /// let network = NeuralNetwork::<f32>::builder(4).linear(8).relu().linear(3).seed(7).build()?;
    /// network.save(&path)?;
    /// let same = NeuralNetwork::<f32>::load(&path)?;
    /// assert!(same.weights().eq(network.weights()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        saved::write::<T, ()>(path.as_ref(), self, None, None)
    }

    /// Loads a network that was saved here, by itself or in a [`Model`](super::Model); in this precision, whichever
    /// it was saved in.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for anything in it that is no network, with
    /// what and where.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let (saved, _) = saved::read::<T, serde::de::IgnoredAny>(path.as_ref())?;
        Ok(saved.network)
    }

    /// Takes over the weights of a safetensors file, which may be written by PyTorch.
    ///
    /// The file's modules must have this network's tensors in this network's order. They are told by the number in
    /// their names, so that it does not matter whether the first is `0.weight`, `net.1.weight` or `layer1.weight`.
    /// Unless all of them fit, the network stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for tensors of other names, shapes or types.
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let mut file = TensorFile::open(path.as_ref())?;
        let mut tensors = weights::matching(&mut file, &self.records()?)?;
        self.restore(&mut |name, _| {
            tensors
                .remove(name)
                .ok_or_else(|| Error::data(name, "it has no tensor"))
        })
    }
}

/// The tensors of a network's records, by their names in its file.
pub(super) fn tensors<T: Element>(records: Vec<Record<T>>) -> BTreeMap<String, ArrayD<T>> {
    let named = records.into_iter().enumerate().flat_map(|(index, record)| {
        let named = move |tensor: Tensor<T>| (format!("{index}.{}", tensor.name), tensor.values);
        record.tensors.into_iter().map(named)
    });
    named.collect()
}

/// What a network has counted, by the names in its file.
pub(super) fn counts<T: Element>(records: &[Record<T>]) -> BTreeMap<String, u64> {
    let named = records.iter().enumerate().flat_map(|(index, record)| {
        let counts = record.counts.iter();
        counts.map(move |&(name, count)| (format!("{index}.{name}"), count))
    });
    named.collect()
}

/// The network of a description, with the tensors of the file.
pub(super) fn build<T: Element, S>(
    description: &Description<S>,
    file: &mut TensorFile,
) -> Result<NeuralNetwork<T>> {
    let mut builder = NeuralNetwork::builder(description.inputs);
    let mut width = description.inputs;
    let mut image = None;
    for (index, entry) in description.layers.iter().enumerate() {
        // A file that cannot be is reported as it is, anything else with the layer it was found in.
        let in_layer = |file: &TensorFile, error| match error {
            Error::InvalidFile { .. } => error,
            _ => file.fault(format_args!("layer {index}: {error}")),
        };
        let mut fetch = |name: &str, shape: &[usize]| file.take(&format!("{index}.{name}"), shape);
        let made = part(
            &entry.kind,
            &entry.options(),
            width,
            image,
            entry.seed.unwrap_or(0),
            &mut fetch,
        );
        builder = match made.map_err(|error| in_layer(file, error))? {
            Part::Layer(layer) => {
                if layer.inputs() != width {
                    let problem = format_args!(
                        "layer {index}: it takes {} features, and gets {width}",
                        layer.inputs()
                    );
                    return Err(file.fault(problem));
                }
                width = layer.outputs();
                image = layer.form().image_behind(image);
                builder.layer(layer)
            }
            Part::Activation(activation) => builder.activation(activation),
            Part::Images(images) => {
                if images.features() != Some(width) {
                    let problem = format_args!("layer {index}: {width} features are no images of {images}");
                    return Err(file.fault(problem));
                }
                image = Some(images);
                builder
            }
            Part::Features => {
                image = None;
                builder
            }
        };
    }
    let network = builder.build().map_err(|error| file.fault(error))?;
    // Weights that are there are also what bounds the widths.
    if network.parameters() == 0 {
        return Err(file.fault("none of its layers has weights"));
    }
    Ok(network)
}
