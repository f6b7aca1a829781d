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
  /// What could not be looked at, so that nobody knows what is sealed there.
  private(set) var failures: [(path: String, error: EnvelopeError)] = []
  /// The folders and files that rules leave out.
  private(set) var leftOut: [String] = []
  private var seen: Set<String> = []

  /// Looks into folders and theirs, but for `.git`.
  ///
  /// Links that lie in them are not followed, and what a killed command left of a file is passed over. Files and folders
  /// that are named are taken whatever rules say.
  ///
  /// - Parameter rules: Makes the rules for a folder that is named; nil leaves nothing out.
  /// - Throws: `noInput` if a path is not there.
  init(_ paths: [String], leavingOut rules: ((Path) -> IgnoreRules)? = nil) throws(EnvelopeError) {
    for path in paths {
      switch try Path(path).kind {
      case .nothing: throw EnvelopeError(.noInput, "No such file: \(path.shown)", advice: "Check the path.")
      case .file: add(Entry(path: path, isNamed: true))
      case .other: addFolder(Path(path), rules?(Path(path)))
      }
    }
  }

  private mutating func add(_ entry: Entry) {
    if seen.insert(Path(entry.path).absolute.string).inserted { entries.append(entry) }
  }

  private mutating func addFolder(_ folder: Path, _ rules: IgnoreRules?) {
    var rules = rules
    do throws(EnvelopeError) {
      let names = try folder.names()
      rules?.follow(folder, with: names)
      for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where name != ".git" {
        // A dot alone stands for itself, and nobody wants to read it before every path.
        add(name, at: folder.string == "." ? Path(name) : folder.appending(name), rules)
      }
    } catch {
      failures.append((folder.string, error))
    }
  }

  private mutating func add(_ name: String, at path: Path, _ rules: IgnoreRules?) {
    var status = stat()
    guard unsafe lstat(path.string, &status) == 0 else {
      let failure = EnvelopeError.system("Cannot look at it")
      guard errno == ENOENT else { return failures.append((path.string, failure)) }
      // What went away meanwhile is not there; a name that is not UTF-8 only seems so.
      guard name.contains("\u{fffd}") else { return }
      let reason = EnvelopeError(.fileFailure, "Its name is not UTF-8, so it was not looked at", advice: "Rename it.")
      return failures.append((path.string, reason))
    }
    let type = mode_t(status.st_mode) & S_IFMT
    guard type == S_IFDIR || type == S_IFREG && !Path.isUnfinished(name) && !Path.isLockFile(name) else { return }
    if rules?.leavesOut(name, isFolder: type == S_IFDIR) ?? false { return leftOut.append(path.string) }
    if type == S_IFREG { add(Entry(path: path.string, isNamed: false)) } else { addFolder(path, rules?.entering(name)) }
  }
}

extension Path {
  /// Whether it is a symbolic link to what does not exist.
  var isLinkToNothing: Bool { type == S_IFLNK && !exists }

  /// Whether it is a file itself, and no link to one.
  var isRegularFile: Bool { type == S_IFREG }

  /// Whether it is a folder, or a link to one.
  var isFolder: Bool {
    var status = stat()
    return unsafe stat(string, &status) == 0 && mode_t(status.st_mode) & S_IFMT == S_IFDIR
  }

  /// What it is itself, as the system names it; nil if it is not there or cannot be looked at.
  private var type: mode_t? {
    var status = stat()
    return unsafe lstat(string, &status) == 0 ? mode_t(status.st_mode) & S_IFMT : nil
  }
}
