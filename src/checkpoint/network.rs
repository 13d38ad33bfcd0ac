//! Saving and loading networks.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::ArrayD;

use super::description::Description;
use super::registry::{FLATTEN, Loaded, UNFLATTEN};
use super::saved::{self, ToSave};
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
    /// `0.bias`, and so on. The number is the place in `nn.Sequential`, activations and dropouts included.
    ///
    /// The file is replaced atomically, never in part.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a layer or an activation of your own, see [`NeuralNetwork::save_with`], for a weight that
    /// is not finite, or for a network without weights; [`Error::Io`] if the file cannot be written.
    ///
    /// ```
    /// use mfnet::NeuralNetwork;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("network.safetensors");
    /// let network = NeuralNetwork::<f32>::builder(4).linear(8).relu().linear(3).seed(7).build()?;
    /// network.save(&path)?;
    /// let same = NeuralNetwork::<f32>::load(&path)?;
    /// assert!(same.parameters().eq(network.parameters()));
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
        let parts = ToSave::<T, ()> {
            network: self,
            schema: None,
            loss: None,
            training: None,
        };
        saved::write(path.as_ref(), parts, registry)
    }

    /// Loads a network that [`NeuralNetwork::save`] or [`Model::save`](super::Model::save) saved, or the network of a
    /// checkpoint. A file of the other precision is converted.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] if it does not hold a network, with the problem
    /// and its place.
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

    /// Loads weights into this network from a safetensors file, such as one that PyTorch wrote.
    ///
    /// The file's modules must have this network's tensors in this network's order. Modules are sorted by the number in
    /// their names: the first tensor may be `0.weight`, `net.1.weight` or `layer1.weight`. Unless all tensors fit, the
    /// network stays unchanged.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for tensors of other names, shapes or types, or
    /// that a layer refuses; [`Error::InvalidData`] for a network that could not be [saved](NeuralNetwork::save).
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
        // All new layers are built before the first one is replaced.
        let description = Description::<T, ()>::new(self.inputs(), &records);
        let loaded = build(&description, &mut file, &names, registry)?;
        self.replace_layers(loaded);
        Ok(())
    }
}

/// Returns the tensors of a network's records, by their names in its file.
pub(super) fn tensors<T: Element>(records: Vec<Record<T>>) -> BTreeMap<String, ArrayD<T>> {
    let named = records.into_iter().enumerate().flat_map(|(index, record)| {
        let named = move |tensor: NamedTensor<T>| (format!("{index}.{}", tensor.name), tensor.values);
        record.tensors.into_iter().map(named)
    });
    named.collect()
}

/// Returns the counters of a network's records, by their names in its file.
pub(super) fn counts<T: Element>(records: &[Record<T>]) -> BTreeMap<String, u64> {
    let named = records.iter().enumerate().flat_map(|(index, record)| {
        let counts = record.counts.iter();
        counts.map(move |&(name, count)| (format!("{index}.{name}"), count))
    });
    named.collect()
}

/// The tensors of one layer of a file.
struct LayerTensors<'a> {
    file: &'a mut TensorFile,
    /// Names in the file, by the network's own (`0.weight` and so on), where they differ.
    names: &'a BTreeMap<String, String>,
    /// The layer's place in the description.
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

/// Builds the network of a description from the tensors of the file. `names` has the names in the file by the network's own
/// (`0.weight` and so on), where they differ.
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
            UNFLATTEN => unflattened_image(&saved).map(|image| (Some(image), None)),
            FLATTEN => Ok((None, None)),
            kind => registry
                .load(kind, &mut saved)
                .map(|(loaded, layout)| (layout.output_image(image), Some(loaded))),
        };
        // Errors that name the file are returned as they are, others with the file and the layer's index.
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
    // The weights in the file also bound the widths of the other layers.
    if network.parameter_count() == 0 {
        return Err(file.fault("none of its layers has weights"));
    }
    Ok(network)
}

/// Returns the image that an `Unflatten` makes of a row of features.
fn unflattened_image<T: Element>(saved: &SavedLayer<'_, T>) -> Result<Image> {
    let [channels, height, width] = saved.sizes("unflattened_size")?;
    Ok(Image {
        channels,
        height,
        width,
    })
}
