"""Keeping secrets out of records: values under secret-looking names, known token shapes, userinfo of URLs.

What is hidden becomes `[redacted]`; redacting twice changes nothing. Names of machine learning (`num_tokens`,
`cls_token`, `key_dim`) and digests (git commits, sha256, uuids) stay readable.

Regular expressions are compiled only when a literal piece of them is in the text: nearly every text has none.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

REDACTED = "[redacted]"

# How secret-looking names end, lower case and without separators: `AWS_SECRET_ACCESS_KEY`, `apiKey`, `db.password`.
# A key or a token alone says nothing (`sort_key`, `eos_token`): the word before it decides.
_WORDS = "password passwd passphrase passcode secret credential".split()
_KEYS = "api access secret private auth account signing encryption ssh master storage subscription".split()
_TOKENS = "auth access api bearer refresh session security private personal secret hub hf gitlab tracking".split()
_SECRET_ENDS = (
    *(word + plural for word in [*_WORDS, *(key + "key" for key in _KEYS)] for plural in ("", "s")),
    *(word + "token" for word in _TOKENS),
    "authorization",
)
_SECRET_NAMES = frozenset({"token", "pwd"})
_STEMS = ("pass", "pwd", "secret", "credential", "key", "token", "authorization")
_SEPARATORS = str.maketrans("", "", "_-. ")

# The literal beginnings of tokens → what must follow.
_SHAPES = {
    # GitHub, GitLab, Atlassian, Docker, PyPI
    "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- glptt- ATATT3 dckr_pat_ pypi-AgE": r"[\w-]{16,}",
    # Slack, Stripe
    "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp- sk_live_ sk_test_ rk_live_ rk_test_ whsec_": r"[\w-]{16,}",
    # DigitalOcean, Shopify, Sentry, Grafana, Linear, Figma, Vault, Google OAuth
    "dop_v1_ shpat_ shpss_ sntrys_ glsa_ lin_api_ figd_ hvs. GOCSPX- ya29.": r"[\w-]{16,}",
    # OpenAI, Anthropic, OpenRouter, Langfuse, xAI, Perplexity, Groq, Weights & Biases
    "sk-proj- sk-svcacct- sk-admin- sk-ant- sk-or- sk-lf- xai- pplx- gsk_ wandb_v1_": r"[\w-]{16,}",
    # Beginnings so short that only an unbroken run counts: OpenAI, Hugging Face, npm, Replicate
    "sk- hf_ api_org_ npm_ r8_": r"[A-Za-z0-9]{30,}",
    # Google, AWS, Databricks, SendGrid, JSON web tokens
    "AIza": r"[\w-]{35}",
    "AKIA ASIA": r"[A-Z0-9]{16}(?![A-Za-z0-9])",
    "dapi": r"[0-9a-f]{32}",
    "SG.": r"[\w-]{16,128}\.[\w-]{16,}",
    "eyJ": r"[\w-]{8,4096}\.eyJ[\w-]{8,4096}\.[\w-]*",
    "-----BEGIN": r" [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\Z)",
    "Bearer bearer": r"\s+[\w.~+/=-]{16,}",
    "Authorization authorization": r"""["']?\s*[:=]\s*["']?\w+\s+[^\s"',}]+""",
    "hooks.slack.com/services/": r"[\w/]{20,}",
    "?sig= &sig= X-Amz-Signature=": r"[\w%+/-]{20,}={0,2}",
}
_BEGINNINGS = tuple((literal, follows) for literals, follows in _SHAPES.items() for literal in literals.split())
_SHORTEST_TOKEN = 20

# A password may hold "@" or "/"; the digits of a port are no password; everyone has the user `git`.
_USERINFO = r"""://(?!git@)(?:[^\s/?#"'<>]{0,512}|[^\s/:@]{1,512}:(?!\d+(?:[/?#]|$))[^\s"'<>]{1,512})@"""

# NAME=VALUE, NAME: VALUE, "NAME": VALUE, ["NAME"] = VALUE, \"NAME\": VALUE, --NAME VALUE, "--NAME", "VALUE"
_NAME = (
    r"""(?<![\w.-])(?:(-{0,2}[A-Za-z_][\w.-]*+)\\*["']?\]?[ \t]*+(?:=>|[:=]+)[ \t]*+"""
    r"""|(--[A-Za-z][\w.-]*+)["']?,?[ \t]++(?!--))"""
)
_QUOTED = r"""([bfruBFRU]{0,2}(\\*(?:\"{3}|'{3}|["'])))(?:(?!\2)(?:\\.|[^\n]))++"""
_BARE = r"""()(?:[^\s,;&"']|[,;&](?!\s|$|[\w.-]+[:=]))++"""
_OPAQUE = r"""[bru]?\\*["']?(?=[\w.~+/=-]{20})\D{0,19}\d"""


def is_secret_name(name: str) -> bool:
    """Whether a value under this name is a secret, whatever it looks like."""
    plain = name.lower().translate(_SEPARATORS).rstrip("0123456789")
    return plain.endswith(_SECRET_ENDS) or name.lower().rpartition(".")[2] in _SECRET_NAMES


def redact_text(text: str) -> str:
    """The text without token shapes, URL userinfo, and what is assigned to secret-looking names.

    Meant for whatever people or programs wrote: notes, error messages, tracebacks, reprs.
    """
    if len(text) >= _SHORTEST_TOKEN:
        for literal, follows in _BEGINNINGS:
            if literal in text:
                boundary = r"(?<![A-Za-z0-9])" if literal[0].isalpha() else ""
                text = re.sub(boundary + re.escape(literal) + follows, REDACTED, text)
    if "://" in text and "@" in text:
        text = re.sub(_USERINFO, f"://{REDACTED}@", text)
    if any(mark in text for mark in ("=", ":", " ")) and any(stem in text.lower() for stem in _STEMS):
        text = "".join(_without_assigned(text))
    return text


def redact_value(name: str, value: Any) -> Any:
    """The value as it may be recorded under this name; dicts, lists and tuples are searched through.

    None, True, False and "" are never secrets. Objects of other kinds come back as they are unless the name is
    secret: whoever records their repr passes that through `redact_text`.
    """
    if isinstance(value, str):
        return REDACTED if value and _hides(name, value) else redact_text(value)
    if value is None or isinstance(value, bool):
        return value
    if is_secret_name(name):
        return REDACTED
    if isinstance(value, dict):
        return {key: redact_value(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [redact_value(name, item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def redact_argv(argv: Iterable[str]) -> list[str]:
    """A command line without secrets: `--api-key VALUE`, `--token=VALUE`, `db.password=VALUE`, and token shapes."""
    safe: list[str] = []
    value_of_secret = False
    for item in argv:
        name, equals, value = item.partition("=")
        flag = name.lstrip("-+")
        if value_of_secret and not item.startswith("--"):
            safe.append(REDACTED)
        elif equals and flag.replace("-", "_").replace(".", "_").isidentifier():
            safe.append(f"{name}={redact_value(flag, value)}")
        else:
            safe.append(redact_text(item))
        value_of_secret = not equals and name.startswith("-") and is_secret_name(flag)
    return safe


def redact_url(url: str) -> str:
    """The URL (or `user@host:path`) with its userinfo taken out, except the user `git`, and tokens redacted."""
    url = re.sub(_USERINFO, "://", url)
    if "://" not in url and not url.startswith("git@"):
        url = url.rpartition("@")[2]
    return redact_text(url)


def _hides(name: str, value: str) -> bool:
    return is_secret_name(name) or (name.lower().endswith("token") and re.match(_OPAQUE, value) is not None)


def _without_assigned(text: str) -> Iterator[str]:
    """The pieces of the text, what is assigned to secret-looking names replaced."""
    done = 0
    for assigned in re.finditer(_NAME, text):
        start = assigned.end()
        if assigned.start() < done or not _hides_in_text(assigned[1] or assigned[2], text[start : start + 32]):
            continue
        value = re.compile(_QUOTED).match(text, start) or re.compile(_BARE).match(text, start)
        if value is not None:
            yield text[done:start] + value[1] + REDACTED
            done = value.end()
    yield text[done:]


def _hides_in_text(name: str, beginning: str) -> bool:
    # `token: int` in a signature and "unexpected token: ]" in a message are no secrets, as `--token x` is.
    if name.lower() in _SECRET_NAMES:
        return re.match(_OPAQUE, beginning) is not None
    return _hides(name.lstrip("-"), beginning)
