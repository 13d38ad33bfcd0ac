//! The registry: which layers and activations files can hold, the built-in ones and a user's own.

use std::any::{Any, TypeId};
use std::fmt;

use super::layers::built_in;
use super::saved_layer::refused;
use super::{FeatureLayout, FileActivation, FileLayer, Record, SavedLayer};
use crate::element::Element;
use crate::error::{Error, Result};
#[cfg(feature = "save")]
use crate::layer::Image;
use crate::layer::{Activation, Layer};

/// The names in files that are no layer's: how features in a row become images, and the other way round.
pub(super) const UNFLATTEN: &str = "Unflatten";
pub(super) const FLATTEN: &str = "Flatten";

/// The layers and activations that files can hold: the built-in ones, and those that are added.
///
/// A layer or an activation is saved only where it could be loaded again. [`FileLayer`] has an example.
pub struct Registry<T> {
    layers: Vec<LayerEntry<T>>,
    activations: Vec<ActivationEntry<T>>,
}

/// A known type of layer.
struct LayerEntry<T> {
    kind: &'static str,
    id: TypeId,
    describe: fn(&dyn Any) -> Option<(Record<T>, FeatureLayout)>,
    make: fn(&mut SavedLayer<'_, T>) -> Result<(Box<dyn Layer<T>>, FeatureLayout)>,
}

/// A known type of activation.
struct ActivationEntry<T> {
    kind: &'static str,
    id: TypeId,
    describe: fn(&dyn Any) -> Option<(Record<T>, FeatureLayout)>,
    make: fn(&mut SavedLayer<'_, T>) -> Result<(Box<dyn Activation<T>>, FeatureLayout)>,
}

/// What a file has at one place, and what it makes of the features.
pub(super) enum Loaded<T> {
    Layer(Box<dyn Layer<T>>, FeatureLayout),
    Activation(Box<dyn Activation<T>>, FeatureLayout),
}

impl<T> Loaded<T> {
    /// The images that come out, if such, or none, come in.
    #[cfg(feature = "save")]
    pub(super) fn output_image(&self, input: Option<Image>) -> Option<Image> {
        let (Loaded::Layer(_, layout) | Loaded::Activation(_, layout)) = self;
        layout.output_image(input)
    }
}

impl<T: Element> Default for Registry<T> {
    fn default() -> Self {
        built_in()
    }
}

impl<T: Element> Registry<T> {
    /// The built-in layers and activations.
    pub fn new() -> Self {
        Registry::default()
    }

    /// A registry that knows nothing.
    pub(super) fn empty() -> Self {
        Registry {
            layers: Vec::new(),
            activations: Vec::new(),
        }
    }

    /// Adds a type of layer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a [`FileLayer::KIND`] that is empty, or that the registry has for another type.
    pub fn layer<L: FileLayer<T>>(self) -> Result<Self> {
        self.check::<L>(L::KIND)?;
        Ok(self.with_layer::<L>())
    }

    /// Adds a type of activation.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a [`FileActivation::KIND`] that is empty, or that the registry has for another type.
    pub fn activation<A: FileActivation<T>>(self) -> Result<Self> {
        self.check::<A>(A::KIND)?;
        Ok(self.with_activation::<A>())
    }

    /// As [`Registry::layer`], unchecked.
    pub(super) fn with_layer<L: FileLayer<T>>(mut self) -> Self {
        self.layers.push(LayerEntry {
            kind: L::KIND,
            id: TypeId::of::<L>(),
            describe: |layer| {
                let layer = layer.downcast_ref::<L>()?;
                Some((layer.record(), layer.feature_layout()))
            },
            make: |saved| {
                let layer = L::from_record(saved)?;
                let layout = layer.feature_layout();
                Ok((Box::new(layer), layout))
            },
        });
        self
    }

    /// As [`Registry::activation`], unchecked.
    pub(super) fn with_activation<A: FileActivation<T>>(mut self) -> Self {
        self.activations.push(ActivationEntry {
            kind: A::KIND,
            id: TypeId::of::<A>(),
            describe: |activation| {
                let activation = activation.downcast_ref::<A>()?;
                Some((activation.record(), activation.feature_layout()))
            },
            make: |saved| {
                let activation = A::from_record(saved)?;
                let layout = activation.feature_layout();
                Ok((Box::new(activation), layout))
            },
        });
        self
    }

    /// Refuses a name that is empty or taken, and a type that is there.
    fn check<K: 'static>(&self, kind: &'static str) -> Result<()> {
        if kind.is_empty() || self.kinds().any(|taken| taken == kind) {
            let expected = "a name that no other layer or activation of the registry has";
            return Err(Error::option("KIND", format_args!("{kind:?}"), expected));
        }
        let layers = self.layers.iter().map(|entry| (entry.id, entry.kind));
        let mut known = layers.chain(self.activations.iter().map(|entry| (entry.id, entry.kind)));
        match known.find(|(id, _)| *id == TypeId::of::<K>()) {
            Some((_, other)) => {
                let value = format_args!("{kind:?}, of a type that is there as {other:?}");
                Err(Error::option("KIND", value, "one for each type"))
            }
            None => Ok(()),
        }
    }

    /// The names in files.
    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let layers = self.layers.iter().map(|entry| entry.kind);
        let activations = self.activations.iter().map(|entry| entry.kind);
        layers.chain(activations).chain([UNFLATTEN, FLATTEN])
    }

    /// The record of a layer, and the meaning of its features.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a type that is not there.
    pub(super) fn describe_layer(&self, layer: &dyn Layer<T>) -> Result<(Record<T>, FeatureLayout)> {
        let any: &dyn Any = layer;
        let entry = self.layers.iter().find(|entry| entry.id == any.type_id());
        let described = entry.and_then(|entry| Some((entry.kind, (entry.describe)(any)?)));
        checked(described).unwrap_or_else(|| Err(unknown(layer.name(), "layer", "FileLayer")))
    }

    /// The record of an activation, and the meaning of its features.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a type that is not there.
    pub(super) fn describe_activation(
        &self,
        activation: &dyn Activation<T>,
    ) -> Result<(Record<T>, FeatureLayout)> {
        let any: &dyn Any = activation;
        let entry = self.activations.iter().find(|entry| entry.id == any.type_id());
        let described = entry.and_then(|entry| Some((entry.kind, (entry.describe)(any)?)));
        checked(described).unwrap_or_else(|| Err(unknown(activation.name(), "activation", "FileActivation")))
    }

    /// The layer or activation of this name.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a name that is not there; those of `from_record`.
    #[cfg_attr(not(feature = "save"), expect(dead_code, reason = "only files are loaded"))]
    pub(super) fn load(&self, kind: &str, saved: &mut SavedLayer<'_, T>) -> Result<Loaded<T>> {
        if let Some(entry) = self.layers.iter().find(|entry| entry.kind == kind) {
            return (entry.make)(saved).map(|(layer, layout)| Loaded::Layer(layer, layout));
        }
        if let Some(entry) = self.activations.iter().find(|entry| entry.kind == kind) {
            return (entry.make)(saved).map(|(activation, layout)| Loaded::Activation(activation, layout));
        }
        let known: Vec<&str> = self.kinds().collect();
        Err(refused(format_args!(
            "{:?} is not known; known are {}, and to a registry that it was added to it would be too",
            kind.escape_debug().to_string(),
            known.join(", ")
        )))
    }
}

impl<T> fmt::Debug for Registry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers: Vec<&str> = self.layers.iter().map(|entry| entry.kind).collect();
        let activations: Vec<&str> = self.activations.iter().map(|entry| entry.kind).collect();
        f.debug_struct("Registry")
            .field("layers", &layers)
            .field("activations", &activations)
            .finish()
    }
}

/// A record under the name of its type, if it can be read again.
fn checked<T>(
    described: Option<(&'static str, (Record<T>, FeatureLayout))>,
) -> Option<Result<(Record<T>, FeatureLayout)>> {
    let (kind, (mut record, layout)) = described?;
    record.kind = kind;
    Some(record.check().map(|()| (record, layout)))
}

fn unknown(name: &str, what: &str, trait_name: &str) -> Error {
    Error::data(
        name,
        format_args!(
            "the registry does not know this {what}, and no file can hold what could not be loaded: implement \
             `checkpoint::{trait_name}` for it, add it with `Registry::{what}`, and hand the registry to the method that \
             ends in `_with`"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Linear, Relu};

    /// An activation under a name that is taken.
    #[derive(Debug)]
    struct Twin;

    impl Activation<f64> for Twin {
        fn name(&self) -> &'static str {
            "twin"
        }

        fn forward(&self, _values: ndarray::ArrayViewMut2<'_, f64>) {}

        fn backward(&self, _output: ndarray::ArrayView2<'_, f64>, _delta: ndarray::ArrayViewMut2<'_, f64>) {}
    }

    impl FileActivation<f64> for Twin {
        const KIND: &'static str = "Linear";

        fn record(&self) -> Record<f64> {
            Record::new()
        }

        fn from_record(_saved: &mut SavedLayer<'_, f64>) -> Result<Self> {
            Ok(Twin)
        }
    }

    #[test]
    fn a_name_is_of_one_type() {
        let error = Registry::new().activation::<Twin>().unwrap_err().to_string();
        assert!(
            error.starts_with("KIND = \"Linear\": it must be a name that no other"),
            "{error}"
        );
        let registry = Registry::empty().activation::<Twin>().unwrap();
        assert!(registry.activation::<Twin>().is_err(), "twice");
        assert!(Registry::<f64>::new().layer::<Linear<f64>>().is_err());
    }

    #[test]
    fn an_unknown_type_is_refused_with_a_way_out() {
        let error = Registry::new()
            .describe_activation(&Twin)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("twin: the registry does not know this activation"),
            "{error}"
        );
        assert!(error.contains("`checkpoint::FileActivation`") && error.contains("`Registry::activation`"));
        let (record, layout) = Registry::<f64>::new().describe_activation(&Relu).unwrap();
        assert_eq!((record.kind, layout), ("ReLU", FeatureLayout::Any));
    }
}
