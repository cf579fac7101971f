"""The table of all environment variables: names, defaults and meanings, as `.env.example` and the README give them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name, default (None: none), and what it means."""

    name: str
    default: str | None
    meaning: str
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable("STATE_DIR", "var", "all run-time state: embedded databases, embedded Redis, archive"),
    Variable("SHOP_DIR", None, "folder of the shop: shop.yml, policy_kb/ (default: the project root, the demo shop)"),
    Variable("MODELS_DIR", None, "trained models (default: models/; for a shop of its own in STATE_DIR)"),
    Variable("HOST", "127.0.0.1", "address that the servers bind to"),
    Variable("RASA_PORT", "5005", "the Rasa server: webhooks, health, metrics"),
    Variable("ACTION_PORT", "5055", "the action server"),
    Variable("ACTION_URL", None, "the action server on another machine (default: ACTION_PORT on this one)"),
    Variable("WORKER_PORT", None, "health and metrics of a worker that runs apart (default: it listens nowhere)"),
    Variable("TWIN_PORT", "8080", "the simulator of `make run`"),
    Variable("INSPECTOR_TOKEN", None, "password of the inspector (default: none runs, but in make run)", secret=True),
    Variable("INSPECTOR_PORT", "5065", "the inspector, always on 127.0.0.1"),
    Variable("METRICS_TOKEN", None, "bearer token of /metrics (default: none, for METRICS_FROM only)", secret=True),
    Variable("METRICS_FROM", "127.0.0.0/8,::1/128", "networks that may read /metrics without a token, but by a proxy"),
    Variable("RASA_WORKERS", None, "Rasa server processes behind RASA_PORT (default: one a core)"),
    Variable("WHATSAPP_VERIFY_TOKEN", None, "Meta's webhook verification token", secret=True),
    Variable("WHATSAPP_APP_SECRET", None, "key of X-Hub-Signature-256", secret=True),
    Variable("WHATSAPP_ACCESS_TOKEN", None, "for sending through the Graph API", secret=True),
    Variable("WHATSAPP_PHONE_NUMBER_ID", None, "the business number's id"),
    Variable("WHATSAPP_BUSINESS_ACCOUNT_ID", None, "for `make doctor` and `connectors.templates`, which ask Meta"),
    Variable("WHATSAPP_GRAPH_URL", "https://graph.facebook.com/v25.0", "Graph API with version"),
    Variable("WHATSAPP_APPSECRET_PROOF", "off", "on: calls of the Graph API carry a proof of the app secret"),
    Variable("WHATSAPP_REOPEN_TEMPLATE", None, "approved template (name:language) for agent replies after 24 h"),
    Variable("BURST_WAIT_S", "1.5", "seconds that a greeting or a fragment waits for the rest; 0: not at all"),
    Variable("CUSTOMER_MESSAGE_LIMIT", "0", "messages of one customer that are answered in ten minutes; 0: any number"),
    Variable("REDIS_URL", None, "redis://…, redis+sentinel://…: hot store (default: an embedded Redis)", secret=True),
    Variable("REDIS_WAIT_FOR", "auto", "when a message is stored: auto, replica, replica_disk or nothing"),
    Variable("ORDERS_DATABASE_URL", None, "orders database, read-only (default: SQLite in STATE_DIR)", secret=True),
    Variable("CONVERSATION_DATABASE_URL", None, "conversation log and takeovers (default: SQLite)", secret=True),
    Variable("ARCHIVE_URL", None, "cold archive: file://, s3:// or gs:// (default: in STATE_DIR)"),
    Variable("MEDIA_URL", None, "copies of customers' files: file://, s3:// or gs:// (default: none are kept)"),
    Variable("ORDER_NUMBER_PATTERN", None, "old: wins over orders of shop.yml, where it belongs"),
    Variable("DEFAULT_REGION", None, "old: wins over region of shop.yml, where it belongs"),
    Variable("SHOP_TIMEZONE", None, "old: wins over time_zone of shop.yml, where it belongs"),
    Variable("SHOP_API_URL", None, "where the shop itself cancels orders, changes addresses, takes returns"),
    Variable("SHOP_API_SECRET", None, "with SHOP_API_URL: key of the signature, or credential", secret=True),
    Variable("LLM_PROVIDER", None, "anthropic, openai or none (default: by which key is set)"),
    Variable("LLM_MODEL", None, "model name (default: a current model of the provider)"),
    Variable("LLM_TIMEOUT_S", "8", "seconds a customer waits for the LLM before the extractive answer"),
    Variable("LLM_READER", "unsure", "when the LLM reads what a message means: never, unsure or always"),
    Variable("LLM_INTENT_TIMEOUT_S", "2.5", "seconds for the LLM to say what a message means; 0: never asked"),
    Variable("ANTHROPIC_API_KEY", None, "as the SDK reads it", secret=True),
    Variable("ANTHROPIC_BASE_URL", None, "as the SDK reads it"),
    Variable("OPENAI_API_KEY", None, "as the SDK reads it", secret=True),
    Variable("OPENAI_BASE_URL", None, "as the SDK reads it"),
    Variable("SPEECH_URL", None, "hears voice notes: an OpenAI-compatible service, such as https://api.openai.com/v1"),
    Variable("SPEECH_API_KEY", None, "with SPEECH_URL, where the service wants one", secret=True),
    Variable("SPEECH_MODEL", "whisper-1", "the service's model"),
    Variable("READ_PICTURES", "off", "on: numbers on customers' pictures are read (first: `make pictures`)"),
    Variable("TICKETING", None, "zendesk, freshdesk, hubspot, chatwoot or log (default: by which URL is set)"),
    Variable("PUBLIC_URL", None, "where agents' browsers reach this server; wins over public_url of handoff.yml"),
    Variable("DESK_SWITCH", None, "a file that says open or closed, whatever the opening hours say"),
    Variable("ZENDESK_URL", None, "https://{subdomain}.zendesk.com, or a local stand-in"),
    Variable("ZENDESK_OAUTH_CLIENT_ID", None, "OAuth client that fetches and renews its own tokens (preferred)"),
    Variable("ZENDESK_OAUTH_CLIENT_SECRET", None, "with ZENDESK_OAUTH_CLIENT_ID", secret=True),
    Variable("ZENDESK_OAUTH_TOKEN", None, "an OAuth token, used until Zendesk refuses it", secret=True),
    Variable("ZENDESK_EMAIL", None, "with ZENDESK_API_TOKEN (ends 2027-04-30)"),
    Variable("ZENDESK_API_TOKEN", None, "with ZENDESK_EMAIL", secret=True),
    Variable("ZENDESK_WEBHOOK_SECRET", None, "key of X-Zendesk-Webhook-Signature", secret=True),
    Variable("ZENDESK_ORDER_FIELD_ID", None, "id of the ticket field that holds the order number"),
    Variable("FRESHDESK_URL", None, "https://{domain}.freshdesk.com"),
    Variable("FRESHDESK_API_KEY", None, "Freshdesk credential", secret=True),
    Variable("HUBSPOT_URL", None, "https://api.hubapi.com, or a local stand-in"),
    Variable("HUBSPOT_ACCESS_TOKEN", None, "HubSpot credential", secret=True),
    Variable("CHATWOOT_URL", None, "https://app.chatwoot.com, or your own Chatwoot"),
    Variable("CHATWOOT_ACCOUNT_ID", None, "number of the account, as its addresses show it"),
    Variable("CHATWOOT_INBOX_ID", None, "number of an inbox of the kind API"),
    Variable("CHATWOOT_ACCESS_TOKEN", None, "access token of an agent made for the assistant", secret=True),
    Variable("SHOP_WEBHOOK_SECRET", None, "key of X-Shop-Signature-256 of the shop's own webhooks", secret=True),
    Variable("SHOP_WEBHOOK_MAX_AGE_S", "0", "seconds after which those are refused; 0: they need no time of sending"),
    Variable("SLACK_WEBHOOK_URL", None, "who is notified of an escalation", secret=True),
    Variable("SMTP_URL", None, "smtp://user:password@host:587", secret=True),
    Variable("ESCALATION_EMAIL_TO", None, "address that is notified of an escalation"),
    Variable("OTEL_EXPORTER_OTLP_ENDPOINT", None, "collector of traces (OTLP over HTTP), such as http://127.0.0.1:4318"),
    Variable("OTEL_EXPORTER_OTLP_HEADERS", None, "what it wants sent along: name=value,name=value", secret=True),
    Variable("RETENTION_WARM_DAYS", "90", "days that conversations stay in SQL before the archive"),
    Variable("RETENTION_COLD_DAYS", None, "days that they stay in the archive (default: for good)"),
    Variable("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    Variable("LOG_FORMAT", "text", "text, or json: one object a line"),
)
