"""errors: one root, a standard error for each child, messages that help."""

from __future__ import annotations

import pickle

import pytest

from gidbench import errors
from gidbench.errors import GidbenchError

KINDS = {
    "InputError": (ValueError, 2),
    "CapacityError": (OverflowError, 4),
    "EmptyFileError": (ValueError, 2),
    "TooManyRejectsError": (ValueError, 1),
    "StoreError": (ConnectionError, 4),
    "StoreBusyError": (TimeoutError, 4),
    "VerificationError": (RuntimeError, 4),
    "OperationCancelled": (RuntimeError, 130),
    "NothingMeasuredError": (RuntimeError, 3),
}


def test_the_table_of_this_test_names_every_error():
    found = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, GidbenchError) and kind is not GidbenchError
    }
    assert found == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_each_error_is_caught_by_the_root_and_by_its_standard_kind(name):
    kind = getattr(errors, name)
    standard, exit_code = KINDS[name]
    for caught in (GidbenchError, standard):
        with pytest.raises(caught):
            raise kind("5 is over the limit of 4", "Use 4")
    assert kind.exit_code == exit_code


def test_a_busy_store_is_a_store_error():
    assert issubclass(errors.StoreBusyError, errors.StoreError)


@pytest.mark.parametrize("name", ["GidbenchError", *KINDS])
def test_the_message_is_the_problem_and_then_the_remedy(name):
    error = getattr(errors, name)("5 is over the limit of 4", "Use 4")
    assert str(error) == "5 is over the limit of 4. Use 4."
    assert (error.problem, error.remedy) == ("5 is over the limit of 4", "Use 4")


@pytest.mark.parametrize("name", ["GidbenchError", *KINDS])
def test_errors_survive_the_way_between_processes(name):
    error = getattr(errors, name)("a problem", "A remedy")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert (copy.problem, copy.remedy) == ("a problem", "A remedy")
