//! Networks as files.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::ArrayD;

use super::description::Description;
use super::registry::{FLATTEN, Loaded, UNFLATTEN};
use super::saved;
use super::saved_layer::TensorSource;
use super::tensors::TensorFile;
use super::weights;
use super::{NamedTensor, Record, Registry, SavedLayer};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::Image;
use crate::network::NeuralNetwork;

impl<T: Element> NeuralNetwork<T> {
    /// Saves the network in a safetensors file, with PyTorch's names and shapes: `0.weight` (outputs x inputs),
    /// `0.bias`, and so on, by the places in `nn.Sequential`, activations and dropouts counted.
    ///
    /// The file is replaced as a whole, or stays as it was.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a layer or an activation of your own, see [`NeuralNetwork::save_with`], for a weight that
    /// is not finite, or if there are no weights; [`Error::Io`] if the file cannot be written.
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
        self.save_with(path, &Registry::new())
    }

    /// As [`NeuralNetwork::save`], with the layers and activations of a registry; [`FileLayer`](super::FileLayer) has an
    /// example.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::save`]; [`Error::InvalidData`] for a layer or an activation that the registry does not know.
    pub fn save_with(&self, path: impl AsRef<Path>, registry: &Registry<T>) -> Result<()> {
        saved::write::<T, ()>(path.as_ref(), self, None, None, registry)
    }

    /// Loads a network that was saved here, by itself or in a [`Model`](super::Model); in this precision, whichever
    /// it was saved in.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for anything in it that is no network, with
    /// what and where.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        NeuralNetwork::load_with(path, &Registry::new())
    }

    /// As [`NeuralNetwork::load`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::load`].
    pub fn load_with(path: impl AsRef<Path>, registry: &Registry<T>) -> Result<Self> {
        let (saved, _) = saved::read::<T, serde::de::IgnoredAny>(path.as_ref(), registry)?;
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
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for tensors of other names, shapes or types, or that
    /// a layer refuses; [`Error::InvalidData`] for a network that could not be [saved](NeuralNetwork::save).
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.load_weights_with(path, &Registry::new())
    }

    /// As [`NeuralNetwork::load_weights`], with the layers and activations of a registry.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::load_weights`].
    pub fn load_weights_with(&mut self, path: impl AsRef<Path>, registry: &Registry<T>) -> Result<()> {
        let mut file = TensorFile::open(path.as_ref())?;
        let records = self.records_with(registry)?;
        let names = weights::matching(&file, &records)?;
        // All layers are made anew before the first is replaced.
        let description = Description::<T, ()>::new(self.inputs(), &records);
        let loaded = build(&description, &mut file, &names, registry)?;
        self.replace_layers(loaded);
        Ok(())
    }
}

/// The tensors of a network's records, by their names in its file.
pub(super) fn tensors<T: Element>(records: Vec<Record<T>>) -> BTreeMap<String, ArrayD<T>> {
    let named = records.into_iter().enumerate().flat_map(|(index, record)| {
        let named = move |tensor: NamedTensor<T>| (format!("{index}.{}", tensor.name), tensor.values);
        record.tensors.into_iter().map(named)
    });
    named.collect()
}

/// The counters of a network's records, by their names in its file.
pub(super) fn counts<T: Element>(records: &[Record<T>]) -> BTreeMap<String, u64> {
    let named = records.iter().enumerate().flat_map(|(index, record)| {
        let counts = record.counts.iter();
        counts.map(move |&(name, count)| (format!("{index}.{name}"), count))
    });
    named.collect()
}

/// The tensors of one of a file's layers.
struct LayerTensors<'a> {
    file: &'a mut TensorFile,
    /// The names in the file, where they are others than `0.weight` and so on.
    names: &'a BTreeMap<String, String>,
    /// The place of the layer.
    index: usize,
}

impl LayerTensors<'_> {
    fn name(&self, name: &str) -> String {
        let own = format!("{}.{name}", self.index);
        self.names.get(&own).cloned().unwrap_or(own)
    }
}

impl<T: Element> TensorSource<T> for LayerTensors<'_> {
    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<ArrayD<T>> {
        self.file.take(&self.name(name), shape)
    }

    fn count(&mut self, name: &str) -> Result<u64> {
        self.file.take_count(&self.name(name))
    }
}

/// The network of a description, with the tensors of the file; `names` are those in the file, where they are others than
/// `0.weight` and so on.
pub(super) fn build<T: Element, S>(
    description: &Description<T, S>,
    file: &mut TensorFile,
    names: &BTreeMap<String, String>,
    registry: &Registry<T>,
) -> Result<NeuralNetwork<T>> {
    let mut builder = NeuralNetwork::builder(description.inputs);
    let mut width = description.inputs;
    let mut image = None;
    for (index, entry) in description.layers.iter().enumerate() {
        let mut tensors = LayerTensors { file, names, index };
        let mut saved = SavedLayer {
            options: &entry.options,
            seed: entry.seed.unwrap_or(0),
            inputs: width,
            image,
            tensors: &mut tensors,
        };
        let loaded = match entry.kind.as_str() {
            UNFLATTEN => images(&saved).map(|image| (Some(image), None)),
            FLATTEN => Ok((None, None)),
            kind => registry
                .load(kind, &mut saved)
                .map(|(loaded, layout)| (layout.output_image(image), Some(loaded))),
        };
        // A file that cannot be is reported as it is, anything else with the layer it was found in.
        let (output_image, loaded) = loaded.map_err(|error| match error {
            Error::InvalidFile { .. } | Error::Io { .. } => error,
            _ => file.fault(format_args!("layer {index}: {error}")),
        })?;
        image = output_image;
        if let (None, Some(image)) = (&loaded, image)
            && image.features() != Some(width)
        {
            let problem = format_args!("layer {index}: {width} features are no images of {image}");
            return Err(file.fault(problem));
        }
        builder = match loaded {
            Some(Loaded::Layer(layer)) => {
                if layer.inputs() != width {
                    let takes = layer.inputs();
                    return Err(file.fault(format_args!(
                        "layer {index}: it takes {takes} features, and gets {width}"
                    )));
                }
                width = layer.outputs();
                builder.layer(layer)
            }
            Some(Loaded::Activation(activation)) => builder.activation(activation),
            None => builder,
        };
    }
    let network = builder.build().map_err(|error| file.fault(error))?;
    // Weights that are there are also what bounds the widths.
    if network.parameters() == 0 {
        return Err(file.fault("none of its layers has weights"));
    }
    Ok(network)
}

/// The images that a file makes of features in a row.
fn images<T: Element>(saved: &SavedLayer<'_, T>) -> Result<Image> {
    let [channels, height, width] = saved.sizes("unflattened_size")?;
    Ok(Image {
        channels,
        height,
        width,
    })
}
