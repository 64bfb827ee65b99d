"""What Open WebUI wants otherwise than OpenAI: each cited span as a source of its own, which it shows as a chip."""

from collections.abc import Sequence
from typing import Any

from service.openai.markdown import escape
from service.openai.messages import Source, title_of


def events_of(sources: Sequence[Source]) -> tuple[dict[str, Any], ...]:
    """Return the data of Open WebUI's events of the type `source`, in the order of their numbers in the message.

    Open WebUI makes one of sources that have the same `metadata.source`; the URL of a span is its own. It shows the
    document's words as Markdown, so that they are escaped, and `external` keeps the name beside such a URL. What it
    calls distances are shown as percentages: here, the confidence of the answer that the span belongs to, 0 to 1.
    """
    return tuple(
        {
            "source": {"name": title_of(each.citation), "id": each.citation.url, "url": each.citation.url},
            "document": [escape(each.citation.cited.text)],
            "metadata": [
                {
                    "source": each.citation.url,
                    "name": title_of(each.citation),
                    "url": each.citation.url,
                    "external": True,
                }
            ],
            "distances": [round(each.confidence, 4)],
        }
        for each in sources
    )
