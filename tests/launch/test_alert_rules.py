"""Each alert fires for what it is meant for, and none fires on a quiet day: Prometheus' own tool evaluates them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.launch.test_monitoring import QUERIES, RULES, RULES_FILE

NO_PROMTOOL = "no promtool on the PATH. Debian, Ubuntu: apt-get install prometheus"
pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason=NO_PROMTOOL)

FOR_2H = "x120"  # a value a minute
WELL = {
    "assistant_redis_up": "1", "assistant_redis_replicas": "2", "assistant_partitions_unserved": "0",
    "assistant_inbox_oldest_seconds": "3", "assistant_outbox_oldest_seconds": "2", "assistant_dead_letters": "0",
    "assistant_takeovers_open": "4", "assistant_tickets_unopened": "0", "assistant_agent_words_oldest_seconds": "1",
    'assistant_ticket_orders{trouble="unreachable"}': "0", "assistant_ticket_orders_given_up": "5",
    'assistant_notices_failed{channel="slack"}': "1", "assistant_log_depth": "40", "assistant_log_set_aside_total": "2",
    "assistant_month_budget_spent_ratio": "0.4", 'assistant_webhook_seconds_count{status="200"}': "0+60",
    'assistant_order_lookups_total{outcome="answered"}': "0+30", 'assistant_turns_total{outcome="failed"}': "1",
    'assistant_llm_calls_total{outcome="grounded",purpose="reading"}': "0+10",
    'assistant_sending_parked_total{error_class="Unauthorised"}': "1",
    'assistant_failed_statuses_total{author="assistant",code="131026"}': "7",
}  # fmt: skip
LATE = " _x80 "  # a counter with labels appears when it first counts
WRONG = {
    "AssistantGone": dict.fromkeys(WELL, "_"),
    "WebhooksNotStored": {'assistant_webhook_seconds_count{status="503"}': "0+5"},
    "WebhooksUnsigned": {'assistant_webhook_seconds_count{status="200"}': "9",
                         'assistant_webhook_seconds_count{status="401"}': "0+5"},
    "PartitionSilent": {"assistant_partitions_unserved": "8"},
    "MessagesWait": {"assistant_inbox_oldest_seconds": "0+30"},
    "TurnsFail": {'assistant_turns_total{outcome="failed"}': "0+2"},
    "DeadLetters": {"assistant_dead_letters": "1"},
    "RepliesWait": {"assistant_outbox_oldest_seconds": "0+30"},
    "RepliesParked": {'assistant_sending_parked_total{error_class="Unknown"}': f"{LATE}1"},
    "DeliveriesFail": {'assistant_failed_statuses_total{author="assistant",code="131049"}': f"{LATE}3"},
    "TicketsNotCreated": {"assistant_tickets_unopened": "1"},
    "HelpdeskDown": {'assistant_ticket_orders{trouble="unauthorized"}': "2"},
    "AgentsWordsWait": {"assistant_agent_words_oldest_seconds": "0+60"},
    "CommentsGivenUp": {"assistant_ticket_orders_given_up": "5x60 6"},
    "NoticesFail": {'assistant_notices_failed{channel="slack"}': "1x60 2"},
    "RedisDown": {"assistant_redis_up": "0"},
    "RedisWithoutReplicas": {"assistant_redis_replicas": "2x60 0"},
    "ConversationDatabaseDown": {"assistant_takeovers_open": "4x60 stale _"},
    "OrdersDatabaseDown": {'assistant_order_lookups_total{outcome="failed"}': "0+30"},
    "LogBehind": {"assistant_log_depth": "0+500"},
    "LogRecordsSetAside": {"assistant_log_set_aside_total": "2x60 3"},
    "LlmFails": {'assistant_llm_calls_total{outcome="timeout",purpose="reading"}': "0+10"},
    "ShopApiFails": {'assistant_self_service_total{action="cancel",outcome="unknown"}': f"{LATE}1"},
    "MediaUnread": {'assistant_media_total{kind="voice",outcome="service_away"}': "0+1"},
    "BudgetNearlySpent": {"assistant_month_budget_spent_ratio": "0.9"},
}  # fmt: skip


def firing(alert: str, series: dict[str, str], expected: int) -> dict[str, object]:
    """One case of promtool's, looked at after an hour and a half."""
    which = f'ALERTS{{alertstate="firing",alertname=~"{alert}"}}'
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{values}{FOR_2H}"} for name, values in series.items()],
        "promql_expr_test": [{"expr": f"(count({which}) or vector(0)) > bool 0", "eval_time": "90m",
                              "exp_samples": [{"labels": "{}", "value": expected}]}],
    }  # fmt: skip


def promtool(*arguments: str) -> None:
    found = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout + found.stderr


def test_each_alert_fires_for_what_it_is_meant_for_and_none_on_a_quiet_day(tmp_path: Path) -> None:
    assert set(WRONG) == {rule["alert"] for rule in RULES}
    cases = [firing(".+", WELL, 0), *(firing(alert, WELL | series, 1) for alert, series in WRONG.items())]
    file = tmp_path / "cases.json"  # which is YAML, too
    file.write_text(json.dumps({"rule_files": [str(RULES_FILE)], "evaluation_interval": "1m", "tests": cases}))
    promtool("test", "rules", str(file))


def test_the_queries_of_rules_and_dashboard_can_be_read(tmp_path: Path) -> None:
    rules = [{"record": f"a:query{n}", "expr": query} for n, query in enumerate(QUERIES)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", str(RULES_FILE))
    promtool("check", "rules", str(file))
