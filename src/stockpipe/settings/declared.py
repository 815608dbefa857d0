"""Everything that can be set: name, meaning, default, other names, flag, and whether it is a secret."""

from __future__ import annotations

from dataclasses import dataclass

from stockpipe.settings.connections import NAME as CONNECTION_NAME


@dataclass(frozen=True)
class Setting:
    """One thing that can be set. `aliases` are older or foreign names, looked at after the first; `flag` is the option
    of the commands that have one for it."""

    name: str
    meaning: str
    default: str | None = None
    aliases: tuple[str, ...] = ()
    secret: bool = False
    flag: str | None = None


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("POLYGON_API_KEY", "the Massive API key", aliases=("MASSIVE_API_KEY",), secret=True, flag="--api-key"),
        Setting(
            "MASSIVE_BASE_URL",
            "the API's origin; http: only for loopback",
            "https://api.massive.com",
            flag="--base-url",
        ),
        Setting("MASSIVE_PLAN", "free (5 calls a minute), paid (under 100 a second) or auto", "auto", flag="--plan"),
        Setting("RATE_LIMIT_DELAY", "minimum seconds between two calls; 0.2 until the key's plan is known"),
        Setting(
            "STOCKPIPE_REQUESTS_PER_SECOND",
            "maximum calls per second on a paid plan",
            "95",
            flag="--requests-per-second",
        ),
        Setting(
            "STOCKPIPE_PARALLEL_CALLS", "maximum calls in progress at once on a paid plan; 1 goes page by page", "16"
        ),
        Setting("STOCKPIPE_ANSWER_TIMEOUT", "maximum seconds for one whole answer", "30"),
        Setting("STOCKPIPE_MAX_PAGES", "maximum pages of one list", "2500"),
        Setting("STOCKPIPE_DEADLINE", "maximum seconds for a whole run", "7200", flag="--deadline"),
        Setting(
            "STOCKPIPE_WAREHOUSE", "duckdb or snowflake; snowflake when SNOWFLAKE_ACCOUNT is set", flag="--warehouse"
        ),
        Setting("STOCKPIPE_DUCKDB_PATH", "the DuckDB file", "stockpipe.duckdb", flag="--duckdb-path"),
        Setting("STOCKPIPE_STATE_FILE", "file that remembers the key's plan between runs; beside the data by default"),
        Setting("STOCKPIPE_LOCK_TIMEOUT", "maximum seconds to wait for another run or reader", "60"),
        Setting("STOCKPIPE_BATCH_SIZE", "rows in one insert batch, where batches are used", "1000"),
        Setting(
            "STOCKPIPE_LOAD_METHOD",
            "Snowflake: copy (PUT and COPY), or insert (INSERT in batches)",
            "copy",
            flag="--load-method",
        ),
        Setting("STOCKPIPE_SAMPLE_DATA", "true lets sample data of a sandbox into Snowflake", "false"),
        Setting("STOCKPIPE_MAX_LOSS", "largest fall in rows against the last day, in per cent", "5"),
        Setting("STOCKPIPE_MAX_GROWTH", "largest rise in rows against the last day, in per cent", "20"),
        Setting("STOCKPIPE_TORN_PAUSE", "seconds to wait before a torn list is fetched again", "60"),
        Setting("STOCKPIPE_MASTER", "true builds the security master after each load of the listed stocks", "false"),
        Setting(
            "STOCKPIPE_MASTER_OVERRIDES",
            "file with a person's decisions on who is who (CSV)",
            "master-overrides.csv",
            flag="--overrides",
        ),
        Setting(
            "STOCKPIPE_MASTER_MAX_CHANGED", "largest share of securities whose id a build may change, in per cent", "1"
        ),
        Setting("STOCKPIPE_TRANSIENT", "true makes Snowflake tables TRANSIENT (no fail-safe copies)", "false"),
        Setting("STOCKPIPE_RETENTION_DAYS", "days of Time Travel of new Snowflake tables, 0 to 90; default: account's"),
        Setting(
            "STOCKPIPE_PING_URL", "ping URL of a healthchecks service, told of start, success, failure", secret=True
        ),
        Setting("STOCKPIPE_WEBHOOK_URL", "webhook (Slack or any), told of failure, staleness, recovery", secret=True),
        Setting(
            "OTEL_EXPORTER_OTLP_ENDPOINT", "OpenTelemetry collector (OTLP over HTTP) that gets a trace of each run"
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_HEADERS", "headers for the collector: name=value, with commas between", secret=True
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "headers for traces alone; they go before the others", secret=True
        ),
        Setting(CONNECTION_NAME, "a connection of Snowflake's connections.toml or config.toml", flag="--connection"),
        Setting("SNOWFLAKE_HOME", "the folder of these files; default: ~/.snowflake or the platform's"),
        Setting(
            "SNOWFLAKE_ACCOUNT",
            "account identifier, such as myorg-myaccount or xy12345.us-east-1; or its URL",
            flag="--account",
        ),
        Setting("SNOWFLAKE_USER", "user name", flag="--user"),
        Setting(
            "SNOWFLAKE_AUTHENTICATOR",
            "how to sign in; default: by what is set, a key pair first",
            flag="--authenticator",
        ),
        Setting(
            "SNOWFLAKE_PRIVATE_KEY_PATH",
            "file of the private key (PEM)",
            aliases=("SNOWFLAKE_PRIVATE_KEY_FILE",),
            flag="--private-key-path",
        ),
        Setting("SNOWFLAKE_PRIVATE_KEY", "the private key itself", aliases=("SNOWFLAKE_PRIVATE_KEY_RAW",), secret=True),
        Setting(
            "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
            "passphrase of the private key",
            aliases=("SNOWFLAKE_PRIVATE_KEY_FILE_PWD", "PRIVATE_KEY_PASSPHRASE"),
            secret=True,
            flag="--private-key-passphrase",
        ),
        Setting("SNOWFLAKE_TOKEN", "programmatic access token, or an OAuth token", secret=True, flag="--token"),
        Setting("SNOWFLAKE_TOKEN_FILE_PATH", "file with the token"),
        Setting("SNOWFLAKE_OAUTH_CLIENT_ID", "OAuth client credentials: the client"),
        Setting("SNOWFLAKE_OAUTH_CLIENT_SECRET", "its secret", secret=True),
        Setting("SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL", "where the identity provider gives tokens"),
        Setting("SNOWFLAKE_OAUTH_SCOPE", "scope of the token; default: session:role:<role>"),
        Setting("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "workload identity: AWS, AZURE, GCP or OIDC"),
        Setting("SNOWFLAKE_PASSWORD", "password", secret=True, flag="--password"),
        Setting("SNOWFLAKE_PASSCODE", "code of the MFA device, for username_password_mfa", secret=True),
        Setting("SNOWFLAKE_ROLE", "role of the session", flag="--role"),
        Setting("SNOWFLAKE_WAREHOUSE", "compute warehouse", flag="--snowflake-warehouse"),
        Setting("SNOWFLAKE_DATABASE", "target database", flag="--database"),
        Setting("SNOWFLAKE_SCHEMA", "target schema", flag="--schema"),
        Setting(
            "SNOWFLAKE_TABLE",
            "name of the tickers table, in DuckDB too",
            "TICKERS",
            flag="--table",
        ),
        Setting("SNOWFLAKE_HOST", "another endpoint: private link, or a local test server", flag="--host"),
        Setting("SNOWFLAKE_PORT", "its port", flag="--port"),
        Setting("SNOWFLAKE_PROTOCOL", "its protocol, https or http", flag="--protocol"),
    )
}
