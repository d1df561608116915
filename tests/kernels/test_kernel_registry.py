"""registry and warmup: every kernel has one signature, and is ready before it is timed."""

from __future__ import annotations

import importlib
import pkgutil
from types import SimpleNamespace

import numba
import numpy as np
import pytest

import gidbench.kernels
from gidbench.errors import InputError
from gidbench.kernels import gids, registry, warmup

compiled_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


@compiled_only
def test_every_kernel_is_compiled_for_its_declared_signature_and_no_other():
    for dispatcher, argument_types in registry.registered():
        assert dispatcher.signatures == [argument_types], dispatcher.py_func.__name__


@compiled_only
def test_another_type_of_array_is_refused_and_not_compiled_anew():
    with pytest.raises(TypeError):
        gids.encode(np.zeros(1, np.float64), np.zeros(8, np.uint8))
    assert len(gids.encode.signatures) == 1


@compiled_only
def test_kernels_release_the_interpreter_and_start_no_threads_of_their_own():
    for dispatcher, _ in registry.registered():
        assert dispatcher.targetoptions.get("nogil") is True
        assert not dispatcher.targetoptions.get("parallel", False)


def test_read_only_arrays_are_taken():
    ordinals = np.array([1_690_000], np.int64)
    ordinals.flags.writeable = False
    out = np.zeros(8, np.uint8)
    gids.encode(ordinals, out)
    assert out.tobytes() == b"G025AA00"


@compiled_only
def test_no_module_of_kernels_is_left_out_of_the_warm_up():
    for module in pkgutil.iter_modules(gidbench.kernels.__path__):
        importlib.import_module(f"gidbench.kernels.{module.name}")
    declaring = {dispatcher.py_func.__module__ for dispatcher, _ in registry.registered()}
    assert declaring == {module.__name__ for module in warmup.MODULES}


@compiled_only
def test_a_second_warm_up_compiles_nothing():
    done = warmup.compile_all()
    assert done.compiled == 0
    assert done.total == len(registry.registered()) > 10


class Fake:
    """A dispatcher whose cache may or may not hold the machine code."""

    def __init__(self, cached: bool, ready: bool = False) -> None:
        self.signatures: list[object] = ["ready"] if ready else []
        self.stats = SimpleNamespace(cache_misses={})
        self.locked = ready
        self._cached = cached

    def compile(self, argument_types: object) -> None:
        assert not self.locked
        self.signatures.append(argument_types)
        if not self._cached:
            self.stats.cache_misses[argument_types] = 1

    def disable_compile(self) -> None:
        self.locked = True


def test_warm_up_counts_what_it_compiled_and_says_so_as_it_goes(monkeypatch):
    kernels = [Fake(cached=True), Fake(cached=False), Fake(cached=False, ready=True), Fake(cached=True)]
    monkeypatch.setattr(warmup, "registered", lambda: [(kernel, ("int64",)) for kernel in kernels])
    told: list[tuple[int, int, str]] = []
    done = warmup.compile_all(lambda *news: told.append(news))
    assert (done.compiled, done.total) == (1, 4)
    assert done.wall_s >= 0
    assert all(kernel.locked and len(kernel.signatures) == 1 for kernel in kernels)
    loading, compiling = "loading kernels", "compiling kernels, first run only"
    assert told == [(1, 4, loading), (2, 4, compiling), (3, 4, compiling), (4, 4, compiling)]


def test_warm_up_needs_no_listener(monkeypatch):
    monkeypatch.setattr(warmup, "registered", lambda: [(Fake(cached=True), ())])
    assert warmup.compile_all().total == 1


def test_where_compiled_kernels_can_be_kept_nowhere_a_sentence_says_what_to_do(monkeypatch):
    def no_place(**options):
        def refuse(function):
            raise RuntimeError("cannot cache function 'f': no locator available for file 'f.py'")

        return refuse

    monkeypatch.setattr(registry.numba, "njit", no_place)
    for declare in (registry.kernel(registry.I64), registry.helper):
        with pytest.raises(InputError, match=r"kept nowhere.*Set NUMBA_CACHE_DIR"):
            declare(len)
    monkeypatch.setattr(registry.numba, "njit", lambda **options: lambda function: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        registry.helper(len)
