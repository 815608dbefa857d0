"""Sign-in that can refuse: password, key pair, programmatic access token, OAuth, as the service answers."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from snowflake_gate.answers import Answer, Refusal, done
from snowflake_gate.session import Session
from snowflake_gate.users import User

_WRONG = (390100, "Incorrect username or password was specified.")
_BAD_JWT = (390144, "JWT token is invalid. [stand-in]")
_BAD_PAT = (394400, "Programmatic access token is invalid.")
_BAD_OAUTH = (390303, "Invalid OAuth access token. [stand-in]")
_EXPIRED_OAUTH = (390318, "OAuth access token expired. [stand-in]")
_BAD_IDENTITY = (
    390322,
    "Workload identity token is invalid. [stand-in]",
)  # the service's number is not public
_LONGEST_JWT = 3600 + 5


class SignIn:
    def __init__(self, account: str, users: dict[str, User]) -> None:
        self.account = account
        self.users = users
        self.browser_tokens: dict[str, tuple[str, str]] = {}  # token -> (user, proof key)
        self.oauth_clients: dict[str, tuple[str, str]] = {}  # client id -> (secret, user)

    def check(self, data: dict[str, Any]) -> User:
        authenticator = str(data.get("AUTHENTICATOR") or "SNOWFLAKE").upper()
        token = str(data.get("TOKEN") or "")
        user = self.users.get(str(data.get("LOGIN_NAME") or "").upper())
        if user and user.refusal:
            raise _refused(*user.refusal)
        if authenticator == "SNOWFLAKE_JWT":
            return self._key_pair(user, token)
        if authenticator == "PROGRAMMATIC_ACCESS_TOKEN":
            return self._token(user, token, "access_tokens", _BAD_PAT)
        if authenticator == "OAUTH":
            return self._token(self._owner(token) or user, token, "oauth_tokens", _BAD_OAUTH)
        if authenticator == "EXTERNALBROWSER":
            return self._browser(user, token, str(data.get("PROOF_KEY")))
        if authenticator == "WORKLOAD_IDENTITY":
            owners = (u for u in self.users.values() if token in u.identity_tokens)
            return self._token(next(owners, None), token, "identity_tokens", _BAD_IDENTITY)
        return self._password(user, data)

    def _owner(self, token: str) -> User | None:
        known = (u for u in self.users.values() if token in u.oauth_tokens | u.expired_tokens)
        return next(known, None)

    @staticmethod
    def _password(user: User | None, data: dict[str, Any]) -> User:
        if not user or user.password is None or data.get("PASSWORD") != user.password:
            raise _refused(*_WRONG)
        if user.mfa_passcode and data.get("PASSCODE") != user.mfa_passcode:
            raise _refused(
                394508,
                "MFA with TOTP is required. To authenticate, provide both your password and a passcode.",
            )
        return user

    @staticmethod
    def _token(user: User | None, token: str, kind: str, refusal: tuple[int, str]) -> User:
        if user and token in user.expired_tokens:
            raise _refused(*(_EXPIRED_OAUTH if kind == "oauth_tokens" else refusal))
        if not user or token not in getattr(user, kind):
            raise _refused(*refusal)
        return user

    def _browser(self, user: User | None, token: str, proof_key: str) -> User:
        if user is None or self.browser_tokens.get(token) != (user.name, proof_key):
            raise _refused(390190, "There was an error related to the SAML token. [stand-in]")
        return user

    def browser_token(self, login_name: str, proof_key: str) -> str:
        """What the console gives to who signed in there."""
        token = secrets.token_urlsafe(24)
        self.browser_tokens[token] = (login_name.upper(), proof_key)
        return token

    def _key_pair(self, user: User | None, token: str) -> User:
        for body in user.public_keys if user else []:
            if user and self._signed(user, token, load_der_public_key(base64.b64decode(body))):
                return user
        raise _refused(*_BAD_JWT)

    def _signed(self, user: User, token: str, key: Any) -> bool:
        subject = f"{self.account.partition('.')[0].upper()}.{user.name}"
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256", "ES256", "ES384", "ES512"],
                issuer=f"{subject}.{fingerprint(key)}",
                subject=subject,
                options={"require": ["iss", "sub", "iat", "exp"]},
            )
        except jwt.PyJWTError:
            return False
        return bool(claims["exp"] - claims["iat"] <= _LONGEST_JWT)

    def oauth_token(self, client_id: str, secret: str) -> str | None:
        """What an identity provider does for a client id and its secret."""
        known_secret, name = self.oauth_clients.get(client_id, ("", ""))
        if not known_secret or secret != known_secret:
            return None
        token = secrets.token_urlsafe(24)
        self.users[name.upper()].oauth_tokens.add(token)
        return token


def fingerprint(public_key: Any) -> str:
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def _refused(code: int, message: str) -> Refusal:
    return Refusal(code, message, "08001", nextAction="RETRY_LOGIN")


def signed_in(session: Session, version: str) -> Answer:
    """The whole login answer: connector 5.x refuses one without masterToken, validity or role."""
    connection = session.connection
    parameters = {
        "AUTOCOMMIT": session.autocommit,
        "CLIENT_SESSION_KEEP_ALIVE": False,
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
        "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,  # array bindings inline: fakesnow cannot stage them
        "CLIENT_TELEMETRY_ENABLED": False,
        "QUERY_CONTEXT_CACHE_SIZE": 5,
        "TIMEZONE": session.parameters.get("TIMEZONE", "Etc/UTC"),
    }
    return done(
        {
            "token": session.token,
            "masterToken": session.master_token,
            "validityInSeconds": 3600,
            "masterValidityInSeconds": 14400,
            "displayUserName": session.user,
            "serverVersion": version,
            "firstLogin": False,
            "remMeToken": None,
            "remMeValidityInSeconds": 0,
            "healthCheckInterval": 45,
            "newClientForUpgrade": None,
            "sessionId": session.id,
            "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
            "sessionInfo": {
                "databaseName": connection.database if connection.database_set else None,
                "schemaName": connection.schema if connection.schema_set else None,
                "warehouseName": session.warehouse,
                "roleName": session.role,
            },
            "idToken": None,
            "idTokenValidityInSeconds": 0,
            "mfaToken": None,
            "mfaTokenValidityInSeconds": 0,
            "responseData": None,
        }
    )
