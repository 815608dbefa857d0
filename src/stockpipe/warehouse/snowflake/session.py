"""A session of Snowflake: how it is opened, and what a refusal means."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

from stockpipe.base.installed import install_command
from stockpipe.base.proxies import proxy_for
from stockpipe.base.reach import why_not_reached
from stockpipe.base.text import printable, redacted
from stockpipe.errors import AccessError, ConfigError, StockpipeError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse.snowflake.account import endpoint
from stockpipe.warehouse.snowflake.network import give_up_after
from stockpipe.warehouse.snowflake.parameters import session_parameters
from stockpipe.warehouse.snowflake.refusals import of_sign_in
from stockpipe.warehouse.snowflake.signin import SINGLE_FACTOR, Arguments, SignIn, sign_in

log = logging.getLogger(__name__)

# The service's own answers to a sign-in have these numbers; what fails on the way there has the connector's.
# How long a host may take to answer at all, and after how many seconds it is asked once more.
_REACHED_WITHIN, _AGAIN_AFTER = 8.0, 2.0
_REFUSALS = range(390_000, 395_000)
_ROLE = 390_189
# The connector's own numbers: an identity provider that gave no token; a user that connector 3 wants in every case; a
# key of a kind that it does not know, as EC is to connector 3.
_NO_TOKEN = 250_006
_NO_USER = 251_005
_KEY = 251_008
# Refusals without a number of the service: connector 3 has these words before its message, connector 5 the others.
_REFUSED = ("Failed to connect to DB: ", "OAuth flow failed", "External browser SSO failed")
_QUERY_OF_A_URL = re.compile(r"(/[^\s?'\"]*)\?[^\s'\"]+")
_NAMES_IN_5 = {
    "network_timeout": ("request_timeout",),
    "statement_timeout": ("query_timeout",),
    "client_request_mfa_token": ("client_store_temporary_credential",),
}
_OUR_LIMITS = ("network_timeout", "statement_timeout")
_HINTS = {
    "SNOWFLAKE_JWT": "Check SNOWFLAKE_USER and SNOWFLAKE_ACCOUNT, and that the user has this key: DESCRIBE USER shows "
    "RSA_PUBLIC_KEY_FP, ALTER USER ... SET RSA_PUBLIC_KEY sets it. The clock of this machine must be right too.",
    "PROGRAMMATIC_ACCESS_TOKEN": "The token is wrong, expired, or not for this user, role or network. Make a new one "
    "(ALTER USER ... ADD PROGRAMMATIC ACCESS TOKEN) and put it into SNOWFLAKE_TOKEN.",
    "OAUTH": "The token is wrong or expired: get a new one, or set SNOWFLAKE_OAUTH_CLIENT_ID so that each run gets its own.",
    "OAUTH_CLIENT_CREDENTIALS": "Check SNOWFLAKE_OAUTH_CLIENT_ID, SNOWFLAKE_OAUTH_CLIENT_SECRET, "
    "SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL and the security integration in Snowflake.",
    "WORKLOAD_IDENTITY": "Check SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER and the user's WORKLOAD_IDENTITY in Snowflake.",
    "EXTERNALBROWSER": "Sign in again in the browser; a service without one needs a key pair.",
    "SNOWFLAKE": "Check SNOWFLAKE_USER and SNOWFLAKE_PASSWORD. A person with MFA needs "
    "SNOWFLAKE_AUTHENTICATOR=username_password_mfa, a service a key pair or a token.",
}


def session_plan(settings: Settings, run_id: str = "") -> SignIn:
    """All that a session needs; its statements will carry the run's id as query tag. ConfigError as `sign_in`."""
    plan, longest = sign_in(settings), int(settings.number("STOCKPIPE_DEADLINE", least=1))
    plan.arguments.update(
        login_timeout=30,
        # Two limits: how long the service may be out of reach, and how long a statement may run or wait for a lock.
        network_timeout=120,
        statement_timeout=longest,
        client_session_keep_alive=True,
        application="stockpipe",
        session_parameters=session_parameters(f"stockpipe {run_id}".strip(), longest),
    )
    for name in ("DATABASE", "SCHEMA", "ROLE", "WAREHOUSE"):
        if value := settings.get(f"SNOWFLAKE_{name}"):
            plan.arguments[name.lower()] = value
    return plan


@contextlib.contextmanager
def _no_word_about_files() -> Iterator[None]:
    """Keep the connector from warning of a connections file that others can read: our own settings say it in one line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Bad owner or permissions on ", UserWarning)
        yield


@_no_word_about_files()
def open_session(plan: SignIn, *, warns: bool = True) -> Any:
    """A connection of the connector. `warns` says whether a password alone is worth a line in the log.

    Raises AccessError when the service refuses the sign-in, WarehouseError when it cannot be reached.
    """
    try:
        import snowflake.connector
    except ImportError as error:
        raise ConfigError(
            "The Snowflake connector is not installed.",
            hint=f"Install it: {install_command('snowflake')}",
        ) from error
    for name in ("snowflake.connector", "botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # What it says of a lost download has the URL with its signature, and the error says it all again.
    logging.getLogger("snowflake.connector.result_batch").setLevel(logging.CRITICAL)
    if warns and plan.alone:
        log.warning(SINGLE_FACTOR)
    _must_be_reached(plan)
    arguments = _in_the_words_of(snowflake.connector.__version__, plan.arguments)
    try:
        # What the connector says about a browser is no data.
        with contextlib.redirect_stdout(sys.stderr):
            return snowflake.connector.connect(**arguments)
    except EOFError:
        message = "No browser can be opened on this machine to sign in to Snowflake."
        raise AccessError(message, hint="Use a key pair (SNOWFLAKE_PRIVATE_KEY_PATH) or a token.") from None
    except Exception as error:
        # Connector 3 wraps the refusal of an expired token in an error that is none of its own.
        refused = getattr(error, "cause", error)
        if not isinstance(refused, snowflake.connector.Error):
            raise
        raise _failed(refused, plan) from None


def _must_be_reached(plan: SignIn) -> None:
    """Raise WarehouseError when the host cannot be reached at all: the connector would try for half a minute.

    Behind a proxy it is left to the connector.
    """
    host, port = endpoint(plan.arguments)
    try:
        if proxy_for(f"https://{host}:{port}"):
            return
    except ConfigError:
        return  # a proxy that our own client does not know
    if why_not_reached(host, port, _REACHED_WITHIN):
        time.sleep(_AGAIN_AFTER)
        if why := why_not_reached(host, port, _REACHED_WITHIN):
            raise _unreached(plan, why)


def _unreached(plan: SignIn, why: str) -> WarehouseError:
    host, port = endpoint(plan.arguments)
    return WarehouseError(
        f"Snowflake could not be reached at {host}:{port}: {why}",
        hint="Check SNOWFLAKE_ACCOUNT (myorg-myaccount), SNOWFLAKE_HOST, and the network: firewall, VPN, HTTPS_PROXY.",
    )


def error_text(error: Any, plan: SignIn | None = None) -> str:
    """The message of a connector's error on one line, safe for a terminal, without the secrets of the session's plan.

    What follows the ? of a URL may be a key.
    """
    line = " ".join(redacted(str(getattr(error, "msg", None) or error), plan.secrets if plan else ()).split())
    return printable(_QUERY_OF_A_URL.sub(r"\1?...", line))[:500]


def _in_the_words_of(version: str, arguments: Arguments) -> Arguments:
    """The arguments under the names of a connector's version; the old names make connector 5 warn the user."""
    if int(version.partition(".")[0]) < 5:
        # Their network_timeout would cancel statements too; how long one may take is a parameter of the session.
        others = {name: value for name, value in arguments.items() if name not in _OUR_LIMITS}
        return others | {"backoff_policy": give_up_after(arguments["network_timeout"])}
    renamed = {new: value for old, value in arguments.items() for new in _NAMES_IN_5.get(old, (old,))}
    # Auto-detection keeps a session alive while asynchronous statements run; we send none.
    return renamed | {"enable_server_session_keep_alive_auto_detection": False}


def _failed(error: Any, plan: SignIn) -> StockpipeError:
    text, errno, arguments = error_text(error, plan), getattr(error, "errno", None), plan.arguments
    who = arguments.get("user") or arguments.get("oauth_client_id") or "this workload"
    if errno == _NO_USER:
        return ConfigError(f"SNOWFLAKE_USER is not set, and the connector wants it: {text}", hint="Set SNOWFLAKE_USER.")
    if errno == _KEY:
        hint = "Use RSA of 2048 bits or more, or a newer connector."
        return ConfigError(f"The connector cannot use the private key: {text}", hint=hint)
    if errno == _ROLE or (_REFUSED[0] in text and ". Role '" in text):
        message = f"Snowflake refused the role {arguments.get('role')} for {who}: {text}"
        return AccessError(message, hint=f"Correct SNOWFLAKE_ROLE, or have it granted: GRANT ROLE ... TO USER {who}")
    if errno in _REFUSALS or errno == _NO_TOKEN or any(words in text for words in _REFUSED):
        return AccessError(
            f"Snowflake refused the sign-in of {who}: {text}",
            hint=of_sign_in(errno, text) or _HINTS.get(plan.way, _HINTS["SNOWFLAKE"]),
        )
    return _unreached(plan, text)
