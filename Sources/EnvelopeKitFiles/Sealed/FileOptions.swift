// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

/// Where bytes come from, or go.
public enum FilePlace: Sendable {
  /// A file, or a pipe or device that has a path.
  case path(String)
  /// The standard input of the process.
  case standardInput
  /// The standard output of the process.
  case standardOutput
}

/// How a file is sealed, opened or verified.
public struct FileOptions: Sendable {
  /// Whether a new file gets the permissions and the times of the source, if that is a file.
  ///
  /// The set-user-ID, set-group-ID and sticky bits are not kept. Without this option, a sealed file keeps
  /// the permissions of the file that it replaces, and an opened one is for its owner alone.
  public var keepsAttributes = false
  /// Called as the work proceeds, on any thread, one call at a time: with the bytes of the source that are done, and with
  /// all that it has, which is nil for a stream.
  public var progress: (@Sendable (_ done: Int, _ total: Int?) -> Void)?
  /// The most threads that share the work; nil for one on each core.
  public var coreCount: Int?
  /// Receives sentences about what was lost or removed when a file was replaced.
  public var notify: (@Sendable (String) -> Void)?
  /// Whether the caller holds the lock of the file that is replaced, with which it looked at the file before.
  package var isLockedByCaller = false

  /// The defaults.
  public init() {}
}
