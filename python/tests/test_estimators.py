"""The estimators in scikit-learn's company: pickles, clones, searches, frames, threads and processes."""

import copy
import multiprocessing
import pickle
import threading
import warnings

import numpy as np
import pandas
import polars
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mfnet
from mfnet import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)


@pytest.fixture
def flowers():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def test_scores(flowers):
    assert MLPClassifier(random_state=1).fit(*flowers).score(*flowers) > 0.95
    X, y = load_diabetes(return_X_y=True)
    regressor = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(50,), random_state=1, max_iter=500))
    assert regressor.fit(X, y / 100).score(X, y / 100) > 0.5


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_pickle_continues_the_training(flowers, solver):
    X, y = flowers
    classifier = MLPClassifier((8,), solver=solver, random_state=1, dropout=0.1, batch_norm=True)
    for _ in range(3):
        classifier.partial_fit(X, y, classes=[0, 1, 2])
    for twin in (pickle.loads(pickle.dumps(classifier)), copy.deepcopy(classifier)):
        np.testing.assert_array_equal(twin.predict_proba(X), classifier.predict_proba(X))
        assert twin.loss_curve_ == classifier.loss_curve_
        straight = copy.deepcopy(classifier).partial_fit(X, y)
        np.testing.assert_array_equal(twin.partial_fit(X, y).coefs_[0], straight.coefs_[0])


def test_a_clone_is_not_fitted(flowers):
    classifier = MLPClassifier((5,), dropout=0.25, random_state=1).fit(*flowers)
    twin = clone(classifier)
    assert twin.get_params() == classifier.get_params()
    with pytest.raises(NotFittedError):
        twin.predict(flowers[0])
    assert not hasattr(twin, "coefs_")


def test_a_search_in_processes(flowers):
    search = GridSearchCV(MLPClassifier((8,), max_iter=30, random_state=1), {"alpha": [1e-4, 1.0]}, n_jobs=2, cv=3)
    search.fit(*flowers)
    assert search.best_score_ > 0.5 and np.isfinite(search.cv_results_["mean_test_score"]).all()


def _threads_of_a_worker():
    return mfnet.default_threads()


def test_workers_share_the_cpus(monkeypatch):
    monkeypatch.delenv("RAYON_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert mfnet.default_threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    from joblib import parallel_config

    with parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        assert Parallel()(delayed(_threads_of_a_worker)() for _ in range(2)) == [1, 1]


def test_threads_do_not_change_the_result(flowers):
    X, y = flowers
    fits = [MLPClassifier((40, 20), max_iter=20, random_state=1, threads=threads).fit(X, y) for threads in (1, 2, 5)]
    for fit in fits[1:]:
        np.testing.assert_array_equal(fit.coefs_[0], fits[0].coefs_[0])
        assert fit.loss_curve_ == fits[0].loss_curve_


def _fit_in_a_child(X, y, queue):
    queue.put(MLPClassifier((8,), max_iter=5, random_state=1).fit(X, y).loss_)


def test_a_forked_process(flowers):
    expected = MLPClassifier((8,), max_iter=5, random_state=1).fit(*flowers).loss_
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    child = fork.Process(target=_fit_in_a_child, args=(*flowers, queue))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join(timeout=60)
    assert child.exitcode == 0


def test_several_threads(flowers):
    X, y = flowers
    shared = MLPClassifier((30,), max_iter=50, random_state=1, warm_start=True).fit(X, y)
    problems = []

    def work():
        try:
            for _ in range(3):
                shared.fit(X, y)
                shared.predict(X)
                MLPClassifier((10,), max_iter=10).fit(X, y).predict(X)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_other_threads_run_while_it_trains():
    random = np.random.RandomState(1)
    X, y = random.randn(2000, 50), random.randint(0, 2, 2000)
    classifier = MLPClassifier((200,), max_iter=30, tol=0, n_iter_no_change=np.inf)
    training = threading.Thread(target=classifier.fit, args=(X, y))
    training.start()
    steps = 0
    while training.is_alive():
        steps += 1
    assert steps > 1000


def test_frames():
    X, y = load_iris(return_X_y=True, as_frame=True)
    classifier = MLPClassifier((5,), max_iter=20, random_state=1).fit(X, y)
    assert list(classifier.feature_names_in_) == list(X.columns)
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(X.rename(columns={X.columns[0]: "other"}))
    assert classifier.predict(pandas.DataFrame(X)).shape == (150,)


def test_polars_frames(flowers):
    X, y = flowers
    frame = polars.DataFrame(X, schema=["a", "b", "c", "d"])
    classifier = MLPClassifier((5,), max_iter=20, random_state=1).fit(frame, polars.Series(y))
    assert list(classifier.feature_names_in_) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(classifier.predict(frame), clone(classifier).fit(X, y).predict(X))


def test_weights_can_be_set_and_not_written_to(flowers):
    X, y = flowers
    classifier = MLPClassifier((5,), max_iter=5, random_state=1).fit(X, y)
    coefs = [2 * coefs for coefs in classifier.coefs_]
    classifier.coefs_ = coefs
    np.testing.assert_array_equal(classifier.coefs_[1], coefs[1])
    with pytest.raises(ValueError, match="read-only"):
        classifier.coefs_[0][0, 0] = 7
    with pytest.raises(ValueError, match="4 x 5 coefs"):
        classifier.coefs_ = coefs[::-1]


def test_layouts_and_types(flowers):
    X, y = flowers
    classifier = MLPClassifier((5,), max_iter=20, random_state=1).fit(X, y)
    expected = classifier.predict_proba(X)
    for layout in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X.tolist()):
        np.testing.assert_array_equal(classifier.predict_proba(layout), expected)
        twin = clone(classifier).fit(layout, y)
        np.testing.assert_array_equal(twin.predict_proba(X), expected)
    np.testing.assert_allclose(classifier.predict_proba(X.astype(">f4")), expected, rtol=1e-4)


def test_string_classes_and_a_single_class(flowers):
    X, y = flowers
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    assert set(MLPClassifier((5,), max_iter=5).fit(X, names).predict(X)) <= set(names)
    one = MLPClassifier((5,), max_iter=5).fit(X, np.full(150, "only"))
    assert set(one.predict(X)) == {"only"} and one.predict_proba(X).shape == (150, 2)
