"""The one registry of what this process tells Prometheus; `/metrics` of the edge shows it."""

from prometheus_client import CollectorRegistry

REGISTRY = CollectorRegistry()
