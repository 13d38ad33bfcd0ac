"""scikit-learn's own checks of estimators."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from mfnet import MLPClassifier, MLPRegressor


@parametrize_with_checks(
    [
        MLPClassifier(max_iter=100),
        MLPRegressor(max_iter=100),
        MLPClassifier(max_iter=100, solver="sgd", precision="float64"),
    ]
)
def test_scikit_learn_accepts_the_estimators(estimator, check):
    check(estimator)
