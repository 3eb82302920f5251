"""Who is this user? Scikit-learn estimators that predict several attributes at once.

The way of the data, from raw users to an honest comparison:

- :mod:`sklearn_profiling.datasets`: files or generators -> users, targets, network;
- :mod:`sklearn_profiling.containers`: the plain data that travels between steps;
- :mod:`sklearn_profiling.sources`: transformers from users to text, network vectors;
- :mod:`sklearn_profiling.estimators`: published architectures as classifiers with
  several outputs (``fit``, ``predict``, ``predict_proba``, ``score``);
- :mod:`sklearn_profiling.baselines`: what every architecture has to beat;
- :mod:`sklearn_profiling.evaluation`: metrics, scorers, splitters, comparison;
- :mod:`sklearn_profiling.pipelines`: a paper's whole system as one Pipeline.

Nothing heavy is imported here: import the subpackage you need.
"""

from sklearn_profiling._config import config_context, get_config, set_config

__version__ = "0.1.0"

__all__ = ["__version__", "config_context", "get_config", "set_config"]
