"""`panel batch status`: all of one run."""

from __future__ import annotations

from panel.cli import options
from panel.cli.batch.runs import RunNumber, standing_of

HELP = """Show how far a run is, what it has cost, and what to do next.

Examples:

  panel batch status 7

  panel batch status 7 --json
"""


def status(run: RunNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show how far a run is.

    JSON: `run`, `kind`, `state`, `settings` (model, roster and the like), `begun_at`, `ended_at`; `holder`: null or `{process, host, since,
    at_work}`, where `at_work` is null for another machine; `tools`: `{all, done, todo}`; `drafts`; `failed_seats`: number by reason;
    `calls`: `{answered, failed, open}`; `cost`: `{known_usd, unpriced_answers, unanswered_calls, unanswered_usd_at_most}`;
    `budget`: null or `{usd, left_usd}`; `next`: commands. Times are ISO 8601 in UTC; an unknown price is null.
    """
    from panel.cli.batch.words import standing_data, standing_lines
    from panel.cli.console import plain_result, result_json, width
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve

    standing = use_store(resolve(options.given(), config), lambda store: standing_of(store, run))
    if as_json:
        result_json(standing_data(standing))
    else:
        plain_result("\n".join(standing_lines(standing, width())))
