// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import EnvelopeKitFiles

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
