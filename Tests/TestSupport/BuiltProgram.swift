// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Programs that were built together with the tests.
package enum BuiltProgram {
  /// The path of a program, looked for from the test program upward; nil if it is not there.
  package static func path(named name: String) -> String? {
    var starts = [CommandLine.arguments[0], "/proc/self/exe"].map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
    }
    starts += Bundle.allBundles.map { $0.bundleURL.resolvingSymlinksInPath() }
    // SwiftPM hands the test bundle over as an argument.
    starts += CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
    }
    for start in starts {
      var folder = start
      while folder.path != "/" {
        let candidate = folder.appendingPathComponent(name).path
        if isProgram(candidate) { return candidate }
        folder.deleteLastPathComponent()
      }
    }
    return nil
  }

  /// Whether there is a program at a path.
  package static func isProgram(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
      && FileManager.default.isExecutableFile(atPath: path)
  }
}
