//! The records of a network, one for each module of PyTorch's `nn.Sequential`: its layers, its activations, and the
//! reshapings between rows of features and images.

use super::layers::{flatten, unflatten};
use super::registry::Described;
use super::{FeatureLayout, Record, Registry};
use crate::element::Element;
use crate::error::Result;
use crate::layer::Image;
use crate::network::NeuralNetwork;

impl<T: Element> NeuralNetwork<T> {
    /// Returns the records of the layers and activations, in order: the modules of PyTorch's `nn.Sequential`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`](crate::Error::InvalidData) for a layer or an activation of your own, see
    /// [`NeuralNetwork::records_with`].
    pub fn records(&self) -> Result<Vec<Record<T>>> {
        self.records_with(&Registry::new())
    }

    /// As [`NeuralNetwork::records`], with the layers of a registry.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`](crate::Error::InvalidData) for a layer or an activation that the registry does not know, or
    /// whose record cannot be read again.
    pub fn records_with(&self, registry: &Registry<T>) -> Result<Vec<Record<T>>> {
        let mut modules = Modules {
            records: Vec::new(),
            image: None,
        };
        for (layer, activation) in self.layers_and_activations() {
            modules.push(registry.describe_layer(layer)?);
            if let Some(activation) = activation {
                modules.push(registry.describe_activation(activation)?);
            }
        }
        modules.reshape(None);
        Ok(modules.records)
    }
}

/// The records so far, and the shape of the image that the last one returns; `None` for a row of features.
struct Modules<T> {
    records: Vec<Record<T>>,
    image: Option<Image>,
}

impl<T: Element> Modules<T> {
    /// Adds a record, after a reshaping if its input needs one.
    fn push(&mut self, Described { record, layout }: Described<T>) {
        self.reshape(match layout {
            FeatureLayout::Flat => None,
            FeatureLayout::Any => self.image,
            FeatureLayout::Images { input, .. } => Some(input),
        });
        self.image = layout.output_image(self.image);
        self.records.push(record);
    }

    /// Adds the reshapings to images of this shape, or to rows of features for `None`.
    fn reshape(&mut self, wanted: Option<Image>) {
        if wanted != self.image {
            self.records.extend(self.image.map(|_| flatten()));
            self.records.extend(wanted.map(unflatten));
            self.image = wanted;
        }
    }
}
