"""AMQP over TLS: the files go into the URL, as the driver takes them; what fails is told from an outage."""

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from memlane.contracts.errors import BrokerError, BrokerRefused, BrokerUnreachable, ConfigurationError
from memlane.producers.broker.nodes import urls_of

_HINT: Final = (
    "check MEMLANE_AMQP_CA_FILE, and that the broker's certificate names the host in MEMLANE_AMQP_URL"
)
_HINT_CLIENT: Final = (
    "check MEMLANE_AMQP_CERT_FILE and MEMLANE_AMQP_KEY_FILE: the broker does not accept them"
)
_HINT_RESET: Final = f"is it up, and is the port the one for TLS? else {_HINT_CLIENT}"
_HINT_FILES: Final = "check MEMLANE_AMQP_CA_FILE, MEMLANE_AMQP_CERT_FILE and MEMLANE_AMQP_KEY_FILE"
_ALERTS: Final = ("ALERT_", "_ALERT")


def with_certificates(urls: str, *, ca: Path | None, cert: Path | None, key: Path | None) -> str:
    """The broker's URL (or URLs, with commas between) with the files for TLS; what it says itself stays.

    Raises:
        ConfigurationError: there are files, and a URL is not `amqps://`; or a key without a certificate.
    """
    files = {"cafile": ca, "certfile": cert, "keyfile": key}
    given = {name: str(path) for name, path in files.items() if path is not None}
    if not given:
        return urls
    if key is not None and cert is None:
        raise ConfigurationError(
            "MEMLANE_AMQP_KEY_FILE is set, MEMLANE_AMQP_CERT_FILE is not", hint="set both"
        )
    return ",".join(_with_query(url, given) for url in urls_of(urls))


def tls_problem(url: str, where: str, error: BaseException) -> BrokerError | None:
    """What is wrong with the certificates; None where the error is another one.

    A broker that does not accept ours may close so quickly that its reason is lost on the way: that is told,
    and can't be told from an outage.
    """
    found = _cause(error)
    if found is None:
        was_reset = urlsplit(url).scheme == "amqps" and isinstance(error, ConnectionError)
        return (
            BrokerUnreachable(f"no TLS with RabbitMQ at {where}: {error}", hint=_HINT_RESET)
            if was_reset
            else None
        )
    if isinstance(found, ssl.SSLCertVerificationError):
        return BrokerRefused(
            f"the certificate of RabbitMQ at {where} is not trusted: {found.verify_message}", hint=_HINT
        )
    if not isinstance(found, ssl.SSLError):
        return BrokerRefused(
            f"a certificate file for {where} can't be read: {found.strerror}", hint=_HINT_FILES
        )
    reason = found.reason or "no reason given"
    by_broker = any(alert in reason for alert in _ALERTS)
    hint = _HINT_CLIENT if by_broker else f"{_HINT_FILES}, and that the port is the one for TLS"
    return BrokerRefused(f"no TLS with RabbitMQ at {where}: {reason}", hint=hint)


def _with_query(url: str, given: dict[str, str]) -> str:
    parsed = urlsplit(url)
    if parsed.scheme != "amqps":
        raise ConfigurationError(
            "files for TLS are set, but the broker's URL is not amqps://",
            hint="correct MEMLANE_AMQP_URL, or unset MEMLANE_AMQP_CA_FILE and the others",
        )
    return parsed._replace(query=urlencode({**given, **dict(parse_qsl(parsed.query))})).geturl()


def _cause(error: BaseException | None) -> ssl.SSLError | FileNotFoundError | PermissionError | None:
    """The error that TLS itself raised, however often it was wrapped; a connection that broke is none."""
    seen = 0
    while error is not None and seen < _DEPTH:
        if isinstance(error, ssl.SSLError | FileNotFoundError | PermissionError):
            return None if _is_outage(error) else error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _is_outage(error: BaseException) -> bool:
    """Whether the connection broke, or was not let through: that may be over soon."""
    return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or "Connect call failed" in str(error)


_DEPTH: Final = 8
