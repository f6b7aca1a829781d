// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Foundation
import Testing

/// A fork and the process that it was made of have the same next chunk number, and must not both seal it.
@Suite(.timeLimit(.minutes(20))) struct StreamForkTests {
  @Test func forkSealsNoChunk() async {
    await #expect(processExitsWith: .success) {
      let keyring = try KeysetKeyring(.generate())
      var sealer = try await StreamSealer(context: [:], using: keyring)
      var sealed: [UInt8] = []
      let plaintext = [UInt8](repeating: 7, count: 200_000)
      try sealer.append(unsafe plaintext.span.bytes) { sealed += unsafe $0.withUnsafeBytes { unsafe [UInt8]($0) } }
      // Swift does not import it, because little is allowed in the child.
      guard let symbol = unsafe dlsym(UnsafeMutableRawPointer(bitPattern: 0), "fork") else {
        Issue.record("There is no function to fork with")
        return
      }
      let fork = unsafe unsafeBitCast(symbol, to: (@convention(c) () -> Int32).self)
      let child = fork()
      var code: EnvelopeError.Code?
      do {
        try sealer.finish { sealed += unsafe $0.withUnsafeBytes { unsafe [UInt8]($0) } }
      } catch let error as EnvelopeError {
        code = error.code
      }
      if child == 0 { _exit(code == .systemFailure ? 0 : 1) }
      var status: Int32 = -1
      unsafe waitpid(child, &status, 0)
      #expect(code == nil && status == 0)
      let header = try #require(try StreamOpener.headerByteCount(of: unsafe sealed.span.bytes))
      var opener = try await StreamOpener(header: Array(sealed.prefix(header)), context: [:], using: keyring)
      var opened = 0
      try opener.append(unsafe Array(sealed.dropFirst(header)).span.bytes) { opened += $0.byteCount }
      try opener.finish { opened += $0.byteCount }
      #expect(opened == plaintext.count)
    }
  }
}
