"""What the shipped suite offers to those who write a sink."""

from memlane.storage import conformance


def test_the_suite_and_what_belongs_to_it() -> None:
    """A name that goes from here breaks somebody's tests."""
    assert conformance.__all__ == [
        "DamageConformance",
        "Plan",
        "RefusalConformance",
        "SinkConformance",
        "Step",
        "check_convergence",
        "convergence_machine",
        "delivery_plans",
    ]


def test_every_promise_is_said() -> None:
    """Each test of the suite has a docstring that says what is promised."""
    suites = (conformance.SinkConformance, conformance.RefusalConformance, conformance.DamageConformance)
    tests = [getattr(suite, name) for suite in suites for name in dir(suite) if name.startswith("test_")]
    assert len(tests) > 120
    assert [test.__name__ for test in tests if not test.__doc__] == []
