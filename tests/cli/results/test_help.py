"""`--help` of the results command answers at once."""

import subprocess
import sys

CODE = """
import sys
from optexp_jax.results.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    print("ended", ended.code)
print("slow", sorted({"jax", "numpy", "pandas", "matplotlib"} & set(sys.modules)))
"""


def ends(*argv):
    command = [sys.executable, "-c", CODE, *argv]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_help_and_mistakes_import_nothing_that_takes_long():
    for argv, code in ((["--help"], 0), (["rm", "--help"], 0), (["remove"], 2)):
        assert ends(*argv).endswith(f"ended {code}\nslow []\n")
