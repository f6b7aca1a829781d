// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// One file of C2SP/wycheproof vectors.
struct Wycheproof<Group: Decodable>: Decodable {
  let numberOfTests: Int
  let testGroups: [Group]
}

enum WycheproofResult: String, Decodable {
  case valid, invalid, acceptable
}

struct VectorsNotRun: Error, CustomStringConvertible {
  let description: String
}

extension Wycheproof {
  /// Reads a file of the published vectors.
  static func load(_ name: String, _ type: Group.Type = Group.self) throws -> Wycheproof {
    let folder = PublishedVectors.folder
    let path = "wycheproof/\(name)_test.json"
    do {
      let data = try Data(contentsOf: folder.appending(path: path))
      let vectors = try JSONDecoder().decode(Wycheproof.self, from: data)
      guard vectors.numberOfTests > 0, !vectors.testGroups.isEmpty else {
        throw VectorsNotRun(description: "the file holds none")
      }
      return vectors
    } catch {
      throw VectorsNotRun(
        description: "The vectors \(path) were not run, TEST_VECTORS or \(folder.path()) lacks them: \(error)")
    }
  }
}

/// Bytes written in hexadecimal.
struct HexBytes: Decodable {
  let bytes: [UInt8]

  init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let bytes = [UInt8](hex: text) else { throw VectorsNotRun(description: "not hexadecimal: \(text)") }
    self.bytes = bytes
  }
}
