"""Connections to RabbitMQ, publishing, and declaring the topology."""
