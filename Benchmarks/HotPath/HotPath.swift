// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark

let benchmarks: @Sendable () -> Void = {
  for operation in ValueOperation.allCases {
    for size in Size.all { compareValues(operation, size) }
    for size in Size.all where size.byteCount <= 1 << 20 { compareBatches(operation, size) }
  }
  for count in [1, 10, 50, 200, 1000] {
    compareOpeningEnvironments(of: count)
    compareSealingEnvironments(of: count)
  }
  compareDataKeys()
  measureHeaders()
}
