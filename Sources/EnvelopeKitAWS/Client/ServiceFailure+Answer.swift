// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

#if AWS
  internal import EnvelopeKit

  extension ServiceFailure {
    init(_ answer: WebClient.Answer) {
      self.init(
        status: answer.status, errorType: answer.header("x-amzn-errortype"), date: answer.header("date"),
        body: answer.body, requestID: answer.requestID, isPage: answer.isPage)
    }
  }

  extension WebClient.Answer {
    /// Whether the body is a page for browsers, and not what AWS sends.
    var isPage: Bool {
      guard requestID == nil else { return false }
      if header("content-type")?.lowercased().hasPrefix("text/html") == true { return true }
      let start = body.withBytes { body in
        String(decoding: [UInt8](copying: body.extracting(first: min(body.byteCount, 64))), as: UTF8.self)
      }.lowercased()
      return ["<html", "<!doctype html"].contains { start.drop(while: \.isWhitespace).hasPrefix($0) }
    }
  }
#endif
