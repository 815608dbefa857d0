"""Who may sign in, and with which proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class User:
    name: str
    password: str | None = None
    public_keys: list[str] = field(default_factory=list)  # bodies of PEM files
    access_tokens: set[str] = field(default_factory=set)  # programmatic access tokens
    oauth_tokens: set[str] = field(default_factory=set)
    expired_tokens: set[str] = field(default_factory=set)
    identity_tokens: set[str] = field(default_factory=set)  # workload identity federation
    parameters: dict[str, Any] = field(default_factory=dict)  # go before those of the account
    refusal: tuple[int, str] | None = None  # disabled, password expired, address not allowed: (number, message)
    mfa_passcode: str | None = None  # when set, a password alone is not enough

    def set_rsa_public_key(self, body: str) -> None:
        """As ALTER USER ... SET RSA_PUBLIC_KEY takes it: the PEM's body, with or without its frame."""
        self.public_keys = ["".join(line for line in body.split("\n") if "-----" not in line)]
