// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  /// A difference from botocore that is meant, and that `Docs/AWS.md` lists by its name.
  struct AllowedDifference: Sendable {
    /// The heading on the page.
    let name: String
    let explains: @Sendable (EnvironmentComparison) -> Bool

    init(_ name: String, _ explains: @escaping @Sendable (EnvironmentComparison) -> Bool) {
      (self.name, self.explains) = (name, explains)
    }

    static let all: [AllowedDifference] = []
  }
#endif
