// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

// zlib, which inflates what a zip archive deflated: zlib1g-dev (Debian, Ubuntu); Darwin's SDK has it.
#include <zlib.h>
