"""That a small text run shows the paper's effect, at the threshold its claim has."""

import pytest

import optexp_jax
from experiments.imbalance.PTB_with_class_stats import experiments
from experiments.small import small
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.per_class import frequency_groups
from optexp_jax.results.selection import method_of

METHODS = (SGD(LearningRate(0), momentum=0.9), Adam(LearningRate(0)))


def loss_of_the_rarest_tenth(results):
    groups = frequency_groups(results.class_counts, 10)
    return results.group_means("tr_CrossEntropyLossPerClass", groups)[[0, -1], -1]


@pytest.mark.slow
def test_adam_learns_rare_words_and_sgd_leaves_them_behind(tmp_path):
    runs = {method_of(e.optimizer): e for e in small(experiments) if e.seed == 0}
    sgd, adam = optexp_jax.run([runs[method] for method in METHODS], tmp_path)
    (start, left), (same, learned) = map(loss_of_the_rarest_tenth, (sgd, adam))
    assert start == pytest.approx(same, rel=1e-6)
    assert learned < left - 1  # nats per word
    assert learned < start - 1
