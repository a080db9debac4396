"""Linear regression on the identity at the best learning rates of `linreg`, with losses by class.

Best is the smallest learning rate that ends below 10^-5 of the start (then losses are rounding),
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

from experiments import linreg
from experiments.small import small
from optexp_jax.cli import main
from optexp_jax.grid import at_best

exponents = {
    "SGD": 0,
    "SGD + momentum": 0,
    "Adam": -2,
    "Adam + momentum": -2,
    "SignDescent": -3,
    "SignDescent + momentum": -4,
    "NormalizedGD": -1,
    "NormalizedGD + momentum": -2,
}

experiments = at_best(
    linreg.experiments, exponents, group="LinReg_HeavyTailedOneHot_perclass", per_class=True
)
resources = "two_cores"
seconds = 25  # of a run, on two cores

if __name__ == "__main__":
    main(experiments, resources, small, seconds=seconds)
