"""
Which pictures of a user counted?
=================================

Users who show handwritten digits: whether there is a 0 among them decides one
attribute, which digits are the most frequent another. A net that reads a bag picture by
picture tells which ones it looked at.
"""

# %%
# Four hundred users with three to eight pictures of 16 x 16 each, a tenth of them with
# none at all. ``ImageBagTransformer`` takes paths, arrays or PIL images.
from sklearn_profiling.datasets import make_image_users
from sklearn_profiling.sources import ImageBagTransformer

users = make_image_users(400, missing_images=0.1, random_state=0)
bags = ImageBagTransformer(size=(16, 16)).fit_transform(users.data["images"])
print(bags)

# %%
# Every picture goes through the same small net; attention over the bag makes one vector
# of them. :class:`~sklearn_profiling.estimators.CNN3DClassifier` takes the same bags as
# volumes.
from sklearn_profiling.estimators import ImageSetClassifier

model = ImageSetClassifier(batch_size=25, max_epochs=25, random_state=0)
model.fit(bags[:300], users.target[["taste", "zero"]].iloc[:300])
model.score(bags[300:], users.target[["taste", "zero"]].iloc[300:])

# %%
# The bags of four users whom the model has not seen. Above each picture stands the
# weight that it has, 1 for as much as every other of the bag, bold where it is the
# largest; at the right the predicted probabilities, those of the true labels in bold.
import matplotlib.pyplot as plt
import numpy as np

shown = np.flatnonzero(~bags.missing[300:])[:4] + 300
weights = model.image_attention(bags[shown])
probabilities = model.predict_proba(bags[shown])

figure, rows = plt.subplots(4, 9, figsize=(9, 5), layout="constrained")
for row, user in enumerate(shown):
    for axes in rows[row]:
        axes.axis("off")
    for axes, pixels, weight in zip(rows[row], bags[user], weights[row], strict=False):
        axes.imshow(pixels.transpose(1, 2, 0))
        axes.set_title(
            f"{weight * len(weights[row]):.2f}",
            fontsize=9,
            fontweight="bold" if weight == weights[row].max() else "normal",
        )
    lines = [
        (f"{task} {label}: {likely:.2f}", label == users.target.loc[user, task])
        for task, classes, chances in zip(
            model.task_names_, model.classes_, probabilities, strict=True
        )
        for label, likely in zip(classes, chances[row], strict=True)
    ]
    for line, (text, true) in enumerate(lines):
        rows[row, -1].text(
            *(-0.2, 0.9 - 0.22 * line),
            text,
            fontsize=8,
            fontweight="bold" if true else "normal",
            transform=rows[row, -1].transAxes,
        )
plt.show()

# %%
# Attention says what the model looked at, not why a user is who they are.
