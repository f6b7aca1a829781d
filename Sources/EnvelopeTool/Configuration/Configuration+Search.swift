// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Configuration {
  /// Looks for `envelope.yaml` from a folder upward, no higher than the root of the repository or the home
  /// folder; if it lies in neither, in that folder alone.
  ///
  /// The search does not enter a folder that all users share, such as /tmp: any of them could put a repository and an
  /// `envelope.yaml` there, and so make every command below it fail.
  static func find(from start: Path, home: Path?) -> Path? {
    let folders = start.searchFolders(home: home?.absolute)
    return folders.map { $0.appending(fileName) }.first { $0.exists }
  }

  /// Refuses a file, or the folder of it or of what it links to, that somebody else could have written.
  static func check(_ path: Path) throws(EnvelopeError) {
    // A pipe would be waited for.
    guard try path.kind == .file else {
      throw EnvelopeError(.configuration, "\(path) is not a file", advice: "Replace it by one, or remove it.")
    }
    for place in [path, path.folder, path.resolved.folder] {
      let status = try place.openForReading().status(of: place)
      guard status.owner == geteuid() else {
        throw EnvelopeError(
          .filePermissions, "\(place) belongs to another user, who could choose the keys that you seal under",
          advice: "Look at \(path), and if it is right, copy it to a folder of your own and run the command there.")
      }
      guard status.mode & 0o022 == 0 else {
        throw EnvelopeError(
          .filePermissions, "Other users can write to \(place), and could choose the keys that you seal under",
          advice: place == path || !Self.isShared(place, status)
            ? place.advice(running: "chmod go-w") : "Move \(path) to a folder that only you can write to.")
      }
    }
  }
}

extension Configuration {
  /// Whether others may need to write to a folder: it is sticky, as /tmp is, or the system's own.
  private static func isShared(_ folder: Path, _ status: Descriptor.Status) -> Bool {
    let place = folder.resolved
    return status.mode & 0o1000 != 0 || place == Path("/") || place.folder == Path("/")
      || ["/usr/", "/var/", "/etc/", "/opt/"].contains { place.string.hasPrefix($0) }
  }
}

extension Path {
  /// The path from the root, without links where they can be told; the file may not be there yet.
  var absolute: Path { exists ? resolved : folder.resolved.appending(name) }

  /// The folder itself and those above it, up to the first that is a repository's root or the home folder.
  ///
  /// Only the folder itself if there is none below the first shared folder above it.
  fileprivate func searchFolders(home: Path?) -> [Path] {
    var folders = [absolute]
    while let folder = folders.last {
      if folder.appending(".git").exists || folder.string == home?.string { return folders }
      if folder.folder.isSharedFolder { break }
      // Also where the path from the root cannot be told, as in a folder that has been removed.
      if folder.folder == folder { break }
      folders.append(folder.folder)
    }
    return Array(folders.prefix(1))
  }
}
