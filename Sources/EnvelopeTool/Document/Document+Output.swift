// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Document {
  /// Writes a file, or to standard output if there is no path or it is `-`.
  ///
  /// - Parameters:
  ///   - revealing: Whether the text shows secrets: the file is then for its owner alone.
  ///   - force: Whether the file may be replaced whatever it holds. Neither the key store nor a link to nothing is.
  ///   - make: Makes the text. Takes what the file holds, to refuse or follow it: nothing if there is none, or it is
  ///     standard output, a pipe or a device. It is called again if the file changes meanwhile.
  /// - Throws: `outputExists` if it is the key store in use; what `make` throws, `fileFailure`.
  static func write(
    to path: String?, revealing: Bool, force: Bool, _ make: (Replaced) async throws -> SecretBytes
  ) async throws {
    guard let path, path != "-" else {
      let text = try await make(Replaced(nothing(), at: "-"))
      return try text.withBytes { (text) throws(EnvelopeError) in try Console.write(text) }
    }
    guard try Path(path).kind != .other else {
      return try write(try await make(Replaced(nothing(), at: path)), to: path, revealing: revealing)
    }
    try checkCanWrite(path)
    if force {
      // What cannot be read can be replaced all the same.
      let before = (try? readExisting(path)) ?? nothing()
      let text = try await make(Replaced(before, at: path))
      let lock = try Path(path).lock(.ofCommand)
      try write(text, to: path, revealing: revealing)
      return _ = consume lock
    }
    try await exchange(path, revealing: revealing, reading: readExisting) { before in
      try await make(Replaced(before, at: path))
    }
  }

  /// Refuses a path where no file can be, or must not be, before the text for it is made.
  ///
  /// - Throws: `outputExists` if it is the key store in use, or a symbolic link to nothing, whose place the file would
  ///   take; `fileFailure` if its folder is not there.
  static func checkCanWrite(_ path: String) throws(EnvelopeError) {
    try checkIsNotStore(path)
    guard Path(path).folder.exists else {
      throw EnvelopeError(
        .fileFailure, "Cannot write \(path.shown): there is no such folder", advice: "Check the path.")
    }
    guard !Path(path).isLinkToNothing else {
      throw EnvelopeError(
        .outputExists, "Cannot write \(path.shown): it is a symbolic link to a file that does not exist",
        advice: "Remove the link, or give the path of the file that it should name.")
    }
  }

  private static func nothing() -> SecretBytes { SecretBytes(byteCount: 0) { _ in } }

  /// What a file holds; nothing if there is none.
  private static func readExisting(_ path: String) throws(EnvelopeError) -> SecretBytes {
    guard try Path(path).kind == .file else { return nothing() }
    guard !Path(path).beginsAsSealedFile else {
      throw EnvelopeError(
        .outputExists, "\(path.shown) holds a sealed file, which would be lost",
        advice: "Write to another file; or add --force to replace this one.")
    }
    return try readText(path)
  }

  /// Refuses to write over the key store in its usual place, with every key in it.
  private static func checkIsNotStore(_ path: String) throws(EnvelopeError) {
    guard let store = try? KeyStoreFile().location, Path(path).resolved == Path(store).resolved else { return }
    throw EnvelopeError(
      .outputExists, "That would write over the key store, and every key in it", advice: "Give another file: -o FILE")
  }

  /// Replaces what a file holds by what `change` makes of it, or leaves it if that is nil.
  ///
  /// If others change the file meanwhile, `change` is called once more with what they wrote, while they wait.
  ///
  /// - Throws: `changedMeanwhile` if others changed the file and `retries` is false: nothing is written over it.
  static func exchange(
    _ file: String, revealing: Bool, retries: Bool = true, reading: (String) throws(EnvelopeError) -> SecretBytes,
    _ change: (borrowing SecretBytes) async throws -> SecretBytes?
  ) async throws {
    let before = try reading(file)
    guard let text = try await change(before) else { return }
    let lock = try Path(file).lock(.ofCommand)
    let now = try reading(file)
    if before.withBytes({ before in now.withBytes { before.equalsInConstantTime($0) } }) {
      try write(text, to: file, revealing: revealing)
    } else if !retries {
      throw EnvelopeError(
        .changedMeanwhile, "\(file.shown) was changed by another command meanwhile, and was left as it is now",
        advice: "Run the command again.")
    } else if let text = try await change(now) {
      try lock.check()
      try write(text, to: file, revealing: revealing)
    }
    _ = consume lock
  }
}
