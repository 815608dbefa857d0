"""What a refusal means and what to do about it, by the service's number (or the connector's, from 250000 to 253999)."""

from __future__ import annotations

from dataclasses import dataclass

DOES_NOT_EXIST = 2003
INSUFFICIENT = 3001
NO_WAREHOUSE = 606


@dataclass(frozen=True)
class Refusal:
    """What happened and what to do next. `words` find it where a connector keeps the number to itself."""

    numbers: tuple[int, ...]
    happened: str
    remedy: str
    words: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """Both, for the user."""
        return f"{self.happened} {self.remedy}"


_SAFE = "Nothing of this run was published."
_LOCK_HOLDER = (
    "SHOW LOCKS IN ACCOUNT names its session; SELECT SYSTEM$ABORT_TRANSACTION(<transaction>) ends it. Of a run that was "
    "killed the service ends it 5 minutes later by itself: then run again."
)
_CLOCK = "Set the clock of this machine (the token is valid for minutes around the present moment), then run again."

STATEMENTS = (
    Refusal(
        (604,),
        "The statement was cancelled: by somebody with the right to, or by a limit on how long a query may take.",
        f"{_SAFE} Look it up in the query history (QUERY_TAG is stockpipe and the run's id), then run again.",
    ),
    Refusal(
        (625,),
        "Another transaction holds the table's lock, or too many wait for it.",
        f"{_SAFE} {_LOCK_HOLDER} STOCKPIPE_DEADLINE says how long a run may wait.",
    ),
    Refusal(
        (630,),
        "The statement reached its time limit.",
        f"{_SAFE} The smallest of three counts: STOCKPIPE_DEADLINE, the warehouse's STATEMENT_TIMEOUT_IN_SECONDS and its "
        "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS (SHOW PARAMETERS FOR WAREHOUSE ...). Raise it, or use a warehouse that is less busy.",
    ),
    Refusal(
        (90073,),
        "The warehouse may not start: the quota of its resource monitor is used up.",
        "An administrator raises it (ALTER RESOURCE MONITOR ... SET CREDIT_QUOTA = ...), or names another warehouse in "
        "SNOWFLAKE_WAREHOUSE; otherwise run again in the monitor's next interval.",
    ),
    Refusal(
        (100078,),
        "A value is longer than its column, and Snowflake cuts nothing.",
        f"{_SAFE} Widen the column (ALTER TABLE ... ALTER COLUMN ... SET DATA TYPE VARCHAR(...)); stockpipe schema prints "
        "the widths that it expects.",
    ),
    Refusal(
        (253003,),
        "The storage behind the stages cannot be reached. It has a host of its own, not the account's.",
        f"{_SAFE} Let that host through the firewall or proxy: SELECT SYSTEM$ALLOWLIST() names it, with the type STAGE. "
        "Or set STOCKPIPE_LOAD_METHOD=insert, which needs no storage.",
        ("Failed to upload files",),
    ),
    Refusal(
        (390111, 390112, 390114, 390115, 390195),
        "The session has ended: an administrator or the service closed it, or it was idle for too long.",
        "What was not committed is rolled back. Run again.",
    ),
    Refusal(
        (250001, 250003, 250007),
        "The connection to Snowflake was lost and did not come back.",
        "What was not committed is rolled back. Check the network, then run again.",
    ),
    Refusal(
        (603,),
        "The service failed at it by its own account.",
        "What was not committed is rolled back. Run again; if it stays, status.snowflake.com or Snowflake's support knows more.",
    ),
)

SIGN_IN = (
    Refusal(
        (390422,),
        "A network policy does not let in the address of this machine.",
        "An administrator adds it to the policy of the user or the account (ALTER NETWORK RULE ... SET VALUE_LIST = ...), "
        "or you go through an address that is let in. The key or token itself was not looked at.",
        ("is not allowed to access Snowflake",),
    ),
    Refusal(
        (390101,),
        "The user is disabled.",
        "An administrator enables it: ALTER USER ... SET DISABLED = FALSE; or name another in SNOWFLAKE_USER.",
        ("User access disabled",),
    ),
    Refusal(
        (390106,),
        "The user's password has expired.",
        "Set a new one in Snowsight and put it into SNOWFLAKE_PASSWORD; a service is better off with a key pair.",
        ("password has expired", "Password expired"),
    ),
    Refusal(
        (),
        "A programmatic access token of this user needs a network policy, and there is none.",
        "An administrator sets one (ALTER USER ... SET NETWORK_POLICY = ...), or waives it with an authentication policy "
        "(PAT_POLICY = (NETWORK_POLICY_EVALUATION = NOT_ENFORCED)).",
        ("Network policy is required",),
    ),
    Refusal(
        (394304,),
        "The user has another key than this one.",
        "Compare RSA_PUBLIC_KEY_FP and RSA_PUBLIC_KEY_2_FP of DESCRIBE USER with this key; ALTER USER ... SET RSA_PUBLIC_KEY "
        "(or RSA_PUBLIC_KEY_2) gives the user this one. SNOWFLAKE_USER and SNOWFLAKE_ACCOUNT must be those of the key.",
    ),
    Refusal((394301,), "The sign-in's token had already expired when it came: this machine's clock is late.", _CLOCK),
    Refusal((394302,), "The sign-in's token is not valid yet: this machine's clock is ahead.", _CLOCK),
    Refusal((394303,), "The sign-in's token has a life that the service does not take: is the clock right?", _CLOCK),
)

SESSION_GONE = frozenset((390111, 390112, 390114, 390115, 390195, 250001, 250003, 250007))
"""A session with one of these answers nothing any more; a new one may."""


# Classes of SQLSTATE: syntax and names, values that cannot be, what the service does not support.
_MISTAKEN = ("42", "22", "0A")
_NOT_THE_STATEMENT = frozenset((NO_WAREHOUSE, INSUFFICIENT))


def is_mistaken(number: int | None, sqlstate: str | None) -> bool:
    """Whether the statement itself is to blame: not a missing privilege or warehouse, which have the same classes."""
    if number in _NOT_THE_STATEMENT:
        return False
    return number == DOES_NOT_EXIST or (sqlstate or "").startswith(_MISTAKEN)


def of_statement(number: int | None, text: str) -> str | None:
    """What to tell about a refused statement with this message; None where no entry fits."""
    return _first(STATEMENTS, number, text)


def of_sign_in(number: int | None, text: str) -> str | None:
    """What to tell about a refused sign-in with this message; None where the way of signing in says more."""
    return _first(SIGN_IN, number, text)


def _first(refusals: tuple[Refusal, ...], number: int | None, text: str) -> str | None:
    for refusal in refusals:
        if number in refusal.numbers or any(words in text for words in refusal.words):
            return refusal.hint
    return None
