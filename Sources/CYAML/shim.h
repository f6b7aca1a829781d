// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// libyaml, which parses envelope.yaml for the command: libyaml-dev (Debian, Ubuntu) or libyaml (Homebrew).
#include <yaml.h>
