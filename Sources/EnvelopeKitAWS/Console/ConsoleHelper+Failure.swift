// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  extension ConsoleHelper {
    /// A value that does not open.
    struct Failure: Sendable {
      let name: String
      let error: EnvelopeError

      /// One error for several values: it names all of them in ascending order, and has the code of the first.
      static func combined(_ failures: [Failure], acceptsNoContext: Bool) -> EnvelopeError? {
        let failures = failures.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        guard let first = failures.first?.error else { return nil }
        var groups: [(message: String, names: [String])] = []
        for failure in failures {
          if let index = groups.firstIndex(where: { $0.message == failure.error.message }) {
            groups[index].names.append(failure.name)
          } else {
            groups.append((failure.error.message, [failure.name]))
          }
        }
        let texts = groups.map { group in
          group.names.count == 1
            ? "the variable \(group.names[0]) does not open: \(group.message)"
            : "the variables \(group.names.joined(separator: ", ")) do not open: \(group.message)"
        }
        let advice =
          first.serviceError == "InvalidCiphertextException" && !acceptsNoContext
          ? "If it was made without an encryption context, by the command line or an older console, accept that."
          : first.advice
        return EnvelopeError(
          first.code, "T" + texts.joined(separator: "; ").dropFirst(), advice: advice, names: failures.map(\.name),
          serviceError: first.serviceError, requestID: first.requestID)
      }
    }
  }
#endif
