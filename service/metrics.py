"""Metrics of the service for Prometheus, one registry an application."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What is counted and measured. Labels hold route patterns and names, never anything a user wrote."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("citespan_requests", "Requests.", ("method", "route", "status"), registry=registry)
        self.request_seconds = Histogram(
            "citespan_request_seconds", "Time to answer.", ("route",), buckets=_SECONDS, registry=registry
        )
        self.stage_seconds = Histogram(
            "citespan_stage_seconds", "Time of one step of an answer.", ("stage",), buckets=_SECONDS, registry=registry
        )
        self.questions = Counter("citespan_questions", "Questions by outcome.", ("outcome",), registry=registry)
        self.admitted = Gauge("citespan_questions_admitted", "Questions running or waiting.", registry=registry)
        self.documents = Gauge("citespan_documents", "Documents stored.", ("collection",), registry=registry)
        self.passages = Gauge("citespan_passages", "Passages stored.", ("collection",), registry=registry)

    def expose(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return generate_latest(self.registry)
