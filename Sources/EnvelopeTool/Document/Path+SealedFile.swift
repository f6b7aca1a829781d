// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

extension Path {
  /// Whether it is a regular file that begins as a sealed file does.
  ///
  /// A pipe or a device is not opened: that could wait, or take bytes that are read later.
  var beginsAsSealedFile: Bool {
    guard (try? kind) == .file, let file = try? openForReading() else { return false }
    return file.beginsAsSealedFile(of: self)
  }
}

extension Descriptor {
  /// Whether it is a regular file that begins as a sealed file does.
  func beginsAsSealedFile(of path: Path) -> Bool {
    let count = SealedFile.markByteCount
    guard let status = try? status(of: path), status.isRegular, status.byteCount >= count,
      let beginning = try? readPart(0..<count, of: path)
    else { return false }
    return unsafe Header.isOfFile(beginning.span.bytes)
  }
}

extension SealedFile {
  /// The number of bytes by which a sealed file is recognized: magic, version and kind.
  static let markByteCount = 4
}

extension EnvelopeError {
  /// The error of a command for variables that was given a sealed file.
  static func isSealedFile(_ path: String) -> EnvelopeError {
    let word = path == "-" ? "-" : Path(path).shellWord
    return EnvelopeError(
      .usage, "\(path.shownInputAtStart) is a sealed file, and not a file of variables",
      advice: "Open it: envelope file open \(EnvelopeError.escaped(word)) -o FILE")
  }
}
