# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""moto as AWS KMS for key_service.py, nearer to the real service in what matters to a client.

CloudWatch Logs and X-Ray are moto's as they are; ship_telemetry.py is their client.

moto checks signatures and permissions for all requests or none; here each request says which.
It does not look at a key's state and tells some errors by other names; this is put right too.
"""

import datetime
import io
import json
import os
import re
import sys
import threading
import urllib.parse
import uuid

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError
from moto.iam.models import iam_backends
from moto.kms import models, responses, utils
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends

from key_service_http import Answer

ACCOUNT = "123456789012"
JSON = "application/x-amz-json-1.1"
ACTIONS = ["kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt", "sts:GetCallerIdentity"]
LIMITED_ACTIONS = ["kms:GenerateDataKey", "kms:Encrypt"]
SKEW = datetime.timedelta(minutes=5)

# What is answered at all, and what it must be given.
OPERATIONS = {
    "GenerateDataKey": ["KeyId"],
    "GenerateDataKeyWithoutPlaintext": ["KeyId"],
    "Encrypt": ["KeyId", "Plaintext"],
    "Decrypt": ["CiphertextBlob"],
    "ReEncrypt": ["CiphertextBlob", "DestinationKeyId"],
    "CreateKey": [],
    "DescribeKey": ["KeyId"],
    "ReplicateKey": ["KeyId", "ReplicaRegion"],
    "CreateAlias": ["AliasName", "TargetKeyId"],
    "UpdateAlias": ["AliasName", "TargetKeyId"],
    "EnableKey": ["KeyId"],
    "DisableKey": ["KeyId"],
    "ScheduleKeyDeletion": ["KeyId"],
    "CancelKeyDeletion": ["KeyId"],
}

# The other services that take a target: CloudWatch Logs. X-Ray takes paths.
OTHER_TARGETS = ["Logs_20140328"]

# The words of KMS for moto's verdicts on a signature.
VERDICTS = {
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "AccessDenied": "AccessDeniedException",
}

application = DomainDispatcherApplication(create_backend_app)


def error(code, message=None, status=400):
    """An error as KMS writes it."""
    body = {"__type": code} | ({} if message is None else {"message": message})
    return with_request_id(Answer.json(body, status, JSON))


def with_request_id(answer):
    if answer.header("x-amzn-RequestId") is None:
        answer.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return answer


def answer(request, strict=False, as_json=False):
    """What moto answers; with `strict` only to a request that is signed well and permitted."""
    # Whoever has a token of an identity provider has no access key yet.
    strict = strict and not (b"Action=AssumeRoleWithWebIdentity&" in request.body and not request.header("Authorization"))
    if strict and (refusal := refused(request)):
        return refusal
    if request.header("X-Amz-Target") and (refusal := malformed(request)):
        return refusal
    result = with_request_id(call(request, strict))
    if strict and as_json and (code := re.search(rb"<Code>(\w+)</Code>", result.body)):
        message = re.search(rb"<Message>(.*)</Message>", result.body, re.DOTALL)
        code = VERDICTS.get(code[1].decode(), code[1].decode())
        return error(code, message and message[1].decode())
    return result


def refused(request):
    """What is wrong with a request before its signature is computed, which moto does not look at."""
    authorization = request.header("Authorization")
    if not authorization:
        return error("MissingAuthenticationTokenException", "Missing Authentication Token")
    scope = re.match(
        r"AWS4-HMAC-SHA256 Credential=[^/, ]+/(\d{8})/[^/, ]+/\w+/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$",
        authorization,
    )
    if not scope:
        return error("IncompleteSignatureException", "Authorization header is not well formed.")
    names = scope[2].split(";")
    if names != sorted(names) or not {"host", "x-amz-date"} <= set(names):
        return error("InvalidSignatureException", "The signed headers lack one, or are not sorted.")
    if request.header("X-Amz-Security-Token") and "x-amz-security-token" not in names:
        return error("InvalidSignatureException", "X-Amz-Security-Token is not signed.")
    try:
        said = datetime.datetime.strptime(request.header("X-Amz-Date") or "", "%Y%m%dT%H%M%SZ")
    except ValueError:
        return error("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    stamp = lambda time: time.strftime("%Y%m%dT%H%M%SZ")
    if said < now - SKEW:
        text = f"Signature expired: {stamp(said)} is now earlier than {stamp(now - SKEW)} ({stamp(now)} - 5 min.)"
        return error("InvalidSignatureException", text)
    if said > now + SKEW:
        text = f"Signature not yet current: {stamp(said)} is still later than {stamp(now + SKEW)} ({stamp(now)} + 5 min.)"
        return error("InvalidSignatureException", text)
    if scope[1] != stamp(said)[:8]:
        text = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
        return error("InvalidSignatureException", text)
    return None


def malformed(request):
    """What moto would break at."""
    service, _, operation = request.header("X-Amz-Target").partition(".")
    if service not in ["TrentService", *OTHER_TARGETS] or service == "TrentService" and operation not in OPERATIONS:
        return error("UnknownOperationException")
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return error("SerializationException")
    for name in OPERATIONS[operation] if service == "TrentService" else []:
        if not isinstance(body.get(name), str):
            name = name[0].lower() + name[1:]
            text = f"Value null at '{name}' failed to satisfy constraint: Member must not be null"
            return error("ValidationException", f"1 validation error detected: {text}")
    return None


def call(request, strict):
    """One request to moto's application, as a server would call it."""
    host = request.header("Host") or "localhost"
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": urllib.parse.unquote(request.path, "latin-1"),
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "QUERY_STRING": request.query,
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": host.split(":")[0],
        "SERVER_PORT": host.partition(":")[2] or "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if request.tls else "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "key_service.strict": strict,
    }
    environ["REQUEST_URI"] = environ["RAW_URI"]
    for name, value in request.headers.items():
        name = name.upper().replace("-", "_")
        if name == "CONTENT_TYPE":
            environ[name] = value
        elif name not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            environ[f"HTTP_{name}"] = value
    started = []
    result = application(environ, lambda status, headers, info=None: started.append((status, headers)))
    try:
        body = b"".join(result)
    finally:
        getattr(result, "close", lambda: None)()
    status, headers = started[-1]
    kept = {k: v for k, v in headers if k.lower() not in ("connection", "date", "content-length", "status")}
    if request.header("X-Amz-Target") and not body.startswith(b"<"):
        kept = {k: v for k, v in kept.items() if k.lower() != "content-type"} | {"Content-Type": JSON}
    return Answer(int(status.split()[0]), kept, body)


# Users


def policy(actions):
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create_user(actions=ACTIONS):
    """A user with a policy of its own -> access key id, secret access key."""
    iam, name = iam_backends[ACCOUNT]["aws"], f"user-{uuid.uuid4()}"
    iam.create_user(region_name="us-east-1", user_name=name)
    iam.put_user_policy(name, "policy", policy(actions))
    key = iam.create_access_key(name)
    return key.access_key_id, key.secret_access_key


def create_role(actions=ACTIONS):
    """A role that anyone may assume who may call sts:AssumeRole -> its ARN."""
    iam, name = iam_backends[ACCOUNT]["aws"], f"role-{uuid.uuid4()}"
    role = iam.create_role(
        role_name=name, assume_role_policy_document=policy(["sts:AssumeRole"]), path="/",
        permissions_boundary=None, description="", tags=[], max_session_duration=43200,
    )  # fmt: skip
    iam.put_role_policy(name, "policy", policy(actions))
    return role.arn


def create_session(actions=ACTIONS):
    """A role taken on -> access key id, secret access key, session token."""
    taken = sts_backends[ACCOUNT]["aws"].assume_role(
        region_name="us-east-1", role_session_name="test", role_arn=create_role(actions),
        policy=None, duration=3600, external_id=None,
    )  # fmt: skip
    return taken.access_key_id, taken.secret_access_key, taken.session_token


# Corrections


def refuse(code, message):
    problem = JsonRESTError(code, message)
    problem.code = 400
    raise problem


def check_state(key):
    if key.key_state == "PendingDeletion":
        refuse("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        refuse("DisabledException", f"{key.arn} is disabled.")
    if key.key_usage not in (None, "ENCRYPT_DECRYPT"):
        refuse("InvalidKeyUsageException", f"{key.arn} key usage is {key.key_usage}.")


def correct_moto():
    """Replaces what differs from KMS in ways that a client's test can see."""
    authenticate = ActionAuthenticatorMixin._authenticate_and_authorize_action
    encrypt, decrypt = models.KmsBackend.encrypt, models.KmsBackend.decrypt
    validate, make_id = responses.KmsResponse._validate_cmk_id, utils.generate_key_id
    make_private_key = models.generate_private_key
    serialize, deserialize = utils._serialize_ciphertext_blob, utils._deserialize_ciphertext_blob
    prefix = bytes.fromhex("0102020078") + bytes(83)

    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

    def authenticate_if_strict(self, *arguments, **named):
        if self.normalized_request.environ.get("key_service.strict"):
            authenticate(self, *arguments, **named)

    def encrypt_if_enabled(self, key_id, plaintext, encryption_context):
        check_state(self.keys[self.any_id_to_key_id(key_id)])
        return encrypt(self, key_id, plaintext, encryption_context or {})

    def decrypt_if_enabled(self, ciphertext_blob, encryption_context, key_id=None):
        try:
            used = utils._deserialize_ciphertext_blob(ciphertext_blob).key_id
        except Exception:
            refuse_ciphertext()
        if used not in self.keys:
            if key_id is None:
                text = (
                    "The ciphertext refers to a customer master key that does not exist, "
                    "does not exist in this region, or you are not allowed to access."
                )
                refuse("AccessDeniedException", text)
            refuse_ciphertext()
        if key_id is not None and self.any_id_to_key_id(key_id) != used:
            text = "The key ID in the request does not identify a CMK that can perform this operation."
            refuse("IncorrectKeyException", text)
        check_state(self.keys[used])
        return decrypt(self, ciphertext_blob, encryption_context or {}, None)

    def refuse_ciphertext():
        raise utils.InvalidCiphertextException()

    def validate_cmk_id(self, key_id):
        arn = key_id.split(":")
        if len(arn) == 6 and arn[0] == "arn" and arn[3] != self.region:
            refuse("NotFoundException", f"Invalid arn {arn[3]}")
        if re.fullmatch(r"mrk-[0-9a-f]{32}", key_id):
            if key_id not in self.kms_backend.keys:
                refuse("NotFoundException", f"Key '{self._display_arn(key_id)}' does not exist")
            return
        validate(self, key_id)

    # moto's ids of multi-Region keys are longer than AWS's, too long for moto's own ciphertexts.
    def key_id(multi_region=False):
        return f"mrk-{uuid.uuid4().hex}" if multi_region else make_id()

    # As many bytes as KMS's: 184 for a data key of 32. None of them may be changed.
    def with_prefix(ciphertext):
        return prefix + serialize(ciphertext)

    def without_prefix(ciphertext_blob):
        if not ciphertext_blob.startswith(prefix):
            raise ValueError("not a ciphertext of this service")
        return deserialize(ciphertext_blob[len(prefix) :])

    # moto's has no lengths, so that {"a": "bc"} is taken for {"ab": "c"}.
    def context_bytes(encryption_context):
        return json.dumps(sorted(encryption_context.items())).encode()

    # A symmetric key needs no RSA key, which takes long to make.
    def private_key(key_spec):
        return None if key_spec == "SYMMETRIC_DEFAULT" else make_private_key(key_spec)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authenticate_if_strict
    models.KmsBackend.encrypt, models.KmsBackend.decrypt = encrypt_if_enabled, decrypt_if_enabled
    responses.KmsResponse._validate_cmk_id = validate_cmk_id
    models.generate_key_id, models.generate_private_key = key_id, private_key
    utils._serialize_ciphertext_blob, utils._deserialize_ciphertext_blob = with_prefix, without_prefix
    utils._serialize_encryption_context = context_bytes


os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
correct_moto()


# boto3, which talks to this service through TLS as any client does


class Boto:
    def __init__(self, url, authority, access_key):
        self.url, self.authority, self.access_key = url, authority, access_key
        self.lock, self.clients = threading.Lock(), {}

    def __call__(self, region):
        import boto3
        from botocore.config import Config

        with self.lock:
            if region not in self.clients:
                self.clients[region] = boto3.session.Session().client(
                    "kms", endpoint_url=self.url, region_name=region, verify=self.authority,
                    aws_access_key_id=self.access_key, aws_secret_access_key="not checked",
                    config=Config(max_pool_connections=50, retries={"total_max_attempts": 4, "mode": "standard"}),
                )  # fmt: skip
            return self.clients[region]
