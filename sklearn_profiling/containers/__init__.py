"""Plain data that travels between the steps: texts, images and networks of users.

None of these classes learns anything. They are immutable, take row slices, masks and
index arrays as numpy arrays do, and can be hashed, pickled and sent to workers.
"""

from sklearn_profiling.containers.image_bags import ImageBags
from sklearn_profiling.containers.joining import concatenate
from sklearn_profiling.containers.messages import TokenMessages
from sklearn_profiling.containers.social_graph import SocialGraph
from sklearn_profiling.containers.vocabulary import Vocabulary

__all__ = ["ImageBags", "SocialGraph", "TokenMessages", "Vocabulary", "concatenate"]
