"""The AsyncAPI 3.0 document: what a bot sends and gets, seen from the bot."""

from importlib.metadata import version
from typing import Any, Final

from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.limits import MAX_COMMANDS, MAX_QUESTIONS
from memlane.contracts.topology import COMMANDS, QUERIES

# Any: JSON trees.
Tree = dict[str, Any]

ASYNCAPI: Final = "3.0.0"
AMQP_BINDING: Final = "0.3.0"
_JSON: Final = "application/json"
_REPLY_ADDRESS: Final = {
    "description": f"The bot consumes `{DIRECT_REPLY_TO}` without acks, and names it as `reply_to`.",
    "location": "$message.header#/reply_to",
}


def asyncapi() -> Tree:
    """The document, as a JSON tree."""
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "memlane",
            "version": version("memlane"),
            "description": "What a bot says to memlane over RabbitMQ (AMQP 0-9-1), and what it is answered. "
            "The rules that a schema can't hold are in wire-format.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "servers": {"broker": {"host": "localhost:5672", "protocol": "amqp", "protocolVersion": "0-9-1"}},
        "channels": {
            "commands": _exchange(COMMANDS, "Commands: every sink gets each of them.", "commandEnvelope"),
            "queries": _exchange(QUERIES, "Questions: one aggregator answers each.", "queryEnvelope"),
            "receipts": _replies("What each lane decided about commands.", "receipt"),
            "replies": _replies("The answers to a message of questions.", "reply"),
        },
        "operations": {
            "publishCommands": _send("commands", "commandEnvelope", "receipts", "receipt", persistent=True),
            "ask": _send("queries", "queryEnvelope", "replies", "reply", persistent=False),
        },
        "components": {
            "messages": {
                "commandEnvelope": _message(
                    "command-envelope", f"1 to {MAX_COMMANDS} commands, at most 1 MiB."
                ),
                "queryEnvelope": _message("query-envelope", f"1 to {MAX_QUESTIONS} questions."),
                "receipt": _message("receipt", "One lane's decisions about the commands of one message."),
                "reply": _message("reply", "An answer for each question, in order; or one refusal."),
            }
        },
    }


def _exchange(name: str, description: str, message: str) -> Tree:
    exchange = {"name": name, "type": "fanout", "durable": True, "autoDelete": False}
    binding = {"is": "routingKey", "exchange": exchange, "bindingVersion": AMQP_BINDING}
    return {
        "address": name,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {"amqp": binding},
    }


def _replies(description: str, message: str) -> Tree:
    return {
        "address": None,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _send(channel: str, message: str, reply_channel: str, reply: str, *, persistent: bool) -> Tree:
    binding = {"deliveryMode": 2 if persistent else 1, "mandatory": persistent}
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
        "bindings": {"amqp": {**binding, "bindingVersion": AMQP_BINDING}},
        "reply": {
            "address": _REPLY_ADDRESS,
            "channel": {"$ref": f"#/channels/{reply_channel}"},
            "messages": [{"$ref": f"#/channels/{reply_channel}/messages/{reply}"}],
        },
    }


def _message(schema: str, summary: str) -> Tree:
    return {"contentType": _JSON, "summary": summary, "payload": {"$ref": f"schemas/{schema}.json"}}
