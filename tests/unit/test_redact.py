"""Secrets never reach a record, and nothing else is lost on the way.

No token stands here as a whole: the pieces are put together when the test runs, so that scanners find none.
"""

from __future__ import annotations

import itertools
import json
import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specweave_ml.redact import REDACTED, is_secret_name, redact_argv, redact_text, redact_url, redact_value

MIXED = "a1B" + string.ascii_letters + string.digits
HEX = "0123456789abcdef"
CAPS = string.ascii_uppercase + string.digits
BASE64 = "a1B" + string.ascii_letters + string.digits + "+/"


class Made(str):
    """The part of a shape that must not be seen again."""

    __slots__ = ()


def made(alphabet: str, length: int) -> Made:
    return Made("".join(itertools.islice(itertools.cycle(alphabet), length)))


# What a secret looks like: words that may stay, and parts (made) that must go.
SHAPES: dict[str, list[str]] = {
    "GitHub personal": ["ghp_", made(MIXED, 36)],
    "GitHub OAuth": ["gho_", made(MIXED, 36)],
    "GitHub user": ["ghu_", made(MIXED, 36)],
    "GitHub server": ["ghs_", made(MIXED, 36)],
    "GitHub refresh": ["ghr_", made(MIXED, 76)],
    "GitHub fine-grained": ["github_pat_", made(MIXED, 22), "_", made(MIXED, 59)],
    "GitLab personal": ["glpat-", made(MIXED, 20)],
    "AWS key": ["AKIA", made(CAPS, 16)],
    "AWS temporary key": ["ASIA", made(CAPS, 16)],
    "AWS secret": ["aws_secret_access_key = ", made(BASE64, 40)],
    "AWS secret, exported": ["export AWS_SECRET_ACCESS_KEY=", made(BASE64, 40)],
    "Slack bot": ["xoxb-", made(string.digits, 12), "-", made(MIXED, 24)],
    "Slack user": ["xoxp-", made(string.digits, 12), "-", made(MIXED, 32)],
    "Slack webhook": ["https://hooks.slack.com/services/", made(CAPS, 9), "/", made(CAPS, 9), "/", made(MIXED, 24)],
    "Google API": ["AIza", made(MIXED, 35)],
    "Google OAuth": ["ya29.", made(MIXED, 60)],
    "OpenAI": ["sk-", made(MIXED, 48)],
    "OpenAI project": ["sk-proj-", made(MIXED, 60), "-", made(MIXED, 20)],
    "Anthropic": ["sk-ant-api03-", made(MIXED, 80), "-AA"],
    "Hugging Face": ["hf_", made(string.ascii_letters, 34)],
    "Weights & Biases": ["WANDB_API_KEY=", made(HEX, 40)],
    "Weights & Biases, JSON": ['{"wandb_api_key": "', made(HEX, 40), '"}'],
    "Stripe live": ["sk_live_", made(MIXED, 24)],
    "Stripe restricted": ["rk_test_", made(MIXED, 24)],
    "SendGrid": ["SG.", made(MIXED, 22), ".", made(MIXED, 43)],
    "npm": ["npm_", made(MIXED, 36)],
    "PyPI": ["pypi-AgE", made(MIXED, 120)],
    "Databricks": ["dapi", made(HEX, 32)],
    "JSON web token": ["eyJ", made(MIXED, 33), ".eyJ", made(MIXED, 70), ".", made(MIXED, 43)],
    "private key": ["-----BEGIN RSA ", "PRIVATE KEY-----\n", made(BASE64, 64), "\n-----END RSA ", "PRIVATE KEY-----"],
    "private key, escaped": [
        r"-----BEGIN ",
        r"PRIVATE KEY-----\n",
        made(BASE64, 64),
        r"\n-----END ",
        "PRIVATE KEY-----",
    ],
    "private key, cut": ["-----BEGIN OPENSSH ", "PRIVATE KEY-----\n", made(BASE64, 64), "\n", made(BASE64, 30)],
    "bearer": ["Authorization: Bearer ", made(MIXED, 32)],
    "basic": ["'Authorization': 'Basic ", made(BASE64, 24), "'"],
    "database": ["postgresql+psycopg://trainer:", made(MIXED, 12), "@db.example.org:5432/runs"],
    "database, password with @": ["mysql://trainer:", Made("p@ssw:rd"), "@db/runs"],
    "database, password with /": ["mysql://trainer:", Made("pass/w:rd?#1"), "@db/runs"],
    "database, no user": ["redis://:", made(MIXED, 12), "@cache:6379/0"],
    "Azure storage": ["DefaultEndpointsProtocol=https;AccountName=models;AccountKey=", made(BASE64, 86), "==;"],
    "Azure signature": ["https://models.blob.core.windows.net/a?sv=2024&sig=", made(BASE64, 43), "%3D"],
    "ADO password": ["Server=db;User Id=trainer;Pwd=", made(MIXED, 20), ";Encrypt=yes"],
    "URL parameter": ["https://gitlab.com/api/v4?private_token=", made(MIXED, 20), "&page=2"],
    "signed URL": ["https://bucket.s3.amazonaws.com/m.pkl?X-Amz-Signature=", made(HEX, 64)],
    "password": ["password: ", Made("correct-horse")],
    "password, quoted": ["db_password='", Made("two words"), "'"],
    "password, as bytes": ["secret = b'", Made("two words"), "'"],
    "password, escaped JSON": ['{\\"passwd\\": \\"', Made("two words"), '\\"}'],
    "password, subscript": ["config['client_secret'] = \"", Made(r"two \"words"), '"'],
    "flag": ["train.py --api-key ", Made("hunter2"), " --epochs 3"],
    "flag, as a list": ["['train.py', '--hf-token', '", Made("hunter2"), "']"],
    "token of an unknown service": ["MY_SERVICE_TOKEN=", made(MIXED, 24)],
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(
    "channel", ["{}", "the run failed: {} was refused", "note\n{}\nlast line", '"{}"', "({})", "x={}", "a:{},"]
)
def test_no_part_of_a_secret_is_left_in_a_text(shape, channel):
    said = redact_text(channel.format("".join(shape)))
    assert [part for part in shape if isinstance(part, Made) and part in said] == []
    assert REDACTED in said
    assert redact_text(said) == said


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_no_part_of_a_secret_is_left_in_a_value_an_argument_or_a_traceback(shape):
    text = "".join(shape)
    try:
        raise ConnectionError(text)
    except ConnectionError as error:
        raised = "".join(traceback.format_exception(error)) + repr(error)
    channels = [
        redact_value("model", text),
        redact_value("config", {"service": [text, (1, text)]}),
        redact_argv(["python", "train.py", text]),
        redact_argv(["python", "train.py", f"--service={text}"]),
        redact_argv(["python", "-c", f"connect({text!r})"]),
        redact_text(json.dumps({"service": text})),
        redact_text(raised),
    ]
    for part in shape:
        assert not isinstance(part, Made) or [said for said in channels if part in str(said)] == []


def test_what_stands_around_a_secret_stays():
    token = "ghp_" + made(MIXED, 36)
    assert redact_text(f"push with {token} failed at step 3") == "push with [redacted] failed at step 3"
    assert redact_text("lr=0.1 password=hunter2, epochs=3") == "lr=0.1 password=[redacted], epochs=3"
    assert (
        redact_text('{"user": "a", "password": "x y", "lr": 1}') == '{"user": "a", "password": "[redacted]", "lr": 1}'
    )
    assert redact_text("postgres://a:b@db:5432/runs?ssl=1") == "postgres://[redacted]@db:5432/runs?ssl=1"
    assert redact_text("fit(X, api_key='x', depth=3)") == "fit(X, api_key='[redacted]', depth=3)"


@pytest.mark.parametrize(
    "name",
    """password db_password DB_PASSWORD db.password dbPassword passwd passphrase secret secrets client_secret api_key
    apikey apiKey API-KEY api_keys openai_api_key access_key aws_secret_access_key private_key auth_token access_token
    refresh_token hf_token HUGGING_FACE_HUB_TOKEN token hub.token credential credentials encryption_key
    password2 Authorization MLFLOW_TRACKING_TOKEN""".split(),
)
def test_secret_names(name):
    assert is_secret_name(name)
    for value in ("hunter2", 12345, 1.5, b"hunter2", ["hunter2"], {"value": "hunter2"}):
        assert redact_value(name, value) == REDACTED
    for value in (None, True, False, ""):
        assert redact_value(name, value) is value
    assert "hunter2" not in str(redact_value("nested", {"list": [{name: "hunter2"}]}))


# Names and values of machine learning, and digests: not one may be touched.
HARMLESS = {
    "num_tokens": "1000000",
    "max_tokens": "4096",
    "max_new_tokens": "128",
    "tokens": "three of them",
    "tokens_per_second": "1500.5",
    "cls_token": "[CLS]",
    "pad_token_id": "0",
    "eos_token": "</s>",
    "bos_token": "<|begin_of_text|>",
    "stop_token": "<|reserved_special_token_128|>",
    "user_token": "<|user|>",
    "token_embedding_dim": "768",
    "token_type": "wordpiece",
    "tokenizer": "bert-base-uncased",
    "tokenizer.path": "models/sentencepiece-tokenizer-v2.model",
    "n_keys": "8",
    "key": "validation",
    "keys": "a, b",
    "key_dim": "64",
    "sort_key": "length",
    "primary_key": "user_id",
    "monkey": "business",
    "secretary": "problem",
    "secret_santa_pairs": "12",
    "author": "Someone",
    "authors": "Someone, Someone Else",
    "auth_dim": "16",
    "authority": "ISO",
    "passes": "3",
    "n_pass": "2",
    "password_length": "12",
    "compass": "north",
    "bearer": "steel",
    "task": "sk-learn-pipeline-with-a-rather-long-name",
    "features": "hf_energy_band_ratio_over_time_window",
    "commit": made(HEX, 40),
    "git_sha": made("fedcba9876543210", 40),
    "sha256": made(HEX, 64),
    "md5": made(HEX, 32),
    "digest": "sha256:" + made(HEX, 64),
    "image": "registry.example.org/team/model@sha256:" + made(HEX, 64),
    "run_id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "url": "https://example.org:8080/a/b?c=d#e",
    "mail": "someone@example.org",
    "remote": "git@github.com:team/models.git",
    "ssh": "ssh://git@github.com/team/models.git",
    "at_in_path": "http://localhost:8080/icons@2x.png",
    "s3": "s3://bucket/models/v1/model.pkl",
    "version": "dvc:data/train.csv@v1.2",
    "time": "2026-11-24T15:04:05+00:00",
    "code": "def tokenize(text: str, key=len) -> list[str]: return sorted(text.split(), key=key)",
    "metric": "precision@10",
    "note": "The secretary's tokens: 3 keys, author unknown; see sec. 2 -- bearer of bad news, unexpected token: ]",
    "signature": "def push(self, token: str | None = None): ...",
    "base64": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
}


@pytest.mark.parametrize(("name", "value"), HARMLESS.items(), ids=HARMLESS)
def test_nothing_else_is_redacted(name, value):
    assert redact_value(name, value) == value
    assert redact_text(value) == value
    assert redact_text(f"{name}={value}") == f"{name}={value}"
    assert redact_text(f'{{"{name}": "{value}"}}') == f'{{"{name}": "{value}"}}'
    for argv in (["train.py", f"--{name}={value}"], ["train.py", f"--{name}", value], [f"{name}={value}"]):
        assert redact_argv(argv) == argv


@pytest.mark.parametrize("value", [0, 1.5, float("inf"), None, True, (1, "a"), [], {}, {"a": [1, {"b": ()}]}])
def test_values_keep_their_type(value):
    assert redact_value("x", value) == value
    assert type(redact_value("x", value)) is type(value)


@pytest.mark.parametrize(
    ("argv", "safe"),
    [
        (["--api-key", "VALUE", "--lr", "1"], ["--api-key", REDACTED, "--lr", "1"]),
        (["--token=VALUE"], [f"--token={REDACTED}"]),
        (["--token", "VALUE"], ["--token", REDACTED]),
        (["-password", "-VALUE"], ["-password", REDACTED]),
        (["--password", "--verbose"], ["--password", "--verbose"]),
        (["--password=a, b c"], [f"--password={REDACTED}"]),
        (["--password="], ["--password="]),
        (["db.password=VALUE", "+api_key=VALUE"], [f"db.password={REDACTED}", f"+api_key={REDACTED}"]),
        (["--db", "mysql://u:VALUE@h/d"], ["--db", f"mysql://{REDACTED}@h/d"]),
        (["-c", "login(password='VALUE'); x = 1"], ["-c", f"login(password='{REDACTED}'); x = 1"]),
        (["--header", "X-Api-Key: VALUE"], ["--header", f"X-Api-Key: {REDACTED}"]),
    ],
)
def test_command_lines(argv, safe):
    assert redact_argv(argv) == safe


def test_urls_lose_their_userinfo():
    assert redact_url("https://user:secret@example.org/x") == "https://example.org/x"
    assert redact_url("secret@example.org:x") == "example.org:x"
    assert redact_url("git@example.org:x") == "git@example.org:x"
    assert redact_url("https://example.org/x?access_token=abc") == f"https://example.org/x?access_token={REDACTED}"


PIECES = st.sampled_from(
    """password secret api_key token tokens = : -- , ; & ' " ''' \\ \\" b' [ ] ( ) { } :// @ / # ? \n . - _ a Z 9 </s>
    Bearer Authorization eyJ sk- hf_ xtoken abcdefghij0123456789 KEY----- -----BEGIN PRIVATE""".split(" ")
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_redacting_twice_changes_nothing(text):
    once = redact_text(text)
    assert redact_text(once) == once


@pytest.mark.parametrize(
    "unit", ["://a:b", "eyJ-", "xtoken=", "password=", "SG.a", "a", "\\", "--token ", "Bearer ", "="]
)
def test_a_long_text_takes_a_moment_not_an_age(unit):
    redact_text(unit * (100_000 // len(unit)) + "@ token: x")
