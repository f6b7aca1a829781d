// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKitArchives
import Foundation
import TestSupport
import Testing

/// Whatever is printed, dumped or reflected, no content of an archive shows.
@Suite("SealedArchive: redaction", .timeLimit(.minutes(20))) struct RedactionTests {
  @Test func noPublicTypeShowsContent() async throws {
    let folder = try ArchiveFolder()
    let archive = try await folder.archive(Zip(Zip.Entry("name", Array("hunter2".utf8))))
    _ = try archive.read("name")
    let entry = try #require(archive.entry(named: "name"))
    for value in [archive, entry, archive.limits] as [Any] {
      #expect(!shown(value).contains("hunter2") && !shown(value).contains("104, 117, 110"))
    }
    #expect(shown(Array("hunter2".utf8)).contains("104, 117, 110"))
  }
}
