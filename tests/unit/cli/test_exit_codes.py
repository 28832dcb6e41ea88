"""What an error comes to."""

import memlane.storage.errors as storage_errors
from memlane.contracts import errors as contract_errors
from memlane.contracts.errors import (
    BrokerRefused,
    BrokerUnreachable,
    ConfigurationError,
    IncompleteAnswer,
    InvalidInput,
    MalformedMessage,
    MemlaneError,
    PublishFailed,
    TopologyMismatch,
    VersionFromFuture,
)
from memlane.producers.cli import errors as cli_errors
from memlane.producers.cli.errors import NotFound
from memlane.producers.cli.exit_codes import BY_ERROR, exit_code_of
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable, SinkUnknown


def test_every_error_has_its_code() -> None:
    """The nearest type in the table counts."""
    codes = {
        InvalidInput("f", "p"): 2,
        MalformedMessage("f", "p"): 2,
        VersionFromFuture("f", "p"): 2,
        IncompleteAnswer("m"): 3,
        NotFound("m"): 4,
        BrokerUnreachable("m"): 5,
        SinkUnavailable("m"): 5,
        BrokerRefused("m"): 1,
        TopologyMismatch("m"): 1,
        PublishFailed("m"): 1,
        ConfigurationError("m"): 1,
        SinkMisconfigured("m"): 1,
        SinkUnknown("m"): 1,
        MemlaneError("m"): 1,
        RuntimeError("m"): 1,
    }
    assert {error: exit_code_of(error) for error in codes} == codes


def test_the_table_names_errors_that_exist() -> None:
    """It goes by name, as the sinks' errors live where producers may not import."""
    for name in BY_ERROR:
        assert any(hasattr(module, name) for module in (contract_errors, storage_errors, cli_errors)), name
