// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  @unsafe @preconcurrency import Darwin
#elseif canImport(Glibc)
  @unsafe @preconcurrency import Glibc
#elseif canImport(Musl)
  @unsafe @preconcurrency import Musl
#endif

/// The files that a call names, and those in the folders that it names.
struct FileTree {
  /// A file, and whether it was named itself.
  struct Entry: Equatable {
    let path: String
    let isNamed: Bool
  }

  /// Every file once, those of a folder in ascending order of their names' bytes.
  private(set) var entries: [Entry] = []
  private var seen: Set<String> = []

  /// Looks into folders and theirs, but for `.git`; links that lie in them are not followed, and what a killed command
  /// left of a file is passed over.
  ///
  /// - Throws: `noInput` where a path is not there, `fileFailure` where a folder cannot be read.
  init(_ paths: [String]) throws(EnvelopeError) {
    for path in paths {
      switch try Path(path).kind {
      case .nothing: throw EnvelopeError(.noInput, "There is no file \(path)", advice: "Check the path.")
      case .file: add(Entry(path: path, isNamed: true))
      case .other: try addFolder(Path(path))
      }
    }
  }

  private mutating func add(_ entry: Entry) {
    if seen.insert(Path(entry.path).absolute.string).inserted { entries.append(entry) }
  }

  private mutating func addFolder(_ folder: Path) throws(EnvelopeError) {
    for (name, kind) in try folder.contents() where name != ".git" {
      // A dot alone stands for itself, and nobody wants to read it before every path.
      let path = folder.string == "." ? Path(name) : folder.appending(name)
      switch kind {
      case .file where !Path.isUnfinished(name): add(Entry(path: path.string, isNamed: false))
      case .folder: try addFolder(path)
      case .file, .other: break
      }
    }
  }
}

extension Path {
  fileprivate enum ContentKind {
    case file
    case folder
    case other
  }

  /// The names in a folder and what they are, links not followed.
  fileprivate func contents() throws(EnvelopeError) -> [(name: String, kind: ContentKind)] {
    var contents: [(name: String, kind: ContentKind)] = []
    for name in try names() {
      var status = stat()
      // What went away meanwhile is not there.
      guard unsafe lstat(appending(name).string, &status) == 0 else { continue }
      let kind: ContentKind =
        switch mode_t(status.st_mode) & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
      contents.append((name, kind))
    }
    return contents.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }
}
