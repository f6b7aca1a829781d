// SPDX-FileCopyrightText: The EnvelopeKit authors
// SPDX-License-Identifier: Apache-2.0

import EnvelopeKit
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A main function that fails ends its process in one line.
@Suite(.timeLimit(.minutes(20))) struct RunOrExitTests {
  private struct Other: Error, CustomStringConvertible {
    var description: String { "hunter2\n" }
  }

  private func expectOneLine(
    _ result: ExitTest.Result?, _ line: String, _ location: SourceLocation = #_sourceLocation
  ) {
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text == "Error: \(line)\n", sourceLocation: location)
    #expect(!text.contains("hunter2"), sourceLocation: location)
  }

  @Test func returnsWhatTheBodyReturns() async {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let number = await HandlerSecrets.runOrExit { 7 }
      #expect(number == 7)
      await HandlerSecrets.runOrExit {}
    }
    #expect(result?.standardErrorContent == [])
  }

  @Test func showsWhatFailedAndWhatToDo() async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      await HandlerSecrets.runOrExit {
        let opened = try OpenedEnvironment(["TOKEN": "hunter2"])
        _ = try opened.require("DATABASE_URL")
      }
    }
    let expected = #expect(throws: EnvelopeError.self) { try OpenedEnvironment(["TOKEN": "x"]).require("DATABASE_URL") }
    expectOneLine(result, expected?.description ?? "")
  }

  @Test func keepsHostileTextInOneLine() async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      await HandlerSecrets.runOrExit {
        throw EnvelopeError(.malformed, "a\nFORGED\r\u{1b}[2J", advice: "b\u{202e}")
      }
    }
    expectOneLine(result, #"a\u{a}FORGED\u{d}\u{1b}[2J. b\u{202e}"#)
  }

  /// The description of an error that is not ours may hold a secret, as that of a decoding error does.
  @Test func showsTypeOfOtherErrorsAlone() async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      await HandlerSecrets.runOrExit { throw Other() }
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.hasPrefix("Error: ") && text.contains("Other") && !text.contains("hunter2"))
    #expect(text.filter { $0 == "\n" }.count == 1 && text.hasSuffix("\n"))
    let cancelled = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      await HandlerSecrets.runOrExit { throw CancellationError() }
    }
    expectOneLine(
      cancelled, "Swift.CancellationError. Its description is not shown, because it may hold a secret.")
  }

  @Test func statusIsOneWithoutStandardError() async {
    await #expect(processExitsWith: .exitCode(1)) {
      close(STDERR_FILENO)
      await HandlerSecrets.runOrExit { throw EnvelopeError(.malformed, "unheard") }
    }
    await #expect(processExitsWith: .exitCode(1)) {
      var ends: [Int32] = [0, 0]
      try #require(unsafe pipe(&ends) == 0)
      try #require(dup2(ends[1], STDERR_FILENO) >= 0)
      close(ends[0])
      await HandlerSecrets.runOrExit { throw EnvelopeError(.malformed, "unheard") }
    }
  }
}
