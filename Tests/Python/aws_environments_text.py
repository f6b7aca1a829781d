# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""The ways in which the two files that AWS's tools share are written, for aws_environments_cases.py."""

# What is wrong with a file, or read otherwise by some tools. Each is a tag of the environment.
ODD_HEADERS = {
    "header-comment": "{0} # careful",
    "header-comment-semicolon": "{0};careful",
    "header-comment-bracket": "{0} # as in [prod]",
    "header-rest": "{0} prod",
    "header-indented": "  {0}",
    "header-unclosed": "[{1}",
    "header-blanks": "[ {1} ]",
    "header-doubled": "[{0}]",
    "header-nbsp": "\u00a0{0}",
}
ODD_LINES = {
    "line-word": ["what is this"],
    "line-indented-word": ["  what is this"],
    "line-comment": ["# [prod]", "; aws_access_key_id = OTHER"],
    "line-indented-comment": ["   # a comment", "\t; another"],
    "line-nested": ["s3 =", "  addressing_style = path", "  max = 3"],
    "line-nested-twice": ["s3 =", "  max = 3", "  max = 4"],
    "line-nested-word": ["s3 =", "  what is this"],
    "line-nested-below-value": ["s3 = x", "  addressing_style = path"],
    "line-nested-colon": ["s3 =", "  addressing_style: path"],
    "line-blank-key": ["a b = c"],
    "line-quoted-key": ['"region" = us-west-1'],
    "line-no-key": ["= c"],
    "line-bracket-key": ["a[b] = c"],
    "line-unicode-key": ["r\u00e9gion = x"],
    "line-same-twice": ["output = json", "output = text"],
    "line-same-other-case": ["output = json", "OUTPUT = text"],
    "line-percent": ["output = %(region)s %s"],
    "line-control": ["output = a\x01b"],
    "line-vertical-tab": ["output = a\x0bregion = us-west-1"],
    "line-next-line": ["output = a\x85region = us-west-1"],
}
ODD_FILES = {
    "file-default-section": "[DEFAULT]\nregion = us-west-1\naws_access_key_id = DEFAULTS\n",
    "file-setting-first": "region = us-west-1\n",
    "file-indented-header-first": "  [other]\nx = y\n",
    "file-upper-default": "[Default]\nregion = us-west-1\n",
    "file-upper-profile": "[PROFILE dev]\nregion = us-west-1\n",
    "file-three-words": "[profile dev ops]\nregion = us-west-1\n",
    "file-no-blank": "[profiledev]\nregion = us-west-1\n",
    "file-open-quote": "[profile 'dev]\nregion = us-west-1\n",
    "file-backslash": "[profile de\\v]\nregion = us-west-1\n",
    "file-half-quoted": "[profile de'v']\nregion = us-west-1\n",
    "file-empty-header": "[]\nregion = us-west-1\n",
    "file-sso-session": "[sso-session my]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n",
    "file-plugins": "[plugins]\ncli_legacy_plugin_path = /x\n",
    "file-preview": "[preview]\nregion = us-west-1\n",
}


def lines_of(random, name, settings, kind, harmless, odd):
    """The lines of one section: its header and its settings."""
    header = header_of(random, name, kind, harmless)
    lines, indentation = [], ""
    if odd in ODD_HEADERS:
        header = ODD_HEADERS[odd].format(header, header[1:-1])
    if harmless and random.random() < 0.2:
        indentation = random.choice(["  ", "\t", "    "])
    for key, value in settings:
        sign = random.choice(["=", " = ", " =", "= ", ": ", ":", " : ", "  =\t"]) if harmless else " = "
        if harmless and random.random() < 0.1:
            key = random.choice([key.upper(), key.title()])
        if isinstance(value, list):
            lines.append(f"{indentation}{key}{sign}".rstrip())
            lines += [f"{indentation}  {inner} = {text}" for inner, text in value]
            continue
        lines.append(f"{indentation}{key}{sign}{value}" + (random.choice(["", "", " ", "\t"]) if harmless else ""))
        if harmless and random.random() < 0.1:
            lines.append(random.choice(["", "# comment", "  ; indented comment", "#[x]", "   "]))
    if odd in ODD_LINES:
        at = random.randrange(len(lines) + 1)
        # Between a setting and what it has below it would be another matter.
        while at < len(lines) and lines[at].startswith(indentation + "  "):
            at += 1
        lines[at:at] = [indentation + line for line in ODD_LINES[odd]]
    if odd == "line-deeper" and lines:
        lines[-1] = "   " + lines[-1]
    if odd == "line-inline-comment" and lines:
        lines[0] += " # comment"
    if odd == "line-quoted-value" and settings and isinstance(settings[0][1], str):
        lines[0] = f'{settings[0][0]} = "{settings[0][1]}"'
    if odd == "line-empty-value" and settings:
        lines[0] = f"{settings[0][0]} ="
    if odd == "line-twice" and lines:
        lines.append(lines[0])
    return [header, *lines]


def header_of(random, name, kind, harmless):
    if kind == "credentials":
        return f"[{name}]"
    if kind != "config":
        return f"[{kind} {name}]"
    if name == "default" and not (harmless and random.random() < 0.15):
        return "[default]"
    if " " in name:
        return random.choice([f'[profile "{name}"]', f"[profile '{name}']"])
    if harmless and random.random() < 0.25:
        return random.choice([f'[profile "{name}"]', f"[profile '{name}']", f"[profile   {name}]", f"[profile\t{name}]"])
    return f"[profile {name}]"


def text_of(random, sections, odd):
    """The bytes of a file with these sections, a list of (name, settings, kind)."""
    harmless = random.random() < 0.5
    sections = list(sections)
    if harmless:
        random.shuffle(sections)
    victim = random.randrange(len(sections)) if sections else None
    lines = ["# written for a test", ""] if harmless and random.random() < 0.3 else []
    for index, (name, settings, kind) in enumerate(sections):
        lines += lines_of(random, name, settings, kind, harmless, odd if index == victim else None)
        lines += [""] * random.choice([0, 1, 1, 2])
    if odd == "section-twice" and sections:
        name, settings, kind = sections[victim]
        lines += lines_of(random, name, settings, kind, False, None)
    if odd == "section-quoted-twice" and sections:
        name, settings, kind = sections[victim]
        lines += [f'[profile "{name}"]', "region = us-west-1"]
    text = "\n".join(lines) + random.choice(["", "\n", "\n\n"])
    if odd in ODD_FILES:
        text = ODD_FILES[odd] + text if random.random() < 0.5 or "first" in odd else text.rstrip("\n") + "\n" + ODD_FILES[odd]
    if odd == "file-carriage-returns":
        return text.replace("\n", "\r").encode()
    if odd == "file-latin-1":
        return b"# caf\xe9\n" + text.encode()
    if odd == "file-nul":
        return text.encode() + b"\0\n"
    if odd == "file-byte-order-mark":
        return b"\xef\xbb\xbf" + text.encode()
    if harmless and random.random() < 0.2:
        text = text.replace("\n", "\r\n")
    return text.encode()


ODD = [
    *ODD_HEADERS, *ODD_LINES, *ODD_FILES, "line-deeper", "line-inline-comment", "line-quoted-value", "line-empty-value",
    "line-twice", "line-quoted-value", "line-inline-comment", "section-twice", "section-quoted-twice", "file-carriage-returns", "file-latin-1", "file-nul",
    "file-byte-order-mark",
]  # fmt: skip
