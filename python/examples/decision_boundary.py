"""Draws the decision boundary of a classifier on two moons, after a few epochs and at the end: decision_boundary.png.

Needs matplotlib: pip install matplotlib
"""

# %% Two moons, which no straight line divides.
import warnings

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from mfnet import MLPClassifier

X, y = make_moons(400, noise=0.2, random_state=0)

# %% A network that is trained in two pieces, the first of which ends early.
warnings.simplefilter("ignore", ConvergenceWarning)
classifier = MLPClassifier((32, 32), learning_rate_init=0.01, random_state=0, warm_start=True, batch_size=50)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), sharey=True)
for axis, epochs in zip(axes, (3, 200)):
    classifier.set_params(max_iter=epochs).fit(X, y)
    display = DecisionBoundaryDisplay.from_estimator(
        classifier, X, response_method="predict_proba", ax=axis, cmap="RdBu", alpha=0.7
    )
    display.ax_.scatter(*X.T, c=y, cmap="RdBu", edgecolor="white", s=20)
    display.ax_.set_title(f"{len(classifier.loss_curve_)} epochs: accuracy {classifier.score(X, y):.3f}")

# %% The picture.
figure.tight_layout()
figure.savefig("decision_boundary.png")
print("decision_boundary.png")
