"""Linear regression on the identity at the best step sizes of `linreg`, with losses by class.

Best is the smallest step size that ends below 10^-5 of the start (there all losses are rounding),
or else the one that ends lowest, which is the case of gradient descent without momentum only. That
one, at 10^0, is what `--test` runs: its losses are ½ (1 - ηπ)^2t.

Figure: none; figure 6 is its weighted quadratic
Command: python -m experiments.linreg_perclass --local
         python -m experiments.linreg_perclass --plot --perclass
Time: about 2 minutes on two cores.
Expected: gradient descent fits classes in the order of their
frequency and leaves the rarest at more than a third of their loss; the lines of Adam and of sign
descent fall on one another.
"""

from experiments.linreg import problem
from experiments.small import small
from optexp_jax.grid import experiments_over
from optexp_jax.launch.cli import main
from optexp_jax.optim import SGD, Adam, LearningRate, NormalizedGD, SignDescent

optimizers = [
    SGD(LearningRate(0)),
    SGD(LearningRate(0), momentum=0.9),
    Adam(LearningRate(-2), beta1=0.0),
    Adam(LearningRate(-2)),
    SignDescent(LearningRate(-3)),
    SignDescent(LearningRate(-4), momentum=0.9),
    NormalizedGD(LearningRate(-1)),
    NormalizedGD(LearningRate(-2), momentum=0.9),
]

experiments = experiments_over(
    optimizers, problem, group="LinReg_HeavyTailedOneHot_perclass", steps=2000, per_class=True
)

if __name__ == "__main__":
    main(experiments, slurm="two_cores", small=small)
