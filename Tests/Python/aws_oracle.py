# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""What botocore finds in an AWS environment: Region, endpoint of AWS KMS and credentials, or why not."""

import functools
import getpass
import os


class Unsupported(Exception):
    """A way to get credentials that needs a person or another service."""


def prompt(*arguments):
    raise Unsupported("a code of an MFA device is needed")


# Nobody types a code here. botocore takes the function when it is imported.
getpass.getpass = prompt

import botocore.exceptions
import botocore.handlers
import botocore.hooks
import botocore.loaders
import botocore.session
import botocore.utils
from botocore.awsrequest import AWSResponse

# These are computed for thousands of sessions, always with the same results.
botocore.hooks.accepts_kwargs = functools.lru_cache(maxsize=None)(botocore.hooks.accepts_kwargs)
LOADER = botocore.loaders.create_loader()
# Handlers of other services take the most time of a session, and are never called here.
OTHERS = {name for service in LOADER.list_available_services("service-2") for name in (service, service.replace("_", "-"))}
OTHERS -= {"kms", "sts"}
botocore.handlers.BUILTIN_HANDLERS = [
    handler for handler in botocore.handlers.BUILTIN_HANDLERS if not OTHERS & set(handler[0].split("."))
]
# A container's endpoint that fails is asked three times, with a second between.
botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0

# What an exception means, for a comparison with another implementation; the first match counts.
KINDS = [
    (botocore.exceptions.ProfileNotFound, "profile"),
    (botocore.exceptions.PartialCredentialsError, "partial"),
    (botocore.exceptions.SSOError, "unsupported"),
    (botocore.exceptions.UnauthorizedSSOTokenError, "unsupported"),
    (botocore.exceptions.TokenRetrievalError, "unsupported"),
    (botocore.exceptions.MissingDependencyException, "unsupported"),
    (botocore.exceptions.CredentialRetrievalError, "retrieval"),
    (botocore.exceptions.MetadataRetrievalError, "retrieval"),
    (botocore.exceptions.NoRegionError, "region"),
    (botocore.exceptions.InvalidRegionError, "region"),
    (botocore.exceptions.ClientError, "refused"),
    (botocore.exceptions.ParamValidationError, "config"),
    (botocore.exceptions.BotoCoreError, "config"),
]


def refusal(problem):
    kind = next((kind for type_, kind in KINDS if isinstance(problem, type_)), "other")
    if isinstance(problem, Unsupported) or "Login" in type(problem).__name__:
        kind = "unsupported"
    return {"refusal": kind, "error": f"{type(problem).__name__}: {problem}"[:400]}


def found(look):
    try:
        return look()
    except Exception as problem:
        return refusal(problem)


class Raw:
    def stream(self, *arguments, **named):
        yield b"{}"


def endpoint_of(session):
    """The URL that a request to AWS KMS goes to."""
    urls = []

    def send(request, **named):
        urls.append(request.url)
        return AWSResponse(request.url, 200, {}, Raw())

    client = session.create_client("kms", aws_access_key_id="AKIDX", aws_secret_access_key="x")
    client.meta.events.register("before-send.kms", send)
    client.list_keys()
    return {"value": urls[0]}


def ca_bundle_of(session):
    """Whether the file that is trusted has certificates; no file is fine."""
    path = session.get_config_variable("ca_bundle")
    if not path:
        return {"value": ""}
    try:
        with open(path) as file:
            return {"value": path} if "BEGIN CERTIFICATE" in file.read() else {"refusal": "bundle", "error": path}
    except OSError as problem:
        return {"refusal": "bundle", "error": str(problem)}


def credentials_of(session):
    credentials = session.get_component("credential_provider").load_credentials()
    if credentials is None:
        return {"refusal": "none", "error": "no credentials"}
    frozen = credentials.get_frozen_credentials()
    return {"id": frozen.access_key, "secret": frozen.secret_key, "token": frozen.token or "", "method": credentials.method}


class NoToken:
    def load_token(self, **named):
        return None


def ask(variables, profile):
    """What botocore finds with these variables of the process and the profile that a program names, or None."""
    os.environ.clear()
    os.environ.update(variables)
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", LOADER)
    # Tokens of SSO are for other services than AWS KMS.
    session.register_component("token_provider", NoToken())
    region = found(lambda: {"value": session.get_config_variable("region") or ""})
    if region.get("value") == "":
        region = {"refusal": "region", "error": "no Region"}
    answer = {"region": region}
    answer["endpoint"] = found(lambda: endpoint_of(session)) if "value" in region else region
    answer["bundle"] = found(lambda: ca_bundle_of(session))
    answer["credentials"] = found(lambda: credentials_of(session))
    return answer

