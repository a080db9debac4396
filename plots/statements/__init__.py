"""What the paper says, as numbers with thresholds: the claims that `plots.claims` evaluates.

"Paper" marks what its text or captions say, "theorem" what follows from its proofs, "our reading" a
number that we gave to words. What was known when they were written is in `docs/claims.md`.
"""

from plots.statements import hessians, images, linear, solved, text, weights

STATEMENTS = sorted(
    [
        *text.STATEMENTS,
        *images.STATEMENTS,
        *linear.STATEMENTS,
        *weights.STATEMENTS,
        *hessians.STATEMENTS,
        *solved.STATEMENTS,
    ],
    key=lambda claim: int(claim.figure.split(",")[0]) if claim.figure[0].isdigit() else 100,
)
