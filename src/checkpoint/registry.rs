//! The registry of the layers and activations that can be saved and loaded, the built-in ones and a user's own.

use std::any::{Any, TypeId};
use std::fmt;

use super::layers::built_in;
use super::{FeatureLayout, FileActivation, FileLayer, Record, SavedLayer};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::{Activation, Layer};

/// The names in files of the modules that are not layers: the reshapings from rows of features to images and back.
pub(super) const UNFLATTEN: &str = "Unflatten";
pub(super) const FLATTEN: &str = "Flatten";

/// The layers and activations that files can hold: the built-in ones, and those that a user adds.
///
/// A layer or an activation is saved only if it could be loaded again. [`FileLayer`] has an example.
pub struct Registry<T> {
    layers: Vec<KnownType<T, dyn Layer<T>>>,
    activations: Vec<KnownType<T, dyn Activation<T>>>,
}

/// A type of layer or activation; `D` is the trait object.
struct KnownType<T, D: ?Sized> {
    kind: &'static str,
    id: TypeId,
    describe: fn(&dyn Any) -> Option<Described<T>>,
    #[cfg_attr(not(feature = "save"), expect(dead_code, reason = "for files alone"))]
    make: fn(&mut SavedLayer<'_, T>) -> Result<Made<D>>,
}

/// The description of a layer or an activation.
#[derive(Debug)]
pub(super) struct Described<T> {
    pub(super) record: Record<T>,
    pub(super) layout: FeatureLayout,
}

/// A layer or an activation made from a file.
#[cfg_attr(not(feature = "save"), expect(dead_code, reason = "for files alone"))]
struct Made<D: ?Sized> {
    object: Box<D>,
    layout: FeatureLayout,
}

/// The result of [`Registry::load`].
#[cfg(feature = "save")]
pub(super) enum Loaded<T> {
    Layer(Box<dyn Layer<T>>),
    Activation(Box<dyn Activation<T>>),
}

impl<T: Element> Default for Registry<T> {
    fn default() -> Self {
        built_in()
    }
}

impl<T: Element> Registry<T> {
    /// Returns a registry of the built-in layers and activations.
    pub fn new() -> Self {
        Registry::default()
    }

    /// Returns a registry without types.
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
    /// [`Error::InvalidOption`] for a [`FileLayer::KIND`] that is empty or taken, or for a type that was added before.
    pub fn layer<L: FileLayer<T>>(self) -> Result<Self> {
        self.check::<L>(L::KIND)?;
        Ok(self.with_layer::<L>())
    }

    /// Adds a type of activation.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a [`FileActivation::KIND`] that is empty or taken, or for a type that was added before.
    pub fn activation<A: FileActivation<T>>(self) -> Result<Self> {
        self.check::<A>(A::KIND)?;
        Ok(self.with_activation::<A>())
    }

    /// As [`Registry::layer`], without its checks.
    pub(super) fn with_layer<L: FileLayer<T>>(mut self) -> Self {
        self.layers.push(KnownType {
            kind: L::KIND,
            id: TypeId::of::<L>(),
            describe: |layer| {
                layer
                    .downcast_ref()
                    .map(|layer: &L| Described::of(L::KIND, layer.record(), layer.feature_layout()))
            },
            make: |saved| {
                let layer = L::from_record(saved)?;
                Ok(Made {
                    layout: layer.feature_layout(),
                    object: Box::new(layer),
                })
            },
        });
        self
    }

    /// As [`Registry::activation`], without its checks.
    pub(super) fn with_activation<A: FileActivation<T>>(mut self) -> Self {
        self.activations.push(KnownType {
            kind: A::KIND,
            id: TypeId::of::<A>(),
            describe: |activation| {
                let activation: &A = activation.downcast_ref()?;
                Some(Described::of(
                    A::KIND,
                    activation.record(),
                    activation.feature_layout(),
                ))
            },
            make: |saved| {
                let activation = A::from_record(saved)?;
                Ok(Made {
                    layout: activation.feature_layout(),
                    object: Box::new(activation),
                })
            },
        });
        self
    }

    /// Refuses a name that is empty or taken, and a type that was added before.
    fn check<K: 'static>(&self, kind: &'static str) -> Result<()> {
        if kind.is_empty() || self.kinds().any(|taken| taken == kind) {
            let expected = "a name that no other layer or activation of the registry has";
            return Err(Error::option("KIND", format_args!("{kind:?}"), expected));
        }
        let layers = self.layers.iter().map(|known| (known.id, known.kind));
        let mut known = layers.chain(self.activations.iter().map(|known| (known.id, known.kind)));
        match known.find(|(id, _)| *id == TypeId::of::<K>()) {
            Some((_, other)) => {
                let value = format_args!("{kind:?}, of a type that is there as {other:?}");
                Err(Error::option("KIND", value, "one for each type"))
            }
            None => Ok(()),
        }
    }

    /// Returns all names of modules in files.
    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let layers = self.layers.iter().map(|known| known.kind);
        let activations = self.activations.iter().map(|known| known.kind);
        layers.chain(activations).chain([UNFLATTEN, FLATTEN])
    }

    /// Returns the record of a layer and the layout of its features.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a type that is not in the registry, or a record that could not be read again.
    pub(super) fn describe_layer(&self, layer: &dyn Layer<T>) -> Result<Described<T>> {
        let described = describe(&self.layers, layer);
        described.unwrap_or_else(|| Err(unknown(layer.name(), "layer", "FileLayer")))
    }

    /// Returns the record of an activation and the layout of its features.
    ///
    /// # Errors
    ///
    /// As [`Registry::describe_layer`].
    pub(super) fn describe_activation(&self, activation: &dyn Activation<T>) -> Result<Described<T>> {
        let described = describe(&self.activations, activation);
        described.unwrap_or_else(|| Err(unknown(activation.name(), "activation", "FileActivation")))
    }

    /// Makes the layer or activation of this name; returns it with the layout of its features.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a name that is not in the registry; those of `from_record`.
    #[cfg(feature = "save")]
    pub(super) fn load(
        &self,
        kind: &str,
        saved: &mut SavedLayer<'_, T>,
    ) -> Result<(Loaded<T>, FeatureLayout)> {
        if let Some(known) = self.layers.iter().find(|known| known.kind == kind) {
            let Made { object, layout } = (known.make)(saved)?;
            return Ok((Loaded::Layer(object), layout));
        }
        if let Some(known) = self.activations.iter().find(|known| known.kind == kind) {
            let Made { object, layout } = (known.make)(saved)?;
            return Ok((Loaded::Activation(object), layout));
        }
        let known: Vec<&str> = self.kinds().collect();
        Err(super::saved_layer::refused(format_args!(
            "{:?} is not known; known are {}: a layer or an activation of your own is loaded with a registry that has it",
            kind.escape_debug().to_string(),
            known.join(", ")
        )))
    }
}

impl<T> Described<T> {
    fn of(kind: &'static str, mut record: Record<T>, layout: FeatureLayout) -> Self {
        record.kind = kind;
        Described { record, layout }
    }
}

/// Describes a layer or an activation; `None` for a type that is not in the list.
fn describe<T, D: ?Sized>(types: &[KnownType<T, D>], object: &dyn Any) -> Option<Result<Described<T>>> {
    let known = types.iter().find(|known| known.id == object.type_id())?;
    let described = (known.describe)(object)?;
    Some(described.record.check().map(|()| described))
}

impl<T> fmt::Debug for Registry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers: Vec<&str> = self.layers.iter().map(|known| known.kind).collect();
        let activations: Vec<&str> = self.activations.iter().map(|known| known.kind).collect();
        f.debug_struct("Registry")
            .field("layers", &layers)
            .field("activations", &activations)
            .finish()
    }
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

    /// An activation with a name that is taken.
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
        let described = Registry::<f64>::new().describe_activation(&Relu).unwrap();
        assert_eq!(
            (described.record.kind, described.layout),
            ("ReLU", FeatureLayout::Any)
        );
    }
}
