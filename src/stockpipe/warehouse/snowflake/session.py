"""A session of Snowflake: how it is opened, and what a refusal means."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import re
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stockpipe.base.installed import install_command
from stockpipe.base.proxies import proxy_for
from stockpipe.base.reach import why_not_reached
from stockpipe.base.text import printable, redacted
from stockpipe.base.waiting import told_if_slow
from stockpipe.errors import AccessError, ConfigError, StockpipeError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse.snowflake.account import endpoint
from stockpipe.warehouse.snowflake.network import give_up_after
from stockpipe.warehouse.snowflake.parameters import session_parameters
from stockpipe.warehouse.snowflake.refusals import of_sign_in
from stockpipe.warehouse.snowflake.signin import SINGLE_FACTOR, Arguments, SignIn, sign_in

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Seconds: how long a sign-in may take in all, and how long the service may be out of reach after it."""

    sign_in: int
    lost: int


FOR_A_RUN = Limits(sign_in=30, lost=120)
FOR_A_READER = Limits(sign_in=10, lost=30)
"""Somebody looks at a screen, and can ask again."""

# The most that a host may take to answer at all, and after how many seconds it is asked once more.
_REACHED_WITHIN, _AGAIN_AFTER = 8.0, 2.0
# The service's own answers to a sign-in have these numbers; what fails on the way there has the connector's.
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


def session_plan(settings: Settings, run_id: str = "", *, reads: bool = False) -> SignIn:
    """All that a session needs; its statements will carry the run's id as query tag. ConfigError as `sign_in`.

    Who only `reads` waits less for the service, but for a sign-in that a person has to answer.
    """
    plan, longest = sign_in(settings), int(settings.number("STOCKPIPE_DEADLINE", least=1))
    limits = FOR_A_READER if reads else FOR_A_RUN
    plan.arguments.update(
        login_timeout=FOR_A_RUN.sign_in if plan.asks_a_person else limits.sign_in,
        # Two limits: how long the service may be out of reach, and how long a statement may run or wait for a lock.
        network_timeout=limits.lost,
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
        connector = importlib.import_module("snowflake.connector")
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
    with told_if_slow(
        f"Waiting for Snowflake at {endpoint(plan.arguments)[0]}, up to {plan.arguments['login_timeout']} s."
    ):
        began = time.monotonic()
        _must_be_reached(plan)
        return _connected(connector, plan, time.monotonic() - began)


def _connected(connector: Any, plan: SignIn, spent: float) -> Any:
    """A connection of the connector's; `spent` are the seconds that the sign-in took so far."""
    left = max(1, math.ceil(plan.arguments["login_timeout"] - spent))
    arguments = _in_the_words_of(connector.__version__, plan.arguments | {"login_timeout": left})
    try:
        # What the connector says about a browser is no data.
        with contextlib.redirect_stdout(sys.stderr):
            session = connector.connect(**arguments)
    except EOFError:
        message = "No browser can be opened on this machine to sign in to Snowflake."
        raise AccessError(message, hint="Use a key pair (SNOWFLAKE_PRIVATE_KEY_PATH) or a token.") from None
    except Exception as error:
        # Connector 3 wraps the refusal of an expired token in an error that is none of its own.
        refused = getattr(error, "cause", error)
        if not isinstance(refused, connector.Error):
            raise
        raise _failed(refused, plan) from None
    if "socket_timeout" in arguments:
        # It was for the sign-in: a statement's answer may come after 45 s. The connector reads it with each request.
        session._socket_timeout = None
    return session


def _must_be_reached(plan: SignIn) -> None:
    """Raise WarehouseError when the host cannot be reached at all: the connector would try until its time is over.

    Asked twice where the time of the sign-in allows it. Behind a proxy it is left to the connector.
    """
    host, port = endpoint(plan.arguments)
    most, began = plan.arguments["login_timeout"], time.monotonic()
    within = min(_REACHED_WITHIN, most / 2)
    try:
        if proxy_for(f"https://{host}:{port}"):
            return
    except ConfigError:
        return  # a proxy that our own client does not know
    why = why_not_reached(host, port, within)
    if why and time.monotonic() - began + _AGAIN_AFTER + within <= most:
        time.sleep(_AGAIN_AFTER)
        why = why_not_reached(host, port, within)
    if why:
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
        # Without a limit of its own one request of a sign-in may take a minute.
        sign_in_alone = {"socket_timeout": arguments["login_timeout"]}
        return others | sign_in_alone | {"backoff_policy": give_up_after(arguments["network_timeout"])}
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
        return AccessError(
            message,
            hint=f"Correct SNOWFLAKE_ROLE, or have it granted: GRANT ROLE {arguments.get('role')} TO USER {who}",
        )
    if errno in _REFUSALS or errno == _NO_TOKEN or any(words in text for words in _REFUSED):
        return AccessError(
            f"Snowflake refused the sign-in of {who}: {text}",
            hint=of_sign_in(errno, text) or _HINTS.get(plan.way, _HINTS["SNOWFLAKE"]),
        )
    return _unreached(plan, text)
