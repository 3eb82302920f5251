"""
Do profiles help to read a review?
==================================

How many stars goes with a review? Some reviews hardly say. Who knows what kind of user
wrote it can guess: a predicted profile, appended to the review as text, tells the
classifier.
"""

# %%
# Reviewers with four reviews each. The last one, and its stars, are what we want to
# know; the others are known, and with them the profiles of the training users.
from sklearn_profiling.datasets import make_reviewers

bunch = make_reviewers(600, n_reviews=4, random_state=0)
users = bunch.data[["user_id"]].assign(
    messages=[reviews[:3] for reviews in bunch.data["messages"]],
    review=[reviews[3:] for reviews in bunch.data["messages"]],
    Stars=bunch.target["Stars"],
    Budget=bunch.target["Budget Range"],
)
ratings = bunch.data["ratings"].str[3].rename("Rating")
train, test = users[:400], users[400:]

# %%
# :class:`~sklearn_profiling.sources.ProfileAugmenter` predicts the profile from the
# earlier reviews, here with word counts; any classifier of this package does. The
# training users get out-of-fold predictions, so that the classifier of reviews does not
# trust profiles more than they deserve.
from sklearn_profiling.baselines import make_tfidf_baseline
from sklearn_profiling.sources import ProfileAugmenter

augmenter = ProfileAugmenter(
    make_tfidf_baseline(column="messages", analyzer="char", ngram_range=(1, 4)),
    messages="review",
    profile=["Stars", "Budget"],
    separator=" ",
    random_state=0,
)
told = augmenter.fit_transform(train), augmenter.transform(test)
print(told[1]["review"].iloc[0][0])

# %%
# The same classifier reads the reviews as they are, and with profiles behind them.
import numpy as np

reader = make_tfidf_baseline(column="review", analyzer="char", ngram_range=(1, 4))
right = {}
for name, (known, new) in {"review": (train, test), "with profile": told}.items():
    predicted = reader.fit(known, ratings[:400]).predict(new)
    right[name] = np.asarray(predicted) == ratings[400:].to_numpy()
    print(f"{name}: {right[name].mean():.3f}")

# %%
# Where a review speaks of its stars the profile can only mislead, and seldom does;
# where it does not, the profile is all there is.
import matplotlib.pyplot as plt

opinions = "terrible|awful|poor|weak|okay|average|good|nice|excellent|perfect"
speaks = test["review"].str[0].str.contains(opinions).to_numpy()

figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
for place, (name, hits) in enumerate(right.items()):
    shares = [hits[speaks].mean(), hits[~speaks].mean(), hits.mean()]
    bars = axes.bar(np.arange(3) + 0.38 * place, shares, width=0.36, label=name)
    axes.bar_label(bars, fmt="%.2f", fontsize=9)
labels = [
    f"speaks of stars\n({speaks.sum()} reviews)",
    f"does not\n({(~speaks).sum()} reviews)",
    f"all\n({len(speaks)} reviews)",
]
axes.set_xticks(np.arange(3) + 0.19, labels)
axes.axhline(0.2, color="grey", linewidth=1, linestyle=":")
axes.set(ylim=(0, 1.1), ylabel="share of ratings found")
axes.legend(frameon=False, loc="upper right", ncols=2, bbox_to_anchor=(1, 1.14))
plt.show()

# %%
# The dotted line is a guess. Profiles are predicted, so they can be wrong, and a user's
# reviews are not all alike: the profile is what a user usually says.
