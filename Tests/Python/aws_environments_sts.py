# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""AWS STS for aws_environments.py: the access key id that it gives tells who asked for what.

It does not check signatures, which moto's does for other tests. The id is a digest of all that counts in a request.
"""

import hashlib
import json
import re
import urllib.parse

from key_service_http import Answer

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def answer(request):
    form = dict(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True))
    action = form.get("Action")
    if request.method != "POST" or request.path != "/" or action not in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        return xml("ErrorResponse", "<Error><Code>InvalidAction</Code><Message>No</Message></Error>", 400)
    if "refused" in form.get("RoleArn", ""):
        text = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized</Message></Error>"
        return xml("ErrorResponse", text, 403)
    # Each tool has its own name for sessions.
    if re.match("(botocore-session|envelope)-[0-9]+", form.get("RoleSessionName", "")):
        form["RoleSessionName"] = "of the tool"
    scope = re.search("Credential=([^/, ]+)/[0-9]+/([^/]+)/sts/", request.header("Authorization") or "")
    asked = {name: form[name] for name in sorted(form) if name != "Version"}
    # botocore sends the line feed at the end of a token's file, too.
    asked["WebIdentityToken"] = form.get("WebIdentityToken", "").rstrip()
    asked |= {"signer": scope and scope[1], "region": scope and scope[2]}
    asked["token"] = request.header("X-Amz-Security-Token")
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest().upper()[:24]
    credentials = (
        f"<Credentials><AccessKeyId>ASIA{digest}</AccessKeyId><SecretAccessKey>secret-{digest}</SecretAccessKey>"
        f"<SessionToken>token-{digest}</SessionToken><Expiration>2126-01-01T00:00:00Z</Expiration></Credentials>"
    )
    user = "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>"
    return xml(f"{action}Response", f"<{action}Result>{credentials}{user}</{action}Result>", 200)


def xml(name, content, status):
    request_id = "00000000-0000-4000-8000-000000000000"
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    body = f'<{name} xmlns="{NAMESPACE}">{content}{metadata}</{name}>'.encode()
    return Answer(status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body)
