"""
A torch module of your own
==========================

:class:`~sklearn_profiling.estimators.ImageSetClassifier` takes any module that turns
images into vectors, and gives it the rest: bags of any size, attention, several tasks,
missing labels, scikit-learn's interface.
"""

# %%
# Users with three to eight pictures of digits each, a tenth of them with none.
from sklearn_profiling.datasets import make_image_users
from sklearn_profiling.sources import ImageBagTransformer

users = make_image_users(300, missing_images=0.1, random_state=0)
bags = ImageBagTransformer(size=(16, 16)).fit_transform(users.data["images"])
target = users.target[["taste", "zero"]]

# %%
# The module: images of shape (n, channels, height, width) become vectors (n, d).
import torch
from torch import nn


class Patches(nn.Module):
    """Embed patches of 4 x 4 and average them."""

    def __init__(self, n_hidden=32):
        super().__init__()
        self.patches = nn.Conv2d(3, n_hidden, kernel_size=4, stride=4)
        self.mix = nn.Conv2d(n_hidden, n_hidden, kernel_size=3, padding=1)

    def forward(self, images):
        found = torch.relu(self.patches(images))  # (n, n_hidden, 4, 4)
        return torch.relu(self.mix(found)).mean(dim=(2, 3))  # (n, n_hidden)


# %%
# ``ImageSetClassifier`` reads it as it reads its own.
from sklearn_profiling.estimators import ImageSetClassifier

models = {
    "own encoder": ImageSetClassifier(
        encoder=Patches(), batch_size=25, max_epochs=15, random_state=0
    ),
    "built in": ImageSetClassifier(batch_size=25, max_epochs=15, random_state=0),
}
for name, model in models.items():
    model.fit(bags[:220], target[:220])
    print(f"{name}: {model.score(bags[220:], target[220:]):.3f}")

# %%
# Both learn. The curves tell whether more epochs would help.
import matplotlib.pyplot as plt

from sklearn_profiling.evaluation import TrainingCurveDisplay

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    TrainingCurveDisplay.from_estimator(model, ax=ax)
    ax.set_title(name)
plt.show()

# %%
# A whole architecture, with a classifier of its own, takes two short files:
# :doc:`/add_an_architecture`.
