# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Makes AWS environments for aws_environments.py: variables, the two files, a named profile, metadata.

Most of them find something. What may be read in more than one way is a tag of the environment.
"""

import os
import random
import stat

from aws_environments_text import ODD, text_of

PROFILES = ["default", "dev", "prod", "ops", "team a", "x-1_2.3/y@z"]
REGIONS = [
    "us-east-1", "us-east-1", "us-east-1", "us-west-2", "eu-central-1", "eu-central-1", "ap-southeast-5", "mx-central-1",
    "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1", "us-isob-east-1",
    "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1", "ca-west-1", "il-central-1",
]  # fmt: skip
ODD_REGIONS = [
    "xx-new-1", "aws-global", "us-east-1-fips", "fips-us-east-1", "US-EAST-1", "eu west 1", "x" * 64, "-a", "a-", "1234",
    "us_east_1", "us-east-1.", "eu-central-1/x", "localhost", "us-gov", "cn-", "af-south-1#",
]  # fmt: skip
ROLE = "arn:aws:iam::123456789012:role/"
CERTIFICATE = "ca.pem"
ENDPOINTS = [
    "https://kms.example.test", "https://kms.example.test/", "https://kms.example.test:8443", "https://10.0.0.1",
    "https://[2001:db8::1]:8443", "https://kms.example.test:443",
]  # fmt: skip
ODD_ENDPOINTS = [
    "http://localhost:4566", "http://127.0.0.1:4566", "http://kms.example.test", "https://kms.example.test/path",
    "kms.example.test", "https://", "ftp://kms.example.test", "https://a b", "https://kms.example.test:0",
    "https://user@kms.example.test", "https://kms.example.test?x=y", "https://kms.example.test:99999", "HTTPS://KMS.example.test",
    "https://kms.example.test.", "https://-kms.example.test", "https://kms_x.example.test",
]  # fmt: skip
KINDS = {
    "keys": 36, "region": 7, "empty": 3, "absent": 3, "role": 24, "source": 4, "web": 6, "process": 7, "sso": 4,
    "login": 2, "half": 3,
}  # fmt: skip


class Case:
    def __init__(self, number, folder):
        self.number, self.folder = number, folder
        self.variables, self.profile, self.files = {}, None, {}
        self.mode, self.place, self.tags, self.programs = None, f"c{number}", [], {}

    def description(self):
        return {
            "number": self.number, "variables": self.variables, "profile": self.profile, "tags": self.tags,
            "files": {name: text.decode("utf-8", "replace") for name, text in self.files.items()},
        }  # fmt: skip

    def write(self):
        os.makedirs(os.path.join(self.folder, ".aws"), exist_ok=True)
        for name, text in (self.files | self.programs).items():
            path = os.path.join(self.folder, name)
            with open(path, "wb") as file:
                file.write(text)
            if name in self.programs:
                os.chmod(path, stat.S_IRWXU)


class Maker:
    def __init__(self, folder, seed, urls):
        self.folder, self.seed, self.urls = folder, seed, urls
        os.makedirs(folder, exist_ok=True)
        self.bundle = os.path.join(folder, CERTIFICATE)

    def case(self, number):
        case = Case(number, os.path.join(self.folder, str(number)))
        self.random = random.Random(f"{self.seed}/{number}")
        self.of = case
        # Where the endpoint is the matter, nothing calls AWS STS: it could not be reached there.
        self.calls_sts = not self.chance(0.3)
        case.variables = {"HOME": case.folder, "PATH": os.environ.get("PATH", os.defpath)}
        self.config, self.credentials = {}, {}
        self.make_profiles()
        self.make_variables()
        if self.calls_sts:
            case.variables["AWS_ENDPOINT_URL_STS"] = self.urls["sts"]
        self.make_region()
        self.make_metadata()
        if not self.calls_sts:
            self.make_endpoint()
        self.make_bundle()
        self.write_files()
        return case

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *values):
        return self.random.choice(values)

    def tag(self, name):
        self.of.tags.append(name)

    # Profiles

    def make_profiles(self):
        names = ["default"] * self.chance(0.8) + self.random.sample(PROFILES[1:], self.random.randrange(1, 4))
        for name in names:
            self.make_profile(name, names, self.kind())
        self.chosen = self.pick(*names) if self.chance(0.97) else "missing"
        how = self.random.choices(["none", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "same", "two", "named"], [32, 20, 8, 3, 3, 34])[0]
        variables = self.of.variables
        if how == "none":
            self.chosen = "default"
        elif how == "named":
            self.of.profile = self.chosen
            if self.chance(0.2):
                variables["AWS_PROFILE"] = self.pick(*names, "missing")
        elif how == "same":
            variables["AWS_PROFILE"] = variables["AWS_DEFAULT_PROFILE"] = self.chosen
        elif how == "two":
            variables["AWS_PROFILE"] = self.chosen
            variables["AWS_DEFAULT_PROFILE"] = self.pick(*(name for name in PROFILES if name != self.chosen))
        else:
            variables[how] = self.chosen

    def kind(self):
        weights = dict(KINDS) if self.calls_sts else KINDS | {"role": 0, "web": 0, "keys": 50}
        return self.random.choices(list(weights), list(weights.values()))[0]

    def add(self, name, settings, place=None):
        place = place or self.pick("config", "config", "credentials")
        sections = self.config if place == "config" else self.credentials
        known = sections.setdefault(name, [])
        known += [(key, value) for key, value in settings if key not in dict(known)]

    def keys(self, name):
        label = "".join(character for character in name if character.isalnum()).upper()
        settings = [("aws_access_key_id", f"AKID{label}{self.random.randrange(100)}"), ("aws_secret_access_key", f"s3cret/{label}+=")]
        if self.chance(0.25):
            settings.append((self.pick("aws_session_token", "aws_session_token", "aws_security_token"), f"token/{label}="))
        if self.chance(0.05):
            settings.append(("aws_security_token", f"older/{label}="))
        if self.chance(0.15):
            self.random.shuffle(settings)
        return settings

    def make_profile(self, name, names, kind):
        if kind == "absent":
            return
        if self.chance(0.5):
            self.add(name, [("region", self.pick(*REGIONS))], "config")
        if kind == "keys":
            self.add(name, self.keys(name), self.pick("credentials", "credentials", "config"))
            if self.chance(0.15):
                self.add(name, self.keys(name))
        elif kind == "half":
            settings = [pair for pair in self.keys(name) if "token" not in pair[0]]
            del settings[self.random.randrange(2)]
            self.add(name, settings)
            if self.chance(0.3):
                self.add(name, self.keys(name), "config")
        elif kind == "empty":
            self.add(name, [("output", "json")])
        elif kind in ("role", "source"):
            self.make_role(name, names, kind)
        elif kind == "web":
            self.make_web_identity(name)
        elif kind == "process":
            self.make_process(name)
        elif kind == "sso":
            settings = [("sso_account_id", "123456789012"), ("sso_role_name", "r")]
            settings += self.pick([("sso_session", "my")], [("sso_start_url", "https://x.awsapps.com/start"), ("sso_region", "us-east-1")], [])
            if self.chance(0.3):
                settings = settings[self.random.randrange(len(settings)) :]
            self.add(name, settings, "config")
        elif kind == "login":
            self.add(name, [("login_session", "arn:aws:iam::123456789012:user/u")], "config")
        if kind not in ("keys", "half") and self.chance(0.12):
            self.tag("keys-beside")
            self.add(name, self.keys(name))

    def make_role(self, name, names, kind):
        settings = [("role_arn", ROLE + self.pick("app", "app", "team/app", "other", "refused"))] * (kind == "role" or self.calls_sts)
        source = self.random.choices(["profile", "Environment", "Ec2InstanceMetadata", "EcsContainer", "none", "both", "self", "bad"], [55, 10, 8, 6, 3, 3, 10, 3])[0]
        if source in ("profile", "both"):
            others = [other for other in names if other != name or self.chance(0.1)] or [name]
            settings.append(("source_profile", "nowhere" if self.chance(0.05) else self.pick(*others)))
        if source == "self":
            settings.append(("source_profile", name))
            self.add(name, self.keys(name))
        if source == "bad":
            settings.append(("credential_source", self.pick("Elsewhere", "environment", "SharedCredentials", "Ec2Config")))
        if source not in ("profile", "none", "self", "bad"):
            settings.append(("credential_source", source if source != "both" else "Environment"))
        if source == "Environment" and self.chance(0.8):
            self.set_keys()
        for key, value, probability in [
            ("external_id", "an id of theirs", 0.2), ("role_session_name", "me@example.com", 0.3), ("duration_seconds", "1800", 0.2),
            ("mfa_serial", "arn:aws:iam::123456789012:mfa/u", 0.05), ("duration_seconds", "long", 0.04),
        ]:  # fmt: skip
            if self.chance(probability):
                settings.append((key, value))
        if self.chance(0.1):
            self.random.shuffle(settings)
        half = self.random.randrange(len(settings) + 1) if self.chance(0.2) else len(settings)
        self.add(name, settings[:half], "config")
        if settings[half:]:
            self.add(name, settings[half:], "credentials")

    def token_file(self):
        if self.chance(0.07):
            return os.path.join(self.of.folder, "no-token")
        self.of.files.setdefault("token", self.pick(b"ey.J.x", b"ey.J.y\n"))
        return os.path.join(self.of.folder, "token")

    def make_web_identity(self, name):
        settings = [("web_identity_token_file", self.token_file())]
        if self.chance(0.93):
            settings.append(("role_arn", ROLE + self.pick("pod", "pod", "refused")))
        if self.chance(0.3):
            settings.append(("role_session_name", "pod-1"))
        if self.chance(0.1):
            settings.append(("source_profile", "default"))
        self.add(name, settings, self.pick("config", "config", "config", "credentials"))

    def make_process(self, name):
        label = "".join(character for character in name if character.isalnum()).upper()
        program = f"print {label}.sh" if self.chance(0.3) else f"print-{label}.sh"
        what = self.random.choices(["ok", "token", "ends", "fails", "version", "garbage", "missing", "string-version", "no-id", "past", "offset"], [40, 15, 15, 4, 3, 3, 3, 2, 3, 3, 5])[0]
        fields = ['"Version": 1', f'"AccessKeyId": "AKIDP{label}"', '"SecretAccessKey": "ps"']
        if what != "ok":
            fields.append(f'"SessionToken": "pt-{label}"')
        ends = {"ends": "2126-01-01T00:00:00Z", "offset": "2126-01-01T01:00:00+01:00", "past": "2020-01-01T00:00:00Z"}.get(what)
        if ends:
            fields.append(f'"Expiration": "{ends}"')
        if what in ("version", "string-version"):
            fields[0] = '"Version": 2' if what == "version" else '"Version": "1"'
        if what == "no-id":
            del fields[1]
        text = "{" + ", ".join(fields) + "}" if what != "garbage" else "no JSON"
        if what != "missing":
            self.of.programs[program] = f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {3 if what == 'fails' else 0}\n".encode()
        if what in ("past", "string-version"):
            self.tag(f"process-{what}")
        path = os.path.join(self.of.folder, program)
        command = f'"{path}" "an argument"' if " " in program else path + self.pick("", " argument", " --flag 'two words'", " a\\ b")
        self.add(name, [("credential_process", command)], self.pick("config", "config", "config", "credentials"))

    # Variables

    def set_keys(self):
        variables = self.of.variables
        variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"] = "AKIDENV", "es"

    def make_variables(self):
        variables = self.of.variables
        if self.chance(0.12):
            self.set_keys()
        if self.chance(0.02):
            variables[self.pick("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")] = "AKIDHALF"
        for name, probability in [("AWS_SESSION_TOKEN", 0.1), ("AWS_SECURITY_TOKEN", 0.05)]:
            if self.chance(probability):
                variables[name] = f"token/of/{name}"
        if self.calls_sts and self.chance(0.06):
            variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = self.token_file()
            if self.chance(0.95):
                variables["AWS_ROLE_ARN"] = ROLE + "irsa"
            if self.chance(0.5):
                variables["AWS_ROLE_SESSION_NAME"] = "irsa-1"
        elif self.chance(0.02):
            variables["AWS_ROLE_ARN"] = ROLE + "alone"
        if self.chance(0.02):
            variables["AWS_CREDENTIAL_EXPIRATION"] = self.pick("2126-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
            self.tag("expiration-variable")
        if self.chance(0.015):
            path = os.path.join(self.of.folder, "legacy")
            if self.chance(0.5):
                self.of.files["legacy"] = b"AWSAccessKeyId=AKIDOLD\nAWSSecretKey=os\n"
                variables["AWS_CREDENTIAL_FILE"] = path
            else:
                self.of.files["legacy"] = b"[Credentials]\naws_access_key_id = AKIDBOTO\naws_secret_access_key = bs\n"
                variables["BOTO_CONFIG"] = path
        if self.chance(0.03):
            name = self.pick("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE",
                             "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                             "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN")  # fmt: skip
            variables[name] = ""
            self.tag("empty-variable")

    def make_region(self):
        variables = self.of.variables
        region = lambda: self.pick(*ODD_REGIONS) if self.chance(0.06) else self.pick(*REGIONS)
        if self.chance(0.5):
            variables.setdefault("AWS_DEFAULT_REGION", region())
        if self.chance(0.12):
            variables.setdefault("AWS_REGION", region())
        if self.chance(0.45):
            self.add(self.chosen, [("region", region())], self.pick("config", "config", "config", "credentials")) if self.chosen in self.config or self.chosen in self.credentials else None

    # Metadata

    def make_metadata(self):
        variables, url = self.of.variables, f"{self.urls['metadata']}/t/{self.of.place}"
        kind = self.random.choices(["disabled", "closed", "absent", "instance", "fault"], [25, 10, 5, 40, 20])[0]
        self.of.mode = {"mode": "ok", "session_token": f"token/of/{self.of.place}"}
        if kind == "disabled":
            variables["AWS_EC2_METADATA_DISABLED"] = self.pick("true", "TRUE", "True")
        elif kind == "closed":
            variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self.urls["closed"]
        else:
            if self.chance(0.8):
                variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url + self.pick("", "/")
            elif self.chosen in self.config or self.chosen in self.credentials:
                self.add(self.chosen, [("ec2_metadata_service_endpoint", url)])
            else:
                variables["AWS_EC2_METADATA_DISABLED"] = "true"
            if self.chance(0.1):
                variables["AWS_EC2_METADATA_DISABLED"] = self.pick("false", "1", "")
            if self.chance(0.05):
                variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = self.pick("IPv4", "ipv6", "IPv6", "IPv5")
            if self.chance(0.05):
                variables["AWS_METADATA_SERVICE_NUM_ATTEMPTS"] = self.pick("1", "2")
            if self.chance(0.05):
                variables["AWS_METADATA_SERVICE_TIMEOUT"] = self.pick("20", "30")
        if kind == "absent":
            self.of.mode |= {"mode": "not_found", "at": "token"}
        if kind == "fault":
            mode = self.pick("no_role", "no_token", "failed", "garbage", "unavailable", "close", "unauthorized", "no_expiration", "bad_expiration",
                             "missing_secret", "forbidden", "not_found", "not_allowed", "internal", "empty", "denied")  # fmt: skip
            self.of.mode |= {"mode": mode, "at": self.pick("token", "role", "credentials", "container", "container")}
            if self.chance(0.12):
                mode = self.of.mode["mode"] = "no_role"
                self.of.mode["at"] = "role"
            self.tag(f"metadata-{mode}")
            self.tag(f"metadata-at-{self.of.mode['at']}")
        if self.chance(0.1):
            self.of.mode["expiration"] = self.pick("2126-01-01T01:00:00+01:00", "21260101T000000Z", "2126-01-01T00:00:00.123Z", "2126-01-01t00:00:00z")
        if self.chance(0.1):
            self.of.mode["role"] = self.pick("team/app", "a+b=c,d.e@f_g-1")
        if self.chance(0.2) or kind == "fault" and self.of.mode["at"] == "container":
            variables.setdefault("AWS_CONTAINER_CREDENTIALS_FULL_URI", url + "/creds")
            if self.chance(0.3):
                self.of.mode["authorization"] = "Bearer news"
                variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.pick("Bearer news", "Bearer news", "Bearer news", "stale", "a\nb")
            if self.chance(0.35):
                self.of.files["authorization"] = self.pick(b"Bearer news", b"Bearer news\n")
                variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = os.path.join(self.of.folder, self.pick("authorization", "authorization", "nothing"))
                if b"\n" in self.of.files["authorization"]:
                    self.tag("token-line-feed")
            if self.chance(0.08):
                variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = self.pick(
                    "http://example.test/creds", "ftp://127.0.0.1/", "nonsense", "http://10.0.0.1/creds", "http://169.254.169.254/creds",
                    "http://127.0.0.1.example.test/", self.urls["closed"] + "/creds",
                )  # fmt: skip

    # Endpoint and authorities

    def make_endpoint(self):
        variables = self.of.variables
        flag = lambda: self.pick("true", "true", "True", "TRUE", "false", "False", "1", "yes", "")
        for name, key, probability in [("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", 0.35), ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", 0.35),
                                       ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls", 0.15)]:  # fmt: skip
            if self.chance(probability / 2):
                variables[name] = flag()
                if not variables[name]:
                    self.tag("empty-variable")
            if self.chance(probability):
                self.add(self.chosen, [(key, flag() or "true")]) if self.known() else None
        address = lambda: self.pick(*ODD_ENDPOINTS) if self.chance(0.15) else self.pick(*ENDPOINTS).replace("kms", f"k{self.random.randrange(9)}")
        for name, probability in [("AWS_ENDPOINT_URL", 0.1), ("AWS_ENDPOINT_URL_KMS", 0.12), ("AWS_ENDPOINT_URL_STS", 0.05)]:
            if self.chance(probability):
                variables[name] = address()
        if self.known() and self.chance(0.2):
            self.add(self.chosen, [("endpoint_url", address())], "config")
        if self.known() and self.chance(0.2):
            self.add(self.chosen, [("services", self.pick("local", "local", "local", "nowhere"))], "config")
        inner = [(key, address()) for key in self.random.sample(["endpoint_url"], 1)]
        self.services = [self.pick(("kms", inner), ("kms", inner), ("kms", [("other", "x")]), ("sts", inner))]

    def known(self):
        return self.chosen in self.config or self.chosen in self.credentials

    def make_bundle(self):
        paths = [self.bundle, self.bundle, self.bundle, "/nonexistent/ca.pem", os.devnull]
        if self.chance(0.06):
            self.of.variables.setdefault("AWS_CA_BUNDLE", self.pick(*paths))
        if self.known() and self.chance(0.06):
            self.add(self.chosen, [("ca_bundle", self.pick(*paths))], "config")

    # Files

    def write_files(self):
        case, odd = self.of, self.pick(*ODD) if self.chance(0.25) else None
        if odd:
            self.tag(odd)
        is_config = self.chance(0.6)
        config = [(name, settings, "config") for name, settings in self.config.items()]
        if getattr(self, "services", None) and not self.calls_sts:
            config.append(("local", self.services, "services"))
        if self.chance(0.05):
            config.append(("my", [("sso_region", "us-east-1"), ("sso_start_url", "https://x.awsapps.com/start")], "sso-session"))
        credentials = [(name, settings, "credentials") for name, settings in self.credentials.items()]
        if self.chance(0.03):
            self.tag("profile-word-in-credentials")
            credentials = [(f"profile {name}", settings, kind) for name, settings, kind in credentials]
        if self.chance(0.02):
            self.tag("no-profile-word")
            config = [(name, settings, "credentials") for name, settings, kind in config if kind == "config"]
        case.files[".aws/config"] = text_of(self.random, config, odd if is_config else None)
        case.files[".aws/credentials"] = text_of(self.random, credentials, None if is_config else odd)
        for name, path in [("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")]:
            if self.chance(0.1) and name not in case.variables:
                case.files["elsewhere-" + path[5:]] = case.files.pop(path)
                case.variables[name] = os.path.join(case.folder, "elsewhere-" + path[5:])
            elif self.chance(0.04) and name not in case.variables:
                place = self.pick("~/" + path, "$HOME/" + path, "${HOME}/" + path, "/nonexistent/x", os.devnull, case.folder)
                case.variables[name] = place
                self.tag("path-" + ("home" if place[0] == "~" else "variable" if place[0] == "$" else "folder" if place == case.folder else "none"))
            elif self.chance(0.02):
                del case.files[path]
