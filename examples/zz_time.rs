//! timing scratch
use mfnet::data::known;
use mfnet::*;
use std::ops::ControlFlow;
fn go<T: Element>(batch: usize, hidden: usize, epochs: usize) {
    let (train_set, test) = known::mnist::<T>(&known::Source::default(), &mut |_| {}).unwrap();
    let mut b = NeuralNetwork::<T>::builder(784);
    if hidden > 0 {
        b = b.linear(hidden).relu();
    }
    let mut net = b.linear(10).seed(1).build().unwrap();
    let loss = CrossEntropyLoss {
        reduction: Reduction::Sum,
    };
    let options = TrainOptions {
        epochs,
        batch_size: batch,
        test_interval: epochs,
        ..Default::default()
    };
    let mut lr = 0.001;
    if batch < 1000 {
        lr *= 1.0
    }
    let h = train_test_classification(
        &mut net,
        (&train_set, &test),
        &loss,
        &mut Sgd::new(lr).unwrap(),
        &options,
        |_| ControlFlow::Continue(()),
    )
    .unwrap();
    let mut s: Vec<f64> = h.epochs.iter().map(|e| e.seconds * 1e3).collect();
    s.sort_by(f64::total_cmp);
    let t = std::time::Instant::now();
    let e = net.evaluate(&test, &loss).unwrap();
    println!(
        "{} batch {batch} hidden {hidden}: median {:.1} ms min {:.1}; eval {:.1} ms; loss {:.4} acc {:?}",
        T::NAME,
        s[s.len() / 2],
        s[0],
        t.elapsed().as_secs_f64() * 1e3,
        h.train_loss().unwrap(),
        e.accuracy
    );
}
fn main() {
    println!("{:?}", blas());
    let a: Vec<String> = std::env::args().collect();
    let n = a.get(1).map_or(5, |x| x.parse().unwrap());
    let which = a.get(2).map_or("", |x| x.as_str());
    for (b, h) in [(1024, 512), (128, 512), (1024, 0)] {
        if which != "f64" {
            go::<f32>(b, h, n);
        }
        if which != "f32" {
            go::<f64>(b, h, n);
        }
    }
}
