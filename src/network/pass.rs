//! A training step: forward and back through the blocks of a batch, then the gradients over all of them.

use std::any::Any;
use std::mem;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ndarray::Array2;
use rayon::prelude::*;

use super::workspace::{Meeting, Tally, make_room};
use super::{NeuralNetwork, Stage, Workspace};
use crate::augment::{body, body_mut};
use crate::data::{Batch, Dataset, gather_inputs};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::Panels;
use crate::layer::{Block, Linear, Pass, Samples};
use crate::loss::Loss;
use crate::optimizer::{Gradients, Optimizer};
use crate::pool;

impl<T: Element> NeuralNetwork<T> {
    /// Sends a batch forward and its loss's gradient back, and leaves values and deltas in the workspace.
    ///
    /// Returns the batch's loss, the mean over its samples. The weights stay as they are: what to do with a loss that
    /// is not finite is the caller's choice.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a batch of other features or outputs, or with more samples than the workspace has room for,
    /// and for a workspace that was made for a network of other widths; [`Error::InvalidData`] for a batch of one sample
    /// where a layer learns from a batch as a whole, and for a loss that expects logits of a network that gives
    /// probabilities, or the other way round.
    pub fn propagate(
        &self,
        batch: &Batch<'_, T>,
        loss: &dyn Loss<T>,
        workspace: &mut Workspace<T>,
    ) -> Result<f64> {
        let dataset = batch.dataset();
        self.check_dataset("NeuralNetwork::propagate", dataset)?;
        self.check_loss("NeuralNetwork::propagate", loss)?;
        workspace.check("NeuralNetwork::propagate", self)?;
        self.check_batch("NeuralNetwork::propagate", batch.samples())?;
        self.pack_if_sparse(dataset, workspace);
        // Out of the workspace meanwhile: what they have seen is read while blocks and tallies are written.
        let mut meetings = mem::take(&mut workspace.meetings);
        let result = self.propagate_to_and_fro(batch, loss, workspace, &mut meetings);
        workspace.meetings = meetings;
        result?;
        let sum: f64 = workspace.tallies[..workspace.used]
            .iter()
            .map(|tally| tally.loss)
            .sum();
        Ok(sum / batch.samples() as f64)
    }

    /// Sends a batch forward and back: in one pass, or, where layers look at the batch as a whole, in one from each of
    /// them to the next.
    fn propagate_to_and_fro(
        &self,
        batch: &Batch<'_, T>,
        loss: &dyn Loss<T>,
        workspace: &mut Workspace<T>,
        meetings: &mut [Meeting],
    ) -> Result<()> {
        let (dataset, indices) = (batch.dataset(), batch.indices());
        let scale = T::from_f64(loss.reduction().scale(batch.samples()));
        let pass = Pass::training(batch.epoch(), batch.first());
        for index in 0..meetings.len() {
            let (before, layer) = (&meetings[..index], meetings[index].layer);
            self.for_each_block(indices, pass, workspace, |block, tally, indices, panels| {
                self.forward_from(before.last(), dataset, indices, block, panels, layer);
                if let Some(whole_batch) = self.stages[layer].layer.whole_batch() {
                    whole_batch.summarize(block.forward(layer).0, &mut tally.summaries[index]);
                }
            })?;
            if let Some(whole_batch) = self.stages[layer].layer.whole_batch() {
                meetings[index]
                    .whole
                    .join(whole_batch, workspace.summaries(index));
            }
        }
        let last = meetings.last();
        self.for_each_block(indices, pass, workspace, |block, tally, indices, panels| {
            self.forward_from(last, dataset, indices, block, panels, self.stages.len());
            let targets = tally.targets.gather(dataset.targets(), indices);
            let (output, delta) = block.output_and_delta();
            tally.loss = loss.evaluate(body(output), targets, scale, Some(body_mut(delta)));
            self.backward_to(last, self.stages.len(), block, tally, panels.is_some());
        })?;
        for index in (0..meetings.len()).rev() {
            let parts = workspace.summaries(index).map(|(_, summary)| summary);
            meetings[index].whole.join_back(parts);
            let Meeting { layer, whole, .. } = &meetings[index];
            let before = meetings[..index].last();
            if *layer == 0 {
                break;
            }
            self.for_each_block(indices, pass, workspace, |block, tally, _, panels| {
                if let Some(whole_batch) = self.stages[*layer].layer.whole_batch() {
                    let (input, delta, delta_input, _) = block.backward(*layer);
                    whole_batch.backward(input, delta, delta_input, whole);
                }
                self.backward_to(before, *layer, block, tally, panels.is_some());
            })?;
        }
        Ok(())
    }

    /// Changes the weights by the batch that was propagated last.
    ///
    /// An optimizer whose update is a plain step down the gradient is fused into the products that compute it.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a workspace of another network; those of [`Optimizer::start_step`], such as for an optimizer
    /// that remembers another network. The weights then stay as they are.
    pub fn update(&mut self, optimizer: &mut dyn Optimizer<T>, workspace: &mut Workspace<T>) -> Result<()> {
        workspace.check("NeuralNetwork::update", self)?;
        match optimizer.plain_rate() {
            Some(rate) => self.descend(T::from_f64(rate), workspace),
            None => {
                self.gradients(workspace)?;
                optimizer.start_step(&Gradients::new(self.id, &workspace.gradients))?;
                let weights = self.stages.iter_mut().flat_map(|stage| stage.layer.weights_mut());
                for (index, (weights, gradient)) in
                    weights.zip(workspace.gradients.iter_mut().flatten()).enumerate()
                {
                    optimizer.update(index, weights, gradient);
                }
            }
        }
        for Meeting { layer, whole, .. } in workspace
            .meetings
            .iter()
            .filter(|meeting| meeting.whole.samples() > 0)
        {
            if let Some(whole_batch) = self.stages[*layer].layer.whole_batch_mut() {
                whole_batch.note(whole);
            }
        }
        Ok(())
    }

    /// Computes dJ/dW of the batch that was propagated last; [`Workspace::gradients`] shows them.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a workspace of another network.
    pub fn gradients(&self, workspace: &mut Workspace<T>) -> Result<()> {
        workspace.check("NeuralNetwork::gradients", self)?;
        let (parallel, learned, gradients) = Learned::of(workspace);
        let work = |(layer, (stage, gradients)): (usize, (&Stage<T>, &mut Vec<Array2<T>>))| {
            learned.gradient(layer, stage, gradients);
        };
        if parallel {
            let stages = self.stages.par_iter().zip(gradients);
            pool::enter(|| stages.enumerate().for_each(work));
        } else {
            self.stages.iter().zip(gradients).enumerate().for_each(work);
        }
        Ok(())
    }

    /// W <- W - rate dJ/dW for the batch that was propagated last.
    fn descend(&mut self, rate: T, workspace: &mut Workspace<T>) {
        let (parallel, learned, gradients) = Learned::of(workspace);
        let work = |(layer, (stage, gradients)): (usize, (&mut Stage<T>, &mut Vec<Array2<T>>))| {
            learned.descend(layer, stage, gradients, rate);
        };
        if parallel {
            let stages = self.stages.par_iter_mut().zip(gradients);
            pool::enter(|| stages.enumerate().for_each(work));
        } else {
            self.stages.iter_mut().zip(gradients).enumerate().for_each(work);
        }
    }

    /// Packs the first layer's weights where the samples of a data set are mostly zeros and the layer can make use of it.
    pub(super) fn pack_if_sparse(&self, dataset: &Dataset<T>, workspace: &mut Workspace<T>) {
        let layer = self.stages[0].linear().filter(|_| dataset.is_sparse());
        workspace.sparse = layer.is_some();
        if let Some(layer) = layer {
            dataset.compress();
            let panels = workspace.panels.get_or_insert_with(|| Mutex::new(layer.panels()));
            let panels = panels.get_mut().unwrap_or_else(PoisonError::into_inner);
            layer.pack(panels, workspace.parallel);
        }
    }

    /// Does something with each block of a batch, and the tally and samples that belong to it.
    pub(super) fn for_each_block(
        &self,
        indices: &[usize],
        pass: Pass,
        workspace: &mut Workspace<T>,
        work: impl Fn(&mut Block<T>, &mut Tally<T>, &[usize], Option<&Panels<T>>) + Sync,
    ) -> Result<()> {
        let samples = indices.len();
        if samples > workspace.capacity() {
            return Err(Error::shape(
                "Workspace",
                format_args!("at most {} samples", workspace.capacity()),
                samples,
            ));
        }
        let size = workspace.block_size;
        workspace.used = samples.div_ceil(size);
        let panels = workspace.panels.as_mut().filter(|_| workspace.sparse);
        let panels = panels.map(|panels| &*panels.get_mut().unwrap_or_else(PoisonError::into_inner));
        let work = |(number, ((block, tally), indices)): (usize, Portion<'_, T>)| {
            block.start(indices.len(), pass.further(number * size));
            work(block, tally, indices, panels);
        };
        let (blocks, tallies) = (&mut workspace.blocks, &mut workspace.tallies);
        if workspace.parallel {
            let portions = blocks.par_iter_mut().zip(tallies).zip(indices.par_chunks(size));
            pool::enter(|| portions.enumerate().for_each(work));
        } else {
            blocks
                .iter_mut()
                .zip(tallies)
                .zip(indices.chunks(size))
                .enumerate()
                .for_each(work);
        }
        Ok(())
    }

    /// Sends samples forward up to, but not through, the layer `end`: those of a data set from the start, or those in the
    /// block from the layer where blocks met last.
    fn forward_from(
        &self,
        meeting: Option<&Meeting>,
        dataset: &Dataset<T>,
        indices: &[usize],
        block: &mut Block<T>,
        panels: Option<&Panels<T>>,
        end: usize,
    ) {
        let Some(Meeting { layer, whole, .. }) = meeting else {
            return self.forward_dataset(dataset, indices, block, panels, end);
        };
        let stage = &self.stages[*layer];
        if let Some(whole_batch) = stage.layer.whole_batch() {
            let (input, output, _) = block.forward(*layer);
            whole_batch.forward(input, output, whole);
        }
        stage.activate(block, *layer);
        self.forward(block, layer + 1..end);
    }

    /// Sends samples of a data set forward through the first `layers` layers; without their zeros, where the first one's
    /// weights are packed for that.
    pub(super) fn forward_dataset(
        &self,
        dataset: &Dataset<T>,
        indices: &[usize],
        block: &mut Block<T>,
        panels: Option<&Panels<T>>,
        layers: usize,
    ) {
        match panels {
            None => {
                gather_inputs(dataset.inputs(), indices, body_mut(block.input_mut()));
                self.forward(block, 0..layers);
            }
            Some(panels) => {
                dataset.gather_sparse(indices, block.sparse_input_mut());
                if let Some((input, output)) = block.sparse_forward() {
                    panels.multiply(input, body_mut(output));
                }
                self.stages[0].activate(block, 0);
                self.forward(block, 1..layers);
            }
        }
    }

    /// Sends a block forward through some layers.
    pub(super) fn forward(&self, block: &mut Block<T>, layers: Range<usize>) {
        let pass = block.pass();
        for (layer, stage) in layers.clone().zip(&self.stages[layers]) {
            let (input, output, scratch) = block.forward(layer);
            stage.layer.forward(input, output, pass, scratch);
            stage.activate(block, layer);
        }
    }

    /// Sends the deltas of a block back from the layer before `end`: to the start, or to the layer where blocks meet next,
    /// which the block is summed up for. Makes the gradients of those layers that have them block by block.
    fn backward_to(
        &self,
        meeting: Option<&Meeting>,
        end: usize,
        block: &mut Block<T>,
        tally: &mut Tally<T>,
        sparse: bool,
    ) {
        let first = meeting.map_or(0, |meeting| meeting.layer);
        for layer in (first..end).rev() {
            let stage = &self.stages[layer];
            if let Some(activation) = &stage.activation {
                let (output, delta) = block.activated(layer);
                activation.backward(body(output), body_mut(delta));
            }
            if let Some((Meeting { index, whole, .. }, whole_batch)) = meeting.zip(stage.layer.whole_batch())
            {
                let (input, delta, _) = block.learned(layer);
                whole_batch.summarize_back(input, delta, whole, &mut tally.summaries[*index]);
                return;
            }
            if stage.is_small(layer, sparse) {
                let (input, delta, scratch) = block.learned(layer);
                let gradients = &mut tally.gradients[layer];
                stage.layer.block_gradient(input, delta, gradients, scratch);
            }
            if layer > 0 {
                let pass = block.pass();
                let (input, delta, delta_input, scratch) = block.backward(layer);
                stage.layer.backward(input, delta, delta_input, pass, scratch);
            }
        }
    }
}

/// A block of a batch, its tally, and the samples that it is for.
type Portion<'a, T> = ((&'a mut Block<T>, &'a mut Tally<T>), &'a [usize]);

/// A batch that was propagated: what gradients are made of.
struct Learned<'a, T> {
    blocks: &'a [Block<T>],
    tallies: &'a [Tally<T>],
    meetings: &'a [Meeting],
    /// The first layer's weights, packed, where the samples are mostly zeros.
    panels: Option<&'a Mutex<Panels<T>>>,
}

impl<'a, T: Element> Learned<'a, T> {
    /// Whether to use several threads, what a workspace has learned, and the place for its gradients.
    fn of(workspace: &'a mut Workspace<T>) -> (bool, Self, &'a mut [Vec<Array2<T>>]) {
        let learned = Learned {
            blocks: &workspace.blocks[..workspace.used],
            tallies: &workspace.tallies[..workspace.used],
            meetings: &workspace.meetings,
            panels: workspace.panels.as_ref().filter(|_| workspace.sparse),
        };
        (workspace.parallel, learned, &mut workspace.gradients)
    }

    /// dJ/dW of a layer.
    fn gradient(&self, layer: usize, stage: &Stage<T>, gradients: &mut Vec<Array2<T>>) {
        make_room(gradients, stage.layer.weights());
        let meeting = self.meetings.iter().find(|meeting| meeting.layer == layer);
        if let Some((Meeting { whole, .. }, whole_batch)) = meeting.zip(stage.layer.whole_batch()) {
            whole_batch.gradient(whole, gradients);
        } else if stage.is_small(layer, self.panels.is_some()) {
            gradients.iter_mut().for_each(|gradient| gradient.fill(T::zero()));
            self.add_blocks(layer, T::one(), gradients);
        } else {
            stage.layer.gradient(self.samples(layer), gradients);
        }
    }

    /// W <- W - rate dJ/dW of a layer, with room for the gradient if it has to stand in memory.
    fn descend(&self, layer: usize, stage: &mut Stage<T>, gradients: &mut Vec<Array2<T>>, rate: T) {
        if stage.is_small(layer, self.panels.is_some()) {
            self.add_blocks(layer, -rate, stage.layer.weights_mut());
        } else if !stage.layer.descend(self.samples(layer), rate) {
            self.gradient(layer, stage, gradients);
            for (weights, gradient) in stage.layer.weights_mut().iter_mut().zip(gradients) {
                weights.scaled_add(-rate, gradient);
            }
        }
    }

    /// Adds the gradients of the blocks, times a factor, one block after the other.
    fn add_blocks(&self, layer: usize, factor: T, tensors: &mut [Array2<T>]) {
        for tally in self.tallies {
            for (tensor, gradient) in tensors.iter_mut().zip(&tally.gradients[layer]) {
                tensor.scaled_add(factor, gradient);
            }
        }
    }

    fn samples(&self, layer: usize) -> Samples<'a, T> {
        Samples::new(self.blocks, layer, self.panels)
    }
}

impl<T: Element> Stage<T> {
    fn activate(&self, block: &mut Block<T>, layer: usize) {
        if let Some(activation) = &self.activation {
            activation.forward(body_mut(block.forward(layer).1));
        }
    }

    /// Whether the layer's gradient is made block by block; that of sparse samples is not.
    fn is_small(&self, layer: usize, sparse: bool) -> bool {
        self.layer.is_small() && !(sparse && layer == 0) && self.layer.whole_batch().is_none()
    }

    /// The layer, if it is one that can leave out zeros.
    fn linear(&self) -> Option<&Linear<T>> {
        (self.layer.as_ref() as &dyn Any).downcast_ref()
    }
}
