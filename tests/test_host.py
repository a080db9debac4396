"""What a process may use of its machine, and what it keeps."""

import platform
import subprocess
import sys

import pytest

from optexp_jax import host

_FAULTS = """
import ctypes, resource, sys
from optexp_jax.host import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]

def touched(size=64 * 2**20):
    block = library.malloc(ctypes.c_size_t(size))
    ctypes.memset(block, 1, size)
    library.free(block)

touched()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    touched()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    """Pages that the kernel had to hand out for four blocks of 64 MiB, one after the other."""
    command = [sys.executable, "-c", _FAULTS, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no mallopt")
def test_freed_memory_is_used_again():
    """A page has 4 KiB, or 64 on some machines; huge pages have 2 MiB."""
    assert faults("keep") < 4 * 64 * 2**20 / (2 * 2**20) / 2
    assert faults("leave") >= 4 * 64 * 2**20 / (2 * 2**20)


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert host.keep_freed_memory() is False
