// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Opens a sealed file, lets `change` make other variables of it, and writes the file anew under the same data key.
  ///
  /// - Parameter change: Takes the sealed and the plain variables, and returns both as they shall be, or nil to
  ///   leave the file as it is.
  static func update(
    _ file: String, settings: FunctionSettings,
    _ change: (OpenedEnvironment, OpenedEnvironment) throws(EnvelopeError) -> (OpenedEnvironment, OpenedEnvironment)?
  ) async throws {
    guard file != "-" else {
      throw EnvelopeError(.usage, "What is changed must be a file", advice: "Give its path.")
    }
    let keyring = try LocalKeys.opening()
    let document = try read(file)
    let sealed = try document.requireSealed(in: file)
    let opened = try await sealed.open(context: settings.context, using: keyring)
    guard let (secrets, plain) = try change(opened, document.plain) else { return }
    let updated = Document(
      layout: document.layout,
      sealed: try await sealed.updated(to: secrets, context: settings.context, using: keyring), plain: plain)
    if updated.layout == .lambda {
      try updated.checkFitsLambda(allowingOversize: true)
      // What is there already may be too long for the platform on purpose.
      let budget = try Budget(updated)
      if budget.freeByteCount < 0 {
        Console.say(
          "The variables now take \(budget.byteCount) of the \(LambdaLimits.byteLimit) bytes that AWS Lambda has for them."
        )
      }
    }
    try updated.write(to: file, revealing: false)
  }
}

extension OpenedEnvironment {
  /// Variables gathered from elsewhere and one more.
  init(merging secrets: [Secret], adding name: String, _ value: borrowing SecretBytes) throws(EnvelopeError) {
    let capacity = secrets.reduce(value.byteCount) { $0 + $1.withBytes { $0.byteCount } }
    try self.init(capacity: capacity) { (output, index) throws(EnvelopeError) in
      value.withBytes { output.append($0) }
      try index.add(name, endingAt: output.byteCount)
      for secret in secrets {
        secret.withBytes { output.append($0) }
        try index.add(secret.name, endingAt: output.byteCount)
      }
    }
  }
}
