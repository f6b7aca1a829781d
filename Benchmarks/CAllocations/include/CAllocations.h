// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Begins to count heap allocations, from 0; while nothing is counted, they cost next to nothing more.
void allocation_count_begin(void);

/// Stops counting, and tells how many times heap memory was allocated, by any of C's functions for it.
unsigned long allocation_count_end(void);
