// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

/// What a search of folders leaves out: folders that a `.gitignore` names, and what `envelope.yaml` names.
///
/// git itself is not called: the settings of a repository can make it run programs. Its index is not read either, so
/// a folder that is ignored and tracked all the same is left out.
struct IgnoreRules {
  /// Patterns, and the names of their folder from the root.
  private struct Level {
    let patterns: IgnorePatterns
    let folder: [[UInt8]]
  }

  static let fileName = ".gitignore"
  private static let byteLimit = 64 << 10

  /// The names of the folder that is searched, from the root.
  private let path: [[UInt8]]
  private let configured: Level?
  private var levels: [Level] = []

  /// The rules for what lies in a folder that was named.
  ///
  /// - Parameter configuration: What `envelope.yaml` says.
  init(in folder: Path, _ configuration: Configuration) {
    path = folder.absolute.names
    if let root = configuration.folder, !configuration.excluded.isEmpty {
      configured = Level(patterns: IgnorePatterns(lines: configuration.excluded), folder: root.absolute.names)
    } else {
      configured = nil
    }
    for above in folder.absolute.foldersOfRepositoryAbove { read(above, above.names) }
  }

  private init(path: [[UInt8]], configured: Level?, levels: [Level]) {
    (self.path, self.configured, self.levels) = (path, configured, levels)
  }

  /// The rules for what lies in a folder in this one.
  func entering(_ name: String) -> IgnoreRules {
    IgnoreRules(path: path + [Array(name.utf8)], configured: configured, levels: levels)
  }

  /// Follows the `.gitignore` of the folder that is searched, if it has one.
  ///
  /// - Parameter names: The names in the folder. Those above a repository say nothing about it.
  mutating func follow(_ folder: Path, with names: [String]) {
    if names.contains(".git") { levels = [] }
    if names.contains(Self.fileName) { read(folder, path) }
  }

  private mutating func read(_ folder: Path, _ names: [[UInt8]]) {
    let file = folder.appending(Self.fileName)
    // A link is not followed, as by git. What cannot be read leaves nothing out.
    guard file.isRegularFile, let text = try? file.openForReading().readAll(limit: Self.byteLimit, of: file) else {
      return
    }
    let patterns = text.withBytes { IgnorePatterns(text: String(decoding: [UInt8](copying: $0), as: UTF8.self)) }
    levels.append(Level(patterns: patterns, folder: names))
  }

  /// Whether a name in the folder is left out.
  ///
  /// Files are only if `envelope.yaml` names them: a local sealed file often is in `.gitignore`.
  func leavesOut(_ name: String, isFolder: Bool) -> Bool {
    guard isFolder || configured != nil else { return false }
    let path = path + [Array(name.utf8)]
    if let configured, path.starts(with: configured.folder),
      let isLeftOut = configured.patterns.leavesOut(path.dropFirst(configured.folder.count), isFolder: isFolder)
    {
      return isLeftOut
    }
    guard isFolder else { return false }
    // A file deeper in the tree goes before those above.
    return levels.reversed().lazy.compactMap { $0.patterns.leavesOut(path.dropFirst($0.folder.count), isFolder: true) }
      .first
      ?? false
  }
}

extension Path {
  fileprivate var names: [[UInt8]] { string.utf8.split(separator: UInt8(ascii: "/")).map(Array.init) }

  /// The folders above this one up to the root of its repository, outermost first; none if it is in no repository, or
  /// only in one of a folder that all users share.
  fileprivate var foldersOfRepositoryAbove: [Path] {
    var folders: [Path] = []
    var folder = self
    while !folder.appending(".git").exists {
      let above = folder.folder
      guard above != folder, !above.isSharedFolder else { return [] }
      folders.insert(above, at: 0)
      folder = above
    }
    return folders
  }
}
