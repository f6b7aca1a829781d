// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  /// What AWS KMS answered to a request that it took.
  struct KMSAnswer {
    let body: GuardedMemory
    let requestID: String?

    /// Lets `body` read the members.
    ///
    /// - Throws: `keyServiceAnswerInvalid` where they are not what they should be.
    func reading<R: ~Copyable>(_ body: (JSONMembers) throws(EnvelopeError) -> R) throws(EnvelopeError) -> R {
      do {
        return try body(JSONMembers(self.body))
      } catch {
        // What was wrong is told in words that quote nothing of the answer.
        throw Self.invalid("the response is not one of AWS KMS: \(error.message)", requestID: requestID)
      }
    }

    static func invalid(_ reason: String, requestID: String?) -> EnvelopeError {
      EnvelopeError(
        .keyServiceAnswerInvalid, "The key service sent an invalid response: \(reason)",
        advice: "Check that the endpoint is the service's.", requestID: requestID)
    }
  }
#endif
