// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit

/// The patterns of one `.gitignore`, or of `exclude` in `envelope.yaml`, in a subset of git's language.
///
/// A pattern is a name, or a path from the folder of its file if it has a slash at its beginning or inside. `*` stands
/// for any characters but a slash, `?` for one, `**` for any folders, a slash at the end for folders only, `!` at the
/// beginning takes back what an earlier pattern left out. A pattern with `[` or a backslash is not understood: it leaves
/// nothing out, and takes everything back if it begins with `!`, so that what is not understood is searched.
struct IgnorePatterns {
  private struct Pattern {
    let isNegated: Bool
    let isFolderOnly: Bool
    /// The names of a path; nil if it matches everything.
    let names: [[UInt8]]?
    let isPath: Bool
  }

  private let patterns: [Pattern]

  init(lines: [String]) { patterns = lines.compactMap { Self.pattern(Array($0.utf8)) } }

  /// Reads the text of a file.
  init(text: String) {
    let text = text.utf8.starts(with: [0xef, 0xbb, 0xbf]) ? String(text.unicodeScalars.dropFirst()) : text
    self.init(lines: text.utf8.split(separator: UInt8.lineFeed).map { String(Substring($0)) })
  }

  private static func pattern(_ line: [UInt8]) -> Pattern? {
    var line = line[...]
    if line.last == .carriageReturn { line.removeLast() }
    while line.last == .space { line.removeLast() }
    guard let first = line.first, first != .hash else { return nil }
    let isNegated = first == UInt8(ascii: "!")
    if isNegated { line.removeFirst() }
    let isFolderOnly = line.last == .slash
    if isFolderOnly { line.removeLast() }
    let isPath = line.contains(.slash)
    if line.first == .slash { line.removeFirst() }
    var names = line.split(separator: .slash, omittingEmptySubsequences: false).map(Array.init)
    let isUnderstood =
      !line.contains(where: { $0 == UInt8(ascii: "[") || $0 == .backslash }) && names.allSatisfy { !$0.isEmpty }
    guard isUnderstood else {
      return isNegated ? Pattern(isNegated: true, isFolderOnly: false, names: nil, isPath: false) : nil
    }
    // What lies in a folder, and not the folder itself.
    if names.count > 1, names.last == anyFolders { names.append([.star]) }
    return Pattern(isNegated: isNegated, isFolderOnly: isFolderOnly, names: names, isPath: isPath)
  }

  /// Whether a path is left out, as the last pattern says that matches it; nil if none does.
  ///
  /// - Parameter path: The names from the folder of the patterns on.
  func leavesOut(_ path: ArraySlice<[UInt8]>, isFolder: Bool) -> Bool? {
    let pattern = patterns.last { pattern in
      guard isFolder || !pattern.isFolderOnly, let last = path.last else { return false }
      guard let names = pattern.names else { return true }
      return pattern.isPath ? Self.matches(path, names) : Self.matches(last, names[0])
    }
    return pattern.map { !$0.isNegated }
  }

  private static let anyFolders: [UInt8] = [.star, .star]

  private static func matches(_ path: ArraySlice<[UInt8]>, _ names: [[UInt8]]) -> Bool {
    matches(Array(path), names, isRun: { $0 == anyFolders }, isSame: { matches($0, $1) })
  }

  private static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
    matches(name, pattern, isRun: { $0 == .star }, isSame: { $1 == UInt8(ascii: "?") || $0 == $1 })
  }

  /// Compares with a pattern in which some elements stand for a run of any length; time is at most the product of the
  /// lengths.
  private static func matches<Element>(
    _ elements: [Element], _ pattern: [Element], isRun: (Element) -> Bool, isSame: (Element, Element) -> Bool
  ) -> Bool {
    var (position, place) = (0, 0)
    // Where the last run is in the pattern, and where it would end if it were one element longer.
    var run: (place: Int, end: Int)?
    while position < elements.count {
      if place < pattern.count, isRun(pattern[place]) {
        run = (place, position)
        place += 1
      } else if place < pattern.count, isSame(elements[position], pattern[place]) {
        (position, place) = (position + 1, place + 1)
      } else if let last = run {
        run = (last.place, last.end + 1)
        (position, place) = (last.end + 1, last.place + 1)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy(isRun)
  }
}

extension UInt8 {
  fileprivate static let star = UInt8(ascii: "*")
  fileprivate static let slash = UInt8(ascii: "/")
}
