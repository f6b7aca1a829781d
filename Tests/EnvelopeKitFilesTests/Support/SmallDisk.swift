// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A file system of 64 KiB that is unmounted with its owner.
final class SmallDisk: Sendable {
  private let folder: TemporaryFolder
  var path: String { folder.path }

  init() throws {
    folder = try TemporaryFolder()
    try Self.run("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", folder.path)
  }

  deinit { try? Self.run("umount", path) }

  /// Whether this user on this machine may mount one.
  static let isPossible = (try? SmallDisk()) != nil

  /// Fills it up to the last byte.
  func fill() throws {
    let file = unsafe open(path + "/filling", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    try #require(file >= 0)
    defer { close(file) }
    let page = [UInt8](repeating: 0, count: 4096)
    while unsafe Foundation.write(file, page, page.count) > 0 {}
    try #require(errno == ENOSPC)
  }

  /// Makes room again.
  func clear() throws { try FileManager.default.removeItem(atPath: path + "/filling") }

  static func run(_ words: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}

/// Has this process write no file longer than so many bytes: what a full disk does where none can be mounted.
func limitFiles(to byteCount: Int) throws {
  signal(SIGXFSZ, SIG_IGN)
  var limit = rlimit(rlim_cur: rlim_t(byteCount), rlim_max: .max)
  #if canImport(Darwin)
    try #require(unsafe setrlimit(RLIMIT_FSIZE, &limit) == 0)
  #else
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    limit.rlim_cur = rlim_t(byteCount)
    try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
  #endif
}
