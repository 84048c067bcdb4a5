from __future__ import annotations

import inspect
import re

import pytest

from explorer import errors


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"[A-Z]\w+Error(?= |$)", errors.__doc__ or "", re.MULTILINE)) - {
        "ValueError",
        "LookupError",
    }
    real = {name for name, _ in inspect.getmembers(errors, inspect.isclass) if name in errors.__all__}
    assert drawn == real
    assert all(issubclass(getattr(errors, name), errors.ExplorerError) for name in errors.__all__)


def test_an_unknown_name_lists_near_ones() -> None:
    error = errors.UnknownNameError("method", "GetUsr", ["GetUser", "ListUsers", "Delete"])
    assert error.near[0] == "GetUser"
    assert "'GetUsr'" in str(error)
    assert "Did you mean GetUser" in str(error)


@pytest.mark.parametrize(("known", "said"), [(["Alpha"], "Known are Alpha."), ([], "None are known.")])
def test_an_unknown_name_with_nothing_near_says_what_there_is(known: list[str], said: str) -> None:
    assert said in str(errors.UnknownNameError("service", "Zzz", known))


def test_an_oauth_error_carries_the_fields_of_rfc_6749() -> None:
    error = errors.AuthorizationServerUnavailableError("busy", retry_after=3, error="temporarily_unavailable")
    assert (error.error, error.retry_after, error.error_uri) == ("temporarily_unavailable", 3, None)
